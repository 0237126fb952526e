//! The middleware for a plain axum router, and for any other tower service over HTTP.
//!
//! 1. Every request needs an acceptable access token; without one it does not get to the service behind.
//! 2. But for the [public paths](KeycloakLayer::public_paths), for requests without credentials where they are
//!    [optional](KeycloakLayer::optional), and for CORS preflights to axum, which carry no credentials (Fetch §3.2.2).
//! 3. Handlers of a plain router get the same [`KeycloakUser`](crate::KeycloakUser). A `SecureRouter` behind the layer judges again,
//!    by its own [`Keycloak`](crate::Keycloak), the credentials that the request has by then.
//! 4. [Policies](KeycloakLayer::require) of the layer are asked before the service behind sees the request.
//!
//! The layer says who is calling. What a caller may do is said by `#[keycloak(...)]` on the handlers, and both work
//! together. Note that a layer added by `Router::layer` also covers the router's fallback, so that an unknown path is
//! answered with 401 rather than 404, and that in a nested router it sees paths without the prefix.
//!
//! ```
//! use axum::{Router, routing::get};
//! use keycloak_auth::{Keycloak, KeycloakUser};
//!
//! # fn demo() -> Result<(), keycloak_auth::BuildError> {
//! # let keycloak = Keycloak::builder().server_url("https://id.example.com").realm("acme")
//! #     .client_id("orders-api").audience("orders-api").build()?;
//! let app: Router = Router::new()
//!     .route("/health", get(|| async { "up" }))
//!     .route("/me", get(|user: KeycloakUser| async move { user.username().unwrap_or_default().to_owned() }))
//!     .layer(keycloak.layer().public_paths(["/health", "/docs/*"]));
//! # let _ = app;
//! # Ok(())
//! # }
//! ```
//!
//! # Beside other layers
//!
//! **CORS** stands further out, that is, in a later `.layer(…)`: it answers preflights itself, and a browser can read a refusal
//! only with its headers. Then say [`without_preflights`](KeycloakLayer::without_preflights), and nothing passes
//! without a token. With the CORS layer further in, preflights have to get through to it; where there is none, or where a
//! handler takes any method, an `OPTIONS` request with `Origin` and `Access-Control-Request-Method` and without a body reaches
//! that handler. A handler with a policy is not touched by this: its guard asks for a token whatever the method. A layer with
//! a policy of its own ([`require`](KeycloakLayer::require)) lets no preflight through, nor does one whose requests have
//! another body than axum's, as tonic's have: there, CORS stands further out.
//!
//! **Tracing** stands further out, so that refusals are seen, and so does a **timeout**, as far as it should hold for
//! the time that the first requests wait for keys. **Limits** may stand on either side: the layer calls the service that was
//! polled ready, and asks for readiness for no other.
//!
//! # Services that are not axum's
//!
//! [`KeycloakService`] goes around any clonable `Service<Request<B>, Response = Response<R>>` whose `R` is a body of
//! [`Bytes`](bytes::Bytes): hyper's, tonic's, your own. There the caller is
//! [`KeycloakUser::from_extensions`](crate::KeycloakUser::from_extensions), and policies are those of
//! [`require`](KeycloakLayer::require) or of [`Keycloak::evaluate`](crate::Keycloak::evaluate).
//!
//! A refused **gRPC** request, one of the content type `application/grpc` with or without a suffix, gets no body but the headers
//! `grpc-status` and `grpc-message`: 16 (`UNAUTHENTICATED`) with 401 and 400, 7 (`PERMISSION_DENIED`) with 403, 14
//! (`UNAVAILABLE`) with 503. The HTTP status stays what it is for everybody, so that nobody's 401 hides behind a 200; gRPC
//! clients that look at it first map it to the same codes, but for 400. In a service of tonic, the layer goes to
//! `Server::builder().layer(…)`, a public path is `/grpc.health.v1.Health/*`, and `request.extensions()` of tonic are those of
//! `from_extensions`.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use keycloak_auth::{Keycloak, KeycloakUser};
//! use tower::{ServiceBuilder, service_fn};
//!
//! # fn demo(keycloak: Keycloak) {
//! let service = ServiceBuilder::new().layer(keycloak.layer()).service(service_fn(async |request: Request<Bytes>| {
//!     let user = KeycloakUser::from_extensions(request.extensions());
//!     let text = format!("Hello, {}", user.and_then(|user| user.username()).unwrap_or("stranger"));
//!     Ok::<Response<String>, Infallible>(Response::new(text))
//! }));
//! # let _ = service;
//! # }
//! ```

mod admission;
mod future;
mod layer;
mod provide;
mod public_paths;
mod refusal;
mod service;

pub use future::KeycloakFuture;
pub use layer::KeycloakLayer;
pub use service::KeycloakService;

pub(crate) use provide::ProvideLayer;
