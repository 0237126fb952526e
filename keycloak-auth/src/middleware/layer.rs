//! The layer: configuration of the middleware.

use std::sync::Arc;

use tower_layer::Layer;

use super::{public_paths::PublicPaths, service::KeycloakService};
use crate::Keycloak;

/// Requires an acceptable access token of every request; made by [`Keycloak::layer`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a router"]
pub struct KeycloakLayer {
    keycloak: Keycloak,
    mode: Mode,
}

#[derive(Clone, Debug)]
pub(super) enum Mode {
    /// Refuses requests without an acceptable token, but for public paths.
    RequireAuthentication(Arc<PublicPaths>),
    /// Leaves it to the guards on the handlers, and tells them the [`Keycloak`].
    LeaveToGuards,
}

impl KeycloakLayer {
    pub(crate) fn requiring_authentication(keycloak: Keycloak) -> Self {
        Self {
            keycloak,
            mode: Mode::RequireAuthentication(Arc::default()),
        }
    }

    pub(crate) fn leaving_it_to_guards(keycloak: Keycloak) -> Self {
        Self {
            keycloak,
            mode: Mode::LeaveToGuards,
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
        if let Mode::RequireAuthentication(public) = &mut self.mode {
            Arc::make_mut(public).extend(paths.into_iter().map(Into::into));
        }
        self
    }
}

impl<S> Layer<S> for KeycloakLayer {
    type Service = KeycloakService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        KeycloakService::new(inner, self.keycloak.clone(), self.mode.clone())
    }
}
