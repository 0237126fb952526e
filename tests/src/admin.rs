//! The admin API of Keycloak, as far as the tests need it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use http::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::http_client;

/// Admin tokens live 60 s.
const TOKEN_AGE: Duration = Duration::from_secs(40);

/// An administrator of the realm `master`.
#[derive(Clone)]
pub struct Admin {
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    server_url: String,
    user: String,
    password: String,
    token: Mutex<Option<(String, Instant)>>,
}

/// A signing key to be added to a realm.
#[derive(Clone, Copy, Debug)]
pub enum KeyProvider {
    /// `RS256`, `RS384`, `RS512`, `PS256`, …
    Rsa(&'static str),
    /// `ES256`, `ES384` or `ES512`.
    Ecdsa(&'static str),
    /// Ed25519.
    Eddsa,
}

impl Admin {
    pub(crate) fn new(server_url: &str, user: &str, password: &str) -> Self {
        let inner = Inner {
            http: http_client(),
            server_url: server_url.to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
            token: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub fn server_url(&self) -> &str {
        &self.inner.server_url
    }

    pub async fn server_version(&self) -> Result<String> {
        let info = self.read("serverinfo").await?;
        let version = info["systemInfo"]["version"].as_str();
        Ok(version.context("the server does not tell its version")?.to_owned())
    }

    pub async fn realms(&self) -> Result<Vec<Value>> {
        let realms = self.read("realms").await?;
        Ok(realms.as_array().cloned().unwrap_or_default())
    }

    pub async fn create_realm(&self, file: &Value) -> Result<()> {
        self.send(Method::POST, "realms", Some(file)).await?;
        Ok(())
    }

    pub async fn delete_realm(&self, realm: &str) -> Result<()> {
        self.send(Method::DELETE, &format!("realms/{realm}"), None).await?;
        Ok(())
    }

    /// Changes the given settings of a realm and leaves the others.
    pub async fn update_realm(&self, realm: &str, settings: &Value) -> Result<()> {
        self.send(Method::PUT, &format!("realms/{realm}"), Some(settings))
            .await?;
        Ok(())
    }

    /// Tokens issued before this time (seconds since 1970) are void.
    pub async fn set_not_before(&self, realm: &str, time: u64) -> Result<()> {
        self.update_realm(realm, &json!({ "notBefore": time })).await
    }

    /// Adds a signing key; the one with the highest priority signs. Returns the id of the provider.
    pub async fn add_key_provider(&self, realm: &str, key: KeyProvider, priority: u32) -> Result<String> {
        let (provider, setting, value) = match key {
            KeyProvider::Rsa(algorithm) => ("rsa-generated", "algorithm", algorithm),
            KeyProvider::Ecdsa("ES384") => ("ecdsa-generated", "ecdsaEllipticCurveKey", "P-384"),
            KeyProvider::Ecdsa("ES512") => ("ecdsa-generated", "ecdsaEllipticCurveKey", "P-521"),
            KeyProvider::Ecdsa(_) => ("ecdsa-generated", "ecdsaEllipticCurveKey", "P-256"),
            KeyProvider::Eddsa => ("eddsa-generated", "eddsaEllipticCurveKey", "Ed25519"),
        };
        let component = json!({
            "name": format!("{provider}-{priority}"),
            "providerId": provider,
            "providerType": "org.keycloak.keys.KeyProvider",
            "config": {
                "priority": [priority.to_string()],
                "enabled": ["true"],
                "active": ["true"],
                setting: [value],
            },
        });
        self.create(&format!("realms/{realm}/components"), &component).await
    }

    /// Adds an RS256 key that was made elsewhere, in PEM (PKCS #8). Returns the id of the provider.
    pub async fn import_key(&self, realm: &str, private_key: &str, priority: u32) -> Result<String> {
        let component = json!({
            "name": format!("rsa-{priority}"),
            "providerId": "rsa",
            "providerType": "org.keycloak.keys.KeyProvider",
            "config": {
                "priority": [priority.to_string()],
                "enabled": ["true"],
                "active": ["true"],
                "algorithm": ["RS256"],
                "privateKey": [private_key],
            },
        });
        self.create(&format!("realms/{realm}/components"), &component).await
    }

    /// The providers of signing and encryption keys, each with `id` and `providerId`.
    pub async fn key_providers(&self, realm: &str) -> Result<Vec<Value>> {
        let path = format!("realms/{realm}/components?type=org.keycloak.keys.KeyProvider");
        let providers = self.read(&path).await?;
        Ok(providers.as_array().cloned().unwrap_or_default())
    }

    /// Removes a provider of keys: its keys leave the key set at once.
    pub async fn remove_component(&self, realm: &str, id: &str) -> Result<()> {
        self.send(Method::DELETE, &format!("realms/{realm}/components/{id}"), None)
            .await?;
        Ok(())
    }

    /// Creates a user with a password; returns the id.
    pub async fn create_user(&self, realm: &str, user: &str, password: &str) -> Result<String> {
        let user = json!({
            "username": user,
            "enabled": true,
            "email": format!("{user}@acme.test"),
            "emailVerified": true,
            "firstName": user,
            "lastName": "Test",
            "credentials": [{ "type": "password", "value": password, "temporary": false }],
        });
        self.create(&format!("realms/{realm}/users"), &user).await
    }

    /// Changes the given settings of a user and leaves the others.
    pub async fn update_user(&self, realm: &str, user: &str, settings: &Value) -> Result<()> {
        let path = self.user_path(realm, user).await?;
        self.send(Method::PUT, &path, Some(settings)).await?;
        Ok(())
    }

    /// Gives a user one more realm role.
    pub async fn add_realm_role(&self, realm: &str, user: &str, role: &str) -> Result<()> {
        let role = self.read(&format!("realms/{realm}/roles/{role}")).await?;
        let path = format!("{}/role-mappings/realm", self.user_path(realm, user).await?);
        self.send(Method::POST, &path, Some(&json!([role]))).await?;
        Ok(())
    }

    /// Makes a user a member of the group with this id.
    pub async fn join_group(&self, realm: &str, user: &str, group: &str) -> Result<()> {
        let path = format!("{}/groups/{group}", self.user_path(realm, user).await?);
        self.send(Method::PUT, &path, None).await?;
        Ok(())
    }

    async fn user_path(&self, realm: &str, user: &str) -> Result<String> {
        let found = self
            .read(&format!("realms/{realm}/users?exact=true&username={user}"))
            .await?;
        let id = found[0]["id"].as_str().with_context(|| format!("no user `{user}`"))?;
        Ok(format!("realms/{realm}/users/{id}"))
    }

    /// Creates a client scope, which this client may ask for by its name.
    pub async fn add_optional_scope(&self, realm: &str, client_id: &str, scope: &Value) -> Result<()> {
        let scope = self.create(&format!("realms/{realm}/client-scopes"), scope).await?;
        let found = self
            .read(&format!("realms/{realm}/clients?clientId={client_id}"))
            .await?;
        let client = found[0]["id"]
            .as_str()
            .with_context(|| format!("no client `{client_id}`"))?;
        let path = format!("realms/{realm}/clients/{client}/optional-client-scopes/{scope}");
        self.send(Method::PUT, &path, None).await?;
        Ok(())
    }

    /// `GET` below `/admin/`.
    pub async fn read(&self, path: &str) -> Result<Value> {
        let (_, body) = self.send(Method::GET, path, None).await?;
        serde_json::from_str(&body).with_context(|| format!("GET /admin/{path}: {body}"))
    }

    /// `POST` below `/admin/`; returns the id at the end of the `Location`.
    pub async fn create(&self, path: &str, body: &Value) -> Result<String> {
        let (location, _) = self.send(Method::POST, path, Some(body)).await?;
        let id = location.as_deref().and_then(|url| url.rsplit('/').next());
        Ok(id
            .with_context(|| format!("POST /admin/{path} names no `Location`"))?
            .to_owned())
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(Option<String>, String)> {
        let url = format!("{}/admin/{path}", self.inner.server_url);
        let mut request = self
            .inner
            .http
            .request(method.clone(), url)
            .bearer_auth(self.token().await?);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let location = answer.headers().get(http::header::LOCATION);
        let location = location.and_then(|value| Some(value.to_str().ok()?.to_owned()));
        let text = answer.text().await?;
        ensure!(status.is_success(), "{method} /admin/{path}: {status} {text}");
        Ok((location, text))
    }

    async fn token(&self) -> Result<String> {
        let mut cached = self.inner.token.lock().await;
        if let Some((token, since)) = &*cached
            && since.elapsed() < TOKEN_AGE
        {
            return Ok(token.clone());
        }
        let url = format!("{}/realms/master/protocol/openid-connect/token", self.inner.server_url);
        let since = Instant::now();
        let answer = self
            .inner
            .http
            .post(&url)
            .form(&[
                ("grant_type", "password"),
                ("client_id", "admin-cli"),
                ("username", &self.inner.user),
                ("password", &self.inner.password),
            ])
            .send()
            .await
            .with_context(|| format!("cannot reach Keycloak at {}", self.inner.server_url))?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(
            status.is_success(),
            "the administrator `{}` cannot log in: {status} {text}",
            self.inner.user
        );
        let answer: Value = serde_json::from_str(&text)?;
        let token = answer["access_token"].as_str().context("no access token")?;
        *cached = Some((token.to_owned(), since));
        Ok(token.to_owned())
    }
}
