//! Who the service is to Keycloak, and whether it can prove that.

use super::{KeycloakBuilder, problems::Problems};
use crate::{ClientAuthentication, Introspection, client_authentication::Client, provider::RealmUrl};

impl KeycloakBuilder {
    /// The client with its way to prove who it is, as far as all of that fits together.
    pub(super) fn client(
        &self,
        client_id: Option<&str>,
        realm_url: Option<&RealmUrl>,
        problems: &mut Problems,
    ) -> Option<Client> {
        const METHOD: &str = "client_authentication";
        let secret = self.client_secret.as_ref().map(|secret| secret.expose());
        if secret.is_some_and(|secret| secret.trim().is_empty()) {
            problems.add("client_secret", "is empty: leave it out for a client without a secret");
        }
        let authentication = match (secret, &self.client_authentication) {
            (Some(_), Some(other)) => {
                problems.add(
                    METHOD,
                    "is set beside `client_secret`, which may come from `KEYCLOAK_CLIENT_SECRET`: keep one of them",
                );
                // What else is wrong with it is said as well.
                Some(other.clone())
            }
            (Some(secret), None) if secret.trim().is_empty() => None,
            (Some(secret), None) => Some(ClientAuthentication::client_secret_basic(secret.as_str())),
            (None, authentication) => authentication.clone(),
        };
        if self.introspection != Introspection::Never && authentication.is_none() && secret.is_none() {
            problems.missing(
                "client_secret",
                "KEYCLOAK_CLIENT_SECRET",
                "introspection is for confidential clients, set it as in `.client_secret(…)`, or another \
                 `.client_authentication(…)`",
            );
        }
        if authentication.as_ref().is_some_and(ClientAuthentication::is_tls) {
            if self.client_certificate.is_none() && self.http_client.is_none() {
                problems.add(
                    "client_certificate",
                    "is missing: `tls_client_auth` is by certificate, set it as in `.client_certificate(pem)`",
                );
            }
            if realm_url.is_some_and(|url| !url.is_https()) {
                problems.add(METHOD, "is by certificate, which takes a server URL that is `https`");
            }
        }
        match Client::new(client_id.unwrap_or_default().into(), authentication.as_ref()) {
            Ok(client) => client_id.map(|_| client),
            Err(unusable) => {
                problems.add(METHOD, unusable.0);
                None
            }
        }
    }
}
