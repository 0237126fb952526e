//! The head of a request, wherever it lies: in a whole request, or in the parts that extractors are lent.
//!
//! It is some 220 bytes large, which take longer to move than to look at.

use std::{
    mem,
    pin::pin,
    task::{Context, Poll, Waker},
};

use axum::extract::{FromRequestParts as _, RawPathParams};
use http::{Extensions, HeaderMap, Method, Request, request::Parts};

/// What is asked about of a request.
pub(crate) trait Head {
    fn method(&self) -> &Method;
    fn headers(&self) -> &HeaderMap;
    fn extensions(&self) -> &Extensions;
    fn extensions_mut(&mut self) -> &mut Extensions;
}

impl Head for Parts {
    fn method(&self) -> &Method {
        &self.method
    }

    fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }
}

impl<B> Head for Request<B> {
    fn method(&self) -> &Method {
        self.method()
    }

    fn headers(&self) -> &HeaderMap {
        self.headers()
    }

    fn extensions(&self) -> &Extensions {
        self.extensions()
    }

    fn extensions_mut(&mut self) -> &mut Extensions {
        self.extensions_mut()
    }
}

/// The parameters of the path. They lie in the request's extensions, so the first poll of their extractor has them; were that
/// ever otherwise, there would be none, and no policy about them would be met.
pub(super) fn path_parameters(head: &mut impl Head) -> Option<RawPathParams> {
    let (mut parts, ()) = Request::new(()).into_parts();
    mem::swap(&mut parts.extensions, head.extensions_mut());
    let parameters = at_first_poll(RawPathParams::from_request_parts(&mut parts, &()));
    mem::swap(&mut parts.extensions, head.extensions_mut());
    parameters?.ok()
}

fn at_first_poll<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
