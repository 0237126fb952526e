//! The embedded development realm: a realm file served as a Keycloak serves it, inside of a program.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use keycloak_auth::{Keycloak, dev::DevRealm};
//!
//! let realm = DevRealm::from_file("realm.json")?.start().await?;
//! let keycloak = Keycloak::builder()
//!     .server_url(realm.server_url())
//!     .realm(realm.realm().name())
//!     .client_id("orders-api")
//!     .audience("orders-api")
//!     .build()?;
//! # drop(keycloak);
//! # Ok(())
//! # }
//! ```
//!
//! The file is one that a real Keycloak imports: written by hand, or the export of one (`kc.sh export`). The paths below
//! `/realms/{realm}`, the claims and the errors are those of Keycloak 26.7; the project's tests compare them with a real
//! one.
//!
//! # What it does
//!
//! - Discovery, keys, the token endpoint (password, client credentials, refresh, authorization code with PKCE, token
//!   exchange), the login page, introspection, userinfo, logout, revocation; CORS by `webOrigins`.
//! - Composite roles, group roles, client roles, `fullScopeAllowed` and scope mappings, client scopes, protocol mappers,
//!   service accounts, lightweight tokens, tokens bound by DPoP, lifespans, not-before, passwords in plain text or hashed.
//! - What the file asks for and it cannot do, it says: [`DevRealm::warnings`], and in the log at the start.
//!
//! # What it is not
//!
//! A server for anything but development. It listens on loopback only, its keys and sessions are new with every start,
//! and whoever reaches it may read the passwords in the file. It says so in its log.
//!
//! # Time
//!
//! The start takes a few milliseconds; the RSA keys are made in the background meanwhile, about 100 ms each, and the
//! first request that needs one waits for it.

mod answers;
mod cookies;
mod cors;
mod credentials;
mod dpop;
mod endpoints;
mod error;
mod file;
mod keys;
mod mappers;
mod model;
mod pages;
mod params;
mod random;
mod realm;
mod server;
mod sessions;
mod tokens;

pub use error::{RealmFileError, RealmWarning, StartError};
pub use realm::{DevRealm, DevUser};
pub use server::RunningDevRealm;
