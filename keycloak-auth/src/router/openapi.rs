//! `SecureRouter` with `utoipa-axum`: routes and their OpenAPI document in one.

use utoipa::openapi::{
    OpenApi,
    path::{Operation, PathItem},
};
use utoipa_axum::router::UtoipaMethodRouter;

use super::SecureRouter;
use crate::openapi::POLICY_EXTENSION;

/// A document with nothing in it.
pub(super) fn empty_document() -> OpenApi {
    OpenApi::new(utoipa::openapi::Info::default(), utoipa::openapi::Paths::new())
}

impl<S> SecureRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// A router without routes whose OpenAPI document begins as `document`.
    pub fn with_openapi(document: OpenApi) -> Self {
        Self {
            openapi: document,
            ..Self::new()
        }
    }

    /// Adds the handlers of `utoipa_axum::routes!`, at the paths of their `#[utoipa::path(...)]`, to router and document.
    ///
    /// ```
    /// use keycloak_auth::{SecureRouter, keycloak};
    /// use utoipa_axum::routes;
    ///
    /// #[keycloak(roles = "admin")]
    /// #[utoipa::path(get, path = "/orders", responses((status = 200, description = "All orders")))]
    /// async fn list() {}
    ///
    /// #[keycloak(roles = "admin")]
    /// #[utoipa::path(post, path = "/orders", responses((status = 201, description = "Created")))]
    /// async fn create() {}
    ///
    /// let router: SecureRouter = SecureRouter::new().routes(routes!(list, create));
    /// assert!(router.openapi().paths.paths.contains_key("/orders"));
    /// ```
    ///
    /// # Panics
    ///
    /// When one of the handlers has no `#[keycloak(...)]` policy: `routes!` hides the handlers' types, so what is a
    /// compile error with [`route`](Self::route) shows at start-up here. And when paths clash, as in axum.
    pub fn routes(mut self, (schemas, paths, handlers): UtoipaMethodRouter<S>) -> Self {
        for (path, item) in &paths.paths {
            for (method, operation) in operations(item) {
                assert!(
                    has_policy(operation),
                    "`{method} {path}` (handler `{}`) has no `#[keycloak(...)]` policy: write `#[keycloak(roles = \"…\")]`, \
                     `#[keycloak(authenticated)]` or `#[keycloak(public)]` on the handler",
                    operation.operation_id.as_deref().unwrap_or("?"),
                );
            }
        }
        let documented =
            utoipa_axum::router::OpenApiRouter::with_openapi(self.openapi).routes((schemas, paths, handlers));
        let (router, document) = documented.split_for_parts();
        self.openapi = document;
        self.inner = self.inner.merge(router);
        self
    }

    /// The OpenAPI document of all routes that were added by [`routes`](Self::routes); for
    /// [`Keycloak::secure_openapi`](crate::Keycloak::secure_openapi).
    #[must_use]
    pub fn openapi(&self) -> &OpenApi {
        &self.openapi
    }
}

fn has_policy(operation: &Operation) -> bool {
    operation
        .extensions
        .as_ref()
        .is_some_and(|extensions| extensions.contains_key(POLICY_EXTENSION))
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("PUT", &item.put),
        ("POST", &item.post),
        ("DELETE", &item.delete),
        ("OPTIONS", &item.options),
        ("HEAD", &item.head),
        ("PATCH", &item.patch),
        ("TRACE", &item.trace),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_ref().map(|operation| (method, operation)))
}
