//! Several `Keycloak`s in one service: the one that a router was secured with decides, whoever is around it.

use axum::{
    Router,
    body::Body,
    extract::{FromRef, Request, State},
    middleware::from_fn_with_state,
    response::{IntoResponse as _, Response},
    routing,
};
use http::Extensions;
use keycloak_auth::{Keycloak, KeycloakUser, SecureRouter, keycloak, routing::get, testing::TestRealm};
use keycloak_auth_tests::Service;
use tower::ServiceExt as _;

use crate::setup::{admin, me};

#[derive(Clone, FromRef)]
struct Strict {
    keycloak: Keycloak,
}

#[derive(Clone, FromRef)]
struct Lenient {
    keycloak: Keycloak,
}

/// Trusts the realm, for tokens of another audience and without the cache or with it.
fn strict(realm: &TestRealm, cache: usize) -> Keycloak {
    let builder = Keycloak::builder()
        .server_url("https://keycloak.test")
        .realm("acme")
        .client_id("admin-api");
    let builder = builder
        .audience("admin-api")
        .algorithms([keycloak_auth::Algorithm::ES256]);
    let builder = builder
        .key_set(realm.key_set())
        .clock(realm.clock().clone())
        .token_cache_capacity(cache);
    builder.build().expect("valid")
}

fn lenient(realm: &TestRealm, cache: usize) -> Keycloak {
    realm.builder().token_cache_capacity(cache).build().expect("valid")
}

#[tokio::test]
async fn a_layer_further_out_does_not_take_the_place_of_the_keycloak_in_the_state() {
    for cache in [0, 100] {
        let realm = TestRealm::new("acme", "orders-api");
        let keycloak = strict(&realm, cache);
        let inner = SecureRouter::<Strict>::new().route("/me", get(me)).secure_from_state();
        let inner = inner.with_state(Strict { keycloak });
        let outer = Router::new()
            .nest("/admin", inner)
            .layer(lenient(&realm, cache).layer());
        let service = Service::start(outer).await;
        let for_orders = realm.user("alice").token();
        assert_eq!(
            service.get_as("/admin/me", &for_orders).await.status,
            401,
            "cache {cache}"
        );
        // Both have to agree.
        let for_both = realm
            .user("alice")
            .claim("aud", vec!["orders-api", "admin-api"])
            .token();
        assert_eq!(
            service.get_as("/admin/me", &for_both).await.text(),
            "alice",
            "cache {cache}"
        );
    }
}

#[tokio::test]
async fn a_layer_further_in_does_not_take_the_place_of_the_keycloak_of_secure_with() {
    for cache in [0, 100] {
        let realm = TestRealm::new("acme", "orders-api");
        let layer = || lenient(&realm, cache).layer();
        let for_orders = realm.user("alice").token();
        let for_admins = realm.user("alice").audience("admin-api").token();
        let for_both = realm.user("alice").claim("aud", vec!["orders-api", "admin-api"]);
        let for_both = for_both.token();
        for (kind, layer, admins_status) in [
            ("of all", layer(), 401),
            ("optional", layer().optional(), 401),
            // Of the two only the router asks here.
            ("public", layer().public_paths(["/me"]), 200),
        ] {
            let router = SecureRouter::new().route("/me", get(me)).layer(layer);
            let service = Service::start(router.secure_with(strict(&realm, cache))).await;
            let what = format!("{kind}, cache {cache}");
            assert_eq!(service.get_as("/me", &for_orders).await.status, 401, "{what}");
            assert_eq!(service.get("/me").send().await.status, 401, "{what}");
            assert_eq!(service.get_as("/me", &for_both).await.text(), "alice", "{what}");
            assert_eq!(service.get_as("/me", &for_admins).await.status, admins_status, "{what}");
        }
    }
}

#[tokio::test]
async fn a_layer_further_in_of_the_keycloak_of_secure_with_leaves_it_before_that_in_the_state() {
    for cache in [0, 100] {
        let realm = TestRealm::new("acme", "orders-api");
        let (keycloak, state) = (
            strict(&realm, cache),
            Lenient {
                keycloak: lenient(&realm, cache),
            },
        );
        // Registers the state's type.
        let beside = SecureRouter::<Lenient>::new()
            .route("/beside", get(me))
            .secure_from_state();
        let app = SecureRouter::<Lenient>::new()
            .route("/me", get(me))
            .layer(keycloak.layer().public_paths(["/me"]))
            .secure_with(keycloak)
            .merge(beside)
            .with_state(state);
        let service = Service::start(app).await;
        let for_orders = realm.user("alice").token();
        let for_admins = realm.user("alice").audience("admin-api").token();
        assert_eq!(
            service.get_as("/beside", &for_orders).await.status,
            200,
            "cache {cache}"
        );
        assert_eq!(service.get_as("/me", &for_orders).await.status, 401, "cache {cache}");
        assert_eq!(
            service.get_as("/me", &for_admins).await.text(),
            "alice",
            "cache {cache}"
        );
    }
}

#[tokio::test]
async fn what_another_keycloak_found_out_about_the_caller_does_not_count() {
    for cache in [0, 100] {
        let realm = TestRealm::new("acme", "orders-api");
        let keycloak = strict(&realm, cache);
        let look = async |_: Option<KeycloakUser>, request: axum::extract::Request, next: axum::middleware::Next| {
            next.run(request).await
        };
        // Registers the state's type, as a router beside it would.
        let state = Lenient {
            keycloak: lenient(&realm, cache),
        };
        let beside = SecureRouter::<Lenient>::new()
            .route("/beside", get(me))
            .secure_from_state();
        let inner = SecureRouter::<Strict>::new().route("/me", get(me)).secure_from_state();
        let inner = inner.with_state(Strict { keycloak });
        let app = Router::new()
            .nest("/admin", inner)
            .merge(beside.with_state(state.clone()))
            .layer(from_fn_with_state(state, look));
        let service = Service::start(app).await;
        let token = realm.user("alice").token();
        assert_eq!(service.get_as("/beside", &token).await.status, 200, "cache {cache}");
        assert_eq!(service.get_as("/admin/me", &token).await.status, 401, "cache {cache}");
    }
}

/// What the extractor knows of the caller, and what stands in the extensions.
#[keycloak(authenticated)]
async fn bosses(user: KeycloakUser, extensions: Extensions) -> String {
    let innermost = KeycloakUser::from_extensions(&extensions).expect("a layer or guard determined one");
    format!("{} {}", user.has_role("boss"), innermost.has_role("boss"))
}

#[tokio::test]
async fn the_user_in_the_extensions_is_that_of_the_innermost_guard() {
    for cache in [0, 100] {
        let realm = TestRealm::new("acme", "orders-api");
        let keycloak = strict(&realm, cache);
        let inner = SecureRouter::<Strict>::new()
            .route("/bosses", get(bosses))
            .secure_from_state();
        let app = inner
            .with_state(Strict { keycloak })
            .layer(lenient(&realm, cache).layer());
        let service = Service::start(app).await;
        for (client, expected) in [("orders-api", "false false"), ("admin-api", "true true")] {
            let user = realm.user("alice").claim("aud", vec!["orders-api", "admin-api"]);
            let token = user.client_role(client, "boss").token();
            let answer = service.get_as("/bosses", &token).await;
            assert_eq!(answer.text(), expected, "{client}, cache {cache}");
        }
    }
}

#[tokio::test]
async fn a_router_inside_of_another_is_asked_by_its_own_keycloak() {
    let realm = TestRealm::new("acme", "orders-api");
    let inner = SecureRouter::new()
        .route("/me", get(me))
        .secure_with(strict(&realm, 100));
    let app = SecureRouter::<()>::new().merge_public(Router::new().nest("/admin", inner));
    let service = Service::start(app.secure_with(lenient(&realm, 100))).await;
    assert_eq!(
        service.get_as("/admin/me", &realm.user("alice").token()).await.status,
        401
    );
    let token = realm.user("alice").audience("admin-api").token();
    assert_eq!(service.get_as("/admin/me", &token).await.text(), "alice");
}

#[tokio::test]
async fn a_router_secured_from_its_state_keeps_to_that_one_inside_of_another() {
    for cache in [0, 100] {
        let realm = TestRealm::new("acme", "orders-api");
        let keycloak = strict(&realm, cache);
        let inner = SecureRouter::<Strict>::new().route("/me", get(me)).secure_from_state();
        let inner = inner.with_state(Strict { keycloak });
        let app = SecureRouter::<()>::new()
            .merge_public(inner.clone())
            .nest_service_public("/nested", inner.clone())
            .route_service_public(
                "/routed/me",
                Router::new().nest("/routed", inner).into_service::<Body>(),
            );
        let service = Service::start(app.secure_with(lenient(&realm, cache))).await;
        let for_orders = realm.user("alice").token();
        let for_admins = realm.user("alice").audience("admin-api").token();
        for path in ["/me", "/nested/me", "/routed/me"] {
            assert_eq!(
                service.get_as(path, &for_orders).await.status,
                401,
                "{path}, cache {cache}"
            );
            assert_eq!(
                service.get_as(path, &for_admins).await.text(),
                "alice",
                "{path}, cache {cache}"
            );
        }
    }
}

#[tokio::test]
async fn guards_of_a_plain_router_inside_of_a_secured_one_ask_the_keycloak_of_that_one() {
    let realm = TestRealm::new("acme", "orders-api");
    let plain = Router::new().route("/me", routing::get(me));
    let app = SecureRouter::<()>::new()
        .merge_public(plain.clone())
        .nest_service_public("/nested", plain);
    let service = Service::start(app.secure_with(strict(&realm, 100))).await;
    let token = realm.user("alice").audience("admin-api").token();
    for path in ["/me", "/nested/me"] {
        assert_eq!(service.get_as(path, &token).await.text(), "alice", "{path}");
        assert_eq!(
            service.get_as(path, &realm.user("alice").token()).await.status,
            401,
            "{path}"
        );
    }
}

/// Hands the request to a router of its own, as a gateway does.
#[keycloak(realm_roles = "admin")]
async fn gateway(State(inner): State<Router>, request: Request) -> Response {
    inner.oneshot(request).await.into_response()
}

#[tokio::test]
async fn reporting_only_ends_where_another_router_begins() {
    let realm = TestRealm::new("acme", "orders-api");
    let state = || Strict {
        keycloak: realm.keycloak(),
    };
    let with = || {
        SecureRouter::new()
            .route("/with", get(admin))
            .secure_with(realm.keycloak())
    };
    let from_state = SecureRouter::<Strict>::new()
        .route("/state", get(admin))
        .secure_from_state()
        .with_state(state());
    let layer = Router::new()
        .route("/layer", routing::get(admin))
        .layer(realm.keycloak().layer());
    let plain = Router::new().route("/plain", routing::get(admin));
    let others = with().merge(from_state).merge(layer).merge(plain);
    let outer = SecureRouter::new()
        .route("/legacy", get(admin))
        .merge_public(others.clone())
        .nest_service_public("/nested", others.clone())
        .route_service_public(
            "/routed/{name}",
            Router::new().nest("/routed", others).into_service::<Body>(),
        )
        .merge(
            SecureRouter::new()
                .route("/gateway/with", get(gateway))
                .with_state(Router::new().nest("/gateway", with())),
        )
        .report_only();
    let service = Service::start(outer.secure_with(realm.keycloak())).await;
    let dave = realm.user("dave").token();
    assert_eq!(service.get("/legacy").send().await.status, 200);
    for prefix in ["", "/nested", "/routed"] {
        for path in ["/with", "/state", "/layer", "/plain"] {
            let path = format!("{prefix}{path}");
            assert_eq!(service.get(&path).send().await.status, 401, "{path}");
            assert_eq!(service.get_as(&path, &dave).await.status, 403, "{path}");
        }
    }
    assert_eq!(service.get("/gateway/with").send().await.status, 401);
}

#[tokio::test]
async fn what_only_looks_like_a_preflight_needs_a_token() {
    let realm = TestRealm::new("acme", "orders-api");
    let hook = routing::any(async |body: String| format!("did {body}"));
    let service = Service::start(Router::new().route("/hook", hook).layer(realm.keycloak().layer())).await;
    let options = || {
        service
            .request(http::Method::OPTIONS, "/hook")
            .header("origin", "https://evil.example.com")
    };
    let preflight = options().header("access-control-request-method", "POST");
    assert_eq!(preflight.send().await.status, 200, "left to the CORS layer behind");
    let with_body = options()
        .header("access-control-request-method", "POST")
        .body("delete everything");
    assert_eq!(with_body.send().await.status, 401);
    assert_eq!(options().send().await.status, 401);
}
