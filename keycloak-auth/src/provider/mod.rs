//! Keycloak as the provider of metadata and keys: the one part that does I/O (OpenID Connect Discovery 1.0, RFC 8414).

mod error;
mod http_client;
mod metadata;
mod realm_url;
mod remote_key_set;

pub use error::ProviderError;

pub(crate) use http_client::HttpClient;
pub(crate) use metadata::MetadataSource;
pub(crate) use realm_url::RealmUrl;
pub(crate) use remote_key_set::{RemoteKeySet, Timing};
