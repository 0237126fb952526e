//! What has expired is refused.

use std::time::Duration;

use anyhow::{Context as _, Result};
use http::Method;
use keycloak_auth_tests::{Browser, claims_of, now, sha256};

use super::probes::Probes;
use crate::setup::eventually;

const CALLBACK: &str = "http://localhost:3000/callback";
const VERIFIER: &str = "a-verifier-of-just-the-forty-three-characters";

pub async fn ask(probes: &mut Probes<'_>) -> Result<()> {
    let challenge = sha256(VERIFIER);
    let request = [
        ("client_id", "orders-web"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let back = Browser::default().authorize(probes.realm, "alice", &request).await?;
    let code = back.query_pairs().find(|(name, _)| name == "code");
    let code = code.with_context(|| format!("no code in {back}"))?.1.into_owned();
    let tokens = probes.login("orders-web", "alice").await?;
    let refresh = tokens.refresh.context("a refresh token")?;
    let id = tokens.id.context("an ID token")?;
    let end = claims_of(&refresh)["exp"]
        .as_u64()
        .context("the end of the refresh token")?;
    eventually("the end of the session", Duration::from_secs(30), async || {
        now() > end + 1
    })
    .await;

    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "orders-web"),
        ("refresh_token", &refresh),
    ];
    probes.token("expired refresh token", &form).await?;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "orders-web"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    probes.token("expired code", &form).await?;
    let request = probes.request(Method::GET, "userinfo").bearer_auth(&tokens.access);
    probes.send("userinfo with an expired token", request).await?;
    let form = [
        ("client_id", "orders-api"),
        ("client_secret", "orders-api-secret"),
        ("token", &tokens.access),
    ];
    probes
        .post("introspection of an expired token", "token/introspect", &form)
        .await?;
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("client_id", "orders-api"),
        ("client_secret", "orders-api-secret"),
        ("subject_token", &tokens.access),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    probes.token("exchange of an expired token", &form).await?;
    let form = [("client_id", "orders-web"), ("token", tokens.access.as_str())];
    probes.post("revocation of an expired token", "revoke", &form).await?;
    let form = [("client_id", "orders-web"), ("refresh_token", refresh.as_str())];
    probes
        .post("logout with an expired refresh token", "logout", &form)
        .await?;
    let hint = [("id_token_hint", id.as_str())];
    probes.get("logout with an expired hint", "logout", &hint).await
}
