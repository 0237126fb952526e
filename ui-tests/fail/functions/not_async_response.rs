use keycloak_auth::keycloak;

#[keycloak(public)]
fn handler() -> &'static str {
    "ok"
}

#[keycloak(public)]
fn opaque() -> impl axum::response::IntoResponse + Send {
    "ok"
}

#[keycloak(public)]
fn json() -> axum::Json<u8> {
    axum::Json(1)
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(handler).post(opaque).put(json));
}
