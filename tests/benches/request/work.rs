//! What one alternative does again and again.

use std::sync::Arc;

use aws_lc_rs::signature::ParsedPublicKey;
use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, StatusCode},
};
use tower::ServiceExt as _;

use crate::services::request;

/// One thing to measure, with what it needs to be done any number of times.
pub(crate) enum Work {
    /// Requests to a router, which answers all of them with the same status.
    Requests {
        router: Router,
        authorization: Supply<HeaderValue>,
        /// Whether each request has the bytes of its token for itself, as those have that are read from a connection.
        owns_token: bool,
        status: StatusCode,
    },
    /// Verifications of a signature, without a request around them.
    Verifications {
        key: Arc<ParsedPublicKey>,
        tokens: Supply<Signed>,
    },
}

/// What was signed, and the signature.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) message: Arc<[u8]>,
    pub(crate) signature: Arc<[u8]>,
}

/// The repetitions of one round, made ready so that only the work itself is left to do.
pub(crate) enum Batch {
    Requests {
        router: Router,
        requests: Vec<Request<Body>>,
        status: StatusCode,
    },
    Verifications {
        key: Arc<ParsedPublicKey>,
        tokens: Vec<Signed>,
    },
}

impl Work {
    /// Requests to `router`, which is prepared as `axum::serve` does it: for all requests at once, not for each.
    pub(crate) fn requests(router: Router, authorization: Supply<HeaderValue>, status: StatusCode) -> Self {
        Self::Requests {
            router: router.with_state(()),
            authorization,
            owns_token: false,
            status,
        }
    }

    /// The same, each request with the bytes of its token for itself.
    pub(crate) fn owning_tokens(mut self) -> Self {
        if let Self::Requests { owns_token, .. } = &mut self {
            *owns_token = true;
        }
        self
    }

    pub(crate) fn batch(&mut self, size: usize) -> Batch {
        match self {
            Self::Requests {
                router,
                authorization,
                owns_token,
                status,
            } => {
                let mut next = || {
                    let token = authorization.next();
                    if *owns_token { copied(&token) } else { token }
                };
                Batch::Requests {
                    router: router.clone(),
                    requests: (0..size).map(|_| request(next())).collect(),
                    status: *status,
                }
            }
            Self::Verifications { key, tokens } => Batch::Verifications {
                key: Arc::clone(key),
                tokens: (0..size).map(|_| tokens.next()).collect(),
            },
        }
    }
}

fn copied(value: &HeaderValue) -> HeaderValue {
    HeaderValue::from_bytes(value.as_bytes()).expect("it was a header value before")
}

impl Batch {
    /// Does the work.
    ///
    /// # Panics
    ///
    /// When an answer is not the expected one: a time for the wrong answer is worth nothing.
    pub(crate) async fn run(self) {
        match self {
            Self::Requests {
                router,
                requests,
                status,
            } => {
                for request in requests {
                    let response = router.clone().oneshot(request).await.expect("a router does not fail");
                    assert_eq!(response.status(), status);
                }
            }
            Self::Verifications { key, tokens } => {
                for token in tokens {
                    key.verify_sig(&token.message, &token.signature)
                        .expect("the signature is good");
                }
            }
        }
    }
}

/// Items to take one after the other.
pub(crate) struct Supply<T> {
    items: Arc<[T]>,
    next: usize,
    recurring: bool,
}

impl<T: Clone> Supply<T> {
    /// Each item once.
    pub(crate) fn once(items: &Arc<[T]>) -> Self {
        Self {
            items: Arc::clone(items),
            next: 0,
            recurring: false,
        }
    }

    /// All items in turn, and again from the first.
    pub(crate) fn in_turn(items: &Arc<[T]>) -> Self {
        Self {
            recurring: true,
            ..Self::once(items)
        }
    }

    /// The same item all the time.
    pub(crate) fn always(item: T) -> Self {
        Self::in_turn(&Arc::from([item]))
    }

    fn next(&mut self) -> T {
        if self.next == self.items.len() && self.recurring {
            self.next = 0;
        }
        let item = self.items.get(self.next).expect("more new tokens than there are");
        self.next += 1;
        item.clone()
    }
}
