//! A forward proxy in front of Keycloak, which sees everything that a service asks it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Response, StatusCode, header},
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::http_client;

const MAX_BODY: usize = 1024 * 1024;

/// Forwards plain HTTP requests (RFC 9112 section 3.2.2) and notes their paths; it ends when it is dropped.
pub struct Proxy {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Forwarding {
    http: reqwest::Client,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let forwarding = Forwarding {
            http: http_client(),
            seen: Arc::clone(&seen),
        };
        let router = axum::Router::new().fallback(forward).with_state(forwarding);
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a server on loopback runs");
        });
        Self {
            url: format!("http://{address}"),
            seen,
            server,
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many requests went to a path with this end.
    pub fn requests_to(&self, end: &str) -> usize {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|path| path.ends_with(end)).count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn forward(State(forwarding): State<Forwarding>, request: Request) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    {
        let mut seen = forwarding.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(parts.uri.path().to_owned());
    }
    let bad_gateway = |_| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    };
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return bad_gateway(());
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    let request = forwarding
        .http
        .request(parts.method, parts.uri.to_string())
        .headers(parts.headers)
        .body(body);
    match request.send().await {
        Ok(answer) => http::Response::from(answer).map(Body::new),
        Err(_) => bad_gateway(()),
    }
}
