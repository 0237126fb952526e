//! Who may call what in a `SecureRouter`, and what its policies would refuse before they are enforced.

use super::SecureRouter;
use crate::{AccessMatrix, Policy, extract::ReportOnly};

impl<S> SecureRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Lists all routes so far with who may call them; see [`AccessMatrix`].
    ///
    /// ```
    /// use keycloak_auth::{SecureRouter, keycloak, routing::get};
    ///
    /// #[keycloak(roles = "admin", groups = "/ops", any)]
    /// async fn orders() {}
    ///
    /// let router: SecureRouter = SecureRouter::new().nest("/api", SecureRouter::new().route("/orders", get(orders)));
    /// let matrix = router.access_matrix();
    /// let row = &matrix.rows()[0];
    /// assert_eq!((row.method(), row.path()), ("GET", "/api/orders"));
    /// assert_eq!(row.policy().to_string(), r#"any(role("admin"), group("/ops"))"#);
    /// ```
    #[must_use]
    pub fn access_matrix(&self) -> AccessMatrix {
        self.routes.matrix()
    }

    /// Adds a page that shows the [`AccessMatrix`] of the whole router, to whoever meets `policy`.
    ///
    /// It lists what the router has when it is secured, whether added before or after this call, outside or inside of a
    /// nested router. `?format=` gives it in another form: `text`, `markdown`, `json` or `csv`. The request needs a token as
    /// any other does, which a browser does not send by itself: `curl -H "Authorization: Bearer $TOKEN" … > page.html`.
    ///
    /// For a page with the users of a realm, write a handler that answers with an [`AccessMatrix`] of its own making.
    ///
    /// ```
    /// use keycloak_auth::{SecureRouter, policy};
    ///
    /// let router: SecureRouter = SecureRouter::new().access_matrix_page("/access-matrix", &policy!(roles = "admin"));
    /// # let _ = router;
    /// ```
    ///
    /// # Panics
    ///
    /// When the path is malformed or clashes with another one, as in axum.
    pub fn access_matrix_page(mut self, path: &str, policy: &'static Policy) -> Self {
        let handlers = self.routes.matrix_page(policy);
        self.route(path, handlers)
    }

    /// Lets requests through that the policies of the routes so far would refuse, and reports them instead: for the time
    /// in which a running service is given its policies. **It turns authorization off** for these routes.
    ///
    /// What a policy would have refused, a request without a token among it, is logged as a warning and counted in
    /// [`fc_kc_policy_would_deny_total`](crate::metrics). Authentication is not turned off: a token that
    /// is not acceptable is refused, and a handler that takes a [`KeycloakUser`](crate::KeycloakUser) gets none without a
    /// token, so the answer is 401 as ever. While no keys could be fetched yet, a request with a token is 503, since nobody can say
    /// whether it is acceptable; one without a token is answered by the handler. Securing the router warns of each such route, and
    /// the access matrix marks it. What was added as [public](Self::merge_public) is not among these routes: where guards are in
    /// it, they refuse as ever.
    ///
    /// ```
    /// use keycloak_auth::{SecureRouter, keycloak, routing::get};
    ///
    /// #[keycloak(roles = "admin")]
    /// async fn orders() {}
    ///
    /// let legacy: SecureRouter = SecureRouter::new().route("/orders", get(orders)).report_only();
    /// assert!(legacy.access_matrix().rows()[0].is_report_only());
    /// ```
    pub fn report_only(mut self) -> Self {
        if !self.cells.report_only() {
            self.inner = self.inner.layer(axum::Extension(ReportOnly));
        }
        self.routes.set_report_only();
        self
    }
}
