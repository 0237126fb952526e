//! The access token of a request (RFC 6750 §2.1, RFC 9110 §11.6.2).
//!
//! Only the `Authorization` header counts: a token in the query string or in a cookie is not looked at (RFC 9700 §4.3.2).

mod word;

use std::fmt;

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::verification_turns::Order;

pub(crate) use word::Word;

/// An access token as it came in, neither validated nor decoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BearerToken<'r> {
    /// From a header, and not yet looked at: a token that is known already needs no look at each of its characters.
    Unread(&'r [u8]),
    /// Text, from wherever.
    Text(&'r str),
}

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
    #[inline(always)] // a result in memory that is read again at once keeps the processor waiting
    pub(crate) fn from_headers(headers: &'r HeaderMap) -> Result<Option<Self>, HeaderFault> {
        // One after the other they are looked through sooner than a name is hashed: a request has some ten, and a server lets
        // nobody send more than some hundred.
        let Some((_, value)) = headers.iter().find(|(name, _)| **name == AUTHORIZATION) else {
            return Ok(None);
        };
        // Mostly there are as many values as names, so that no header stands twice.
        if headers.len() != headers.keys_len() && headers.get_all(AUTHORIZATION).iter().nth(1).is_some() {
            return Err(HeaderFault::SeveralCredentials);
        }
        match value.as_bytes().split_first_chunk() {
            Some((b"Bearer ", token @ [b'!'..=b'~', .., b'!'..=b'~'])) => Ok(Some(Self::Unread(token))),
            _ => Self::from_unusual(value),
        }
    }

    #[inline(never)]
    fn from_unusual(value: &'r HeaderValue) -> Result<Option<Self>, HeaderFault> {
        let bytes = value.as_bytes();
        let (scheme, credentials) = match bytes.iter().position(|byte| *byte == b' ') {
            Some(space) => bytes.split_at(space),
            None => (bytes, &[][..]),
        };
        if scheme.eq_ignore_ascii_case(b"Bearer") {
            return match trim_spaces(credentials) {
                [] => Err(HeaderFault::Malformed),
                token => Ok(Some(Self::Unread(token))),
            };
        }
        let text = value.to_str().map_err(|_| HeaderFault::Malformed)?;
        // A scheme is a token (RFC 9110 §11.1): white space other than the space behind it is none.
        if scheme.is_empty() || scheme.contains(&b'\t') {
            Err(HeaderFault::Malformed)
        } else if names_bearer_after_a_comma(text) {
            Err(HeaderFault::SeveralCredentials)
        } else {
            if text.starts_with("eyJ") {
                tracing::debug!(
                    name: "keycloak.scheme_missing",
                    target: "keycloak_auth",
                    "the `Authorization` header has no scheme: write `Bearer` before the token"
                );
            }
            Ok(None)
        }
    }

    /// A token that did not come in a header.
    pub(crate) fn new(token: &'r str) -> Self {
        Self::Text(token)
    }

    /// Who asks about it for something else than a request may wait for the answer on the thread that all others need.
    pub(crate) const fn order(self) -> Order {
        match self {
            Self::Unread(_) => Order::InTurn,
            Self::Text(_) => Order::AtOnce,
        }
    }

    /// The bytes as they came, to be compared with those of tokens that are known to be good.
    pub(crate) fn as_bytes(self) -> &'r [u8] {
        match self {
            Self::Unread(bytes) => bytes,
            Self::Text(text) => text.as_bytes(),
        }
    }

    /// The token, when it is one.
    pub(crate) fn word(self) -> Result<Word<'r>, HeaderFault> {
        match self {
            Self::Unread(bytes) => Word::read(bytes),
            Self::Text(text) => Ok(Word::counted(text.as_bytes())),
        }
    }

    /// The text, when it is that of one token.
    pub(crate) fn text(self) -> Result<&'r str, HeaderFault> {
        std::str::from_utf8(self.word()?.bytes).map_err(|_| HeaderFault::Malformed)
    }
}

fn trim_spaces(mut bytes: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = bytes {
        bytes = rest;
    }
    bytes
}

impl fmt::Debug for BearerToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(redacted)")
    }
}

fn names_bearer_after_a_comma(text: &str) -> bool {
    // Mostly there is none, which is soon seen.
    text.as_bytes().contains(&b',')
        && text.split(',').skip(1).any(|part| {
            let scheme = part.trim_start().split([' ', '\t']).next().unwrap_or_default();
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
        BearerToken::from_headers(&headers)?
            .map(|token| token.text().map(str::to_owned))
            .transpose()
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
            &[b"Basic YTpi,Bearer\ta.b.c"],
            &[b"Basic YTpi,\tBearer a.b.c"],
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
            b"Bearer a.\xc3\xa4.c",
            b"Bearer {\xc3\xa4}",
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
