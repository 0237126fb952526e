//! An issuer and services that trust it, with what every attack must be answered with.

use axum::{Router, extract::FromRef, routing};
use keycloak_auth::{Keycloak, KeycloakBuilder, KeycloakUser, SecureRouter, keycloak, routing::get};
use keycloak_auth_tests::{Answer, Issuer, Service, SigningKey, rsa_key};
use serde_json::{Value, json};

/// An issuer, and the three ways to put a service behind it.
pub struct Setup {
    pub issuer: Issuer,
    /// `SecureRouter::secure_with`, with a route for each kind of policy.
    pub service: Service,
    /// `SecureRouter::secure_from_state`.
    from_state: Service,
    /// `keycloak.layer()` around a plain router.
    layered: Service,
}

impl Setup {
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub async fn with(configure: impl FnOnce(KeycloakBuilder) -> KeycloakBuilder) -> Self {
        Self::with_key(rsa_key(0), configure).await
    }

    /// An issuer that publishes this key.
    pub async fn with_key(key: SigningKey, configure: impl FnOnce(KeycloakBuilder) -> KeycloakBuilder) -> Self {
        let issuer = Issuer::with_key(key).await;
        let keycloak = configure(builder(&issuer)).build().expect("a valid configuration");
        Self {
            service: Service::start(secure_router().secure_with(keycloak.clone())).await,
            from_state: Service::start(
                SecureRouter::<AppState>::new()
                    .route("/authenticated", get(authenticated_from_state))
                    .secure_from_state()
                    .with_state(AppState {
                        keycloak: keycloak.clone(),
                    }),
            )
            .await,
            layered: Service::start(
                Router::new()
                    .route("/authenticated", routing::get(async || "let in"))
                    .layer(keycloak.layer()),
            )
            .await,
            issuer,
        }
    }

    fn entrances(&self) -> [(&'static str, &Service); 3] {
        [
            ("secure_with", &self.service),
            ("secure_from_state", &self.from_state),
            ("layer", &self.layered),
        ]
    }

    /// Every entrance lets this token in, also when it comes again and again.
    #[track_caller]
    pub fn accepts<'a>(&'a self, token: &'a str) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            for (entrance, service) in [self.entrances(), self.entrances()].concat() {
                let answer = service.get_as("/authenticated", token).await;
                assert_eq!(
                    (answer.status, answer.text().as_str()),
                    (200, "let in"),
                    "{entrance}, from {caller}"
                );
            }
        }
    }

    /// Every entrance answers this token with A1: 401 and `invalid_token`, and one of these codes in the body.
    #[track_caller]
    pub fn refuses<'a>(&'a self, token: &'a str, codes: &'a [&'a str], what: &'a str) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            for (entrance, service) in self.entrances() {
                let answer = service.get_as("/authenticated", token).await;
                let what = format!("{what}, {entrance}, from {caller}");
                assert_a1(&answer, codes, &what);
                assert_tells_nothing_of(&answer, token, &what);
            }
        }
    }
}

/// The usual settings towards a local issuer.
pub fn builder(issuer: &Issuer) -> KeycloakBuilder {
    Keycloak::builder()
        .server_url(issuer.url())
        .realm("acme")
        .client_id("orders-api")
        .audience("orders-api")
}

/// A route for each kind of policy, named after it.
pub fn secure_router() -> SecureRouter {
    SecureRouter::new()
        .route("/public", get(public))
        .route("/optional", get(optional))
        .route("/authenticated", get(authenticated).post(authenticated))
        .route("/me", get(me))
        .route("/admin", get(admin))
        .route("/realm-admin", get(realm_admin))
        .route("/orders-admin", get(orders_admin))
        .route("/ops", get(ops))
        .route("/ops-tree", get(ops_tree))
        .route("/fresh", get(fresh))
        .route("/email", get(email))
}

#[derive(Clone, FromRef)]
struct AppState {
    keycloak: Keycloak,
}

#[keycloak(public)]
async fn public() -> &'static str {
    "let in"
}

#[keycloak(public)]
async fn optional(user: Option<KeycloakUser>) -> String {
    match user {
        Some(user) => format!("user {}", user.username().unwrap_or_default()),
        None => "nobody".to_owned(),
    }
}

#[keycloak(authenticated)]
async fn authenticated() -> &'static str {
    "let in"
}

#[keycloak(authenticated)]
async fn authenticated_from_state() -> &'static str {
    "let in"
}

#[keycloak(authenticated)]
async fn me(user: KeycloakUser) -> axum::Json<KeycloakUser> {
    axum::Json(user)
}

#[keycloak(roles = "admin")]
async fn admin() -> &'static str {
    "let in"
}

#[keycloak(realm_roles = "admin")]
async fn realm_admin() -> &'static str {
    "let in"
}

#[keycloak(client_roles("orders-api" = "admin"))]
async fn orders_admin() -> &'static str {
    "let in"
}

#[keycloak(groups = "/ops")]
async fn ops() -> &'static str {
    "let in"
}

#[keycloak(group_tree("/ops"))]
async fn ops_tree() -> &'static str {
    "let in"
}

#[keycloak(max_age(300))]
async fn fresh() -> &'static str {
    "let in"
}

#[keycloak(scopes = "email")]
async fn email() -> &'static str {
    "let in"
}

/// A0: 401 without an error code.
#[track_caller]
pub fn assert_a0(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 401, "{what}: {answer:?}");
    assert_eq!(answer.challenge(), r#"Bearer realm="acme""#, "{what}");
    assert_envelope(answer, &["missing_header"], what);
}

/// A1: 401 `invalid_token`.
#[track_caller]
pub fn assert_a1(answer: &Answer, codes: &[&str], what: &str) {
    assert_eq!(answer.status, 401, "{what}: {answer:?}");
    let message = assert_envelope(answer, codes, what);
    let expected = format!(r#"Bearer error="invalid_token", error_description="{message}""#);
    assert_eq!(answer.challenge(), expected, "{what}");
}

/// A2: 400 `invalid_request`.
#[track_caller]
pub fn assert_a2(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {answer:?}");
    let message = assert_envelope(answer, &["invalid_header_format"], what);
    let expected = format!(r#"Bearer error="invalid_request", error_description="{message}""#);
    assert_eq!(answer.challenge(), expected, "{what}");
}

/// A3: 403 `insufficient_scope`, with the scopes that are missing where that is what is missing.
#[track_caller]
pub fn assert_a3(answer: &Answer, code: &str, scopes: &str, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {answer:?}");
    let message = assert_envelope(answer, &[code], what);
    let mut expected = format!(r#"Bearer error="insufficient_scope", error_description="{message}""#);
    if !scopes.is_empty() {
        expected.push_str(&format!(r#", scope="{scopes}""#));
    }
    assert_eq!(answer.challenge(), expected, "{what}");
}

/// A4: 503 without a challenge.
#[track_caller]
pub fn assert_a4(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}: {answer:?}");
    assert!(answer.challenges().is_empty(), "{what}: {answer:?}");
    let retry_after = answer.retry_after().expect("a 503 says when to come again");
    assert!((1..=60).contains(&retry_after), "{what}: {retry_after}");
    let error = &answer.json()["error"];
    assert_eq!(error["code"], "keycloak_connection_error", "{what}");
    assert_eq!(error["details"], json!({ "retry_after": retry_after }), "{what}");
}

/// The default body with an empty `details`; returns the message.
#[track_caller]
fn assert_envelope(answer: &Answer, codes: &[&str], what: &str) -> String {
    assert_eq!(answer.content_type(), Some("application/json"), "{what}");
    assert_eq!(answer.retry_after(), None, "{what}");
    let body = answer.json();
    let text = |name: &str| match &body["error"][name] {
        Value::String(text) => text.clone(),
        other => panic!("{what}: `{name}` is {other}"),
    };
    let (code, message) = (text("code"), text("message"));
    assert!(codes.contains(&code.as_str()), "{what}: `{code}` is none of {codes:?}");
    let whole = json!({ "error": { "code": code, "message": message, "details": {} } });
    assert_eq!(body, whole, "{what}");
    message
}

/// No part of the token comes back, whether as it is or decoded.
#[track_caller]
fn assert_tells_nothing_of(answer: &Answer, token: &str, what: &str) {
    let said = format!("{:?} {}", answer.headers, answer.text());
    for part in token.split('.').filter(|part| part.len() >= 8) {
        assert!(!said.contains(part), "{what}: a part of the token comes back: {said}");
    }
    for claim in [
        "alice",
        "Alice",
        "24b70fee",
        "orders-web",
        "uma_authorization",
        "acme.test",
    ] {
        assert!(!said.contains(claim), "{what}: `{claim}` comes back: {said}");
    }
}
