//! Every shape a handler can have.
#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications)]
#![allow(
    dead_code,
    reason = "a handler is used by name below or only has to compile"
)]

use std::{future::Future, pin::Pin};

use axum::{
    Json, Router,
    extract::{FromRef, Path, Query, State},
    response::IntoResponse,
    routing::{get, post},
};
use keycloak_auth::keycloak;

/// The state.
#[derive(Clone)]
pub struct AppState {
    number: u8,
}

/// A part of the state.
#[derive(Clone)]
pub struct Part(u8);

impl FromRef<AppState> for Part {
    fn from_ref(state: &AppState) -> Self {
        Self(state.number)
    }
}

/// Something with more than one implementation.
pub trait Store: Clone + Send + Sync + 'static {
    /// Reads.
    fn read(&self) -> String;
}

impl Store for AppState {
    fn read(&self) -> String {
        self.number.to_string()
    }
}

/// No arguments.
#[keycloak(public)]
pub async fn no_arguments() {}

/// Visible in the crate.
#[keycloak(authenticated)]
pub(crate) async fn in_the_crate() -> &'static str {
    "ok"
}

/// Some `impl` type, some state.
#[keycloak(roles = "admin")]
async fn opaque(State(state): State<AppState>) -> impl IntoResponse {
    state.number.to_string()
}

/// A generic handler with a `where` clause.
#[keycloak(roles = ["admin", "ops"], any)]
pub async fn generic<S>(State(store): State<S>) -> String
where
    S: Store,
{
    store.read()
}

/// A generic handler with a lifetime-free bound in place.
#[keycloak(groups = "/ops")]
async fn generic_in_place<S: Store, const N: usize>(
    State(store): State<S>,
    Path([_, _]): Path<[u8; 2]>,
) -> Result<String, ()> {
    let _ = N;
    Ok(store.read())
}

/// The body comes last.
#[keycloak(scopes = "orders:write")]
async fn body_last(
    State(Part(part)): State<Part>,
    Path(id): Path<u64>,
    Query(mut query): Query<Vec<(String, String)>>,
    Json(body): Json<serde_json::Value>,
) -> Result<Json<serde_json::Value>, axum::http::StatusCode> {
    query.clear();
    let _ = (part, id, query);
    Ok(Json(body))
}

/// The whole request.
#[keycloak(authenticated)]
async fn whole_request(mut request: axum::extract::Request) {
    request.headers_mut().clear();
}

#[cfg(any())]
#[keycloak(roles = "a")]
async fn switched(_: DoesNotExist) {}

/// Switched by `cfg`.
#[cfg(all())]
#[keycloak(roles = "b")]
async fn switched() {}

/// Switched behind the attribute.
#[keycloak(roles = "b")]
#[cfg(not(any()))]
async fn switched_below() {}

/// Arguments switched by `cfg`.
#[keycloak(roles = "b")]
async fn switched_arguments(
    #[cfg(any())] _: DoesNotExist,
    #[cfg(all())] _: State<AppState>,
    #[allow(unused)] x: String,
) {
}

/// Traced.
#[keycloak(roles = "admin")]
#[tracing::instrument(skip(state))]
async fn traced_below(State(state): State<AppState>, name: String) -> String {
    format!("{name}{}", state.number)
}

/// Traced.
#[tracing::instrument(skip_all, fields(name = %name))]
#[keycloak(roles = "admin")]
async fn traced_above(State(_): State<AppState>, name: String) -> String {
    name
}

/// Debugged.
#[keycloak(roles = "admin")]
#[axum::debug_handler]
async fn debugged(State(_): State<AppState>, body: String) -> String {
    body
}

/// Debugged, with its state.
#[keycloak(roles = "admin")]
#[axum::debug_handler(state = AppState)]
async fn debugged_with_state() -> String {
    String::new()
}

/// A future, written out.
#[keycloak(roles = "admin")]
fn future(body: String) -> impl Future<Output = String> + Send {
    async move { body }
}

/// A boxed future.
#[keycloak(roles = "admin")]
fn boxed() -> Pin<Box<dyn Future<Output = &'static str> + Send>> {
    Box::pin(async { "boxed" })
}

type Answer = std::future::Ready<&'static str>;

/// A future under another name.
#[keycloak(roles = "admin")]
fn alias() -> Answer {
    std::future::ready("alias")
}

/// Never returns.
#[keycloak(roles = "admin")]
async fn never() -> std::convert::Infallible {
    std::future::pending().await
}

/// A name that is a word of Rust.
#[keycloak(roles = "admin")]
pub async fn r#move(r#in: String) -> String {
    r#in
}

/// As many arguments as axum has room for.
#[keycloak(roles = "admin")]
#[rustfmt::skip]
async fn fifteen(
    _: State<AppState>, _: State<AppState>, _: State<AppState>, _: State<AppState>, _: State<AppState>,
    _: State<AppState>, _: State<AppState>, _: State<AppState>, _: State<AppState>, _: State<AppState>,
    _: State<AppState>, _: State<AppState>, _: State<AppState>, _: State<AppState>, _: String,
) {}

/// Not used any more.
#[deprecated]
#[must_use]
#[keycloak(roles = "admin")]
#[inline]
async fn deprecated() {}

/// Modules.
pub mod outer {
    /// Inner.
    pub mod inner {
        use keycloak_auth::keycloak;

        /// Visible to the parent.
        #[keycloak(roles = "admin")]
        pub(super) async fn for_the_parent() {}

        /// Visible up to a module.
        #[keycloak(roles = "admin")]
        pub(in crate::outer) async fn up_to_outer() {}

        /// Visible to everyone.
        #[keycloak(roles = "admin")]
        pub async fn list() {}
    }

    /// By another name.
    pub use inner::list as renamed;

    pub(crate) fn routes() -> axum::Router<super::AppState> {
        axum::Router::new()
            .route("/parent", axum::routing::get(inner::for_the_parent))
            .route("/outer", axum::routing::get(inner::up_to_outer))
    }
}

macro_rules! handlers {
    ($($(#[$attribute:meta])* $visibility:vis $name:ident($argument:ident: $type:ty) $role:literal $client:tt;)*) => {
        $(
            /// Written by a macro.
            $(#[$attribute])*
            #[keycloak(roles = [$role, "admin"], client_roles($client = $role), any)]
            $visibility async fn $name($argument: $type) -> $type {
                let local = $argument;
                local
            }
        )*
    };
}

handlers! {
    pub one(body: String) "one" "c";
    #[cfg(all())]
    pub(crate) two(x: String) "two" "d";
}

macro_rules! hygienic_name {
    () => {
        /// Written by a macro.
        #[keycloak(public)]
        async fn named_by_the_macro(body: String) -> String {
            body
        }
    };
}

hygienic_name!();

/// The policy of the attribute comes through a macro.
macro_rules! attribute {
    ($policy:meta, $function:item) => {
        #[$policy]
        $function
    };
}

attribute!(keycloak(roles = "admin"), async fn through_item() {});

fn main() {
    #[keycloak(public)]
    async fn in_a_body() {}

    let _: Router = Router::new()
        .merge(outer::routes())
        .route("/1", get(no_arguments).post(in_the_crate))
        .route("/2", get(opaque).post(generic::<AppState>))
        .route("/3", get(generic_in_place::<AppState, 3>).post(body_last))
        .route("/4", get(whole_request).post(switched))
        .route("/5", get(switched_below).post(switched_arguments))
        .route("/6", get(traced_below).post(traced_above))
        .route("/7", get(debugged).post(debugged_with_state))
        .route("/8", get(future).post(boxed))
        .route("/9", get(alias).post(r#move))
        .route("/10", post(fifteen).get(outer::renamed))
        .route("/11", get(one).post(two))
        .route("/12", get(named_by_the_macro).post(through_item))
        .route("/13", get(in_a_body).post(outer::inner::list))
        .with_state(AppState { number: 1 });
}
