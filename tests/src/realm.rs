//! The realm of the tests, in a file that Keycloak itself reads, and a handle on it in a running server.

use std::sync::{Arc, LazyLock};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest;
use serde_json::Value;

use crate::{Admin, Grant, Https, hex, http_client};

/// The realm file of the orders service, as text.
pub const ACME_JSON: &str = include_str!("../../examples/orders/realm.json");

/// The realm file of the orders service.
pub static ACME: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(ACME_JSON).expect("a realm file is JSON"));

/// A realm in a running Keycloak.
#[derive(Clone)]
pub struct Realm {
    server_url: String,
    name: String,
    file: Arc<Value>,
    /// Only where the server is a Keycloak that the tests administer.
    admin: Option<Admin>,
    http: reqwest::Client,
}

impl Realm {
    /// Imports a realm file by the admin API.
    pub(crate) async fn import(admin: &Admin, file: Value) -> Result<Self> {
        admin.create_realm(&file).await?;
        Ok(Self {
            admin: Some(admin.clone()),
            ..Self::served_at(admin.server_url(), file)
        })
    }

    /// A realm that some server serves already.
    pub fn served_at(server_url: &str, file: Value) -> Self {
        let name = file["realm"].as_str().expect("a realm file has a name");
        Self {
            server_url: server_url.to_owned(),
            name: name.to_owned(),
            file: Arc::new(file),
            admin: None,
            http: http_client(),
        }
    }

    /// The same realm as it is reached by https, which makes it another issuer.
    pub fn over_https(&self, https: &Https) -> Result<Self> {
        let authority = reqwest::Certificate::from_pem(https.authority.pem().as_bytes())?;
        let http = reqwest::Client::builder().no_proxy().add_root_certificate(authority);
        Ok(Self {
            server_url: https.url.clone(),
            http: http.build()?,
            ..self.clone()
        })
    }

    pub fn server_url(&self) -> &str {
        &self.server_url
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn issuer(&self) -> String {
        format!("{}/realms/{}", self.server_url, self.name)
    }

    /// The realm file as it was imported: with another name and other ids than the realm file where that was needed.
    pub fn file(&self) -> &Value {
        &self.file
    }

    pub fn admin(&self) -> &Admin {
        self.admin
            .as_ref()
            .expect("a realm of a Keycloak that the tests administer")
    }

    /// A request to the token endpoint as this client, with its secret where the realm file has one.
    pub fn grant(&self, client_id: &str) -> Grant {
        Grant::new(self, client_id)
    }

    /// Shorthand for the password grant; users of the realm file are known by their passwords.
    pub async fn login(&self, client_id: &str, user: &str) -> Result<crate::Tokens> {
        self.grant(client_id).password(user).send().await
    }

    /// Ends the session that the refresh token belongs to.
    pub async fn logout(&self, client_id: &str, refresh_token: &str) -> Result<()> {
        let url = format!("{}/protocol/openid-connect/logout", self.issuer());
        let mut form = vec![("client_id", client_id), ("refresh_token", refresh_token)];
        if let Some(secret) = self.client_secret(client_id) {
            form.push(("client_secret", secret));
        }
        let status = self.http.post(url).form(&form).send().await?.status();
        ensure!(status.is_success(), "logout: {status}");
        Ok(())
    }

    /// Revokes a token of this public client (RFC 7009).
    pub async fn revoke(&self, client_id: &str, token: &str) -> Result<()> {
        let url = format!("{}/protocol/openid-connect/revoke", self.issuer());
        let form = [("client_id", client_id), ("token", token)];
        let status = self.http.post(url).form(&form).send().await?.status();
        ensure!(status.is_success(), "revocation: {status}");
        Ok(())
    }

    /// What Keycloak says of a token to this client.
    pub async fn introspect(&self, client_id: &str, token: &str) -> Result<Value> {
        let secret = self.client_secret(client_id);
        let secret = secret.with_context(|| format!("`{client_id}` has no secret"))?;
        let url = format!("{}/protocol/openid-connect/token/introspect", self.issuer());
        let answer = self
            .http
            .post(url)
            .form(&[("client_id", client_id), ("client_secret", secret), ("token", token)])
            .send()
            .await?;
        let status = answer.status();
        let body = answer.text().await?;
        ensure!(status.is_success(), "introspection: {status} {body}");
        Ok(serde_json::from_str(&body)?)
    }

    /// The key set that the realm publishes.
    pub async fn key_set(&self) -> Result<Value> {
        let url = format!("{}/protocol/openid-connect/certs", self.issuer());
        Ok(self.http.get(url).send().await?.json().await?)
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub fn client_secret(&self, client_id: &str) -> Option<&str> {
        let clients = self.file["clients"].as_array()?;
        let client = clients.iter().find(|client| client["clientId"] == client_id)?;
        client["secret"].as_str()
    }

    pub fn password(&self, user: &str) -> Option<&str> {
        let users = self.file["users"].as_array()?;
        let user = users.iter().find(|entry| entry["username"] == user)?;
        user["credentials"][0]["value"].as_str()
    }
}

/// The realm file under another name, which the default role has in its own, too. Ids are unique in a whole server, so
/// the users get others, derived from theirs.
pub(crate) fn renamed(file: &Value, name: &str) -> Value {
    let mut file = file.clone();
    if let Some(old) = file["realm"].as_str() {
        let default_role = |realm: &str| format!("\"default-roles-{realm}\"");
        let text = file.to_string().replace(&default_role(old), &default_role(name));
        file = serde_json::from_str(&text).expect("a name in place of another leaves JSON");
    }
    file["realm"] = name.into();
    let users = file["users"].as_array_mut();
    for user in users.into_iter().flatten() {
        if let Some(id) = user["id"].as_str() {
            user["id"] = derived_id(name, id).into();
        }
    }
    file
}

fn derived_id(name: &str, id: &str) -> String {
    let hash = digest::digest(&digest::SHA256, format!("{name} {id}").as_bytes());
    uuid(&hash.as_ref()[..16])
}

pub(crate) fn uuid(bytes: &[u8]) -> String {
    let text = hex(bytes);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..32]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_realm_shares_no_id_with_the_original() {
        let other = renamed(&ACME, "other");
        assert_eq!(other["realm"], "other");
        let ids = |file: &Value| -> Vec<String> {
            let users = file["users"].as_array().expect("users");
            users.iter().map(|user| user["id"].to_string()).collect()
        };
        assert!(!ids(&ACME).is_empty());
        assert!(ids(&other).iter().all(|id| !ids(&ACME).contains(id)));
    }

    #[test]
    fn the_realm_file_leaves_the_client_scopes_to_keycloak() {
        assert!(ACME.get("clientScopes").is_none());
    }
}
