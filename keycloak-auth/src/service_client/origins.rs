//! Where tokens may go: the origins that were named (RFC 6454 §4).

use url::{Origin, Url};

use super::ServiceClientError;

/// The named origins, and the address below which paths are.
#[derive(Clone, Debug)]
pub(super) struct Origins {
    base_url: Url,
    named: Vec<Origin>,
}

impl Origins {
    pub(super) fn new(base_url: Url, others: &[Url]) -> Self {
        let mut named = vec![base_url.origin()];
        named.extend(others.iter().map(Url::origin));
        Self { base_url, named }
    }

    pub(super) fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// The address that a path below the base, or a whole address, stands for.
    pub(super) fn resolve(&self, text: &str) -> Result<Url, ServiceClientError> {
        let url = if text.starts_with('/') {
            // Joining by text, so that a path can never be read as an address: `//evil.example.com` is a path here.
            Url::parse(&format!("{}{text}", self.base_url.as_str().trim_end_matches('/')))
        } else {
            Url::parse(text)
        };
        let url = url.map_err(|_| ServiceClientError::NoAddress)?;
        self.check(&url)?;
        Ok(url)
    }

    /// Whether a token may go there.
    pub(super) fn check(&self, url: &Url) -> Result<(), ServiceClientError> {
        if !matches!(url.scheme(), "https" | "http") {
            return Err(ServiceClientError::NoAddress);
        }
        let origin = url.origin();
        if self.named.contains(&origin) {
            return Ok(());
        }
        Err(ServiceClientError::ForeignOrigin {
            origin: origin.ascii_serialization(),
        })
    }
}

/// Reads an address of the configuration.
pub(super) fn named(setting: &'static str, text: &str) -> Result<Url, ServiceClientError> {
    let fault = |message| ServiceClientError::Origin { setting, message };
    let url = Url::parse(text.trim()).map_err(|_| fault("is not a URL: write it like `https://stock.example.com`"))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(fault("must begin with `https://` or `http://`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fault("must not contain a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fault("must not have a query or fragment"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(base_url: &str, others: &[&str]) -> Origins {
        let url = |text: &&str| named("for_origin", text).expect("an address");
        Origins::new(url(&base_url), &others.iter().map(url).collect::<Vec<_>>())
    }

    #[test]
    fn paths_stay_below_the_origin_whatever_is_in_them() {
        let origins = origins("https://stock.example.com", &[]);
        for (path, expected) in [
            ("/items/7", "https://stock.example.com/items/7"),
            ("/items?q=a&r=b#c", "https://stock.example.com/items?q=a&r=b#c"),
            ("//evil.example.com/", "https://stock.example.com//evil.example.com/"),
            (r"/\evil.example.com", "https://stock.example.com//evil.example.com"),
            ("/@evil.example.com", "https://stock.example.com/@evil.example.com"),
            ("/../../items", "https://stock.example.com/items"),
            ("/\t/evil.example.com", "https://stock.example.com//evil.example.com"),
        ] {
            assert_eq!(origins.resolve(path).expect(path).as_str(), expected, "{path}");
        }
    }

    #[test]
    fn paths_are_below_the_base() {
        for base in ["https://example.com/stock/v1", "https://example.com/stock/v1/"] {
            let url = origins(base, &[]).resolve("/items/7").expect("a path");
            assert_eq!(url.as_str(), "https://example.com/stock/v1/items/7");
        }
    }

    #[test]
    fn whole_addresses_are_of_named_origins() {
        let origins = origins("https://stock.example.com", &["http://billing:8080"]);
        for good in [
            "https://stock.example.com/items",
            "https://STOCK.example.com:443/items",
            "http://billing:8080/",
        ] {
            origins.resolve(good).expect(good);
        }
        for (foreign, origin) in [
            ("http://stock.example.com/", "http://stock.example.com"),
            ("https://stock.example.com:8443/", "https://stock.example.com:8443"),
            (
                "https://stock.example.com.evil.test/",
                "https://stock.example.com.evil.test",
            ),
            ("https://stock.example.com@evil.test/", "https://evil.test"),
            ("https://sub.stock.example.com/", "https://sub.stock.example.com"),
            ("http://billing/", "http://billing"),
        ] {
            match origins.resolve(foreign) {
                Err(ServiceClientError::ForeignOrigin { origin: found }) => assert_eq!(found, origin),
                other => panic!("{foreign}: {other:?}"),
            }
        }
        for none in ["", "items/7", "items:7", "file:///etc/passwd", "data:,x", "https://"] {
            assert!(
                matches!(origins.resolve(none), Err(ServiceClientError::NoAddress)),
                "{none}"
            );
        }
    }
}
