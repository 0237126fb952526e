//! A request as logs and metrics name it: by the pattern of its route and by its method, never by what it asks for.

use axum::extract::MatchedPath;
use http::{Extensions, Method};

/// The route of a request that no route matches, or that is refused before it is known.
pub(crate) const NO_ROUTE: &str = "(no route)";

/// The methods that are told apart; anything else is `_OTHER`, as in OpenTelemetry's `http.request.method`.
pub(crate) const METHODS: [&str; 10] = [
    "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "_OTHER",
];

/// The pattern of the route that matched.
pub(crate) fn route_of(extensions: &Extensions) -> &str {
    extensions.get::<MatchedPath>().map_or(NO_ROUTE, MatchedPath::as_str)
}

/// The method, if it is one of those that are told apart.
pub(crate) fn method_name(method: &Method) -> &'static str {
    METHODS[number_of(method)]
}

/// The place of the method in [`METHODS`].
pub(crate) fn number_of(method: &Method) -> usize {
    match *method {
        Method::GET => 0,
        Method::POST => 1,
        Method::PUT => 2,
        Method::DELETE => 3,
        Method::PATCH => 4,
        Method::HEAD => 5,
        Method::OPTIONS => 6,
        Method::CONNECT => 7,
        Method::TRACE => 8,
        _ => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_has_its_own_name() {
        for name in &METHODS[..METHODS.len() - 1] {
            let method = Method::from_bytes(name.as_bytes()).expect("a method");
            assert_eq!(method_name(&method), *name);
        }
        for other in ["get", "PROPFIND", "X-RANDOM"] {
            let method = Method::from_bytes(other.as_bytes()).expect("a method");
            assert_eq!(method_name(&method), "_OTHER");
        }
    }
}
