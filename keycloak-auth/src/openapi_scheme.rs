//! The security schemes that an OpenAPI document may have.

/// A way for the clients of a service to come by a token, as OpenAPI describes it
/// ([OpenAPI 3.1 §4.8.27](https://spec.openapis.org/oas/v3.1.0#security-scheme-object)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenApiScheme {
    /// `oauth2`: authorization code, to be used with PKCE.
    OAuth2,
    /// `http` with `bearer`: a token that was obtained elsewhere.
    Bearer,
    /// `openIdConnect`: the realm's discovery document. Swagger UI makes a form of each grant in it.
    OpenIdConnect,
}

impl OpenApiScheme {
    /// All of them: what a document has unless the builder says otherwise.
    pub const ALL: &'static [Self] = &[Self::OAuth2, Self::Bearer, Self::OpenIdConnect];

    /// What follows the configured name in the scheme's own.
    #[cfg(feature = "utoipa")]
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::OAuth2 => "",
            Self::Bearer => "Bearer",
            Self::OpenIdConnect => "OpenId",
        }
    }
}
