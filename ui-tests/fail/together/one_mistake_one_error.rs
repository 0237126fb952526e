use keycloak_auth::keycloak;

/// Everything below uses the handler whose policy has a mistake.
#[keycloak(rolse = "admin")]
#[utoipa::path(get, path = "/")]
async fn handler(body: String) -> String {
    body
}

#[utoipa::path(post, path = "/")]
#[keycloak(roles = ["admin", 7])]
async fn below<T: Send + 'static>(_: axum::extract::State<T>) {}

#[derive(utoipa::OpenApi)]
#[openapi(paths(handler, below))]
struct Api;

fn keycloak() -> keycloak_auth::Keycloak {
    unreachable!()
}

fn main() {
    let _ = <Api as utoipa::OpenApi>::openapi();
    let _ = utoipa_axum::router::OpenApiRouter::<()>::new().routes(utoipa_axum::routes!(handler));
    let _: axum::Router = keycloak_auth::SecureRouter::new()
        .route("/", keycloak_auth::routing::get(handler).post(below::<()>))
        .secure_with(keycloak());
}
