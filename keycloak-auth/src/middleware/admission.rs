//! What the layer decides about a request, and what it tells those behind it.

use std::any::Any;

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use http::{
    Method, Request,
    header::{ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, ORIGIN, TRANSFER_ENCODING},
};

use super::{layer::Settings, refusal};
use crate::{
    AuthError, KeycloakUser,
    extract::{self, Enforcement, Unmet, note_refusal, offer},
    policy::Explanation,
};

impl Settings {
    /// Whether nobody asks who sends the request.
    pub(super) fn is_open_to<B: 'static>(&self, request: &Request<B>) -> bool {
        // A policy in front of a group is met by a caller, and a preflight has none.
        let lets_preflights_through = self.lets_preflights_through && !self.has_demands();
        (lets_preflights_through && is_preflight(request)) || self.public_paths.contains(request.uri().path())
    }

    /// Whether a request passes without credentials. Not where there is a policy: nobody would be there to meet it.
    pub(super) fn admits_anybody(&self) -> bool {
        self.is_optional && !self.has_demands()
    }

    /// Lets the caller's request in, if the caller meets the policies. It stays where it is: moving it takes longer than that.
    #[expect(clippy::result_large_err, reason = "it goes no further than the response")]
    pub(super) fn admit<B>(&self, request: &mut Request<B>, user: &KeycloakUser) -> Result<(), Response> {
        let mut demands = self.demands.iter();
        let asked: Result<(), Unmet> =
            demands.try_for_each(|demand| demand.check(user, Enforcement::Enforced, request, &self.keycloak));
        if let Err((error, why)) = asked {
            return Err(self.refuse(request, &error, why.as_ref()));
        }
        offer(&self.keycloak, Some(user.clone()), request.extensions_mut());
        Ok(())
    }

    /// Whether a caller has to meet policies.
    fn has_demands(&self) -> bool {
        !self.demands.is_empty()
    }

    /// The response to a request that is not let in; `why` says more than the error, for the log.
    pub(super) fn refuse<B>(&self, request: &Request<B>, error: &AuthError, why: Option<&Explanation>) -> Response {
        note_refusal(
            error,
            why,
            None,
            None,
            request.method(),
            request.extensions(),
            &self.keycloak,
        );
        refusal::respond(&self.keycloak, error, request.headers())
    }

    /// Asks Keycloak about the caller, where the keys at hand do not suffice.
    pub(super) async fn admit_by_asking<B>(&self, mut request: Request<B>) -> Result<Request<B>, Response> {
        let caller = extract::caller_by_asking(request.headers(), &self.keycloak).await;
        match caller.and_then(|user| user.ok_or(AuthError::MissingCredentials)) {
            Ok(user) => self.admit(&mut request, &user).map(|()| request),
            Err(error) => Err(self.refuse(&request, &error, None)),
        }
    }
}

/// Whether this is a CORS preflight: only then does an `OPTIONS` request come without credentials by design.
///
/// Only one to an axum service: others, such as tonic's, may look at the path alone and take it for a call. And only one whose
/// body is known to be empty, of which the header says nothing in HTTP/2.
fn is_preflight<B: 'static>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        && request.headers().get(CONTENT_LENGTH).is_none_or(|length| length == "0")
        && !request.headers().contains_key(TRANSFER_ENCODING)
        && is_empty_body_of_axum(request.body())
}

fn is_empty_body_of_axum<B: 'static>(body: &B) -> bool {
    let body: &dyn Any = body;
    body.downcast_ref::<Body>().is_some_and(Body::is_end_stream)
}
