//! Grants at the token endpoint of a real Keycloak.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{Realm, SigningKey, dpop_proof};

/// What the token endpoint answered.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: Option<String>,
    pub id: Option<String>,
    /// The whole answer.
    pub answer: Value,
}

/// A request to the token endpoint.
#[must_use]
pub struct Grant {
    realm: Realm,
    form: Vec<(&'static str, String)>,
    user: Option<String>,
    proof: Option<String>,
}

impl Grant {
    pub(crate) fn new(realm: &Realm, client_id: &str) -> Self {
        let mut form = vec![("client_id", client_id.to_owned())];
        if let Some(secret) = realm.client_secret(client_id) {
            form.push(("client_secret", secret.to_owned()));
        }
        Self {
            realm: realm.clone(),
            form,
            user: None,
            proof: None,
        }
    }

    /// The password grant; the password is that of the realm file.
    pub fn password(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self.parameter("grant_type", "password").parameter("username", user)
    }

    pub fn client_credentials(self) -> Self {
        self.parameter("grant_type", "client_credentials")
    }

    pub fn refresh(self, refresh_token: &str) -> Self {
        self.parameter("grant_type", "refresh_token")
            .parameter("refresh_token", refresh_token)
    }

    /// Standard token exchange (RFC 8693).
    pub fn exchange(self, access_token: &str) -> Self {
        self.parameter("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
            .parameter("subject_token", access_token)
            .parameter("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")
    }

    /// Words joined by a space; `openid` brings an ID token.
    pub fn scope(self, scope: &str) -> Self {
        self.parameter("scope", scope)
    }

    pub fn parameter(mut self, name: &'static str, value: &str) -> Self {
        self.form.push((name, value.to_owned()));
        self
    }

    /// Sends a DPoP proof by this key (RFC 9449), to which the token is bound then.
    pub fn dpop(mut self, key: &SigningKey) -> Self {
        let url = token_endpoint(&self.realm);
        self.proof = Some(dpop_proof(key, "POST", &url, &json!({})));
        self
    }

    pub async fn send(self) -> Result<Tokens> {
        let answer = self.try_send().await?;
        ensure!(answer.0 == 200, "the token endpoint answered {} {}", answer.0, answer.1);
        let answer = answer.1;
        let token = |name| answer[name].as_str().map(str::to_owned);
        Ok(Tokens {
            access: token("access_token").context("no access token")?,
            refresh: token("refresh_token"),
            id: token("id_token"),
            answer,
        })
    }

    /// Status and body, whatever they are.
    pub async fn try_send(mut self) -> Result<(u16, Value)> {
        if let Some(user) = &self.user {
            let password = self.realm.password(user);
            let password = password.with_context(|| format!("`{user}` has no password"))?;
            self.form.push(("password", password.to_owned()));
        }
        let http = self.realm.http();
        let mut request = http.post(token_endpoint(&self.realm)).form(&self.form);
        if let Some(proof) = self.proof {
            request = request.header("DPoP", proof);
        }
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }
}

fn token_endpoint(realm: &Realm) -> String {
    format!("{}/protocol/openid-connect/token", realm.issuer())
}
