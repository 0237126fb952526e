//! A realm that is being served, with a client of it.

use keycloak_auth::{
    Clock,
    dev::{DevRealm, RunningDevRealm},
};
use keycloak_auth_tests::{ACME_JSON, claims_of, http_client};
use reqwest::{
    Method, RequestBuilder,
    header::{HeaderMap, LOCATION},
};
use serde_json::Value;

pub struct Client {
    pub realm: RunningDevRealm,
    http: reqwest::Client,
}

/// An answer, read whole.
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Client {
    /// Serves the realm of the orders service.
    pub async fn acme() -> Self {
        Self::serve(ACME_JSON).await
    }

    /// Serves `realm/variety.json`, which has what the other file lacks.
    pub async fn variety() -> Self {
        Self::serve(include_str!("../../../realm/variety.json")).await
    }

    pub async fn serve(json: &str) -> Self {
        Self::with_clock(json, Clock::system()).await
    }

    pub async fn with_clock(json: &str, clock: Clock) -> Self {
        let realm = DevRealm::from_json(json).expect("a realm file").clock(clock);
        Self {
            realm: realm.start().await.expect("loopback has a free port"),
            http: http_client(),
        }
    }

    pub fn endpoint(&self, name: &str) -> String {
        format!("{}/protocol/openid-connect/{name}", self.realm.issuer())
    }

    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.http.request(method, url)
    }

    pub async fn get(&self, url: &str) -> Reply {
        Reply::of(self.request(Method::GET, url)).await
    }

    pub async fn post(&self, endpoint: &str, form: &[(&str, &str)]) -> Reply {
        Reply::of(self.request(Method::POST, &self.endpoint(endpoint)).form(form)).await
    }

    pub async fn token(&self, form: &[(&str, &str)]) -> Reply {
        self.post("token", form).await
    }

    /// The answer to a password grant; users are known by their names as passwords.
    pub async fn password(&self, client_id: &str, user: &str, scope: &str) -> Value {
        let mut form = vec![
            ("grant_type", "password"),
            ("client_id", client_id),
            ("username", user),
            ("password", user),
        ];
        if !scope.is_empty() {
            form.push(("scope", scope));
        }
        self.token(&form).await.ok()
    }

    /// The claims of an access token by a password grant.
    pub async fn claims(&self, client_id: &str, user: &str, scope: &str) -> Value {
        let answer = self.password(client_id, user, scope).await;
        claims_of(answer["access_token"].as_str().expect("an access token"))
    }

    pub async fn introspect(&self, client_id: &str, secret: &str, token: &Value) -> Value {
        let token = token.as_str().expect("a token");
        let form = [("client_id", client_id), ("client_secret", secret), ("token", token)];
        self.post("token/introspect", &form).await.ok()
    }
}

impl Reply {
    pub async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.expect("an answer");
        Self {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            text: answer.text().await.expect("a body"),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body of a 200.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// Where a redirect leads, without its parameters, and these.
    pub fn redirect(&self) -> (String, Vec<(String, String)>) {
        assert_eq!(self.status, 302, "{}", self.text);
        let location = self.header(LOCATION.as_str()).expect("a location");
        let (start, parameters) = location.split_once(['?', '#']).unwrap_or((location, ""));
        let url = reqwest::Url::parse(&format!("http://x/?{parameters}")).expect("parameters");
        (start.to_owned(), url.query_pairs().into_owned().collect())
    }

    /// A parameter of a redirect.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let (_, parameters) = self.redirect();
        parameters
            .into_iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
    }
}

/// The claims without those that differ from token to token.
pub fn steady(mut claims: Value) -> Value {
    let object = claims.as_object_mut().expect("claims are an object");
    for name in ["exp", "iat", "jti", "sid", "auth_time", "iss", "at_hash"] {
        object.remove(name);
    }
    claims
}
