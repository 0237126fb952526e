use keycloak_auth::keycloak;

#[keycloak(groups = "op")]
async fn handler_0() {}

#[keycloak(group("/oncall"))]
async fn handler_1() {}

#[keycloak(group_tree("/finanace"))]
async fn handler_2() {}

#[keycloak(groups = "/Ops")]
async fn handler_3() {}

#[keycloak(group("/auditor"))]
async fn handler_4() {}

#[keycloak(groups = ["/ops", "/warehouse/night"])]
async fn handler_5() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4))
        .route("/5", axum::routing::get(handler_5));
}
