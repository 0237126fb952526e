use keycloak_auth::keycloak;

macro_rules! handlers {
    () => {};
}

#[keycloak(public)]
handlers!();

fn main() {}
