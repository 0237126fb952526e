//! This service as a client of Keycloak.

use std::{sync::Arc, time::Duration};

use super::{
    ClientAuthentication,
    method::{Method, UnusableMethod},
};
use crate::error::ProviderError;

/// Who this service is, and how it proves that.
#[derive(Debug)]
pub(crate) struct Client {
    id: Arc<str>,
    /// `None`: a public client, which has nothing to prove it by.
    method: Option<Method>,
}

impl Client {
    pub(crate) fn new(id: Arc<str>, authentication: Option<&ClientAuthentication>) -> Result<Self, UnusableMethod> {
        let method = authentication.map(|authentication| authentication.prepare(&id));
        Ok(Self {
            method: method.transpose()?,
            id,
        })
    }

    pub(crate) const fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The name of the method; `None` for a public client.
    pub(crate) fn method(&self) -> Option<&'static str> {
        self.method.as_ref().map(Method::name)
    }

    pub(crate) const fn is_confidential(&self) -> bool {
        self.method.is_some()
    }

    /// What goes into one request, to the Keycloak that calls itself `issuer`.
    fn proof(&self, issuer: &str, now: Duration) -> Result<ClientProof<'_>, ProviderError> {
        let id = &*self.id;
        Ok(match &self.method {
            Some(Method::SecretBasic(secret)) => ClientProof::Basic {
                id,
                secret: secret.expose(),
            },
            Some(Method::SecretPost(secret)) => ClientProof::Post {
                id,
                secret: secret.expose(),
            },
            Some(Method::PrivateKeyJwt(signer)) => ClientProof::Assertion {
                id,
                jwt: signer.assertion(issuer, now).ok_or(ProviderError::ClientAssertion)?,
            },
            // RFC 8705 §2: the certificate is the proof, the id says whose it is.
            Some(Method::Tls) | None => ClientProof::Id { id },
        })
    }
}

/// As whom a request is made.
#[derive(Clone, Copy)]
pub(crate) enum ClientCredentials<'a> {
    /// As the configured client.
    Configured(&'a Client),
    /// As a public client, by its id alone (RFC 6749 §3.2.1).
    Public { id: &'a str },
}

impl<'a> ClientCredentials<'a> {
    pub(crate) fn proof(self, issuer: &str, now: Duration) -> Result<ClientProof<'a>, ProviderError> {
        match self {
            Self::Configured(client) => client.proof(issuer, now),
            Self::Public { id } => Ok(ClientProof::Id { id }),
        }
    }
}

/// How one request says who makes it.
pub(crate) enum ClientProof<'a> {
    /// In the header (RFC 6749 §2.3.1).
    Basic { id: &'a str, secret: &'a str },
    /// In the form (RFC 6749 §2.3.1).
    Post { id: &'a str, secret: &'a str },
    /// By a signed JWT in the form (RFC 7523 §2.2).
    Assertion { id: &'a str, jwt: String },
    /// By the id alone, in the form.
    Id { id: &'a str },
}
