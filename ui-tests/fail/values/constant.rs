use keycloak_auth::keycloak;

#[keycloak(roles = ROLE)]
async fn handler_0() {}

#[keycloak(roles = [ROLE, "x"])]
async fn handler_1() {}

#[keycloak(client_roles("c" = names::ROLE))]
async fn handler_2() {}

#[keycloak(groups = self::GROUP)]
async fn handler_3() {}

#[keycloak(scopes = ["x", names::read])]
async fn handler_4() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4));
}
