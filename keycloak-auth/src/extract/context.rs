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
    said_by: SaidBy,
}

/// Who left it there, and so for whom it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SaidBy {
    /// For whoever has no [`Keycloak`] in the state.
    Layer,
    /// For its guards and those between, whatever is in the state and whatever layers of its own say.
    Router,
    /// For the other arguments of its handler, whatever is in the state. Another guard that finds it is of another router, which the
    /// handler has passed its request on to.
    Guard,
    /// The same by a guard or another argument of a handler, where it is in the state: there the others look first.
    Argument,
}

impl SaidBy {
    /// Whether it holds whatever is in the state.
    const fn comes_first(self) -> bool {
        matches!(self, Self::Router | Self::Guard)
    }
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
    /// In a [`RequestContext`] that says to the other arguments which [`Keycloak`] the guard's router was secured with, with a caller
    /// or without.
    ForHandler,
    /// In the place of the [`RequestContext`] of another router or layer, if there is one: the other arguments find the [`Keycloak`]
    /// where the guard did.
    InPlaceOfOthers,
}

impl Kept {
    /// Whether it is a guard that keeps the caller, and not another argument.
    pub(super) const fn is_by_guard(self) -> bool {
        matches!(self, Self::ForHandler | Self::InPlaceOfOthers)
    }
}

/// The [`Keycloak`] that a request is under, and its caller if determined before.
///
/// That of the guard's router comes first, then the one in a state that is known to have one, then that of a layer further out: a
/// lenient layer around a router must not take the place of the stricter one that the router was secured with. What another
/// one found out about the caller does not count.
pub(super) fn known<'s, S: 'static>(extensions: &Extensions, state: &'s S) -> Known<'s> {
    match extensions.get::<RequestContext>() {
        Some(context) if context.said_by.comes_first() => context.known(),
        context => known_behind_layer(context, state),
    }
}

/// The same to a guard that was not told by its router.
pub(super) fn known_to_guard<'s, S: 'static>(extensions: &Extensions, state: &'s S) -> Known<'s> {
    let context = extensions.get::<RequestContext>();
    match context.map(|context| (context, context.said_by)) {
        Some((context, SaidBy::Router)) => Known {
            kept: Kept::ForHandler,
            ..context.known()
        },
        // The request may have other credentials since that guard.
        Some((context, SaidBy::Guard | SaidBy::Argument)) => Known {
            keycloak: find_in_state(state).or_else(|| Some(Cow::Owned(context.keycloak.clone()))),
            user: None,
            kept: Kept::InPlaceOfOthers,
        },
        Some((_, SaidBy::Layer)) | None => Known {
            kept: Kept::InPlaceOfOthers,
            ..known_behind_layer(context, state)
        },
    }
}

fn known_behind_layer<'s, S: 'static>(context: Option<&RequestContext>, state: &'s S) -> Known<'s> {
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
    context.user.as_ref().filter(|_| context.said_by.comes_first())
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
    let is_remembered = |user: &KeycloakUser| keycloak.authenticator().has_cache() && !user.is_introspected();
    let has_others = || extensions.get::<RequestContext>().is_some();
    match (kept, user) {
        (Kept::ForHandler, user) => put(user, extensions, keycloak, SaidBy::Guard),
        (Kept::InPlaceOfOthers, user) if has_others() => {
            put(user, extensions, keycloak, SaidBy::Argument);
        }
        (Kept::InContext, Some(user)) => {
            let context = extensions.get_mut::<RequestContext>();
            if let Some(context) = context.filter(|context| context.keycloak.is_same(keycloak)) {
                context.user = Some(user.clone());
            }
        }
        (Kept::InCache | Kept::InPlaceOfOthers, Some(user)) if !is_remembered(user) => {
            put(Some(user), extensions, keycloak, SaidBy::Argument);
        }
        (Kept::InCache | Kept::InContext | Kept::InPlaceOfOthers, _) => {}
    }
}

fn put(user: Option<&KeycloakUser>, extensions: &mut Extensions, keycloak: &Keycloak, said_by: SaidBy) {
    extensions.insert(RequestContext {
        keycloak: keycloak.clone(),
        user: user.cloned(),
        said_by,
    });
}

/// Tells the guards of a router which [`Keycloak`] it was secured with, `None` for the one in its state: what routers and layers
/// further out say, and whom they found out, is nothing to them.
pub(crate) fn enter_router(keycloak: Option<&Keycloak>, extensions: &mut Extensions) {
    extensions.remove::<ReportOnly>();
    if let Some(keycloak) = keycloak {
        put(None, extensions, keycloak, SaidBy::Router);
    } else if let Some(context) = extensions.get_mut::<RequestContext>() {
        context.said_by = SaidBy::Layer;
        context.user = None;
    }
}

/// Ends what layers and routers say at a guard that puts nothing in the place of it: what is left is for the other arguments of its
/// handler, and guards that find it are of other routers.
pub(super) fn pass_guard(extensions: &mut Extensions) {
    if let Some(context) = extensions.get_mut::<RequestContext>() {
        context.said_by = match context.said_by {
            SaidBy::Router | SaidBy::Guard => SaidBy::Guard,
            SaidBy::Layer | SaidBy::Argument => SaidBy::Argument,
        };
    }
}

/// Ends what a router says to its own guards, where those behind may have been secured by themselves. Its [`Keycloak`] is there for
/// those that have none, unless it is in its state.
pub(crate) fn leave_router(keycloak: Option<&Keycloak>, extensions: &mut Extensions) {
    extensions.remove::<ReportOnly>();
    if let Some(keycloak) = keycloak {
        put(None, extensions, keycloak, SaidBy::Layer);
    } else if let Some(context) = extensions.get_mut::<RequestContext>()
        && context.said_by != SaidBy::Layer
    {
        context.said_by = SaidBy::Layer;
        context.user = None;
    }
}

/// Tells those behind a layer whose request it is, unless they are in a router that has said whom to ask.
///
/// A layer that a router was given before `secure_with` stands between that and its guards. It must not take the place of
/// what the router was secured with, and what another `Keycloak` found out about the caller is nothing to them.
pub(crate) fn offer(keycloak: &Keycloak, user: Option<KeycloakUser>, extensions: &mut Extensions) {
    let own = RequestContext {
        keycloak: keycloak.clone(),
        user,
        said_by: SaidBy::Layer,
    };
    // Put in first and taken back, since there is hardly ever one, and each look takes time.
    if let Some(mut of_router) = extensions
        .insert(own)
        .filter(|context| context.said_by == SaidBy::Router)
    {
        if of_router.keycloak.is_same(keycloak) {
            of_router.user = extensions.remove::<RequestContext>().and_then(|own| own.user);
        }
        extensions.insert(of_router);
    }
}
