//! The login page refuses, and the token endpoint what comes of it.

use anyhow::{Context as _, Result};
use http::Method;
use keycloak_auth_tests::{Browser, sha256};

use super::probes::Probes;

const CALLBACK: &str = "http://localhost:3000/callback";
/// As long as one has to be (RFC 7636 section 4.1).
const VERIFIER: &str = "a-verifier-of-just-the-forty-three-characters";

pub async fn ask(probes: &mut Probes<'_>) -> Result<()> {
    authorization_requests(probes).await?;
    credentials(probes).await?;
    codes(probes).await
}

fn good(challenge: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("client_id", "orders-web"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "the state"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ]
}

/// The good request with some of its parameters replaced, or left out where they are empty.
fn changed<'a>(good: &[(&'static str, &'a str)], changes: &[(&'static str, &'a str)]) -> Vec<(&'static str, &'a str)> {
    let mut parameters = good.to_vec();
    for change in changes {
        parameters.retain(|(name, _)| name != &change.0);
        if !change.1.is_empty() {
            parameters.push(*change);
        }
    }
    parameters
}

async fn authorization_requests(probes: &mut Probes<'_>) -> Result<()> {
    let challenge = sha256(VERIFIER);
    let good = good(&challenge);
    let rows: [(&str, &[(&'static str, &str)]); 19] = [
        ("a good authorization request", &[]),
        ("unknown client at the login page", &[("client_id", "nobody")]),
        ("no client at the login page", &[("client_id", "")]),
        ("disabled client at the login page", &[("client_id", "off")]),
        ("bearer-only client at the login page", &[("client_id", "billing-api")]),
        ("client without the code grant", &[("client_id", "orders-worker")]),
        (
            "other host to return to",
            &[("redirect_uri", "http://evil.test/callback")],
        ),
        ("script to return to", &[("redirect_uri", "javascript:alert(1)")]),
        (
            "user in the URI to return to",
            &[("redirect_uri", "http://localhost:3000@evil.test/")],
        ),
        ("nowhere to return to", &[("redirect_uri", "")]),
        ("no response type", &[("response_type", "")]),
        ("unknown response type", &[("response_type", "unknown")]),
        ("implicit flow", &[("response_type", "token")]),
        ("unknown scope at the login page", &[("scope", "openid nothing")]),
        ("no challenge", &[("code_challenge", ""), ("code_challenge_method", "")]),
        ("plain challenge", &[("code_challenge_method", "plain")]),
        ("unknown challenge method", &[("code_challenge_method", "S512")]),
        ("short challenge", &[("code_challenge", "short")]),
        ("no login without a page", &[("prompt", "none")]),
    ];
    for (name, changes) in rows {
        probes.get(name, "auth", &changed(&good, changes)).await?;
    }
    Ok(())
}

async fn credentials(probes: &mut Probes<'_>) -> Result<()> {
    let challenge = sha256(VERIFIER);
    for (name, user, password) in [
        ("wrong password in the form", "alice", "wrong"),
        ("no password in the form", "alice", ""),
        ("unknown user in the form", "nobody", "nobody"),
        ("nobody in the form", "", ""),
        ("disabled user in the form", "gone", "gone"),
        ("disabled user with a wrong password in the form", "gone", "wrong"),
    ] {
        let mut browser = Browser::default();
        let answer = browser
            .log_in_as(probes.realm, user, password, &good(&challenge))
            .await?;
        probes.keep(name, answer).await?;
    }
    Ok(())
}

async fn codes(probes: &mut Probes<'_>) -> Result<()> {
    let form = |code: &str, changes: &[(&'static str, &'static str)]| -> Vec<(&'static str, String)> {
        let good = [
            ("grant_type", "authorization_code"),
            ("client_id", "orders-web"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        changed(&good, changes)
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect()
    };
    let ask = async |probes: &mut Probes<'_>, name: &str, form: Vec<(&'static str, String)>| {
        let request = probes.request(Method::POST, "token").form(&form);
        probes.send(name, request).await
    };
    for (name, code) in [
        ("garbage as code", "garbage"),
        ("garbage with dots as code", "a.b.c"),
        (
            "unknown code",
            "7d1f3ae2-58a4-4d52-8a3e-0d35a6a1b0c5.7d1f3ae2-58a4-4d52-8a3e-0d35a6a1b0c5.7d1f3ae2",
        ),
    ] {
        ask(probes, name, form(code, &[])).await?;
    }
    let rows: [(&str, &[(&'static str, &'static str)]); 6] = [
        (
            "code with a wrong verifier",
            &[("code_verifier", "another-verifier-that-has-the-length-of-a-good-one")],
        ),
        ("code with a short verifier", &[("code_verifier", "short")]),
        ("code without verifier", &[("code_verifier", "")]),
        (
            "code with another redirect URI",
            &[("redirect_uri", "http://localhost:3000/other")],
        ),
        ("code without redirect URI", &[("redirect_uri", "")]),
        ("code of another client", &[("client_id", "page")]),
    ];
    for (name, changes) in rows {
        let code = new_code(probes).await?;
        ask(probes, name, form(&code, changes)).await?;
        ask(probes, &format!("the right way after: {name}"), form(&code, &[])).await?;
    }
    let code = new_code(probes).await?;
    let request = probes.request(Method::POST, "token").form(&form(&code, &[]));
    let tokens: serde_json::Value = request.send().await?.json().await?;
    let refresh = tokens["refresh_token"].as_str().context("a refresh token")?;
    ask(probes, "code used twice", form(&code, &[])).await?;
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", "orders-web"),
        ("refresh_token", refresh),
    ];
    probes.token("refresh after a code was used twice", &refresh).await
}

async fn new_code(probes: &mut Probes<'_>) -> Result<String> {
    let challenge = sha256(VERIFIER);
    let mut browser = Browser::default();
    let back = browser.authorize(probes.realm, "alice", &good(&challenge)).await?;
    let mut parameters = back.query_pairs();
    let code = parameters.find(|(name, _)| name == "code");
    Ok(code.with_context(|| format!("no code in {back}"))?.1.into_owned())
}
