use keycloak_auth::keycloak;

#[keycloak(roles = admin, gruops = "/ops", scopes = ["a b", ""], client_roles("c"))]
unsafe fn handler() {}

fn main() {}
