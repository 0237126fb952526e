//! The caller of a request, determined once.
//!
//! Usually everything is at hand, and then nothing is awaited: neither does the handler's future carry that of a fetch,
//! nor is one allocated. Only where Keycloak has to be asked, or others are to be served first, is there a future, in a box of its
//! own.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::{Extensions, HeaderMap, request::Parts};

use super::{AuthRejection, head::Head, state::find_in_state};
use crate::{AuthError, Keycloak, KeycloakUser, bearer::BearerToken, error::Cause, route::route_of};

/// What a layer leaves in a request's extensions for the extractors behind it.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    pub(crate) keycloak: Keycloak,
    /// The caller, once it has been determined.
    pub(crate) user: Option<KeycloakUser>,
    /// Whether the router of the guard brought it, by `secure_with`: then it holds whatever is in the state.
    pub(crate) is_of_router: bool,
}

/// What is known of a request before its credentials are looked at.
pub(super) struct Known {
    keycloak: Option<Keycloak>,
    user: Option<KeycloakUser>,
    /// Whether there is a [`RequestContext`] in the request, be it of this `Keycloak` or not.
    has_context: bool,
}

/// Who asks who sends a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Others may follow.
    Any,
    /// Nobody will ask again, so that there is no use in keeping the caller beside the request.
    Last,
}

/// The [`Keycloak`] that a request is under, and its caller if determined before.
///
/// That of `secure_with` comes first, then the one in the state of `secure_from_state`, then that of a layer further out: a
/// lenient layer around a router must not take the place of the stricter one that the router was secured with. What another
/// one found out about the caller does not count.
pub(super) fn known<S: 'static>(extensions: &Extensions, state: &S) -> Known {
    let context = extensions.get::<RequestContext>();
    if let Some(context) = context.filter(|context| context.is_of_router) {
        return context.known();
    }
    match (find_in_state(state), context) {
        (Some(own), Some(context)) if own.is_same(&context.keycloak) => context.known(),
        (None, Some(context)) => context.known(),
        (own, _) => Known {
            keycloak: own,
            user: None,
            has_context: context.is_some(),
        },
    }
}

impl RequestContext {
    fn known(&self) -> Known {
        Known {
            keycloak: Some(self.keycloak.clone()),
            user: self.user.clone(),
            has_context: true,
        }
    }
}

/// The [`Keycloak`] that a request is under: the one of the innermost layer, else the one in the state.
pub(super) fn keycloak_for<S: 'static>(extensions: &Extensions, state: &S) -> Option<Keycloak> {
    known(extensions, state).keycloak
}

/// Who sends a request, `None` for one without credentials, or what is wrong with the credentials.
pub(super) type Caller<'u> = Result<Option<&'u KeycloakUser>, Cause>;

/// A request whose caller cannot be told at once: only Keycloak can tell, or others are to be served first.
pub(crate) struct Unasked {
    keycloak: Keycloak,
    asker: Asker,
}

/// A result that is there already, or that Keycloak is asked for.
#[must_use = "a future does nothing unless it is polled"]
pub(super) enum Judgement<'p, T> {
    /// Taken out by the poll that returns it.
    Ready(Option<Result<T, AuthRejection>>),
    Asked(Pin<Box<dyn Future<Output = Result<T, AuthRejection>> + Send + 'p>>),
}

impl<'p, T> Judgement<'p, T> {
    pub(super) fn ready(result: Result<T, AuthRejection>) -> Self {
        Self::Ready(Some(result))
    }

    pub(super) fn asked(asking: impl Future<Output = Result<T, AuthRejection>> + Send + 'p) -> Self {
        Self::Asked(Box::pin(asking))
    }

    pub(super) fn poll_unpinned(&mut self, context: &mut Context<'_>) -> Poll<Result<T, AuthRejection>> {
        match self {
            Self::Ready(result) => Poll::Ready(result.take().expect("a future is not polled after it is ready")),
            Self::Asked(asking) => asking.as_mut().poll(context),
        }
    }
}

// Nothing in it is pinned but by a box.
impl<T> Unpin for Judgement<'_, T> {}

impl<T> Future for Judgement<'_, T> {
    type Output = Result<T, AuthRejection>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_unpinned(context)
    }
}

/// Determines the caller, `None` for a request without credentials, and hands it to `conclude`, or why there is none. What Keycloak
/// has to be [`asked`] about is returned as an error.
///
/// The credentials are judged once for each request: what was found out is kept beside the request where there is a place
/// for it, and in the cache of verified tokens where there is none. `handler` is for the log, where it is known.
pub(super) fn at_once<H: Head, T>(
    head: &mut H,
    known: Known,
    asker: Asker,
    handler: Option<&'static str>,
    conclude: impl FnOnce(Caller<'_>, &mut H, &Keycloak) -> Result<T, AuthRejection>,
) -> Result<Result<T, AuthRejection>, Unasked> {
    let Some(keycloak) = known.keycloak else {
        tracing::error!(
            name: "keycloak.not_installed",
            target: "keycloak_auth",
            { http.route = route_of(head.extensions()), code.function.name = handler },
            "{}", AuthError::NotInstalled
        );
        return Ok(Err(AuthRejection::not_installed()));
    };
    if known.user.is_some() {
        return Ok(conclude(Ok(known.user.as_ref()), head, &keycloak));
    }
    let token = match BearerToken::from_headers(head.headers()) {
        Ok(Some(token)) => token,
        Ok(None) => return Ok(conclude(Ok(None), head, &keycloak)),
        Err(fault) => return Ok(conclude(Err(fault.into()), head, &keycloak)),
    };
    match keycloak.authenticator().judge(token, keycloak.now()) {
        Some(Ok((user, place))) => {
            if asker == Asker::Any && (known.has_context || !keycloak.authenticator().has_cache()) {
                keep(&user, head.extensions_mut(), &keycloak);
            }
            let concluded = conclude(Ok(Some(&user)), head, &keycloak);
            keycloak.authenticator().hand_back(user, place);
            Ok(concluded.or_else(refused))
        }
        Some(Err(error)) => Ok(conclude(Err(error), head, &keycloak)),
        None => Err(Unasked { keycloak, asker }),
    }
}

/// The way of refusals, which is not that of usual results: neither is moved through memory for the other's sake.
#[cold]
fn refused<T>(rejection: AuthRejection) -> Result<T, AuthRejection> {
    Err(rejection)
}

/// Does what [`at_once`] does, by asking Keycloak.
pub(super) async fn asked<H: Head + Send, T>(
    head: &mut H,
    unasked: Unasked,
    conclude: impl FnOnce(Caller<'_>, &mut H, &Keycloak) -> Result<T, AuthRejection>,
) -> Result<T, AuthRejection> {
    let Unasked { keycloak, asker } = unasked;
    match caller_by_asking(head.headers(), &keycloak).await {
        Ok(user) => {
            if let Some(user) = &user
                && asker == Asker::Any
            {
                keep(user, head.extensions_mut(), &keycloak);
            }
            conclude(Ok(user.as_ref()), head, &keycloak)
        }
        Err(error) => conclude(Err(error.into()), head, &keycloak),
    }
}

/// [`at_once`] or else [`asked`], for a request that is lent.
pub(super) fn with_caller<'p, T: Send + 'p>(
    parts: &'p mut Parts,
    known: Known,
    handler: Option<&'static str>,
    conclude: impl Fn(Caller<'_>, &mut Parts, &Keycloak) -> Result<T, AuthRejection> + Copy + Send + 'p,
) -> Judgement<'p, T> {
    match at_once(parts, known, Asker::Any, handler, conclude) {
        Ok(result) => Judgement::ready(result),
        Err(unasked) => Judgement::asked(asked(parts, unasked, conclude)),
    }
}

/// Determines the caller where Keycloak has to be asked; `None` for a request without credentials.
pub(crate) async fn caller_by_asking(
    headers: &HeaderMap,
    keycloak: &Keycloak,
) -> Result<Option<KeycloakUser>, AuthError> {
    let Some(token) = BearerToken::from_headers(headers)? else {
        return Ok(None);
    };
    let verified = keycloak.authenticator().judge_by_asking(token).await?;
    Ok(Some(KeycloakUser::new(verified)))
}

/// Keeps the caller for the extractors that follow.
fn keep(user: &KeycloakUser, extensions: &mut Extensions, keycloak: &Keycloak) {
    match extensions.get_mut::<RequestContext>() {
        Some(context) if context.keycloak.is_same(keycloak) => context.user = Some(user.clone()),
        Some(_) => {}
        None if keycloak.authenticator().has_cache() && !user.is_introspected() => {}
        None => {
            extensions.insert(RequestContext {
                keycloak: keycloak.clone(),
                user: Some(user.clone()),
                is_of_router: false,
            });
        }
    }
}
