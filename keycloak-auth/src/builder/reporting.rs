//! What others are shown: error bodies, the OpenAPI document, metrics and traces.

use std::sync::Arc;

use super::{Collector, KeycloakBuilder};
use crate::{OpenApiScheme, challenge::ErrorFormat, metrics::MetricsCollector};

/// What the service shows of it.
impl KeycloakBuilder {
    /// The form of the bodies of error responses. Default: `{"error": {"code", "message", "details"}}`.
    pub fn error_format(mut self, format: ErrorFormat) -> Self {
        self.error_format = format;
        self
    }

    /// The name of the security scheme in OpenAPI. Default: `keycloak`.
    pub fn openapi_scheme_name(mut self, name: impl Into<String>) -> Self {
        self.openapi_scheme_name = name.into();
        self
    }

    /// A scope that the login in OpenAPI tools offers, with its description; each call adds one. Default: `openid`,
    /// `profile` and `email`.
    pub fn openapi_scope(mut self, scope: impl Into<String>, description: impl Into<String>) -> Self {
        self.openapi_scopes.push((scope.into(), description.into()));
        self
    }

    /// The security schemes in OpenAPI. Default: all of them. For Swagger UI leave out
    /// [`OpenIdConnect`](OpenApiScheme::OpenIdConnect), of which it makes a form of each grant that the realm has.
    pub fn openapi_schemes(mut self, schemes: impl IntoIterator<Item = OpenApiScheme>) -> Self {
        self.openapi_schemes = schemes.into_iter().collect();
        self
    }

    /// What the names of the [metrics](crate::metrics) begin with. Default: `fc_kc`.
    pub fn metrics_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.metrics_prefix = prefix.into();
        self
    }

    /// Where the metrics go. Default: nowhere.
    pub fn metrics_collector(mut self, collector: impl MetricsCollector) -> Self {
        self.metrics_collector = Some(Collector(Arc::new(collector)));
        self
    }

    /// Tells the log who the caller is: the subject of the token, as `enduser.id`. Default: no, because it is personal data.
    ///
    /// Then the event of each [decision](crate::guide::observability) of a guard has that field, and so has the span of the request,
    /// where it was made with an empty one:
    ///
    /// ```
    /// use tracing::{field, info_span};
    ///
    /// let span = info_span!("request", enduser.id = field::Empty);
    /// # let _ = span;
    /// ```
    pub fn record_enduser_id(mut self, record: bool) -> Self {
        self.record_enduser_id = record;
        self
    }
}
