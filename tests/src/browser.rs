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
        let mut parameters = vec![
            ("client_id", client_id),
            ("redirect_uri", redirect_uri),
            ("response_type", "code"),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        parameters.extend(further);
        let back = self.authorize(realm, user, &parameters).await?;
        ensure!(back.as_str().starts_with(redirect_uri), "redirected to {back}");
        ensure!(
            parameter(&back, "state").as_deref() == Some(&state),
            "another state in {back}"
        );
        let code = parameter(&back, "code").with_context(|| format!("no code in {back}"))?;
        Ok(realm
            .grant(client_id)
            .parameter("grant_type", "authorization_code")
            .parameter("code", &code)
            .parameter("redirect_uri", redirect_uri)
            .parameter("code_verifier", &verifier))
    }

    /// An authorization request with these parameters alone; returns where the user is sent back to.
    pub async fn authorize(&mut self, realm: &Realm, user: &str, parameters: &[(&str, &str)]) -> Result<Url> {
        let endpoint = format!("{}/protocol/openid-connect/auth", realm.issuer());
        let url = Url::parse_with_params(&endpoint, parameters)?;
        let mut answer = self.send(self.http.get(url)).await?;
        if answer.status().is_success() {
            let action = form_action(&answer.text().await?)?;
            let password = realm.password(user);
            let password = password.with_context(|| format!("`{user}` has no password"))?;
            answer = self.fill_in(action, user, password).await?;
        }
        let Some(location) = answer.headers().get(header::LOCATION) else {
            bail!("the login page answered {} and no redirect", answer.status());
        };
        Ok(Url::parse(location.to_str()?)?)
    }

    /// What the login page of an authorization request says to this name and password.
    pub async fn log_in_as(
        &mut self,
        realm: &Realm,
        user: &str,
        password: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Response> {
        let endpoint = format!("{}/protocol/openid-connect/auth", realm.issuer());
        let page = self
            .send(self.http.get(Url::parse_with_params(&endpoint, parameters)?))
            .await?;
        let action = form_action(&page.text().await?)?;
        self.fill_in(action, user, password).await
    }

    async fn fill_in(&mut self, action: Url, user: &str, password: &str) -> Result<Response> {
        let form = [("username", user), ("password", password)];
        self.send(self.http.post(action).form(&form)).await
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

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut parameters = url.query_pairs();
    let found = parameters.find(|(parameter, _)| parameter == name);
    found.map(|(_, value)| value.into_owned())
}
