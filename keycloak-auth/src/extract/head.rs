//! The head of a request, wherever it lies: in a whole request, or in the parts that extractors are lent.
//!
//! It is some 220 bytes large, which take longer to move than to look at.

use std::mem;

use axum::extract::{FromRequestParts as _, RawPathParams};
use futures_util::future::FutureExt as _;
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
    let parameters = RawPathParams::from_request_parts(&mut parts, &()).now_or_never();
    mem::swap(&mut parts.extensions, head.extensions_mut());
    parameters?.ok()
}
