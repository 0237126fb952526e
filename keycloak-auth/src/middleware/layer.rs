//! The layer: configuration of the middleware.

use std::sync::Arc;

use tower_layer::Layer;

use super::{public_paths::PublicPaths, service::KeycloakService};
use crate::Keycloak;

/// Requires an acceptable access token of every request; made by [`Keycloak::layer`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a router"]
pub struct KeycloakLayer {
    settings: Arc<Settings>,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) keycloak: Keycloak,
    pub(super) public_paths: PublicPaths,
}

impl KeycloakLayer {
    pub(crate) fn new(keycloak: Keycloak) -> Self {
        Self {
            settings: Arc::new(Settings {
                keycloak,
                public_paths: PublicPaths::default(),
            }),
        }
    }

    /// Lets requests to these paths through without credentials; each call adds some.
    ///
    /// `/health` is that path and no other; `/docs/*` is every path below `/docs/`. A path with `.` or `..` segments,
    /// empty segments, backslashes or encoded separators is never public, whatever it begins with.
    ///
    /// # Panics
    ///
    /// When a path does not begin with `/`, or has a `*` elsewhere than as its last segment: at start-up, where the paths
    /// are constants, a wrong one must not go unnoticed.
    pub fn public_paths<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        let settings = Arc::make_mut(&mut self.settings);
        settings.public_paths.extend(paths.into_iter().map(Into::into));
        self
    }
}

impl<S> Layer<S> for KeycloakLayer {
    type Service = KeycloakService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        KeycloakService::new(inner, Arc::clone(&self.settings))
    }
}
