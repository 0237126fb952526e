//! Types of a service's own around handlers that have a policy: whether they ask it, nobody can tell.

use std::future::{Ready, ready};

use keycloak_auth::{SecureRouter, keycloak, routing::get};

#[keycloak(roles = "admin")]
async fn alone() {}

#[keycloak(roles = "admin")]
async fn with_method(_: axum::http::Method) {}

#[derive(Clone)]
struct Instead<H>(H);

impl<H: axum::handler::Handler<T, S>, T: 'static, S: Send + 'static> axum::handler::Handler<T, S> for Instead<H> {
    type Future = Ready<axum::response::Response>;

    fn call(self, _: axum::extract::Request, _: S) -> Self::Future {
        ready(axum::response::IntoResponse::into_response("without asking"))
    }
}

#[rustfmt::skip]
fn main() {
    let _: SecureRouter = SecureRouter::new()
        .route("/1", get(Instead(alone)))
        .route("/2", get(Instead(with_method)))
        .route("/3", get(axum::handler::Handler::layer(Instead(alone), axum::Extension(()))))
        .route("/4", get(axum::handler::Handler::layer(Instead(with_method), axum::Extension(()))));
}
