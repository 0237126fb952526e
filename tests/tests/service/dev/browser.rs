//! A browser without scripts: cookies, forms, no redirects.

use std::collections::BTreeMap;

use reqwest::{
    Method,
    header::{COOKIE, SET_COOKIE},
};

use super::{Client, Reply};

pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const REDIRECT_URI: &str = "http://localhost:9/callback";

pub struct Browser<'c> {
    client: &'c Client,
    cookies: BTreeMap<String, String>,
}

impl<'c> Browser<'c> {
    pub fn new(client: &'c Client) -> Self {
        Self {
            client,
            cookies: BTreeMap::new(),
        }
    }

    pub async fn get(&mut self, url: &str) -> Reply {
        self.send(Method::GET, url, &[]).await
    }

    pub async fn submit(&mut self, url: &str, form: &[(&str, &str)]) -> Reply {
        self.send(Method::POST, url, form).await
    }

    async fn send(&mut self, method: Method, url: &str, form: &[(&str, &str)]) -> Reply {
        let mut request = self.client.request(method.clone(), url);
        if method == Method::POST {
            request = request.form(form);
        }
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        let reply = Reply::of(request).await;
        for cookie in reply.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("text");
            let (pair, attributes) = cookie.split_once("; ").expect("attributes");
            assert!(
                attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax"),
                "{cookie}"
            );
            let (name, value) = pair.split_once('=').expect("a name and a value");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    /// The values of the cookies that it has.
    pub fn cookies(&self) -> Vec<String> {
        self.cookies.values().cloned().collect()
    }

    /// Asks for authorization as `orders-web`, with other or further parameters; an empty one is left out.
    pub async fn authorize(&mut self, changed: &[(&str, &str)]) -> Reply {
        let url = authorization_url(self.client, changed);
        self.get(&url).await
    }

    /// Fills in the login page.
    pub async fn log_in(&mut self, page: &Reply, user: &str, password: &str) -> Reply {
        self.submit(&form_action(page), &[("username", user), ("password", password)])
            .await
    }

    /// Asks for authorization and logs in.
    pub async fn code(&mut self, user: &str, changed: &[(&str, &str)]) -> String {
        let page = self.authorize(changed).await;
        let reply = self.log_in(&page, user, user).await;
        reply.parameter("code").expect("a code")
    }
}

pub fn authorization_url(client: &Client, changed: &[(&str, &str)]) -> String {
    let mut parameters = BTreeMap::from([
        ("client_id", "orders-web"),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "a b&c"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    parameters.extend(changed.iter().copied());
    parameters.retain(|_, value| !value.is_empty());
    let mut url = reqwest::Url::parse(&client.endpoint("auth")).expect("an address");
    url.query_pairs_mut().extend_pairs(parameters);
    url.into()
}

/// The parameters of a token request for a code.
pub fn code_form<'f>(code: &'f str, changed: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let mut form = BTreeMap::from([
        ("grant_type", "authorization_code"),
        ("client_id", "orders-web"),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
        ("code", code),
    ]);
    form.extend(changed.iter().copied());
    form.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// Where the form of a page goes.
pub fn form_action(page: &Reply) -> String {
    assert_eq!(page.status, 200, "{}", page.text);
    attribute(&page.text, "<form", "action")
}

/// The value of an attribute of the first element that starts so.
pub fn attribute(html: &str, element: &str, name: &str) -> String {
    let start = html.find(element).unwrap_or_else(|| panic!("no {element} in {html}"));
    let tag = &html[start..start + html[start..].find('>').expect("the end of the element")];
    let value = tag.split(&format!(" {name}=\"")).nth(1).expect("the attribute");
    let value = value.split('"').next().expect("its value");
    value
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
