//! Paths that need no credentials.

/// A set of paths and prefixes.
#[derive(Clone, Debug, Default)]
pub(super) struct PublicPaths {
    exact: Vec<String>,
    /// With their trailing slash.
    prefixes: Vec<String>,
}

impl PublicPaths {
    pub(super) fn extend(&mut self, paths: impl IntoIterator<Item = String>) {
        for path in paths {
            assert!(path.starts_with('/'), "the public path `{path}` must begin with `/`");
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
                    self.exact.push(path);
                }
            }
        }
    }

    /// Whether `path`, as it stands in the request line, is public.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.exact.iter().any(|exact| exact == path)
            || (self.prefixes.iter().any(|prefix| path.starts_with(prefix)) && is_unambiguous(path))
    }
}

/// Whether every server reads the path alike: no segment that one might resolve and another keep.
fn is_unambiguous(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    !lower.contains(['\\', ';'])
        && !["%2e", "%2f", "%5c", "%25", "%00"]
            .iter()
            .any(|encoded| lower.contains(encoded))
        && !lower.contains("//")
        && lower.split('/').all(|segment| !matches!(segment, "." | ".."))
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
        for path in ["/", "/health", "/docs/", "/docs/index.html", "/docs/a/b"] {
            assert!(public.contains(path), "{path}");
        }
        for path in [
            "/healthy", "/health/", "/Health", "//health", "/docs", "/docsx", "/orders", "",
        ] {
            assert!(!public.contains(path), "{path}");
        }
    }

    #[test]
    fn no_detour_through_a_public_prefix() {
        let public = paths(&["/docs/*"]);
        for path in [
            "/docs/../orders",
            "/docs/./x",
            "/docs//orders",
            "/docs/%2e%2e/orders",
            "/docs/%2E./orders",
            "/docs/..%2forders",
            "/docs/..%5Corders",
            "/docs/..\\orders",
            "/docs/%252e%252e/orders",
            "/docs/..;/orders",
            "/docs/x%00",
        ] {
            assert!(!public.contains(path), "{path}");
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
}
