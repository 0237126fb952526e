//! The access matrix: what it lists is what a service does, in every form, and nothing is left out.

use std::{env, panic::AssertUnwindSafe, process::Command};

use axum::{Router, routing::MethodFilter};
use keycloak_auth::{
    Keycloak, KeycloakUser, SecureRouter,
    access_matrix::{ACCEPT_SNAPSHOT, ANY_METHOD, Access, Format, RouteKind, Subject},
    keycloak, policy,
    routing::{MethodRouter, any, get, on, post},
    secure_routes,
    testing::TestRealm,
};
use keycloak_auth_tests::Service;

use crate::setup::{admin, health, me};

/// The realm file that a real Keycloak imports in the tests against it.
const REALM: &str = include_str!("../../../examples/orders/realm.json");

#[keycloak(any(realm_role("admin"), group_tree("/ops")))]
#[utoipa::path(get, path = "/orders", responses((status = 200, description = "All orders")))]
async fn list() {}

#[keycloak(client_roles("orders-api" = "orders:write"))]
#[utoipa::path(post, path = "/orders", responses((status = 201, description = "Created")))]
async fn create() {}

#[keycloak(roles = "orders:read")]
async fn read() {}

#[keycloak(any(realm_role("admin"), owner("id")))]
async fn one() {}

#[keycloak(all(group("/finance"), max_age(300)))]
async fn pay() {}

#[keycloak(authenticated)]
async fn lost() {}

#[keycloak(realm_roles = "auditor")]
async fn wrong_method() {}

/// Everything that a router can be built from.
fn router() -> SecureRouter {
    let inner = SecureRouter::new()
        .route("/", get(me))
        .route("/{id}", get(one))
        .fallback(admin)
        .route_service_public("/logo", axum::routing::any(async || "logo"));
    SecureRouter::new()
        .routes(secure_routes!(list, create))
        .route("/health", get(health))
        .route("/read", on(MethodFilter::GET.or(MethodFilter::PUT), read).post(admin))
        .route("/read", MethodRouter::new().delete(pay))
        .route("/any", any(read).merge(post(pay)))
        .nest("/tenants/{tenant}", inner)
        .merge(SecureRouter::new().route("/merged", get(read)))
        .merge_public(Router::new().route("/docs", axum::routing::get(async || "docs")))
        .nest_service_public("/files", axum::routing::any(async || "file"))
        .method_not_allowed_fallback(wrong_method)
        .fallback(lost)
}

#[test]
fn every_route_is_listed_with_its_policy() {
    let table = router().access_matrix().to_snapshot();
    let expected = r#"ANY /* public [public router, its routes are not listed]
ANY /* authenticated [fallback]
ANY /* realm_role("auditor") [fallback for other methods]
POST /any all(group("/finance"), max_age(300))
ANY /any role("orders:read")
ANY /files/* public [public service]
GET /health public
GET /merged role("orders:read")
GET /orders any(realm_role("admin"), group_tree("/ops"))
POST /orders client_role("orders-api", "orders:write")
GET /read role("orders:read")
POST /read realm_role("admin")
PUT /read role("orders:read")
DELETE /read all(group("/finance"), max_age(300))
GET /tenants/{tenant} authenticated
ANY /tenants/{tenant}/* realm_role("admin") [fallback]
ANY /tenants/{tenant}/logo public [public service]
GET /tenants/{tenant}/{id} any(realm_role("admin"), owner("id"))
"#;
    let mut lines: Vec<_> = table.lines().collect();
    let mut wanted: Vec<_> = expected.lines().collect();
    lines.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(lines, wanted, "{table}");
}

#[test]
fn handlers_are_named() {
    let matrix = router().access_matrix();
    let handler = |method: &str, path: &str| {
        let row = matrix
            .rows()
            .iter()
            .find(|row| (row.method(), row.path()) == (method, path));
        row.and_then(|row| row.handler())
    };
    assert_eq!(
        handler("GET", "/read").map(|name| name.ends_with("::access_matrix::read")),
        Some(true)
    );
    assert_eq!(
        handler("GET", "/orders").map(|name| name.ends_with("::access_matrix::list")),
        Some(true)
    );
    assert_eq!(handler("ANY", "/files/*"), None);
}

/// For each row and each kind of caller, what the matrix says is what the service does.
#[tokio::test]
async fn what_the_matrix_says_is_what_the_service_does() {
    let realm = TestRealm::new("acme", "orders-api");
    let keycloak = realm.keycloak();
    let tokens = [
        ("nobody", realm.user("dave").token()),
        ("admin", realm.user("alice").realm_role("admin").token()),
        ("ops", realm.user("bob").group("/ops/oncall").token()),
        (
            "reader",
            realm.user("carol").client_role("orders-api", "orders:read").token(),
        ),
        (
            "other reader",
            realm.user("erin").client_role("billing-api", "orders:read").token(),
        ),
        (
            "writer",
            realm.user("frank").client_role("orders-api", "orders:write").token(),
        ),
        ("auditor", realm.user("olga").realm_role("auditor").token()),
    ];
    let mut subjects = Vec::new();
    for (name, token) in &tokens {
        let user = keycloak.authenticate(token).await.expect("the token is good");
        subjects.push(Subject::authenticated(*name, &user));
    }
    let matrix = router().access_matrix().for_subjects(subjects);
    let service = Service::start(router().secure_with(keycloak)).await;
    let (mut allowed, mut denied) = (0, 0);
    for row in matrix.rows() {
        let path = row
            .path()
            .replace("{tenant}", "acme")
            .replace("{id}", "nobody-at-all")
            .replace('*', "unknown/deep");
        let (method, path) = match (row.method(), row.kind()) {
            // What a public router has is not known, so this one's only route is asked for.
            (_, RouteKind::PublicRouter) => ("GET", "/docs".to_owned()),
            (_, RouteKind::MethodNotAllowed) => ("DELETE", "/health".to_owned()),
            (ANY_METHOD, _) => ("PATCH", path),
            (method, _) => (method, path),
        };
        for ((name, token), subject) in tokens.iter().zip(matrix.subjects()) {
            let method = method.parse().expect("a method");
            let answer = service.request(method, &path).bearer(token).send().await;
            let says = subject.access(row.policy());
            match says {
                Access::Allow => {
                    assert_eq!(answer.status, 200, "{name} at {row:?}");
                    allowed += 1;
                }
                Access::Deny => {
                    assert_eq!(answer.status, 403, "{name} at {row:?}");
                    denied += 1;
                }
                Access::Depends => assert!([200, 401, 403].contains(&answer.status), "{name} at {row:?}"),
                other => panic!("{other:?} for {name} at {row:?}"),
            }
        }
    }
    assert!(allowed > 40 && denied > 40, "{allowed} and {denied}");
}

#[test]
fn a_realm_file_gives_a_column_for_each_role_group_and_user() {
    let matrix = router()
        .access_matrix()
        .for_realm(REALM, "orders-api")
        .expect("a realm file");
    let names: Vec<_> = matrix.subjects().iter().map(Subject::name).collect();
    for name in [
        "admin",
        "orders:read of orders-api",
        "/ops/oncall",
        "alice",
        "service-account-orders-worker",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    for (subject, method, path, expected) in [
        ("admin", "GET", "/orders", Access::Allow),
        ("admin of billing-api", "GET", "/orders", Access::Deny),
        ("/ops/oncall", "GET", "/orders", Access::Allow),
        // A composite role of a realm role and a client's.
        ("staff", "GET", "/read", Access::Allow),
        ("bob", "GET", "/read", Access::Allow),
        ("bob", "POST", "/read", Access::Deny),
        ("dave", "GET", "/orders", Access::Deny),
        ("dave", "GET", "/tenants/{tenant}/{id}", Access::Depends),
        // A group that gives a realm role.
        ("/finance", "ANY", "/*", Access::Allow),
        ("carol", "DELETE", "/read", Access::Depends),
        ("service-account-orders-worker", "POST", "/orders", Access::Allow),
    ] {
        assert_eq!(
            matrix.access(subject, method, path),
            Some(expected),
            "{subject} {method} {path}"
        );
    }
    assert_eq!(matrix.access("nobody", "GET", "/orders"), None);
    assert!(router().access_matrix().for_realm("[", "orders-api").is_err());
}

#[test]
fn every_form_has_every_route() {
    let matrix = router().access_matrix();
    let rows = matrix.rows().len();
    assert_eq!(matrix.to_string().lines().count(), rows + 1);
    assert_eq!(matrix.to_markdown().lines().count(), rows + 2);
    assert_eq!(matrix.to_csv().split_terminator("\r\n").count(), rows + 1);
    assert_eq!(matrix.to_html().matches("<th scope=\"row\"").count(), rows);
    let json: serde_json::Value = serde_json::from_str(&matrix.to_json()).expect("JSON");
    let routes = json["routes"].as_array().expect("a list");
    assert_eq!(routes.len(), rows);
    let orders = routes.iter().find(|route| route["path"] == "/orders").expect("listed");
    assert_eq!(
        orders["policy"],
        serde_json::json!({ "any": [{ "realm_role": "admin" }, { "group_tree": "/ops" }] })
    );
    assert_eq!(Format::from_name("pdf"), None);
}

#[tokio::test]
async fn the_page_is_served_to_whom_it_is_for_and_lists_the_whole_router() {
    let realm = TestRealm::new("acme", "orders-api");
    let inner = SecureRouter::new().access_matrix_page("/access-matrix", &policy!(realm_roles = "admin"));
    let router = SecureRouter::new()
        .nest("/internal", inner)
        .route("/added-later", get(read));
    let service = Service::start(router.secure_with(realm.keycloak())).await;
    let path = "/internal/access-matrix";
    assert_eq!(service.get(path).send().await.status, 401);
    assert_eq!(service.get_as(path, &realm.user("dave").token()).await.status, 403);
    let admin = realm.user("alice").realm_role("admin").token();
    let page = service.get_as(path, &admin).await;
    assert_eq!(
        (page.status, page.content_type()),
        (200, Some("text/html; charset=utf-8"))
    );
    let text = page.text().replace("<wbr>", "");
    assert!(
        text.contains("/added-later") && text.contains("/internal/access-matrix"),
        "{text}"
    );
    assert!(text.contains("Requires role <code>orders:read</code>."), "{text}");
    for external in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!text.contains(external), "{external} in the page");
    }
    let security = page.header(http::header::CONTENT_SECURITY_POLICY).expect("a policy");
    assert!(
        security.starts_with("default-src 'none'; style-src 'sha256-"),
        "{security}"
    );
    assert_eq!(page.header(http::header::CACHE_CONTROL), Some("no-store"));

    for (format, media_type, begin) in [
        ("text", "text/plain; charset=utf-8", "method  path"),
        ("markdown", "text/markdown; charset=utf-8", "| `method` | `path` |"),
        ("json", "application/json", "{"),
        ("csv", "text/csv; charset=utf-8; header=present", "method,path,"),
    ] {
        let answer = service.get_as(&format!("{path}?format={format}"), &admin).await;
        assert_eq!((answer.status, answer.content_type()), (200, Some(media_type)));
        assert!(answer.text().starts_with(begin), "{answer:?}");
        assert!(answer.text().contains("/added-later"), "{answer:?}");
    }
    assert_eq!(service.get_as(&format!("{path}?format=pdf"), &admin).await.status, 400);
}

#[tokio::test]
async fn the_page_finds_its_keycloak_in_the_state_too() {
    let realm = TestRealm::new("acme", "orders-api");
    let router = SecureRouter::<Keycloak>::new()
        .access_matrix_page("/access-matrix", &policy!(realm_roles = "admin"))
        .secure_from_state()
        .with_state(realm.keycloak());
    let service = Service::start(router).await;
    let status = async |token: &str| service.get_as("/access-matrix", token).await.status;
    assert_eq!(status(&realm.user("alice").realm_role("admin").token()).await, 200);
    assert_eq!(status(&realm.user("dave").token()).await, 403);
}

#[test]
#[should_panic(
    expected = "`GET /orders/{order}` has no path parameter `id`, it has `order`; the policy \
                           `any(realm_role(\"admin\"), owner(\"id\"))` of its handler `service::access_matrix::one` asks for it"
)]
fn an_owner_without_its_path_parameter_does_not_start() {
    let realm = TestRealm::new("acme", "orders-api");
    let _ = SecureRouter::<()>::new()
        .route("/orders/{order}", get(one))
        .secure_with(realm.keycloak());
}

#[test]
#[should_panic(expected = "`GET /users/{user}/settings` has no path parameter `id`, it has `user`")]
fn an_owner_without_its_path_parameter_does_not_start_from_the_state_either() {
    #[keycloak(owner("id"))]
    async fn settings() {}
    let _ = SecureRouter::<Keycloak>::new()
        .nest("/users/{user}", SecureRouter::new().route("/settings", get(settings)))
        .secure_from_state();
}

#[tokio::test]
async fn a_nested_routers_prefix_may_have_the_owners_path_parameter() {
    #[keycloak(owner("id" = "preferred_username"))]
    async fn settings(user: KeycloakUser) -> String {
        user.username().unwrap_or_default().to_owned()
    }
    let realm = TestRealm::new("acme", "orders-api");
    let router = SecureRouter::new().nest("/users/{id}", SecureRouter::new().route("/settings", get(settings)));
    let service = Service::start(router.secure_with(realm.keycloak())).await;
    let alice = realm.user("alice").token();
    assert_eq!(service.get_as("/users/alice/settings", &alice).await.text(), "alice");
    assert_eq!(service.get_as("/users/bob/settings", &alice).await.status, 403);
}

#[test]
fn a_snapshot_file_is_compared_and_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("access-matrix.txt");
    let matrix = SecureRouter::<()>::new().route("/read", get(read)).access_matrix();
    let failure = |matrix: keycloak_auth::AccessMatrix| {
        let file = file.clone();
        let caught = std::panic::catch_unwind(AssertUnwindSafe(|| matrix.assert_snapshot(file))).expect_err("it fails");
        caught.downcast_ref::<String>().expect("a message").clone()
    };
    assert!(failure(matrix.clone()).ends_with("run the test with ACCEPT_ACCESS_MATRIX=1 to write it"));
    std::fs::write(&file, matrix.to_snapshot()).expect("writable");
    matrix.assert_snapshot(&file);
    let changed = SecureRouter::<()>::new().route("/read", get(admin)).access_matrix();
    let message = failure(changed);
    assert!(
        message.contains("`GET /read`: was `role(\"orders:read\")`, is `realm_role(\"admin\")`"),
        "{message}"
    );
    assert!(
        message.contains("run the test with ACCEPT_ACCESS_MATRIX=1"),
        "{message}"
    );
}

/// The environment is that of a process, so this test runs itself once more in another one.
#[test]
fn a_changed_matrix_is_accepted_by_the_environment() {
    const FILE: &str = "ACCESS_MATRIX_OF_THE_TEST";
    let matrix = SecureRouter::<()>::new().route("/read", get(read)).access_matrix();
    if let Some(file) = env::var_os(FILE) {
        matrix.assert_snapshot(file);
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("access-matrix.txt");
    std::fs::write(&file, "GET /read public\n").expect("writable");
    let run = |accept: &str| {
        let mut test = Command::new(env::current_exe().expect("a test has a path"));
        test.args([
            "--exact",
            "access_matrix::a_changed_matrix_is_accepted_by_the_environment",
        ])
        .env(FILE, &file)
        .env(ACCEPT_SNAPSHOT, accept);
        test.output().expect("it runs").status.success()
    };
    assert!(!run("0"), "not accepted");
    assert!(run("1"));
    assert_eq!(std::fs::read_to_string(&file).expect("written"), matrix.to_snapshot());
    assert!(run("0"), "and compared from then on");
}
