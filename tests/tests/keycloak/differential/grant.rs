//! A request for tokens, and everything that comes of it.

use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use keycloak_auth_tests::{Browser, Grant, Realm, SigningKey, claims_of, dpop_proof, header_of, http_client};
use serde_json::{Map, Value, json};

use super::{compare::canonical, matrix::Client};

/// The tokens of an answer, under the names that a difference is reported with.
const TOKENS: [(&str, &str); 3] = [
    ("access_token", "access token"),
    ("id_token", "ID token"),
    ("refresh_token", "refresh token"),
];

static HTTP: LazyLock<reqwest::Client> = LazyLock::new(http_client);

/// Someone at the token endpoint.
#[derive(Clone)]
pub struct Caller<'a> {
    pub realm: &'a Realm,
    pub client: &'a Client,
    /// The clients that introspect the tokens.
    pub introspecting: &'a [Client],
    pub key: &'a SigningKey,
    /// Whether introspection and userinfo are asked of the tokens.
    pub asks_further: bool,
}

/// What the token endpoint answered, and what the other endpoints say of the tokens.
pub struct Outcome {
    /// Comparable with that of the other side.
    pub document: Value,
    pub access_token: Option<String>,
    pub refresh_token: Option<String>,
}

impl Caller<'_> {
    pub async fn password(&self, user: &str, scope: &str) -> Result<Outcome> {
        let password = self.realm.password(user).unwrap_or("none");
        let grant = self.grant().parameter("grant_type", "password");
        let grant = grant.parameter("username", user).parameter("password", password);
        self.outcome(with_scope(grant, scope)).await
    }

    pub async fn client_credentials(&self, scope: &str) -> Result<Outcome> {
        self.outcome(with_scope(self.grant().client_credentials(), scope)).await
    }

    pub async fn refresh(&self, refresh_token: &str, scope: &str) -> Result<Outcome> {
        self.outcome(with_scope(self.grant().refresh(refresh_token), scope))
            .await
    }

    pub async fn exchange(&self, access_token: &str, scope: &str) -> Result<Outcome> {
        self.outcome(with_scope(self.grant().exchange(access_token), scope))
            .await
    }

    /// By the login page; a browser that knows the user already is not asked again.
    pub async fn code(&self, browser: &mut Browser, user: &str, scope: &str) -> Result<Outcome> {
        let redirect_uri = self.client.redirect_uri(self.realm);
        let mut further = vec![("nonce", "the nonce")];
        if !scope.is_empty() {
            further.push(("scope", scope));
        }
        let id = &self.client.id;
        let grant = browser.code(self.realm, id, user, &redirect_uri, &further).await?;
        self.outcome(self.bound(grant)).await
    }

    fn grant(&self) -> Grant {
        self.bound(self.realm.grant(&self.client.id))
    }

    fn bound(&self, grant: Grant) -> Grant {
        if self.client.dpop { grant.dpop(self.key) } else { grant }
    }

    async fn outcome(&self, grant: Grant) -> Result<Outcome> {
        let (status, mut answer) = grant.try_send().await?;
        let mut document = Map::new();
        let mut take = |name: &str| {
            let token = answer.as_object_mut()?.remove(name)?;
            Some(token.as_str()?.to_owned())
        };
        let tokens = TOKENS.map(|(name, label)| (label, take(name)));
        document.insert("status".to_owned(), json!(status));
        document.insert("answer".to_owned(), answer);
        for (label, token) in &tokens {
            if let Some(token) = token {
                let mut claims = claims_of(token);
                claims["(header)"] = header_of(token);
                document.insert((*label).to_owned(), claims);
            }
        }
        let [(_, access_token), _, (_, refresh_token)] = tokens;
        if let Some(token) = &access_token
            && self.asks_further
        {
            for client in self.introspecting {
                let answer = self.realm.introspect(&client.id, token).await?;
                document.insert(format!("introspection by {}", client.id), answer);
            }
            document.insert("userinfo".to_owned(), self.userinfo(token).await?);
        }
        Ok(Outcome {
            document: canonical(Value::Object(document), self.realm),
            access_token,
            refresh_token,
        })
    }

    async fn userinfo(&self, access_token: &str) -> Result<Value> {
        let url = format!("{}/protocol/openid-connect/userinfo", self.realm.issuer());
        let mut request = HTTP.get(&url);
        if self.client.dpop {
            let further = json!({ "ath": keycloak_auth_tests::sha256(access_token) });
            request = request
                .header("authorization", format!("DPoP {access_token}"))
                .header("dpop", dpop_proof(self.key, "GET", &url, &further));
        } else {
            request = request.bearer_auth(access_token);
        }
        let answer = request.send().await.context("userinfo")?;
        let challenge = answer.headers().get("www-authenticate").cloned();
        Ok(json!({
            "status": answer.status().as_u16(),
            "challenge": challenge.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
            "claims": answer.json::<Value>().await.unwrap_or_default(),
        }))
    }
}

fn with_scope(grant: Grant, scope: &str) -> Grant {
    if scope.is_empty() { grant } else { grant.scope(scope) }
}
