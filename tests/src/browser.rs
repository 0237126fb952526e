//! A user in front of Keycloak's login page.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use http::header;
use reqwest::{RequestBuilder, Response, Url};

use crate::{Grant, Realm, Tokens, base64url, http_client, random, random_hex, token::sha256};

/// Anything that the realm file allows: nobody listens there, the code is taken from the redirect.
const REDIRECT_URI: &str = "http://localhost:3000/callback";

/// A browser with its cookies: whoever has logged in once is remembered.
pub struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

impl Default for Browser {
    fn default() -> Self {
        Self {
            http: http_client(),
            cookies: BTreeMap::new(),
        }
    }
}

impl Browser {
    /// The authorization code grant with PKCE (RFC 6749 section 4.1, RFC 7636).
    ///
    /// Fills in the login form if there is one.
    pub async fn login(&mut self, realm: &Realm, client_id: &str, user: &str) -> Result<Tokens> {
        let scope = [("scope", "openid")];
        let grant = self.code(realm, client_id, user, REDIRECT_URI, &scope).await?;
        grant.send().await
    }

    /// The same up to the request for tokens, with further parameters of the authorization request.
    pub async fn code(
        &mut self,
        realm: &Realm,
        client_id: &str,
        user: &str,
        redirect_uri: &str,
        further: &[(&str, &str)],
    ) -> Result<Grant> {
        let verifier = base64url(random::<32>());
        let challenge = sha256(&verifier);
        let state = random_hex(16);
        let mut url = Url::parse_with_params(
            &format!("{}/protocol/openid-connect/auth", realm.issuer()),
            [
                ("client_id", client_id),
                ("redirect_uri", redirect_uri),
                ("response_type", "code"),
                ("state", &state),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ],
        )?;
        url.query_pairs_mut().extend_pairs(further);
        let mut answer = self.send(self.http.get(url)).await?;
        if answer.status().is_success() {
            let action = form_action(&answer.text().await?)?;
            let password = realm.password(user);
            let password = password.with_context(|| format!("`{user}` has no password"))?;
            let form = [("username", user), ("password", password)];
            answer = self.send(self.http.post(action).form(&form)).await?;
        }
        let code = code(&answer, redirect_uri, &state)?;
        Ok(realm
            .grant(client_id)
            .parameter("grant_type", "authorization_code")
            .parameter("code", &code)
            .parameter("redirect_uri", redirect_uri)
            .parameter("code_verifier", &verifier))
    }

    async fn send(&mut self, request: RequestBuilder) -> Result<Response> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = request.header(header::COOKIE, cookies.join("; ")).send().await?;
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').context("a cookie has a name and a value")?;
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Ok(answer)
    }
}

/// Where the only form of the page goes.
fn form_action(page: &str) -> Result<Url> {
    let form = page.split_once("<form").context("the page has no form")?.1;
    let action = form.split_once("action=\"").context("the form has no action")?.1;
    let action = action.split('"').next().unwrap_or_default();
    Ok(Url::parse(&action.replace("&amp;", "&"))?)
}

/// The code in the redirect back to the client.
fn code(answer: &Response, redirect_uri: &str, state: &str) -> Result<String> {
    let location = answer.headers().get(header::LOCATION);
    let Some(location) = location else {
        bail!("the login page answered {} and no redirect", answer.status());
    };
    let url = Url::parse(location.to_str()?)?;
    ensure!(url.as_str().starts_with(redirect_uri), "redirected to {url}");
    let parameter = |name: &str| {
        url.query_pairs()
            .find(|(parameter, _)| parameter == name)
            .map(|(_, value)| value.into_owned())
    };
    ensure!(parameter("state").as_deref() == Some(state), "another state in {url}");
    parameter("code").with_context(|| format!("no code in {url}"))
}
