//! Paths that need no credentials.

use matchit::Router;
use percent_encoding::percent_decode_str;

/// A set of paths, prefixes and patterns.
#[derive(Clone, Debug, Default)]
pub(super) struct PublicPaths {
    exact: Vec<String>,
    /// With their trailing slash.
    prefixes: Vec<String>,
    /// One router for each: here patterns may overlap, in a router they may not.
    patterns: Vec<Router<()>>,
}

impl PublicPaths {
    #[track_caller]
    pub(super) fn extend(&mut self, paths: impl IntoIterator<Item = String>) {
        for path in paths {
            self.insert(path);
        }
    }

    #[track_caller]
    fn insert(&mut self, path: String) {
        assert!(path.starts_with('/'), "the public path `{path}` must begin with `/`");
        assert!(
            is_unambiguous(&path),
            "the public path `{path}` must be written as it stands in a request line, without `.` or `..` segments, empty \
             segments, or `\\`, `;`, `?`, `#` and encoded separators, which no public path may have"
        );
        if path.contains(['{', '}']) {
            let mut pattern = Router::new();
            if let Err(error) = pattern.insert(path.as_str(), ()) {
                panic!(
                    "the public path `{path}` is no pattern as of a route, such as `/orders/{{id}}/public` or `/docs/{{*page}}`: \
                     {error}"
                );
            }
            self.patterns.push(pattern);
            return;
        }
        match path.strip_suffix('*') {
            Some(prefix) => {
                assert!(
                    prefix.ends_with('/') && !prefix.contains('*'),
                    "the public path `{path}` may have a `*` only as its last segment, as in `/docs/*`"
                );
                self.prefixes.push(prefix.to_owned());
            }
            None => {
                assert!(
                    !path.contains('*'),
                    "the public path `{path}` may have a `*` only as its last segment, as in `/docs/*`"
                );
                assert!(
                    !path.split('/').any(|segment| segment.starts_with(':')),
                    "the public path `{path}` has a segment that begins with `:`; a parameter is written `{{id}}`"
                );
                self.exact.push(path);
            }
        }
    }

    /// Whether `path`, as it stands in the request line, is public.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.exact.iter().any(|exact| exact == path) || (self.covers(path) && is_unambiguous(path))
    }

    fn covers(&self, path: &str) -> bool {
        self.prefixes.iter().any(|prefix| path.starts_with(prefix))
            || self.patterns.iter().any(|pattern| pattern.at(path).is_ok())
    }
}

/// Whether everybody reads the path alike: no segment that a proxy, a router or a file system might resolve, cut or split while
/// another keeps it, also when it is decoded once more on the way.
fn is_unambiguous(path: &str) -> bool {
    let Ok(decoded) = percent_decode_str(path).decode_utf8() else {
        return false;
    };
    let separators = |text: &str| text.bytes().filter(|byte| *byte == b'/').count();
    separators(path) == separators(&decoded)
        && !decoded
            .contains(|character: char| matches!(character, '\\' | ';' | '%' | '?' | '#') || character.is_control())
        && !decoded.contains("//")
        && decoded.split('/').all(|segment| !matches!(segment, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(paths: &[&str]) -> PublicPaths {
        let mut public = PublicPaths::default();
        public.extend(paths.iter().map(|path| (*path).to_owned()));
        public
    }

    #[test]
    fn exact_paths_and_prefixes() {
        let public = paths(&["/", "/health", "/docs/*"]);
        for path in [
            "/",
            "/health",
            "/docs/",
            "/docs/index.html",
            "/docs/a/b",
            "/docs/%C3%A4%20b",
        ] {
            assert!(public.contains(path), "{path}");
        }
        for path in [
            "/healthy",
            "/health/",
            "/Health",
            "//health",
            "/docs",
            "/docsx",
            "/orders",
            "",
            "*",
            "/he%61lth",
        ] {
            assert!(!public.contains(path), "{path}");
        }
    }

    #[test]
    fn patterns_as_those_of_routes() {
        let public = paths(&["/orders/{id}/public", "/files/{*path}", "/orders/{order}/{part}/image"]);
        for path in [
            "/orders/7/public",
            "/orders/a%20b/public",
            "/files/a",
            "/files/a/b.txt",
            "/orders/7/8/image",
        ] {
            assert!(public.contains(path), "{path}");
        }
        for path in [
            "/orders/7",
            "/orders//public",
            "/orders/7/public/",
            "/orders/7/8/public",
            "/orders/7%2F8/public",
            "/orders/../public",
            "/orders/%2e%2e/public",
            "/files",
            "/files/",
            "/files/../orders",
            "/orders/{id}/publi",
        ] {
            assert!(!public.contains(path), "{path}");
        }
    }

    #[test]
    fn no_detour_through_a_public_prefix() {
        let public = paths(&["/docs/*", "/pages/{*page}"]);
        for detour in [
            "../orders",
            "./x",
            "x/..",
            "/orders",
            "x//y",
            "%2e%2e/orders",
            "%2E./orders",
            "..%2forders",
            "..%5Corders",
            "..\\orders",
            "%252e%252e/orders",
            "%c0%ae%c0%ae/orders",
            "..;/orders",
            "x%3b/y",
            "x%00",
            "x%0a",
            "x%3fy",
            "x%23y",
            "x%zz",
            "x%",
        ] {
            for prefix in ["/docs/", "/pages/"] {
                let path = format!("{prefix}{detour}");
                assert!(!public.contains(&path), "{path}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "must begin with `/`")]
    fn a_relative_path_is_a_mistake() {
        paths(&["health"]);
    }

    #[test]
    #[should_panic(expected = "only as its last segment")]
    fn a_star_elsewhere_is_a_mistake() {
        paths(&["/docs*"]);
    }

    #[test]
    #[should_panic(expected = "is no pattern as of a route")]
    fn a_pattern_that_no_route_could_have_is_a_mistake() {
        paths(&["/orders/{id"]);
    }

    #[test]
    #[should_panic(expected = "a parameter is written `{id}`")]
    fn a_parameter_as_in_older_routers_is_a_mistake() {
        paths(&["/orders/:id/public"]);
    }

    #[test]
    #[should_panic(expected = "as it stands in a request line")]
    fn a_path_that_could_never_be_public_is_a_mistake() {
        paths(&["/docs/../orders/*"]);
    }
}
