use keycloak_auth::keycloak;

#[keycloak(public)]
#[rustfmt::skip]
async fn handler(
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
    _: axum::http::Method,
) {}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(handler));
}
