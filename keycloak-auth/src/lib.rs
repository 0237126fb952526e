//! Declarative authorization for [axum] services behind [Keycloak](https://www.keycloak.org).
//!
//! The policy stands on the handler; the compiler checks it, the request obeys it, OpenAPI shows it, the
//! [access matrix](access_matrix) lists it.
//!
//! ```
//! use keycloak_auth::{Keycloak, KeycloakUser, SecureRouter, keycloak, routing::get};
//!
//! #[keycloak(roles = "admin", groups = "/ops", any)]
//! async fn orders(user: KeycloakUser) -> String {
//!     format!("Hello, {}", user.username().unwrap_or("stranger"))
//! }
//!
//! fn app() -> Result<axum::Router, keycloak_auth::BuildError> {
//!     let keycloak = Keycloak::builder()
//!         .server_url("https://id.example.com")
//!         .realm("acme")
//!         .client_id("orders-api")
//!         .audience("orders-api")
//!         .build()?;
//!     Ok(SecureRouter::new().route("/orders", get(orders)).secure_with(keycloak))
//! }
//! # app().unwrap();
//! ```
//!
//! # Cargo features
//!
//! All of them only add; none changes a decision.
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `macros` | yes | `#[keycloak(...)]` and `policy!` |
//! | `utoipa` | yes | security requirement, responses and policy on each OpenAPI operation; [`Keycloak::secure_openapi`] |
//! | `utoipa-axum` | no | `SecureRouter::routes` and `secure_routes!`: routes and document in one |
//! | `testing` | no | `testing::TestRealm`: tokens in one line, for the tests of a service |
//! | `dev-realm` | no | `dev::DevRealm`: a realm file served inside of the program, for development |
//! | `metrics` | no | `metrics::MetricsFacade`: the [metrics] to the facade of that name |
//! | `tls-diagnostics` | no | what [`Keycloak::diagnose`] says of TLS: the version, each certificate of the chain, for whom and how long it is, and why it is not trusted |
//! | `native-tls` | no | `KeycloakBuilder::use_native_tls` |

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![warn(missing_debug_implementations, missing_docs, unreachable_pub)]

// In the order in which a request meets them: from the router to the token,
mod router;
pub mod middleware;
mod extract;
mod route;
mod bearer;
mod authenticator;
mod acceptance;
mod verification_turns;
mod cache;
mod validator;
mod expectations;
pub mod jose;
mod introspection;
// to the caller,
mod verified_token;
mod claims;
mod user;
// to the decision,
pub mod policy;
mod access_report;
// and to the answer.
mod invalid_token;
mod error;
mod challenge;

// What asks Keycloak.
mod client_authentication;
mod diagnostics;
mod health;
mod provider;
mod service_client;
mod single_flight;
mod token_endpoint;
mod trouble;

// The handle that holds it all, and how it is set up.
mod builder;
mod clock;
mod digest;
mod keycloak;
pub mod metrics;
mod secret;

// What shows the policies.
pub mod access_matrix;
#[cfg(feature = "utoipa")]
mod openapi;
mod openapi_scheme;

// For development and tests.
#[cfg(feature = "dev-realm")]
pub mod dev;
#[cfg(feature = "testing")]
pub mod testing;

// Texts.
mod realm_file;
mod strict_json;
mod text;

#[cfg(feature = "macros")]
pub use keycloak_auth_macros::{keycloak, policy};

pub use access_matrix::AccessMatrix;
pub use access_report::AccessReport;
pub use bearer::HeaderFault;
pub use builder::{BuildError, KeycloakBuilder, Problem};
pub use challenge::{Answer, ErrorFormat, Renderer};
pub use claims::Claims;
pub use client_authentication::{ClientAuthentication, PrivateKeyJwt};
pub use clock::Clock;
pub use diagnostics::{CheckStatus, Diagnose, DiagnosticCheck, DiagnosticReport};
pub use error::{
    AuthError, FutureNotBefore, GrantKind, HttpClientError, OAuthError, ProviderError, TlsFault, TokenRefusal,
    Unavailable,
};
pub use extract::{AuthRejection, CustomClaims};
pub use introspection::Introspection;
pub use invalid_token::InvalidToken;
pub use jose::Algorithm;
pub use keycloak::Keycloak;
pub use middleware::KeycloakLayer;
pub use openapi_scheme::OpenApiScheme;
pub use policy::Policy;
/// The HTTP client whose builder, requests and responses [`ServiceClient`] takes and gives, in the version that it does: where a
/// signature names one of its types, write `keycloak_auth::reqwest::Response`, and no second version gets in between.
#[doc(no_inline)]
pub use reqwest;
#[cfg(feature = "utoipa-axum")]
pub use router::openapi::{IntoSecureRoutes, SecureRoutes};
pub use router::{GuardedHandler, SecureMethodRouter, SecureRouter, routing};
pub use service_client::{
    NoToken, OnBehalfOf, ServiceClient, ServiceClientBuilder, ServiceClientError, ServiceRequest,
};
pub use token_endpoint::{ExchangeToken, RefreshToken, TokenResponse};
pub use user::KeycloakUser;

/// Pages to read.
pub mod guide {
    #[doc = include_str!("docs/errors.md")]
    pub mod errors {}

    #[doc = include_str!("docs/from_fastapi.md")]
    pub mod from_fastapi {}

    #[doc = include_str!("docs/observability.md")]
    pub mod observability {}

    #[doc = include_str!("docs/security.md")]
    pub mod security {}
}

/// What the expansion of `#[keycloak(...)]` refers to. Not for use by hand, and free to change.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        extract::{Alone, Guard, HandlerPolicy},
        policy::{ClaimValue, Policy},
    };
    #[cfg(feature = "utoipa")]
    pub use {crate::openapi::decorate_operation, utoipa};
    #[cfg(feature = "utoipa-axum")]
    pub use {
        crate::router::openapi::{Documented, SecureRoutes, guarded},
        utoipa_axum,
    };
}
