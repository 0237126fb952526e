//! The access token of a request (RFC 6750 §2.1, RFC 9110 §11.6.2).
//!
//! Only the `Authorization` header counts: a token in the query string or in a cookie is not looked at (RFC 9700 §4.3.2).

use std::fmt;

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

/// An access token as it came in, neither validated nor decoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct BearerToken<'r>(&'r str);

/// What is wrong with an `Authorization` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderFault {
    /// More than one `Authorization` header, or two credentials joined by a comma.
    #[error("the request has more than one set of credentials")]
    SeveralCredentials,
    /// Not `Bearer` followed by one token.
    #[error("the authorization header is not `Bearer` followed by one token")]
    Malformed,
}

impl<'r> BearerToken<'r> {
    /// Finds the token; `None` without credentials, or with those of another scheme.
    pub(crate) fn from_headers(headers: &'r HeaderMap) -> Result<Option<Self>, HeaderFault> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => Self::from_value(value),
            (Some(_), Some(_)) => Err(HeaderFault::SeveralCredentials),
        }
    }

    fn from_value(value: &'r HeaderValue) -> Result<Option<Self>, HeaderFault> {
        let text = value.to_str().map_err(|_| HeaderFault::Malformed)?;
        let (scheme, credentials) = text.split_once(' ').unwrap_or((text, ""));
        // A scheme is a token (RFC 9110 §11.1): white space other than the space behind it is none.
        if scheme.is_empty() || scheme.contains('\t') {
            return Err(HeaderFault::Malformed);
        }
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return if names_bearer_after_a_comma(text) {
                Err(HeaderFault::SeveralCredentials)
            } else {
                Ok(None)
            };
        }
        let token = credentials.trim_matches(' ');
        match token.bytes().find(|byte| matches!(byte, b' ' | b',' | b'\t')) {
            // The JSON serialisation of a JWS: one credential, though not one that is accepted.
            Some(_) if token.starts_with('{') => Ok(Some(Self(token))),
            Some(_) if token.contains(',') => Err(HeaderFault::SeveralCredentials),
            Some(_) => Err(HeaderFault::Malformed),
            None if token.is_empty() => Err(HeaderFault::Malformed),
            None => Ok(Some(Self(token))),
        }
    }

    /// A token that did not come in a header.
    pub(crate) fn new(token: &'r str) -> Self {
        Self(token)
    }

    pub(crate) fn as_str(self) -> &'r str {
        self.0
    }
}

impl fmt::Debug for BearerToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(redacted)")
    }
}

fn names_bearer_after_a_comma(text: &str) -> bool {
    text.split(',').skip(1).any(|part| {
        let scheme = part.trim_start().split(' ').next().unwrap_or_default();
        scheme.eq_ignore_ascii_case("Bearer")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<String>, HeaderFault> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).expect("a header value"));
        }
        BearerToken::from_headers(&headers).map(|token| token.map(|token| token.as_str().to_owned()))
    }

    #[test]
    fn reads_one_token_under_any_spelling_of_the_scheme() {
        for value in [
            "Bearer a.b.c",
            "bearer a.b.c",
            "BEARER a.b.c",
            "bEaReR   a.b.c",
            "Bearer a.b.c ",
        ] {
            assert_eq!(read(&[value.as_bytes()]), Ok(Some("a.b.c".to_owned())), "{value}");
        }
    }

    #[test]
    fn other_schemes_are_no_credentials_for_us() {
        for value in [
            "Basic YTpi",
            "DPoP a.b.c",
            "Digest a=\"b\", c=\"d\"",
            "Negotiate",
            "Bearers a.b.c",
        ] {
            assert_eq!(read(&[value.as_bytes()]), Ok(None), "{value}");
        }
        assert_eq!(read(&[]), Ok(None));
    }

    #[test]
    fn two_credentials_are_refused() {
        for values in [
            &[b"Bearer a.b.c".as_slice(), b"Bearer a.b.c"][..],
            &[b"Basic YTpi", b"Bearer a.b.c"],
            &[b"Bearer a.b.c, Bearer d.e.f"],
            &[b"Bearer a.b.c,d.e.f"],
            &[b"Bearer a.b.c, Basic YTpi"],
            &[b"Basic YTpi, Bearer a.b.c"],
            &[b"Basic YTpi,bearer a.b.c"],
        ] {
            assert_eq!(read(values), Err(HeaderFault::SeveralCredentials), "{values:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_malformed() {
        for value in [
            b"Bearer".as_slice(),
            b"Bearer ",
            b"",
            b" ",
            b"Bearer a b",
            b"Bearer a\tb",
            b"Bearer\ta.b.c",
            b"Bearer \xff.b.c",
        ] {
            assert_eq!(read(&[value]), Err(HeaderFault::Malformed), "{value:?}");
        }
    }

    #[test]
    fn the_json_serialisation_is_one_token_and_left_to_the_validator() {
        assert!(matches!(
            read(&[br#"Bearer {"payload": "x", "signatures": []}"#]),
            Ok(Some(_))
        ));
    }
}
