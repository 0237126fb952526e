//! The layer: configuration of the middleware.

use std::sync::Arc;

use tower_layer::Layer;

use super::{public_paths::PublicPaths, service::KeycloakService};
use crate::{Keycloak, Policy, extract::Demand};

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
    pub(super) is_optional: bool,
    /// All of them have to be met.
    pub(super) demands: Vec<Demand>,
    pub(super) lets_preflights_through: bool,
}

impl Keycloak {
    /// The middleware for a plain axum router: every request needs an acceptable token, but for the
    /// [public paths](KeycloakLayer::public_paths).
    pub fn layer(&self) -> KeycloakLayer {
        KeycloakLayer::new(self.clone())
    }
}

impl KeycloakLayer {
    pub(crate) fn new(keycloak: Keycloak) -> Self {
        Self {
            settings: Arc::new(Settings {
                keycloak,
                public_paths: PublicPaths::default(),
                is_optional: false,
                demands: Vec::new(),
                lets_preflights_through: true,
            }),
        }
    }

    /// Lets requests to these paths through without credentials, whatever their method; each call adds some.
    ///
    /// | written | means |
    /// |---|---|
    /// | `/health` | that path and no other: not `/health/` |
    /// | `/docs/*` | every path below `/docs/`, and `/docs/` itself |
    /// | `/orders/{id}/public` | what an axum route of that pattern means: `{id}` is one segment that is not empty |
    /// | `/docs/{*page}` | the same for the rest of a path: not `/docs/` itself |
    ///
    /// The path of the request is taken as it stands in the request line, as axum's router does it. Where somebody on the way
    /// might read it otherwise, it is not public, whatever it begins with: a path with `.` or `..` segments, empty segments,
    /// backslashes, `;`, control characters or encoded separators, also doubly encoded, or with an encoding that is not
    /// UTF-8. A pattern is not a route: `/orders/{id}/public` also covers a route `/orders/all/public`.
    ///
    /// Nobody looks at the credentials of such a request until a handler asks: `Option<KeycloakUser>` is the caller if there
    /// is a token, and a bad token is then still answered with 401.
    ///
    /// # Panics
    ///
    /// When a path does not begin with `/`, has a `*` elsewhere than as its last segment, is no pattern, or could never be that
    /// of a request: at start-up, where the paths are constants, a wrong one must not go unnoticed.
    #[track_caller]
    pub fn public_paths<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        let settings = Arc::make_mut(&mut self.settings);
        settings.public_paths.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Lets requests without credentials through as well. A token that is not acceptable is answered with 401 all the same.
    ///
    /// Handlers see the difference as `Option<KeycloakUser>`, and those with a policy ask for it as ever. For routes that show
    /// more to those who have logged in.
    pub fn optional(mut self) -> Self {
        Arc::make_mut(&mut self.settings).is_optional = true;
        self
    }

    /// Requires that callers meet this policy, in front of all handlers behind: for a group of routes, or for a service that
    /// has no handlers to annotate. Each call adds a policy, and all have to be met.
    ///
    /// The answer is that of a guard: 403, or 401 where a fresher login is needed. Public paths need to meet no policy, CORS
    /// preflights do; after [`optional`](Self::optional) a request without credentials does not pass, since nobody is there to
    /// meet it.
    /// `owner("…")` knows the path's parameters where the layer stands behind axum's routing, as with `Router::layer` and
    /// `Router::route_layer`; elsewhere it is not met. What stands on a layer is neither in the OpenAPI document nor in the
    /// access matrix: prefer `#[keycloak(...)]` where there is a handler. `SecureRouter::report_only` does not soften it.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use keycloak_auth::{Keycloak, policy};
    ///
    /// # fn demo(keycloak: Keycloak) -> Router {
    /// let admin = Router::new()
    ///     .route("/metrics", get(|| async { "…" }))
    ///     .route_layer(keycloak.layer().require(policy!(any(realm_role("admin"), group("/ops")))));
    /// # admin
    /// # }
    /// ```
    pub fn require(mut self, policy: Policy) -> Self {
        Arc::make_mut(&mut self.settings).demands.push(Demand::new(policy));
        self
    }

    /// Asks CORS preflights for a token like any other request: for a layer that stands behind that of CORS, which answers
    /// preflights itself.
    ///
    /// Otherwise a preflight goes through to what stands behind, and when no CORS layer is there, to a handler for `OPTIONS`
    /// or for any method; see the [module](super).
    pub fn without_preflights(mut self) -> Self {
        Arc::make_mut(&mut self.settings).lets_preflights_through = false;
        self
    }
}

impl<S> Layer<S> for KeycloakLayer {
    type Service = KeycloakService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        KeycloakService::new(inner, Arc::clone(&self.settings))
    }
}
