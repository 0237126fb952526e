//! Method routers of somebody else, such as axum's, take handlers without a policy; none of them may compile.

use keycloak_auth::SecureRouter;

struct OtherMethodRouter;

fn get<H>(_: H) -> OtherMethodRouter {
    OtherMethodRouter
}

async fn without() {}

fn main() {
    let _: SecureRouter = SecureRouter::new()
        .route("/1", get(without))
        .route("/2", without)
        .route("/3", || async {});
}
