//! Routers that report what their policies would refuse, and explanations of decisions: in the log, never in the answer.

use std::sync::{Arc, Mutex};

use keycloak_auth::{
    KeycloakUser, SecureRouter, keycloak,
    metrics::{DEFAULT_PREFIX, Metric, MetricsCollector, Tag},
    policy,
    routing::{get, post},
    testing::TestRealm,
};
use keycloak_auth_tests::{Logs, Service};

use crate::setup::{admin, me};

#[keycloak(any(realm_role("admin"), acr("2")))]
async fn strict() -> &'static str {
    "let through"
}

#[keycloak(realm_roles = "admin")]
async fn with_user(_: KeycloakUser) -> &'static str {
    "let through"
}

/// Keeps the tags of what would have been denied.
#[derive(Clone, Default)]
struct WouldDeny(Arc<Mutex<Vec<String>>>);

impl MetricsCollector for WouldDeny {
    fn increment_counter(&self, name: &str, tags: &[Tag<'_>]) {
        if name == Metric::PolicyWouldDeny.name(DEFAULT_PREFIX) {
            let tag = |wanted: &str| {
                tags.iter()
                    .find(|(name, _)| *name == wanted)
                    .map_or("", |(_, value)| value)
            };
            let handler = tag("handler").rsplit("::").next().unwrap_or_default();
            let line = format!("{handler} {}", tag("error_code"));
            self.0.lock().expect("no test panics in here").push(line);
        }
    }

    fn observe_histogram(&self, _: &str, _: &[Tag<'_>], _: f64) {}

    fn set_gauge(&self, _: &str, _: &[Tag<'_>], _: f64) {}
}

#[tokio::test]
async fn a_router_that_reports_only_lets_through_what_it_counts_and_warns_of() {
    let logs = Logs::capture();
    let realm = TestRealm::new("acme", "orders-api");
    let counted = WouldDeny::default();
    let keycloak = realm
        .builder()
        .metrics_collector(counted.clone())
        .build()
        .expect("valid");
    let legacy = SecureRouter::new()
        .route("/admin/{id}", get(admin))
        .route("/strict", get(strict))
        .route("/user", get(with_user))
        .access_matrix_page("/access-matrix", &policy!(realm_roles = "admin"))
        .report_only();
    let router = SecureRouter::new()
        .nest("/legacy", legacy)
        .route("/handler", get(me).merge(post(admin).report_only()))
        .route("/enforced", get(admin));
    let snapshot = router.access_matrix().to_snapshot();
    assert!(
        snapshot.contains(r#"GET /legacy/admin/{id} realm_role("admin") [report only: NOT enforced]"#),
        "{snapshot}"
    );
    let service = Service::start(router.secure_with(keycloak)).await;
    assert!(logs.text().contains("the policy is NOT enforced"), "{}", logs.text());

    let dave = realm.user("dave").token();
    assert_eq!(service.get_as("/legacy/admin/7", &dave).await.text(), "admin");
    assert_eq!(service.get_as("/legacy/strict", &dave).await.text(), "let through");
    assert_eq!(service.get("/legacy/strict").send().await.text(), "let through");
    assert_eq!(
        *counted.0.lock().expect("unpoisoned"),
        [
            "admin missing_roles",
            "strict insufficient_user_authentication",
            "strict missing_header"
        ]
    );
    let log = logs.text();
    assert!(
        log.contains(
            "report only, the policy would have refused: denied: `realm_role(\"admin\")` is not met; would suffice: realm role `admin`"
        ) && log.contains("http.route=\"/legacy/admin/{id}\"")
            && log.contains("http.request.method=\"GET\""),
        "{log}"
    );
    assert!(!log.contains(&dave), "no token in the log");

    // What is no matter of policy is refused as ever.
    assert_eq!(service.get_as("/legacy/strict", "garbage").await.status, 401);
    assert_eq!(
        service
            .get_as("/legacy/strict", &realm.user("dave").expired().token())
            .await
            .status,
        401
    );
    assert_eq!(
        service.get("/legacy/user").send().await.status,
        401,
        "there is no user to hand over"
    );
    assert_eq!(service.get_as("/legacy/user", &dave).await.status, 200);
    // A single handler, and what is beside it.
    assert_eq!(service.post("/handler").bearer(&dave).send().await.status, 200);
    assert_eq!(service.get("/handler").send().await.status, 401);
    assert_eq!(service.get_as("/enforced", &dave).await.status, 403);
    assert_eq!(
        service.get_as("/legacy/access-matrix", &dave).await.status,
        403,
        "never public"
    );
}

#[tokio::test]
async fn a_denial_is_logged_with_its_route_and_reason_and_the_answer_does_not_tell() {
    let logs = Logs::capture();
    let realm = TestRealm::new("acme", "orders-api");
    let router = SecureRouter::new().route("/orders/{id}", get(admin));
    let service = Service::start(router.secure_with(realm.keycloak())).await;
    let answer = service.get_as("/orders/7", &realm.user("dave").token()).await;
    assert_eq!(answer.status, 403);
    assert!(!answer.text().contains("admin"), "{answer:?}");
    let log = logs.text();
    let line = log
        .lines()
        .find(|line| line.contains("refused: denied:"))
        .expect("a line");
    for part in [
        "DEBUG",
        "http.request.method=\"GET\"",
        "http.route=\"/orders/{id}\"",
        "denied: `realm_role(\"admin\")` is not met; would suffice: realm role `admin`",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[tokio::test]
async fn an_explanation_says_what_failed_and_what_would_have_sufficed() {
    let realm = TestRealm::new("acme", "orders-api");
    let keycloak = realm.keycloak();
    let policy = policy!(all(
        any(realm_role("admin"), all(group("/ops"), realm_role("clerk"))),
        not(realm_role("trainee"))
    ));
    let token = realm.user("bob").realm_role("clerk").realm_role("trainee").token();
    let report = keycloak.explain(&policy, &token).await;
    assert_eq!(
        (report.status(), report.code(), report.is_allowed()),
        (403, Some("forbidden"), false)
    );
    let explanation = report.explanation().expect("a good token");
    let unmet: Vec<_> = explanation.unmet().iter().map(ToString::to_string).collect();
    assert_eq!(
        unmet,
        [
            r#"realm_role("admin")"#,
            r#"group("/ops")"#,
            r#"not(realm_role("trainee"))"#
        ]
    );
    let data = serde_json::to_value(&report).expect("data");
    assert_eq!(
        data["explanation"]["would_suffice"],
        serde_json::json!([
            [{ "realm_role": "admin" }, { "not": { "realm_role": "trainee" } }],
            [{ "group": "/ops" }, { "not": { "realm_role": "trainee" } }],
        ])
    );
    assert!(
        report.to_string().ends_with(
            "would suffice: realm role `admin` and that the caller does not have realm role `trainee`; \
             or group `/ops` and that the caller does not have realm role `trainee`"
        ),
        "{report}"
    );
    for text in [report.to_string(), data.to_string(), format!("{report:?}")] {
        assert!(!text.contains(&token), "{text}");
    }
}

#[tokio::test]
async fn a_decision_is_data() {
    let realm = TestRealm::new("acme", "orders-api");
    let keycloak = realm.keycloak();
    let dave = keycloak.authenticate(&realm.user("dave").token()).await.expect("good");
    for (policy, expected) in [
        (
            policy!(authenticated),
            serde_json::json!({ "allowed": true, "reason": "the policy is met" }),
        ),
        (
            policy!(realm_roles = "admin"),
            serde_json::json!({
                "allowed": false, "reason": "requires realm role `admin`", "unmet": { "realm_role": "admin" }
            }),
        ),
        (
            policy!(all(acr("2"), max_age(60))),
            serde_json::json!({
                "allowed": false,
                "reason": "needs a login of authentication context class `2` not older than 60 s",
                "step_up": { "acr": "2", "max_age": 60 }
            }),
        ),
    ] {
        let decision = keycloak.evaluate(&policy, &dave);
        assert_eq!(serde_json::to_value(decision).expect("data"), expected);
    }
}

#[tokio::test]
async fn a_report_about_a_token_is_what_a_service_answers() {
    let realm = TestRealm::new("acme", "orders-api");
    let keycloak = realm.keycloak();
    let router = SecureRouter::new()
        .route("/strict", get(strict))
        .route("/admin", get(admin));
    let service = Service::start(router.secure_with(keycloak.clone())).await;
    for token in [
        realm.user("alice").realm_role("admin").token(),
        realm.user("dave").token(),
        realm.user("dave").expired().token(),
        realm.user("dave").audience("billing-api").token(),
        "garbage".to_owned(),
    ] {
        for (path, policy) in [
            ("/strict", policy!(any(realm_role("admin"), acr("2")))),
            ("/admin", policy!(realm_roles = "admin")),
        ] {
            let report = keycloak.explain(&policy, &token).await;
            let answer = service.get_as(path, &token).await;
            assert_eq!(report.status(), answer.status, "{path}: {report}");
            if let Some(code) = report.code() {
                assert_eq!(answer.json()["error"]["code"], code, "{report}");
            }
            assert!(!report.to_string().contains(&token), "{report}");
        }
    }
}
