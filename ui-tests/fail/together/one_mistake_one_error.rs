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

fn main() {
    let _ = <Api as utoipa::OpenApi>::openapi();
    let _ = utoipa_axum::router::OpenApiRouter::<()>::new().routes(utoipa_axum::routes!(handler));
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(handler).post(below::<()>));
}
