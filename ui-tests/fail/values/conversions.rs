use keycloak_auth::keycloak;

#[keycloak(roles = "admin".to_owned())]
async fn handler_0() {}

#[keycloak(roles = String::from("admin"))]
async fn handler_1() {}

#[keycloak(groups = Some("/ops"))]
async fn handler_2() {}

#[keycloak(roles = -1)]
async fn handler_3() {}

#[keycloak(roles = [["a"]])]
async fn handler_4() {}

#[keycloak(roles = [["a", "b"]])]
async fn handler_5() {}

#[keycloak(scopes = &"a")]
async fn handler_6() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4))
        .route("/5", axum::routing::get(handler_5))
        .route("/6", axum::routing::get(handler_6));
}
