//! The address of a realm, made from what people write as a server URL.

use url::{Host, Url};

/// `{server_url}/realms/{realm}`, without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RealmUrl {
    url: Url,
    realm: String,
}

/// Why a server URL and a realm do not make an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RealmUrlError {
    #[error("`{0}` is not a URL: write it like `https://id.example.com`")]
    NotAUrl(String),
    #[error("`{0}` must begin with `https://` or `http://`")]
    Scheme(String),
    #[error("the URL must not contain a user name or password")]
    Credentials,
    #[error("the URL must not have a query or fragment")]
    Query,
    #[error("the URL names realm `{in_url}`, but the realm is set to `{configured}`: leave one of them out")]
    OtherRealm { in_url: String, configured: String },
    #[error("the URL goes on after the realm: end it with the server's address, or with `/realms/{{realm}}`")]
    BehindRealm,
}

impl RealmUrl {
    /// Joins a server URL (with or without trailing slashes, base path, or the realm's own path) and a realm's name.
    ///
    /// Without `realm` the name in the URL's path counts; `None` when neither has one.
    pub(crate) fn new(server_url: &str, realm: Option<&str>) -> Result<Option<Self>, RealmUrlError> {
        let server_url = server_url.trim();
        let shown = || crate::text::shortened_address(server_url);
        let mut url = Url::parse(server_url).map_err(|_| RealmUrlError::NotAUrl(shown()))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(RealmUrlError::Scheme(shown()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RealmUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(RealmUrlError::Query);
        }
        let segments: Vec<String> = url
            .path_segments()
            .into_iter()
            .flatten()
            .filter(|segment| !segment.is_empty())
            .map(str::to_owned)
            .collect();
        let (base, realm) = match segments.iter().position(|segment| segment == "realms") {
            None => (&segments[..], realm.map(str::to_owned)),
            Some(at) => match &segments[at + 1..] {
                [] => (&segments[..at], realm.map(str::to_owned)),
                [in_url] => (&segments[..at], Some(named_by_both(in_url, realm)?)),
                _ => return Err(RealmUrlError::BehindRealm),
            },
        };
        let Some(realm) = realm else { return Ok(None) };
        // The segments are encoded already; pushing them as such would encode their percent signs again.
        url.set_path(&base.join("/"));
        let mut path = url.path_segments_mut().expect("http URLs have a path");
        path.pop_if_empty().push("realms").push(&realm);
        drop(path);
        Ok(Some(Self { url, realm }))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.url.as_str()
    }

    pub(crate) fn realm(&self) -> &str {
        &self.realm
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn host_and_port(&self) -> (&str, u16) {
        // A literal address of version 6 stands in brackets in a URL.
        let host = self
            .url
            .host_str()
            .unwrap_or_default()
            .trim_start_matches('[')
            .trim_end_matches(']');
        (host, self.url.port_or_known_default().unwrap_or(443))
    }

    /// Whether the server runs on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// The same realm below `/auth`, or without it: where Keycloak before version 17 is, and the later ones are.
    pub(crate) fn with_other_base_path(&self) -> Self {
        let mut other = self.clone();
        let path = self.url.path();
        match path.strip_prefix("/auth/") {
            Some(rest) => other.url.set_path(rest),
            None => other.url.set_path(&format!("/auth{path}")),
        }
        other
    }

    /// The same realm by http, where it is by https.
    pub(crate) fn with_http(&self) -> Option<Self> {
        let mut other = self.clone();
        (self.is_https() && other.url.set_scheme("http").is_ok()).then_some(other)
    }

    /// The same realm by https, where it is by http.
    pub(crate) fn with_https(&self) -> Option<Self> {
        let mut other = self.clone();
        (!self.is_https() && other.url.set_scheme("https").is_ok()).then_some(other)
    }

    /// The address of the server, without the realm.
    pub(crate) fn server_url(&self) -> String {
        let url = self.url.as_str();
        url.rfind("/realms/").map_or(url, |end| &url[..end]).to_owned()
    }

    /// Where the discovery document is (OpenID Connect Discovery 1.0 §4).
    pub(crate) fn discovery_url(&self) -> Url {
        self.join(".well-known/openid-configuration")
    }

    /// The address of a document of the realm, such as `.well-known/openid-configuration`.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{path}", self.url.path()));
        url
    }

    pub(crate) fn is_same_origin(&self, other: &Url) -> bool {
        self.url.origin() == other.origin()
    }
}

fn named_by_both(in_url: &str, configured: Option<&str>) -> Result<String, RealmUrlError> {
    let in_url = percent_decoded(in_url);
    match configured {
        Some(configured) if configured != in_url => Err(RealmUrlError::OtherRealm {
            in_url,
            configured: configured.to_owned(),
        }),
        _ => Ok(in_url),
    }
}

fn percent_decoded(segment: &str) -> String {
    url::form_urlencoded::parse(segment.replace('+', "%2B").as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(server_url: &str, realm: &str) -> Result<String, RealmUrlError> {
        RealmUrl::new(server_url, Some(realm)).map(|url| url.expect("a realm was given").as_str().to_owned())
    }

    #[test]
    fn gets_what_the_user_meant() {
        for (server_url, expected) in [
            ("https://id.example.com", "https://id.example.com/realms/acme"),
            ("https://id.example.com/", "https://id.example.com/realms/acme"),
            ("  https://id.example.com//  ", "https://id.example.com/realms/acme"),
            ("https://id.example.com:443", "https://id.example.com/realms/acme"),
            ("http://keycloak:8080", "http://keycloak:8080/realms/acme"),
            ("https://id.example.com/auth", "https://id.example.com/auth/realms/acme"),
            (
                "https://id.example.com/auth/",
                "https://id.example.com/auth/realms/acme",
            ),
            (
                "https://id.example.com/realms/acme",
                "https://id.example.com/realms/acme",
            ),
            (
                "https://id.example.com/realms/acme/",
                "https://id.example.com/realms/acme",
            ),
            (
                "https://id.example.com/auth/realms/acme",
                "https://id.example.com/auth/realms/acme",
            ),
            ("https://id.example.com/realms", "https://id.example.com/realms/acme"),
        ] {
            assert_eq!(joined(server_url, "acme").as_deref(), Ok(expected), "{server_url}");
        }
    }

    #[test]
    fn takes_the_realm_from_the_url_when_it_stands_only_there() {
        let url = RealmUrl::new("https://id.example.com/realms/my%20realm", None)
            .expect("valid")
            .expect("a realm");
        assert_eq!(
            (url.realm(), url.as_str()),
            ("my realm", "https://id.example.com/realms/my%20realm")
        );
        assert_eq!(RealmUrl::new("https://id.example.com", None), Ok(None));
    }

    #[test]
    fn encodes_the_realm() {
        assert_eq!(
            joined("https://id.example.com", "my realm").as_deref(),
            Ok("https://id.example.com/realms/my%20realm")
        );
        assert_eq!(
            joined("https://id.example.com", "a/b").as_deref(),
            Ok("https://id.example.com/realms/a%2Fb")
        );
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(matches!(
            joined("id.example.com", "acme"),
            Err(RealmUrlError::NotAUrl(_))
        ));
        assert!(matches!(joined("", "acme"), Err(RealmUrlError::NotAUrl(_))));
        assert!(matches!(joined("keycloak:8080", "acme"), Err(RealmUrlError::Scheme(_))));
        assert!(matches!(
            joined("ftp://id.example.com", "acme"),
            Err(RealmUrlError::Scheme(_))
        ));
        assert!(matches!(
            joined("https://admin:pw@id.example.com", "acme"),
            Err(RealmUrlError::Credentials)
        ));
        assert!(matches!(
            joined("https://id.example.com?x=1", "acme"),
            Err(RealmUrlError::Query)
        ));
        assert!(matches!(
            joined("https://id.example.com/realms/other", "acme"),
            Err(RealmUrlError::OtherRealm { .. })
        ));
        assert!(matches!(
            joined("https://id.example.com/realms/acme/account", "acme"),
            Err(RealmUrlError::BehindRealm)
        ));
    }

    #[test]
    fn joins_documents() {
        let url = RealmUrl::new("https://id.example.com/auth", Some("acme"))
            .expect("valid")
            .expect("a realm");
        assert_eq!(
            url.join("protocol/openid-connect/certs").as_str(),
            "https://id.example.com/auth/realms/acme/protocol/openid-connect/certs"
        );
    }
}
