//! What a service expects of the tokens that it accepts.

use std::{sync::Arc, time::Duration};

use crate::jose::Algorithm;

/// What is expected of a token; fixed at build time.
#[derive(Clone, Debug)]
pub(crate) struct Expectations {
    /// The client that this service is, whose roles count beside realm roles.
    pub(crate) client_id: Arc<str>,
    pub(crate) issuers: Vec<String>,
    /// `None`: switched off by name.
    pub(crate) audiences: Option<Vec<String>>,
    pub(crate) algorithms: Vec<Algorithm>,
    /// Empty: any.
    pub(crate) authorized_parties: Vec<String>,
    pub(crate) leeway: Duration,
    pub(crate) max_token_bytes: usize,
    /// Whether Keycloak is asked for what lightweight tokens lack, so that here they are only checked for what they have.
    pub(crate) completes_lightweight: bool,
}

#[cfg(test)]
impl Expectations {
    /// Those of a service by that name in the realm `acme`.
    pub(crate) fn of_audience(audience: &str) -> Self {
        Self {
            client_id: audience.into(),
            issuers: vec!["https://id.example.com/realms/acme".to_owned()],
            audiences: Some(vec![audience.to_owned()]),
            algorithms: vec![Algorithm::RS256],
            authorized_parties: Vec::new(),
            leeway: Duration::ZERO,
            max_token_bytes: 16 * 1024,
            completes_lightweight: false,
        }
    }
}
