//! The caller of a request, determined once.
//!
//! Usually everything is at hand, and then nothing is awaited: neither does the handler's future carry that of a fetch,
//! nor is one allocated. Only where Keycloak has to be asked, or others are to be served first, is there a future, in a box of its
//! own.

use std::{
    borrow::Cow,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::{Extensions, HeaderMap, request::Parts};

use super::{AuthRejection, head::Head, state::find_in_state};
use crate::{AuthError, Keycloak, KeycloakUser, bearer::BearerToken, error::Cause, route::route_of};

/// What a layer or a guard leaves in a request's extensions for the extractors behind it.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    pub(crate) keycloak: Keycloak,
    /// The caller, once it has been determined.
    pub(crate) user: Option<KeycloakUser>,
    /// Whether the router of the guard brought it, by `secure_with`: then it holds whatever is in the state.
    pub(crate) is_of_router: bool,
}

/// What is known of a request before its credentials are looked at.
pub(super) struct Known<'k> {
    keycloak: Option<Cow<'k, Keycloak>>,
    user: Option<KeycloakUser>,
    kept: Kept,
}

/// Where the caller of a request is kept for those behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// Nowhere else than in the cache, if that is possible.
    InCache,
    /// In the [`RequestContext`] that there is, if it is one of this [`Keycloak`].
    InContext,
    /// In a [`RequestContext`] that says for the guard's router which [`Keycloak`] it was secured with, with a caller or without.
    ForRouter,
    /// In the place of the [`RequestContext`] of another router or layer, if there is one.
    InPlaceOfOthers,
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
pub(super) fn known<S: 'static>(extensions: &Extensions, state: &S) -> Known<'static> {
    let context = extensions.get::<RequestContext>();
    if let Some(context) = context.filter(|context| context.is_of_router) {
        return context.known();
    }
    match (find_in_state(state), context) {
        (Some(own), Some(context)) if own.is_same(&context.keycloak) => context.known(),
        (None, Some(context)) => context.known(),
        (own, _) => Known {
            keycloak: own.map(|own| Cow::Owned(own.into_owned())),
            user: None,
            kept: if context.is_some() {
                Kept::InContext
            } else {
                Kept::InCache
            },
        },
    }
}

/// The caller, where the router of the guard says whom to ask and somebody has done so: there is nothing else to look at.
pub(super) fn determined(extensions: &Extensions) -> Option<&KeycloakUser> {
    let context = extensions.get::<RequestContext>()?;
    context.user.as_ref().filter(|_| context.is_of_router)
}

/// What is [`known`] to a guard whose router says which [`Keycloak`] it is.
///
/// Whom somebody outside of the router found out does not count: the request may have other credentials since.
pub(super) fn known_by(keycloak: &Keycloak) -> Known<'_> {
    Known {
        keycloak: Some(Cow::Borrowed(keycloak)),
        user: None,
        kept: Kept::ForRouter,
    }
}

/// What is [`known`] to a guard whose router was secured from its state, which has this [`Keycloak`]. It is all the same who has
/// asked outside of that router.
pub(super) fn known_in_state(keycloak: Cow<'_, Keycloak>) -> Known<'_> {
    Known {
        keycloak: Some(keycloak),
        user: None,
        kept: Kept::InPlaceOfOthers,
    }
}

/// Says to those behind a guard that asks nothing which [`Keycloak`] its router was secured with.
pub(super) fn introduce(keycloak: &Keycloak, extensions: &mut Extensions) {
    keep(None, extensions, keycloak, Kept::ForRouter);
}

/// Says to those who are not of the router outside, and may have been secured by themselves, which [`Keycloak`] that one was
/// secured with: it is there for them, and does not come before their own.
pub(crate) fn hand_over(keycloak: Option<&Keycloak>, extensions: &mut Extensions) {
    if let Some(keycloak) = keycloak {
        put(None, extensions, keycloak, false);
    } else if let Some(context) = extensions.get_mut::<RequestContext>() {
        context.is_of_router = false;
    }
}

/// The same as [`introduce`] where it is in the state, in which those behind would look first, were it not for others.
pub(super) fn introduce_in_place_of_others(keycloak: &Keycloak, extensions: &mut Extensions) {
    keep(None, extensions, keycloak, Kept::InPlaceOfOthers);
}

impl RequestContext {
    fn known(&self) -> Known<'static> {
        Known {
            keycloak: Some(Cow::Owned(self.keycloak.clone())),
            user: self.user.clone(),
            kept: Kept::InContext,
        }
    }
}

/// The [`Keycloak`] that a request is under; see [`known`].
pub(super) fn keycloak_for<S: 'static>(extensions: &Extensions, state: &S) -> Option<Keycloak> {
    known(extensions, state).keycloak.map(Cow::into_owned)
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
/// The credentials are judged once for each request: what was found out is kept beside the request where there is a place
/// for it, and in the cache of verified tokens where there is none. `handler` is for the log, where it is known.
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

/// Keeps the caller for the extractors that follow.
#[inline]
fn keep(user: Option<&KeycloakUser>, extensions: &mut Extensions, keycloak: &Keycloak, kept: Kept) {
    let has_others = || extensions.get::<RequestContext>().is_some();
    match (kept, user) {
        (Kept::ForRouter, user) => put(user, extensions, keycloak, true),
        (Kept::InPlaceOfOthers, user) if has_others() => put(user, extensions, keycloak, true),
        (Kept::InContext, Some(user)) => {
            let context = extensions.get_mut::<RequestContext>();
            if let Some(context) = context.filter(|context| context.keycloak.is_same(keycloak)) {
                context.user = Some(user.clone());
            }
        }
        (Kept::InCache | Kept::InPlaceOfOthers, Some(user))
            if !keycloak.authenticator().has_cache() || user.is_introspected() =>
        {
            put(Some(user), extensions, keycloak, false);
        }
        (Kept::InCache | Kept::InContext | Kept::InPlaceOfOthers, _) => {}
    }
}

fn put(user: Option<&KeycloakUser>, extensions: &mut Extensions, keycloak: &Keycloak, is_of_router: bool) {
    extensions.insert(RequestContext {
        keycloak: keycloak.clone(),
        user: user.cloned(),
        is_of_router,
    });
}
