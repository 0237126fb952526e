//! The matrix as the answer to a request.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};

use super::{AccessMatrix, html};

/// A form that the matrix is printed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// A page without anything from elsewhere.
    Html,
    /// An aligned table.
    Text,
    /// A Markdown table.
    Markdown,
    /// JSON.
    Json,
    /// RFC 4180.
    Csv,
}

impl Format {
    /// The format of that name: `html`, `text`, `markdown`, `json` or `csv`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "html" => Some(Self::Html),
            "text" => Some(Self::Text),
            "markdown" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

impl AccessMatrix {
    /// The matrix printed in that form.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Html => self.to_html(),
            Format::Text => self.to_string(),
            Format::Markdown => self.to_markdown(),
            Format::Json => self.to_json(),
            Format::Csv => self.to_csv(),
        }
    }

    /// The matrix as JSON; its form is that of the `Serialize` implementation.
    ///
    /// ```
    /// # use keycloak_auth::{SecureRouter, keycloak, routing::get};
    /// # #[keycloak(realm_roles = "admin")]
    /// # async fn orders() {}
    /// # let router: SecureRouter = SecureRouter::new().route("/orders", get(orders));
    /// let json: serde_json::Value = serde_json::from_str(&router.access_matrix().to_json())?;
    /// assert_eq!(json["routes"][0]["policy"], serde_json::json!({ "realm_role": "admin" }));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a matrix is made of texts, lists and objects")
    }

    /// The answer to a request for the matrix in that form. It is not to be cached, and the page may load nothing.
    #[must_use]
    pub fn response(&self, format: Format) -> Response {
        let mut response = Response::new(Body::from(self.render(format)));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CONTENT_SECURITY_POLICY, html::content_security_policy());
        response
    }
}

/// Answers with the HTML page.
impl IntoResponse for AccessMatrix {
    fn into_response(self) -> Response {
        self.response(Format::Html)
    }
}
