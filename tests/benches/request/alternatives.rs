//! The alternatives that are compared.

use std::{
    convert::Infallible,
    hint::black_box,
    sync::{Arc, atomic::AtomicU64},
    task::{Context, Poll},
    time::Duration,
};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use axum::{
    Router,
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, request::Parts},
    routing,
};
use keycloak_auth::{
    KeycloakUser, SecureRouter, keycloak,
    metrics::{MetricsCollector, MetricsFacade, Tag},
    routing::{MethodRouter, get},
};
use keycloak_auth_tests::{Issuer, SigningKey, base64url_decode, rsa_key};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};
use tower::ServiceExt as _;

use crate::{
    services::{
        bearer, forged, from_state, guarded, guarded_router, ready, request, settings, token, unguarded,
        unprotected_router,
    },
    work::{Signed, Supply, Work},
};

/// How many different tokens there are.
pub(crate) const TOKENS: usize = 10_000;

/// One of the things that are compared.
pub(crate) struct Alternative {
    pub(crate) name: &'static str,
    pub(crate) work: Work,
    /// How often it is done in one go.
    pub(crate) repetitions: usize,
}

/// The repetitions of what takes less than some microseconds.
pub(crate) const MANY: usize = 256;

/// The repetitions of what takes as long as a verification, or longer.
pub(crate) const FEW: usize = 16;

/// All alternatives, with the issuer that stands behind them; it must live as long as they do.
pub(crate) struct Comparison {
    pub(crate) alternatives: Vec<Alternative>,
    pub(crate) token_length: usize,
    _issuer: Issuer,
}

pub(crate) const UNPROTECTED: &str = "unprotected";
pub(crate) const UNPROTECTED_WITH_STATE: &str = "unprotected, with a state";
pub(crate) const IDLE_EXTRACTOR: &str = "an extractor that does nothing";
pub(crate) const IDLE_LAYER: &str = "a layer that does nothing";
pub(crate) const GUARD: &str = "warm: guard, from state";
pub(crate) const GUARD_AND_USER: &str = "warm: guard and user, from state";
pub(crate) const SECURED_GUARD: &str = "warm: guard, by secure_with";
pub(crate) const SECURED_GUARD_AND_USER: &str = "warm: guard and user, by secure_with";
pub(crate) const PLAIN_LAYER: &str = "warm: layer on a plain router";
pub(crate) const PLAIN_LAYER_AND_USER: &str = "warm: layer on a plain router, and user";
pub(crate) const MANY_TOKENS: &str = "warm: guard, from state, 10,000 tokens in turn";
pub(crate) const UNPROTECTED_OWNING: &str = "unprotected, own bytes";
pub(crate) const GUARD_OWNING: &str = "warm: guard, from state, own bytes";
pub(crate) const MANY_TOKENS_OWNING: &str = "warm: guard, from state, 10,000, own bytes";
pub(crate) const UNHEARD: &str = "warm: guard, from state, metrics unheard";
pub(crate) const UNPREPARED: &str = "warm: guard, from state, metrics unprepared";
pub(crate) const COUNTED: &str = "warm: guard, from state, metrics counted";
pub(crate) const VERIFICATION: &str = "raw RSA verification";
pub(crate) const COLD_GUARD: &str = "cold: guard, from state";
pub(crate) const COLD_SECURED_GUARD: &str = "cold: guard, by secure_with";
pub(crate) const COLD_GUARD_OWNING: &str = "cold: guard, from state, own bytes";
pub(crate) const NO_TOKEN: &str = "refused: no token";
pub(crate) const BAD_FORM: &str = "refused: not a token";
pub(crate) const BAD_ALGORITHM: &str = "refused: algorithm";
pub(crate) const UNKNOWN_KEY: &str = "refused: unknown key, in the cooldown";
pub(crate) const BAD_SIGNATURE: &str = "refused: signature, under a known key";

/// The bearer tokens that everything is measured with.
pub(crate) struct Tokens {
    /// The one that comes again and again.
    pub(crate) warm: HeaderValue,
    /// The one that each alternative is tried with before it is measured.
    pub(crate) tried: HeaderValue,
    /// Many different ones.
    pub(crate) many: Arc<[HeaderValue]>,
    /// With a signature of another key.
    pub(crate) forged: HeaderValue,
}

#[keycloak(roles = "admin")]
async fn guarded_with_user(user: KeycloakUser) -> &'static str {
    black_box(user.subject());
    "orders"
}

async fn unguarded_with_user(user: KeycloakUser) -> &'static str {
    black_box(user.subject());
    "orders"
}

/// A collector that is told each name and its tags each time, and drops them.
struct Unprepared;

impl MetricsCollector for Unprepared {
    fn increment_counter(&self, name: &str, tags: &[Tag<'_>]) {
        black_box((name, tags));
    }

    fn observe_histogram(&self, name: &str, tags: &[Tag<'_>], value: f64) {
        black_box((name, tags, value));
    }

    fn set_gauge(&self, name: &str, tags: &[Tag<'_>], value: f64) {
        black_box((name, tags, value));
    }
}

/// Counts as an exporter does: each series is a number in memory.
struct Counts;

impl metrics::Recorder for Counts {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(AtomicU64::new(0)))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

impl Comparison {
    /// Starts the issuer, makes keys and that many tokens, and tries every alternative once.
    pub(crate) async fn prepare(count: usize) -> Self {
        let issuer = Issuer::start().await;
        let signed: Vec<String> = (0..count).map(|_| token(&issuer).sign(issuer.key())).collect();
        let token_length = signed.iter().map(String::len).sum::<usize>() / signed.len();
        let tokens = Tokens {
            warm: bearer(&token(&issuer).sign(issuer.key())),
            tried: bearer(&token(&issuer).sign(issuer.key())),
            many: signed.iter().map(|token| bearer(token)).collect(),
            forged: bearer(&forged(&issuer)),
        };
        let mut alternatives = vec![Alternative {
            name: UNPROTECTED,
            work: Work::requests(
                unprotected_router(),
                Supply::always(tokens.warm.clone()),
                StatusCode::OK,
            ),
            repetitions: MANY,
        }];
        alternatives.push(Alternative {
            name: UNPROTECTED_WITH_STATE,
            work: Work::requests(
                unprotected_with_state(&issuer).await,
                Supply::always(tokens.warm.clone()),
                StatusCode::OK,
            ),
            repetitions: MANY,
        });
        alternatives.push(Alternative {
            name: UNPROTECTED_OWNING,
            work: Work::requests(
                unprotected_router(),
                Supply::always(tokens.warm.clone()),
                StatusCode::OK,
            )
            .owning_tokens(),
            repetitions: MANY,
        });
        alternatives.extend(idle(&tokens));
        alternatives.extend(warm(&issuer, &tokens).await);
        alternatives.extend(cold(&issuer, &tokens).await);
        alternatives.push(verification(issuer.key(), &signed));
        alternatives.extend(refused(&issuer, &tokens).await);
        #[cfg(feature = "peers")]
        alternatives.extend(crate::peers::alternatives(&issuer, &tokens).await);
        Self {
            alternatives,
            token_length,
            _issuer: issuer,
        }
    }
}

/// An unprotected route beside a state like that of the guard: axum copies a handler with its state for each request.
async fn unprotected_with_state(issuer: &Issuer) -> Router {
    let keycloak = ready(settings(issuer.url())).await;
    Router::new()
        .route("/orders", routing::get(unguarded))
        .with_state(keycloak)
}

/// What axum takes for being extended at all.
fn idle(tokens: &Tokens) -> [Alternative; 2] {
    let route = Router::new();
    [
        (
            IDLE_EXTRACTOR,
            route.clone().route("/orders", routing::get(idle_extractor)),
        ),
        (
            IDLE_LAYER,
            route
                .route("/orders", routing::get(unguarded))
                .layer(tower::layer::layer_fn(IdleService)),
        ),
    ]
    .map(|(name, router)| Alternative {
        name,
        work: Work::requests(router, Supply::always(tokens.warm.clone()), StatusCode::OK),
        repetitions: MANY,
    })
}

struct Idle;

impl<S: Sync> FromRequestParts<S> for Idle {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

async fn idle_extractor(_: Idle) -> &'static str {
    "orders"
}

#[derive(Clone)]
struct IdleService<S>(S);

impl<S, R> tower::Service<R> for IdleService<S>
where
    S: tower::Service<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

async fn warm(issuer: &Issuer, tokens: &Tokens) -> Vec<Alternative> {
    // What is prepared before there is a recorder goes nowhere for ever.
    let unheard = from_state(settings(issuer.url()).metrics_collector(MetricsFacade), get(guarded)).await;
    metrics::set_global_recorder(Counts).expect("this is the only one");
    let routers = [
        (UNHEARD, unheard),
        (GUARD, guarded_router(issuer.url()).await),
        (
            GUARD_AND_USER,
            from_state(settings(issuer.url()), get(guarded_with_user)).await,
        ),
        (SECURED_GUARD, secured(issuer, get(guarded)).await),
        (SECURED_GUARD_AND_USER, secured(issuer, get(guarded_with_user)).await),
        (PLAIN_LAYER, plain(issuer, routing::get(unguarded)).await),
        (
            PLAIN_LAYER_AND_USER,
            plain(issuer, routing::get(unguarded_with_user)).await,
        ),
        (
            UNPREPARED,
            from_state(settings(issuer.url()).metrics_collector(Unprepared), get(guarded)).await,
        ),
        (
            COUNTED,
            from_state(settings(issuer.url()).metrics_collector(MetricsFacade), get(guarded)).await,
        ),
        (
            MANY_TOKENS,
            // Room for all of them: what is measured is finding them, not losing them.
            from_state(settings(issuer.url()).token_cache_capacity(2 * TOKENS), get(guarded)).await,
        ),
    ];
    let mut alternatives = Vec::new();
    for (name, router) in routers {
        assert_admits(name, &router, tokens).await;
        if name == MANY_TOKENS {
            for token in &*tokens.many {
                assert_eq!(answer(&router, token.clone()).await, StatusCode::OK);
            }
        }
        let work = || {
            let authorization = match name {
                MANY_TOKENS => Supply::in_turn(&tokens.many),
                _ => Supply::always(tokens.warm.clone()),
            };
            Work::requests(router.clone(), authorization, StatusCode::OK)
        };
        let mut push = |name, work| {
            alternatives.push(Alternative {
                name,
                work,
                repetitions: MANY,
            });
        };
        push(name, work());
        match name {
            GUARD => push(GUARD_OWNING, work().owning_tokens()),
            MANY_TOKENS => push(MANY_TOKENS_OWNING, work().owning_tokens()),
            _ => {}
        }
    }
    alternatives
}

async fn cold(issuer: &Issuer, tokens: &Tokens) -> Vec<Alternative> {
    let routers = [
        (COLD_GUARD, guarded_router(issuer.url()).await),
        (COLD_SECURED_GUARD, secured(issuer, get(guarded)).await),
        (COLD_GUARD_OWNING, guarded_router(issuer.url()).await),
    ];
    let mut alternatives = Vec::new();
    for (name, router) in routers {
        assert_admits(name, &router, tokens).await;
        let work = Work::requests(router, Supply::once(&tokens.many), StatusCode::OK);
        alternatives.push(Alternative {
            name,
            work: match name {
                COLD_GUARD_OWNING => work.owning_tokens(),
                _ => work,
            },
            repetitions: FEW,
        });
    }
    alternatives
}

/// The yardstick of everything cold.
fn verification(key: &SigningKey, signed: &[String]) -> Alternative {
    let jwk = key.public_jwk();
    let member = |name: &str| base64url_decode(jwk[name].as_str().expect("an RSA key has two numbers"));
    let key: ParsedPublicKey = RsaPublicKeyComponents {
        n: member("n"),
        e: member("e"),
    }
    .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
    .expect("a public key");
    let tokens: Arc<[Signed]> = signed
        .iter()
        .map(|token| {
            let (message, signature) = token.rsplit_once('.').expect("a token has three parts");
            Signed {
                message: message.as_bytes().into(),
                signature: base64url_decode(signature).into(),
            }
        })
        .collect();
    Alternative {
        name: VERIFICATION,
        work: Work::Verifications {
            key: Arc::new(key),
            tokens: Supply::in_turn(&tokens),
        },
        repetitions: FEW,
    }
}

async fn refused(issuer: &Issuer, tokens: &Tokens) -> Vec<Alternative> {
    let unknown = rsa_key(1).with_kid("unknown");
    let refusals = [
        (NO_TOKEN, HeaderValue::from_static("Basic YTpi"), MANY),
        (BAD_FORM, bearer(&"x".repeat(tokens.warm.len() - "Bearer ".len())), MANY),
        (
            BAD_ALGORITHM,
            bearer(&token(issuer).hmac("HS512", "no-such-key", b"secret")),
            MANY,
        ),
        (UNKNOWN_KEY, bearer(&token(issuer).sign(&unknown)), MANY),
        (BAD_SIGNATURE, tokens.forged.clone(), FEW),
    ];
    let mut alternatives = Vec::new();
    for (name, authorization, repetitions) in refusals {
        // One look for new keys, when it is tried, and none while it is measured.
        let settings = settings(issuer.url()).key_set_cooldown(Duration::from_secs(60 * 60));
        let router = from_state(settings, get(guarded)).await;
        assert_admits(name, &router, tokens).await;
        assert_eq!(answer(&router, authorization.clone()).await, StatusCode::UNAUTHORIZED);
        alternatives.push(Alternative {
            name,
            work: Work::requests(router, Supply::always(authorization), StatusCode::UNAUTHORIZED),
            repetitions,
        });
    }
    alternatives
}

async fn secured(issuer: &Issuer, handlers: MethodRouter) -> Router {
    let keycloak = ready(settings(issuer.url())).await;
    SecureRouter::new().route("/orders", handlers).secure_with(keycloak)
}

async fn plain(issuer: &Issuer, handlers: routing::MethodRouter) -> Router {
    let keycloak = ready(settings(issuer.url())).await;
    Router::new().route("/orders", handlers).layer(keycloak.layer())
}

/// Makes sure that an alternative really looks at tokens.
pub(crate) async fn assert_admits(name: &str, router: &Router, tokens: &Tokens) {
    for (token, expected) in [
        (tokens.tried.clone(), StatusCode::OK),
        (tokens.warm.clone(), StatusCode::OK),
        (tokens.forged.clone(), StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(answer(router, token).await, expected, "{name}");
    }
}

pub(crate) async fn answer(router: &Router, authorization: HeaderValue) -> StatusCode {
    let response = router.clone().oneshot(request(authorization)).await;
    response.expect("a router does not fail").status()
}
