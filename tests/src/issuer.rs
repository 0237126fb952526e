//! A local issuer with the paths of Keycloak, for what a real one cannot be made to send.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{Form, FromRequest as _, Request, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use bytes::Bytes;
use rustls::ServerConfig;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{SigningKey, Token, tls::TlsListener};

/// An HTTP server that answers as the realm `acme` of a Keycloak does, and counts what it is asked.
///
/// It ends when it is dropped.
pub struct Issuer {
    url: String,
    address: SocketAddr,
    state: Arc<Mutex<Shared>>,
    key: SigningKey,
    certificate: Option<Arc<Mutex<Arc<ServerConfig>>>>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    url: String,
    key_sets: HashMap<String, Value>,
    replies: HashMap<String, Reply>,
    requests: Vec<Received>,
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub authorization: Option<String>,
    pub headers: HeaderMap,
    /// `application/x-www-form-urlencoded`, decoded, in its order.
    pub form: Vec<(String, String)>,
}

/// An answer put in the place of the usual one.
#[derive(Clone, Debug)]
#[must_use]
pub struct Reply {
    status: StatusCode,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    delay: Duration,
}

impl Issuer {
    /// An issuer that publishes one RS256 key.
    pub async fn start() -> Self {
        Self::with_key(crate::rsa_key(0)).await
    }

    /// An issuer that publishes this key in the realm `acme`.
    pub async fn with_key(key: SigningKey) -> Self {
        Self::serve(key, None).await
    }

    /// An issuer that speaks https.
    pub async fn with_tls(config: Arc<ServerConfig>) -> Self {
        Self::serve(crate::rsa_key(0), Some(config)).await
    }

    async fn serve(key: SigningKey, tls: Option<Arc<ServerConfig>>) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let address = tcp.local_addr().expect("a bound socket has an address");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{address}");
        let state = Arc::new(Mutex::new(Shared {
            url: url.clone(),
            ..Shared::default()
        }));
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&state));
        let tls = tls.map(|config| Arc::new(Mutex::new(config)));
        let certificate = tls.clone();
        let server = tokio::spawn(async move {
            let served = match tls {
                None => axum::serve(tcp, router).await,
                Some(config) => axum::serve(TlsListener { tcp, config }, router).await,
            };
            served.expect("a server on loopback runs");
        });
        let issuer = Self {
            url,
            address,
            state,
            key,
            certificate,
            server,
        };
        issuer.publish(std::slice::from_ref(&issuer.key));
        issuer
    }

    /// Shows another certificate on new connections, if it speaks https.
    pub fn show_certificate(&self, config: Arc<ServerConfig>) {
        let shown = self.certificate.as_ref().expect("the issuer speaks https");
        *shown.lock().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// The server address: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The `iss` of the realm `acme`.
    pub fn issuer(&self) -> String {
        self.issuer_of("acme")
    }

    pub fn issuer_of(&self, realm: &str) -> String {
        format!("{}/realms/{realm}", self.url)
    }

    /// The key that signs unless a test takes another.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// A token of this issuer, to be changed and signed.
    pub fn token(&self) -> Token {
        Token::new(&self.issuer())
    }

    /// A token of this issuer that nothing is wrong with.
    pub fn valid_token(&self) -> String {
        self.token().sign(&self.key)
    }

    /// Replaces the keys of the realm `acme`.
    pub fn publish(&self, keys: &[SigningKey]) {
        self.publish_jwks(keys.iter().map(SigningKey::jwk).collect());
    }

    /// Replaces the keys of the realm `acme` by any JSON values.
    pub fn publish_jwks(&self, keys: Vec<Value>) {
        self.publish_in("acme", keys);
    }

    /// Replaces the keys of a realm, which exists from then on.
    pub fn publish_in(&self, realm: &str, keys: Vec<Value>) {
        let key_set = json!({ "keys": keys });
        self.lock().key_sets.insert(realm.to_owned(), key_set);
    }

    /// Answers a path in this way from now on.
    pub fn reply(&self, path: &str, reply: Reply) {
        self.lock().replies.insert(path.to_owned(), reply);
    }

    /// Gives a path its usual answer back.
    pub fn reply_as_usual(&self, path: &str) {
        self.lock().replies.remove(path);
    }

    /// The usual answer of a path, to be changed.
    pub fn usual(&self, path: &str) -> Reply {
        self.lock().usual(path)
    }

    /// How many requests a path has received.
    pub fn requests_to(&self, path: &str) -> usize {
        let shared = self.lock();
        shared.requests.iter().filter(|request| request.path == path).count()
    }

    /// How often the key set of the realm `acme` was fetched.
    pub fn key_fetches(&self) -> usize {
        self.requests_to(Self::JWKS)
    }

    /// The paths of all requests, in their order.
    pub fn requests(&self) -> Vec<String> {
        let shared = self.lock();
        shared.requests.iter().map(|request| request.path.clone()).collect()
    }

    /// The last request that a path has received.
    pub fn last_request_to(&self, path: &str) -> Option<Received> {
        let shared = self.lock();
        shared.requests.iter().rfind(|request| request.path == path).cloned()
    }

    pub const DISCOVERY: &str = "/realms/acme/.well-known/openid-configuration";
    pub const JWKS: &str = "/realms/acme/protocol/openid-connect/certs";
    pub const TOKEN: &str = "/realms/acme/protocol/openid-connect/token";
    pub const INTROSPECTION: &str = "/realms/acme/protocol/openid-connect/token/introspect";

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).expect("a status code"),
            headers: Vec::new(),
            body: Bytes::new(),
            delay: Duration::ZERO,
        }
    }

    /// 200 with this JSON.
    pub fn json(body: &Value) -> Self {
        Self::status(200)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The body, where it is JSON.
    pub fn body_json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

async fn answer(State(state): State<Arc<Mutex<Shared>>>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let authorization = request.headers().get(header::AUTHORIZATION);
    let authorization = authorization.and_then(|value| Some(value.to_str().ok()?.to_owned()));
    let headers = request.headers().clone();
    let form = Form::from_request(request, &()).await.map(|Form(form)| form);
    let received = Received {
        path: path.clone(),
        authorization,
        headers,
        form: form.unwrap_or_default(),
    };
    let reply = {
        let mut shared = state.lock().unwrap_or_else(PoisonError::into_inner);
        shared.requests.push(received);
        let own = shared.replies.get(&path).cloned();
        own.unwrap_or_else(|| shared.usual(&path))
    };
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    for (name, value) in reply.headers {
        let value = HeaderValue::from_str(&value).expect("a header value");
        response.headers_mut().append(name, value);
    }
    response
}

impl Shared {
    fn usual(&self, path: &str) -> Reply {
        let not_found = || Reply::json(&json!({ "error": "Realm does not exist" })).with_status(404);
        let Some((realm, endpoint)) = path.strip_prefix("/realms/").and_then(|rest| rest.split_once('/')) else {
            return not_found();
        };
        let Some(key_set) = self.key_sets.get(realm) else {
            return not_found();
        };
        match endpoint {
            ".well-known/openid-configuration" => Reply::json(&self.discovery(realm)),
            "protocol/openid-connect/certs" => Reply::json(key_set).header(header::CACHE_CONTROL.as_str(), "no-cache"),
            "protocol/openid-connect/token/introspect" => Reply::json(&json!({ "active": false })),
            _ => not_found(),
        }
    }

    fn discovery(&self, realm: &str) -> Value {
        let issuer = format!("{}/realms/{realm}", self.url);
        let endpoint = |name: &str| json!(format!("{issuer}/protocol/openid-connect/{name}"));
        json!({
            "issuer": issuer,
            "authorization_endpoint": endpoint("auth"),
            "token_endpoint": endpoint("token"),
            "introspection_endpoint": endpoint("token/introspect"),
            "userinfo_endpoint": endpoint("userinfo"),
            "end_session_endpoint": endpoint("logout"),
            "jwks_uri": endpoint("certs"),
            "grant_types_supported": [
                "authorization_code",
                "client_credentials",
                "password",
                "refresh_token",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public", "pairwise"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "dpop_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            "tls_client_certificate_bound_access_tokens": true,
        })
    }
}

impl Reply {
    fn with_status(mut self, status: u16) -> Self {
        self.status = StatusCode::from_u16(status).expect("a status code");
        self
    }
}
