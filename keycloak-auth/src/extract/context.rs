//! Whom a request says is to be asked about it: what layers, routers and guards leave in its extensions for those behind them.

use std::borrow::Cow;

use http::Extensions;

use super::{outcome::ReportOnly, state::find_in_state};
use crate::{Keycloak, KeycloakUser};

/// What a layer, a router or a guard leaves in a request's extensions for the extractors behind it.
#[derive(Clone, Debug)]
struct RequestContext {
    keycloak: Keycloak,
    /// The caller, once it has been determined.
    user: Option<KeycloakUser>,
    /// Whether it is what the router of the guard was secured with: then it holds whatever is in the state.
    is_of_router: bool,
}

/// What is known of a request before its credentials are looked at.
pub(super) struct Known<'k> {
    pub(super) keycloak: Option<Cow<'k, Keycloak>>,
    pub(super) user: Option<KeycloakUser>,
    pub(super) kept: Kept,
}

/// Where the caller of a request is kept for those behind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Nowhere else than in the cache, if that is possible.
    InCache,
    /// In the [`RequestContext`] that there is, if it is one of this [`Keycloak`].
    InContext,
    /// In a [`RequestContext`] that says for the guard's router which [`Keycloak`] it was secured with, with a caller or without.
    ForRouter,
    /// In the place of the [`RequestContext`] of another router or layer, if there is one.
    InPlaceOfOthers,
}

/// The [`Keycloak`] that a request is under, and its caller if determined before.
///
/// That of the guard's router comes first, then the one in a state that is known to have one, then that of a layer further out: a
/// lenient layer around a router must not take the place of the stricter one that the router was secured with. What another
/// one found out about the caller does not count.
pub(super) fn known<'s, S: 'static>(extensions: &Extensions, state: &'s S) -> Known<'s> {
    let context = extensions.get::<RequestContext>();
    if let Some(context) = context.filter(|context| context.is_of_router) {
        return context.known();
    }
    match (find_in_state(state), context) {
        (Some(own), Some(context)) if own.is_same(&context.keycloak) => context.known(),
        (None, Some(context)) => context.known(),
        (keycloak, _) => Known {
            keycloak,
            user: None,
            kept: if context.is_some() {
                Kept::InContext
            } else {
                Kept::InCache
            },
        },
    }
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

/// The caller, where the router of the guard says whom to ask and somebody has done so: there is nothing else to look at.
pub(super) fn determined(extensions: &Extensions) -> Option<&KeycloakUser> {
    let context = extensions.get::<RequestContext>()?;
    context.user.as_ref().filter(|_| context.is_of_router)
}

/// The caller whom the innermost layer or guard found out.
pub(super) fn last_determined(extensions: &Extensions) -> Option<&KeycloakUser> {
    extensions.get::<RequestContext>()?.user.as_ref()
}

/// The [`Keycloak`] that a request is under; see [`known`].
pub(super) fn keycloak_for<S: 'static>(extensions: &Extensions, state: &S) -> Option<Keycloak> {
    known(extensions, state).keycloak.map(Cow::into_owned)
}

/// Keeps the caller for the extractors that follow.
#[inline]
pub(super) fn keep(user: Option<&KeycloakUser>, extensions: &mut Extensions, keycloak: &Keycloak, kept: Kept) {
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

/// Tells the guards of a router which [`Keycloak`] it was secured with, `None` for the one in its state: what routers and layers
/// further out say, and whom they found out, is nothing to them.
pub(crate) fn enter_router(keycloak: Option<&Keycloak>, extensions: &mut Extensions) {
    extensions.remove::<ReportOnly>();
    if let Some(keycloak) = keycloak {
        put(None, extensions, keycloak, true);
    } else if let Some(context) = extensions.get_mut::<RequestContext>() {
        context.is_of_router = false;
        context.user = None;
    }
}

/// Ends what a router says to its own guards, where those behind may have been secured by themselves. Its [`Keycloak`] is there for
/// those that have none, unless it is in its state.
pub(crate) fn leave_router(keycloak: Option<&Keycloak>, extensions: &mut Extensions) {
    extensions.remove::<ReportOnly>();
    if let Some(keycloak) = keycloak {
        put(None, extensions, keycloak, false);
    } else if let Some(context) = extensions.get_mut::<RequestContext>() {
        context.is_of_router = false;
    }
}

/// Tells those behind a layer whose request it is, unless they have a router's [`Keycloak`] to ask.
///
/// A layer that a router was given before `secure_with` stands between that and its guards. It must not take the place of
/// what the router was secured with, and what another `Keycloak` found out about the caller is nothing to them.
pub(crate) fn offer(keycloak: &Keycloak, user: Option<KeycloakUser>, extensions: &mut Extensions) {
    let own = RequestContext {
        keycloak: keycloak.clone(),
        user,
        is_of_router: false,
    };
    // Put in first and taken back, since there is hardly ever one, and each look takes time.
    if let Some(mut of_router) = extensions.insert(own).filter(|context| context.is_of_router) {
        if of_router.keycloak.is_same(keycloak) {
            of_router.user = extensions.remove::<RequestContext>().and_then(|own| own.user);
        }
        extensions.insert(of_router);
    }
}
