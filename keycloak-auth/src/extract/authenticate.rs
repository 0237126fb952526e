//! Who sends a request, by the [`Keycloak`] that it is under.
//!
//! Usually everything is at hand, and then nothing is awaited: neither does the handler's future carry that of a fetch,
//! nor is one allocated. Only where Keycloak has to be asked, or others are to be served first, is there a future, in a box of its
//! own.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderMap, request::Parts};

use super::{
    AuthRejection,
    context::{Kept, Known, keep, pass_guard},
    head::Head,
};
use crate::{AuthError, Keycloak, KeycloakUser, bearer::BearerToken, error::Cause, route::route_of};

/// Who asks who sends a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Others may follow.
    Any,
    /// Nobody will ask again, so that there is no use in keeping the caller beside the request.
    Last,
}

/// Who sends a request, `None` for one without credentials, or what is wrong with the credentials.
pub(super) type Caller<'u> = Result<Option<&'u KeycloakUser>, Cause>;

/// A request whose caller cannot be told at once: only Keycloak can tell, or others are to be served first.
pub(crate) struct Unasked {
    keycloak: Keycloak,
    asker: Asker,
    kept: Kept,
}

/// A result that is there already, or that Keycloak is asked for.
#[must_use = "a future does nothing unless it is polled"]
pub(crate) enum Judgement<'p, T> {
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
/// What was found out is kept for those behind: beside the request where there is a place for it, and in the cache of verified
/// tokens where there is none. `handler` is for the log, where it is known.
pub(super) fn at_once<H: Head, T>(
    head: &mut H,
    known: Known<'_>,
    asker: Asker,
    handler: Option<&'static str>,
    conclude: impl FnOnce(Caller<'_>, &mut H, &Keycloak) -> Result<T, AuthRejection>,
) -> Result<Result<T, AuthRejection>, Unasked> {
    let Known { keycloak, user, kept } = known;
    let Some(keycloak) = keycloak else {
        tracing::error!(
            name: "keycloak.not_installed",
            target: "keycloak_auth",
            { http.route = route_of(head.extensions()), code.function.name = handler },
            "{}", AuthError::NotInstalled
        );
        return Ok(Err(AuthRejection::not_installed()));
    };
    let keep = |user, head: &mut H| {
        if asker == Asker::Any {
            keep(user, head.extensions_mut(), &keycloak, kept);
        }
    };
    if user.is_some() {
        if asker == Asker::Any && kept.is_by_guard() {
            pass_guard(head.extensions_mut());
        }
        return Ok(conclude(Ok(user.as_ref()), head, &keycloak));
    }
    let token = match BearerToken::from_headers(head.headers()) {
        Ok(Some(token)) => token,
        Ok(None) => {
            let concluded = conclude(Ok(None), head, &keycloak);
            if concluded.is_ok() {
                keep(None, head);
            }
            return Ok(concluded);
        }
        Err(fault) => return Ok(conclude(Err(fault.into()), head, &keycloak)),
    };
    match keycloak.authenticator().judge(token, keycloak.now()) {
        Some(Ok((user, place))) => {
            keep(Some(&user), head);
            let concluded = conclude(Ok(Some(&user)), head, &keycloak);
            let hand_back = || keycloak.authenticator().hand_back(user, place);
            // The usual result is not moved through memory for the sake of refusals, nor kept for the case of a panic.
            match concluded {
                Ok(concluded) => {
                    hand_back();
                    Ok(Ok(concluded))
                }
                Err(rejection) => {
                    hand_back();
                    Ok(refused(rejection))
                }
            }
        }
        Some(Err(error)) => Ok(conclude(Err(error), head, &keycloak)),
        None => Err(Unasked {
            keycloak: keycloak.into_owned(),
            asker,
            kept,
        }),
    }
}

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
    let Unasked { keycloak, asker, kept } = unasked;
    match caller_by_asking(head.headers(), &keycloak).await {
        Ok(user) => {
            if asker == Asker::Any {
                keep(user.as_ref(), head.extensions_mut(), &keycloak, kept);
            }
            conclude(Ok(user.as_ref()), head, &keycloak)
        }
        Err(error) => conclude(Err(error.into()), head, &keycloak),
    }
}

/// [`at_once`] or else [`asked`], for a request that is lent.
pub(super) fn with_caller<'p, T: Send + 'p>(
    parts: &'p mut Parts,
    known: Known<'_>,
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
