//! Requests, and what is kept of their answers.

use anyhow::{Context as _, Result, ensure};
use http::Method;
use keycloak_auth_tests::{Realm, Tokens, http_client};
use reqwest::{RequestBuilder, Response, Url};
use serde_json::{Map, Value, json};

use super::{super::compare::canonical, endpoint};

/// The headers that somebody acts on.
const HEADERS: [&str; 12] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "allow",
    "cache-control",
    "content-type",
    "location",
    "pragma",
    "www-authenticate",
];

/// What a page may say; each page must say one of these.
const PHRASES: [&str; 13] = [
    "Account is disabled, contact your administrator.",
    "Bearer-only applications are not allowed to initiate browser login",
    "Client disabled.",
    "Client not found.",
    "Do you want to log out?",
    "Invalid Request",
    "Invalid parameter: id_token_hint",
    "Invalid parameter: redirect_uri",
    "Invalid redirect uri",
    "Invalid username or password.",
    "Missing parameters: id_token_hint",
    "Sign in to your account",
    "You are logged out",
];

/// Asks one side, and keeps what it answers under the name of the question.
pub struct Probes<'r> {
    pub realm: &'r Realm,
    pub found: Vec<(String, Value)>,
    http: reqwest::Client,
}

impl<'r> Probes<'r> {
    pub fn new(realm: &'r Realm) -> Self {
        Self {
            realm,
            found: Vec::new(),
            http: http_client(),
        }
    }

    pub fn request(&self, method: Method, name: &str) -> RequestBuilder {
        self.http.request(method, endpoint(self.realm, name))
    }

    /// A GET with these parameters.
    pub async fn get(&mut self, name: &str, from: &str, query: &[(&str, &str)]) -> Result<()> {
        let url = Url::parse_with_params(&endpoint(self.realm, from), query)?;
        let request = self.http.get(url);
        self.send(name, request).await
    }

    /// A form to an endpoint.
    pub async fn post(&mut self, name: &str, to: &str, form: &[(&str, &str)]) -> Result<()> {
        let request = self.request(Method::POST, to).form(form);
        self.send(name, request).await
    }

    /// A form to the token endpoint.
    pub async fn token(&mut self, name: &str, form: &[(&str, &str)]) -> Result<()> {
        self.post(name, "token", form).await
    }

    pub async fn send(&mut self, name: &str, request: RequestBuilder) -> Result<()> {
        let answer = request.send().await?;
        self.keep(name, answer).await
    }

    /// Status and headers of an answer whose body is of no interest here.
    pub fn keep_head(&mut self, name: &str, answer: &Response) -> Result<()> {
        let document = canonical(Value::Object(head(answer)?), self.realm);
        self.found.push((name.to_owned(), document));
        Ok(())
    }

    pub async fn keep(&mut self, name: &str, answer: Response) -> Result<()> {
        let mut document = head(&answer)?;
        let text = answer.text().await?;
        if text.is_empty() {
            document.remove("content-type");
        }
        let body = match serde_json::from_str::<Value>(&text) {
            Ok(body) => body,
            Err(_) if text.contains("<html") => page(&text).with_context(|| format!("the page of `{name}`"))?,
            Err(_) => json!(text),
        };
        document.insert("body".to_owned(), body);
        let document = canonical(Value::Object(document), self.realm);
        self.found.push((name.to_owned(), document));
        Ok(())
    }

    pub async fn login(&self, client_id: &str, user: &str) -> Result<Tokens> {
        self.realm.grant(client_id).password(user).scope("openid").send().await
    }
}

fn head(answer: &Response) -> Result<Map<String, Value>> {
    let mut head = Map::new();
    head.insert("status".to_owned(), json!(answer.status().as_u16()));
    for name in HEADERS {
        if let Some(value) = answer.headers().get(name) {
            head.insert(name.to_owned(), header_value(name, value.to_str()?));
        }
    }
    Ok(head)
}

/// The value of a header; one that is a list is a set.
fn header_value(name: &str, value: &str) -> Value {
    match name {
        "www-authenticate" | "location" => json!(value),
        // What is not stored needs no further rules.
        "cache-control" if value.contains("no-store") => json!(["no-store"]),
        "content-type" => json!(value.replace(' ', "").to_lowercase()),
        _ => value.split(',').map(|part| json!(part.trim())).collect(),
    }
}

/// What stands in the part of the page that says something.
fn words(html: &str) -> &str {
    html.split_once("<h1").map_or(html, |(_, rest)| rest)
}

fn page(html: &str) -> Result<Value> {
    let said: Vec<_> = PHRASES.into_iter().filter(|phrase| html.contains(phrase)).collect();
    ensure!(!said.is_empty(), "says none of the known phrases: {}", words(html));
    Ok(json!(said))
}
