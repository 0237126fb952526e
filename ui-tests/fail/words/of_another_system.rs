use keycloak_auth::keycloak;

#[keycloak(permit_all)]
async fn handler_0() {}

#[keycloak(allowAnonymous)]
async fn handler_1() {}

#[keycloak(isAuthenticated())]
async fn handler_2() {}

#[keycloak(hasRole("admin"))]
async fn handler_3() {}

#[keycloak(roles_allowed = "admin")]
async fn handler_4() {}

#[keycloak(hasAnyRole("admin", "clerk"))]
async fn handler_5() {}

#[keycloak(allOf(role("admin"), role("clerk")))]
async fn handler_6() {}

#[keycloak(memberOf("/ops"))]
async fn handler_7() {}

#[keycloak(login_required)]
async fn handler_8() {}

fn main() {}
