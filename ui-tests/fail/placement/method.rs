use keycloak_auth::keycloak;

struct Api;

impl Api {
    #[keycloak(public)]
    async fn by_reference(&self) {}

    #[keycloak(public)]
    async fn by_value(self) {}

    #[keycloak(public)]
    async fn boxed(self: Box<Self>) {}

    #[keycloak(public)]
    async fn associated() -> Self {
        Self
    }

    #[keycloak(public)]
    async fn associated_by_its_body() {
        Self::associated().await;
    }
}

trait Orders {
    #[keycloak(public)]
    async fn declared(&self);

    #[keycloak(public)]
    async fn without_receiver();

    #[keycloak(public)]
    async fn provided(&mut self) {}
}

fn main() {}
