//! The JOSE header, read before anything is verified (RFC 7515 §4).

use std::borrow::Cow;

use super::{Algorithm, base64url, compact::MalformedToken};
use crate::strict_json::{self, Members, Reader, Value};

/// A decoded header up to this size needs no allocation; Keycloak's take about 90 bytes.
const USUAL_SIZE: usize = 384;

/// What the header of an acceptable token says. Untrusted: it chooses a key, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<Box<str>>,
    pub(crate) token_type: TokenTypeHeader,
}

/// The `typ` header parameter (RFC 7515 §4.1.9, RFC 9068 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenTypeHeader {
    /// `JWT`, `at+jwt`, `application/at+jwt` in any case, or absent.
    AccessToken,
    Other,
}

/// Why a header makes the token unacceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeaderError {
    #[error(transparent)]
    Malformed(#[from] MalformedToken),
    /// `none`, an HMAC algorithm, or one nobody knows.
    #[error("`alg` is not an asymmetric signature algorithm")]
    Algorithm,
    /// A parameter that changes how a token is to be read or brings its own key: never obeyed, so never accepted.
    #[error("the header parameter `{0}` is not accepted")]
    Parameter(&'static str),
}

/// Header parameters that no token of Keycloak's has, and whose presence alone refuses a token: extensions that must be
/// understood (RFC 7515 §4.1.11, RFC 7797), encryption and compression (RFC 7516), and keys that the token brings itself
/// (RFC 8725 §3.10).
const REFUSED: [&str; 10] = ["crit", "b64", "enc", "zip", "p2c", "epk", "jwk", "jku", "x5u", "x5c"];

impl Header {
    /// Reads a header that is written as most are, `None` for any other. It says what reading its JSON would say.
    fn read_usual(json: &[u8]) -> Option<Result<Self, HeaderError>> {
        Self::read_between(json, &BY_KEYCLOAK.0, &BY_KEYCLOAK.1)
            .or_else(|| Self::read_between(json, &SORTED.0, &SORTED.1))
    }

    fn read_between<const BETWEEN: usize, const BEHIND: usize>(
        json: &[u8],
        between: &[u8; BETWEEN],
        behind: &[u8; BEHIND],
    ) -> Option<Result<Self, HeaderError>> {
        let (start, rest) = json.split_first_chunk()?;
        // The names of all algorithms that a token may have are that long, and those of some others.
        let (name, rest) = rest.split_first_chunk::<5>()?;
        let (middle, rest) = rest.split_first_chunk()?;
        let (key_id, end) = rest.split_last_chunk()?;
        if (start, middle, end) != (BEFORE, between, behind) {
            return None;
        }
        let key_id = str::from_utf8(key_id).ok()?;
        // Without a way out early, so that many bytes are compared at a time.
        let special = |found, byte| found | matches!(byte, ..0x20 | b'"' | b'\\');
        if key_id.bytes().fold(false, special) {
            return None;
        }
        match Algorithm::named(name) {
            Some(algorithm) => Some(Ok(Self {
                algorithm,
                key_id: Some(key_id.into()),
                token_type: TokenTypeHeader::AccessToken,
            })),
            None if name.iter().all(u8::is_ascii_alphanumeric) => Some(Err(HeaderError::Algorithm)),
            None => None,
        }
    }

    /// Decodes and reads the first part of a token.
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, HeaderError> {
        let mut buffer = base64url::buffer::<USUAL_SIZE>();
        let long;
        let json = match base64url::decode_into(encoded, &mut buffer) {
            Ok(json) => json,
            Err(_) => {
                long = base64url::decode(encoded).map_err(|_| MalformedToken::Encoding)?;
                &long
            }
        };
        if let Some(header) = Self::read_usual(json) {
            return header;
        }
        Self::read(json)
    }

    /// Reads a header as JSON.
    fn read(json: &[u8]) -> Result<Self, HeaderError> {
        let json = str::from_utf8(json).map_err(|_| MalformedToken::Header)?;
        let raw = RawHeader::read(json).map_err(|strict_json::Malformed| MalformedToken::Header)?;
        if let Some(parameter) = raw.refused {
            return Err(HeaderError::Parameter(parameter));
        }
        let algorithm = raw.algorithm.ok_or(MalformedToken::Header)?;
        Ok(Self {
            algorithm: algorithm.parse().map_err(|_| HeaderError::Algorithm)?,
            key_id: raw.key_id.map(|key_id| key_id.into()),
            token_type: match raw.token_type.as_deref() {
                None => TokenTypeHeader::AccessToken,
                Some(typ)
                    if ["jwt", "at+jwt", "application/at+jwt"]
                        .iter()
                        .any(|name| typ.eq_ignore_ascii_case(name)) =>
                {
                    TokenTypeHeader::AccessToken
                }
                Some(_) => TokenTypeHeader::Other,
            },
        })
    }
}

/// What a header calls its algorithm, whether or not there is one of that name: for the log and for developers.
pub(crate) fn named_algorithm(encoded: &[u8]) -> Option<String> {
    let json = base64url::decode(encoded).ok()?;
    let header = RawHeader::read(str::from_utf8(&json).ok()?).ok()?;
    header.algorithm.map(Cow::into_owned)
}

/// What stands before the algorithm in a header that is written as most are.
const BEFORE: &[u8; 8] = br#"{"alg":""#;

/// What Keycloak writes between the algorithm and the `kid`, and behind that.
const BY_KEYCLOAK: ([u8; 25], [u8; 2]) = (*br#"","typ" : "JWT","kid" : ""#, *br#""}"#);

/// What libraries write there that sort.
const SORTED: ([u8; 9], [u8; 14]) = (*br#"","kid":""#, *br#"","typ":"JWT"}"#);

#[derive(Default)]
struct RawHeader<'j> {
    algorithm: Option<Cow<'j, str>>,
    key_id: Option<Cow<'j, str>>,
    token_type: Option<Cow<'j, str>>,
    refused: Option<&'static str>,
}

impl<'j> RawHeader<'j> {
    fn read(json: &'j str) -> Result<Self, strict_json::Malformed> {
        let mut reader = Reader::new(json);
        let Value::Object = reader.value()? else {
            return Err(strict_json::Malformed);
        };
        let mut header = Self::default();
        // An acceptable token has none, or few.
        let mut others: Option<Members<'j>> = None;
        let mut is_first = true;
        while let Some(name) = reader.next_name(is_first)? {
            is_first = false;
            let parameter = match &*name {
                "alg" => &mut header.algorithm,
                "kid" => &mut header.key_id,
                "typ" => &mut header.token_type,
                other => {
                    header.refused = header
                        .refused
                        .or(REFUSED.iter().copied().find(|refused| *refused == other));
                    if !others.get_or_insert_default().insert(name) {
                        return Err(strict_json::Malformed);
                    }
                    reader.skip_value()?;
                    continue;
                }
            };
            let Value::String(text) = reader.value()? else {
                return Err(strict_json::Malformed);
            };
            if parameter.replace(text).is_some() {
                return Err(strict_json::Malformed);
            }
        }
        reader.end()?;
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Header, HeaderError> {
        Header::parse(
            base64_simd::URL_SAFE_NO_PAD
                .encode_to_string(json.as_bytes())
                .as_bytes(),
        )
    }

    #[test]
    fn reads_the_header_of_an_access_token() {
        let header = parse(r#"{"alg":"RS256","typ" : "JWT","kid" : "k-1"}"#).expect("a Keycloak header");
        assert_eq!(header.algorithm, Algorithm::RS256);
        assert_eq!(header.key_id.as_deref(), Some("k-1"));
        assert_eq!(header.token_type, TokenTypeHeader::AccessToken);
    }

    #[test]
    fn a_header_that_is_written_as_most_are_says_what_its_json_says() {
        let algorithms = Algorithm::ALL.iter().map(|algorithm| algorithm.name());
        for name in algorithms.chain([
            "HS512",
            "none!",
            "n\u{f6}ne",
            "RS25\\",
            "\\u006",
            "",
            "RS2560",
            "RS25\t",
        ]) {
            for key_id in [
                "k-1",
                "",
                " ",
                "~",
                "a\"b",
                r#"a\"b"#,
                r"a\\b",
                r"a\u0062",
                "\u{7f}",
                "\n",
                "k\u{e4}",
                r#"k","crit":"#,
                r#"k","kid":"l"#,
            ] {
                for (between, behind) in [(&BY_KEYCLOAK.0[..], &BY_KEYCLOAK.1[..]), (&SORTED.0[..], &SORTED.1[..])] {
                    let json = [BEFORE, name.as_bytes(), between, key_id.as_bytes(), behind].concat();
                    let read = Header::read(&json);
                    if let Some(usual) = Header::read_usual(&json) {
                        assert_eq!(usual, read, "{}", json.escape_ascii());
                    } else {
                        assert!(
                            name.len() != 5 || key_id != "k-1" || read.is_err(),
                            "{}",
                            json.escape_ascii()
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn reads_a_long_header_too() {
        let header = parse(&format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(3000))).expect("a long kid");
        assert_eq!(header.key_id.map(|key_id| key_id.len()), Some(3000));
    }

    #[test]
    fn refuses_every_parameter_that_would_have_to_be_obeyed() {
        for parameter in REFUSED {
            for value in ["true", "null", "[]", "{}", r#""x""#] {
                let json = format!(r#"{{"alg":"RS256","kid":"k","{parameter}":{value}}}"#);
                assert_eq!(parse(&json), Err(HeaderError::Parameter(parameter)), "{json}");
            }
        }
    }

    #[test]
    fn knows_asymmetric_algorithms_only() {
        for name in [
            "none", "None", "NONE", "nOnE", " none", "none ", "", "HS256", "HS384", "HS512", "rs256", "RS256 ",
            "RSA-OAEP",
        ] {
            assert_eq!(
                parse(&format!(r#"{{"alg":"{name}"}}"#)),
                Err(HeaderError::Algorithm),
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_header_that_is_not_an_object_with_an_alg_is_malformed() {
        for json in [
            "",
            "[]",
            "null",
            "{}",
            r#"{"alg":null}"#,
            r#"{"alg":["RS256"]}"#,
            r#"{"alg":"RS256","alg":"RS256"}"#,
            r#"{"alg":"RS256","kid":7}"#,
            r#"{"alg":"RS256","x":{"a":1,"a":1}}"#,
            r#"{"alg":"RS256"} "#.trim_end_matches(['}', ' ']),
            "\u{feff}{\"alg\":\"RS256\"}",
        ] {
            assert_eq!(
                parse(json),
                Err(HeaderError::Malformed(MalformedToken::Header)),
                "{json}"
            );
        }
    }

    #[test]
    fn other_token_types_are_told_apart() {
        for (typ, expected) in [
            ("at+jwt", TokenTypeHeader::AccessToken),
            ("AT+JWT", TokenTypeHeader::AccessToken),
            ("application/at+jwt", TokenTypeHeader::AccessToken),
            ("jwt", TokenTypeHeader::AccessToken),
            ("logout+jwt", TokenTypeHeader::Other),
            ("dpop+jwt", TokenTypeHeader::Other),
            ("", TokenTypeHeader::Other),
        ] {
            assert_eq!(
                parse(&format!(r#"{{"alg":"RS256","typ":"{typ}"}}"#))
                    .expect("readable")
                    .token_type,
                expected,
                "{typ}"
            );
        }
    }
}
