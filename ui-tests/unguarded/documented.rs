//! Handlers without a policy among those that OpenAPI describes; none of them may compile.

use keycloak_auth::{__private::utoipa, SecureRouter, keycloak, secure_routes};

#[utoipa::path(get, path = "/without", responses((status = 200, description = "OK")))]
async fn without() {}

mod orders {
    use keycloak_auth::__private::utoipa;

    #[utoipa::path(get, path = "/orders", responses((status = 200, description = "OK")))]
    pub(crate) async fn without_either(_: String) {}
}

#[keycloak(public)]
#[utoipa::path(get, path = "/with", responses((status = 200, description = "OK")))]
async fn with_policy() {}

fn main() {
    let _: SecureRouter = SecureRouter::new()
        .routes(secure_routes!(with_policy, without))
        .routes(secure_routes!(orders::without_either))
        .routes(secure_routes!(with_policy));
}
