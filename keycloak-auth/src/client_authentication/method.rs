//! The methods, as they are configured.

use std::fmt;

use super::{assertion::AssertionSigner, private_key::PrivateKey};
use crate::{Algorithm, secret::Secret};

/// How a confidential client authenticates to Keycloak: for [introspection](crate::Introspection) and at the token endpoint.
///
/// Given to [`KeycloakBuilder::client_authentication`](crate::KeycloakBuilder::client_authentication). The names are those of
/// the registry "OAuth Token Endpoint Authentication Methods". `Debug` names the method and shows no secret.
///
/// | method | in Keycloak, tab Credentials of the client | what is sent |
/// |---|---|---|
/// | [`client_secret_basic`](Self::client_secret_basic) | Client Id and Secret | the secret, in the header |
/// | [`client_secret_post`](Self::client_secret_post) | Client Id and Secret | the secret, in the form |
/// | [`private_key_jwt`](Self::private_key_jwt) | Signed JWT | a JWT that is good for 30 s and one request |
/// | [`tls_client_auth`](Self::tls_client_auth) | X509 Certificate | a certificate, when the connection is made |
///
/// With the last two, no secret ever leaves the service.
///
/// ```
/// use keycloak_auth::{ClientAuthentication, Introspection, Keycloak};
///
/// # fn keycloak(pem: Vec<u8>) -> Result<Keycloak, keycloak_auth::BuildError> {
/// Keycloak::builder()
///     .server_url("https://id.example.com")
///     .realm("acme")
///     .client_id("orders-api")
///     .audience("orders-api")
///     .client_authentication(ClientAuthentication::private_key_jwt(pem))
///     .introspection(Introspection::WhenLightweight)
///     .build()
/// # }
/// ```
#[derive(Clone)]
pub struct ClientAuthentication(Configured);

#[derive(Clone)]
enum Configured {
    SecretBasic(Secret),
    SecretPost(Secret),
    PrivateKeyJwt(PrivateKeyJwt),
    Tls,
}

impl ClientAuthentication {
    /// `client_secret_basic`: id and secret in the `Authorization` header (RFC 6749 §2.3.1).
    ///
    /// [`KeycloakBuilder::client_secret`](crate::KeycloakBuilder::client_secret) is short for it.
    pub fn client_secret_basic(secret: impl Into<String>) -> Self {
        Self(Configured::SecretBasic(Secret::new(secret.into())))
    }

    /// `client_secret_post`: id and secret in the form, for a proxy that keeps the header to itself (RFC 6749 §2.3.1).
    pub fn client_secret_post(secret: impl Into<String>) -> Self {
        Self(Configured::SecretPost(Secret::new(secret.into())))
    }

    /// `private_key_jwt`: a JWT signed by this private key, a fresh one for each request (RFC 7523 §3).
    ///
    /// The key is PEM (PKCS #8, or as `openssl` writes RSA and EC keys by themselves), not encrypted, or a private JWK. RSA
    /// keys have at least 2048 bits; EC keys are on P-256, P-384 or P-521; EdDSA is on Ed25519. Keycloak needs the public
    /// half: as a certificate or JWKS in the tab Keys of the client, or at a JWKS URL.
    pub fn private_key_jwt(key: impl Into<Vec<u8>>) -> PrivateKeyJwt {
        PrivateKeyJwt {
            key: Secret::new(key.into()),
            algorithm: None,
            key_id: None,
        }
    }

    /// `tls_client_auth`: the certificate of
    /// [`KeycloakBuilder::client_certificate`](crate::KeycloakBuilder::client_certificate), or of your own `http_client`
    /// (RFC 8705 §2).
    ///
    /// Keycloak has to ask for it (`https-client-auth=request`) and to know the subject's distinguished name that the client
    /// is registered with. The endpoints are those in `mtls_endpoint_aliases` of the discovery document, where it has them.
    pub fn tls_client_auth() -> Self {
        Self(Configured::Tls)
    }

    pub(crate) fn prepare(&self, client_id: &str) -> Result<Method, UnusableMethod> {
        Ok(match &self.0 {
            Configured::SecretBasic(secret) => Method::SecretBasic(usable(secret)?),
            Configured::SecretPost(secret) => Method::SecretPost(usable(secret)?),
            Configured::PrivateKeyJwt(PrivateKeyJwt { key, algorithm, key_id }) => {
                let key = PrivateKey::parse(key.expose(), *algorithm)?;
                Method::PrivateKeyJwt(AssertionSigner::new(client_id, key, key_id.as_deref()))
            }
            Configured::Tls => Method::Tls,
        })
    }

    pub(crate) const fn is_tls(&self) -> bool {
        matches!(self.0, Configured::Tls)
    }
}

/// A secret of blanks is a variable that was not set.
fn usable(secret: &Secret) -> Result<Secret, UnusableMethod> {
    if secret.expose().trim().is_empty() {
        return Err(UnusableMethod("has an empty secret"));
    }
    Ok(secret.clone())
}

impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.0 {
            Configured::SecretBasic(_) => "client_secret_basic",
            Configured::SecretPost(_) => "client_secret_post",
            Configured::PrivateKeyJwt(jwt) => return jwt.fmt(f),
            Configured::Tls => "tls_client_auth",
        };
        write!(f, "ClientAuthentication({name})")
    }
}

/// Client authentication by `private_key_jwt`; made by [`ClientAuthentication::private_key_jwt`].
///
/// ```
/// use keycloak_auth::{Algorithm, ClientAuthentication};
///
/// # fn method(pem: Vec<u8>) -> ClientAuthentication {
/// ClientAuthentication::private_key_jwt(pem).algorithm(Algorithm::PS256).key_id("2026-01").into()
/// # }
/// ```
#[derive(Clone)]
#[must_use = "give it to `KeycloakBuilder::client_authentication`"]
pub struct PrivateKeyJwt {
    key: Secret<Vec<u8>>,
    algorithm: Option<Algorithm>,
    key_id: Option<String>,
}

impl PrivateKeyJwt {
    /// The signature algorithm. Default: the JWK's `alg`; else RS256 for RSA, the curve's for EC, EdDSA for Ed25519.
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// The `kid` in the JWT's header, by which Keycloak finds the public key in the client's JWKS. Default: the JWK's `kid`;
    /// none for PEM, which is right where Keycloak has the client's certificate.
    pub fn key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }
}

impl From<PrivateKeyJwt> for ClientAuthentication {
    fn from(jwt: PrivateKeyJwt) -> Self {
        Self(Configured::PrivateKeyJwt(jwt))
    }
}

impl fmt::Debug for PrivateKeyJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKeyJwt")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// A method that is ready to be used.
#[derive(Debug)]
pub(crate) enum Method {
    SecretBasic(Secret),
    SecretPost(Secret),
    PrivateKeyJwt(AssertionSigner),
    Tls,
}

impl Method {
    /// The name in the registry.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::SecretBasic(_) => "client_secret_basic",
            Self::SecretPost(_) => "client_secret_post",
            Self::PrivateKeyJwt(_) => "private_key_jwt",
            Self::Tls => "tls_client_auth",
        }
    }
}

/// What is wrong with a method, to follow its setting's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnusableMethod(pub(crate) &'static str);
