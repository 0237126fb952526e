//! The JWS compact serialisation, split but not yet decoded (RFC 7515 §3.1).

/// Why a text is not a compact JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedToken {
    /// Not three non-empty parts: a JWE has five, the JSON serialisation none.
    #[error("not three parts separated by dots")]
    Parts,
    /// Header, payload or signature is not canonical base64url.
    #[error("a part is not canonical base64url")]
    Encoding,
    /// The header is not a JSON object with an `alg`, or has a member twice.
    #[error("the header is not a JSON object with an `alg` and no member twice")]
    Header,
    /// The payload is not a JSON object, has a member twice, or is nested too deeply.
    #[error("the payload is not a JSON object without duplicate members")]
    Payload,
    /// Longer than the configured maximum.
    #[error("longer than the configured maximum")]
    TooLarge,
}

/// The parts of a compact JWS, borrowed from the token.
#[derive(Clone, Copy)]
pub(crate) struct Compact<'t> {
    pub(crate) header: &'t [u8],
    pub(crate) payload: &'t [u8],
    pub(crate) signature: &'t [u8],
    /// What was signed: header, dot, payload (RFC 7515 §5.1 step 8).
    pub(crate) signing_input: &'t [u8],
}

impl<'t> Compact<'t> {
    /// Splits at the dots; anything but three parts, of which only the signature may be empty, is malformed.
    ///
    /// The empty signature gets through because its answer is about the algorithm: `alg: none`.
    pub(crate) fn parse(token: &'t (impl AsRef<[u8]> + ?Sized)) -> Result<Self, MalformedToken> {
        let token = token.as_ref();
        Self::split(token, memchr::memchr_iter(b'.', token).count())
    }

    /// Splits a token that has that many dots.
    #[inline]
    pub(crate) fn split(token: &'t [u8], dots: usize) -> Result<Self, MalformedToken> {
        if dots != 2 {
            return Err(MalformedToken::Parts);
        }
        // Looked for from both ends: what is between them is long.
        let (Some(first), Some(second)) = (memchr::memchr(b'.', token), memchr::memrchr(b'.', token)) else {
            return Err(MalformedToken::Parts);
        };
        let compact = Self {
            header: &token[..first],
            payload: token.get(first + 1..second).ok_or(MalformedToken::Parts)?,
            signature: &token[second + 1..],
            signing_input: &token[..second],
        };
        if compact.header.is_empty() || compact.payload.is_empty() {
            return Err(MalformedToken::Parts);
        }
        Ok(compact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_three_parts_and_nothing_else() {
        let compact = Compact::parse("aa.bb.cc").expect("three parts");
        assert_eq!(compact.header, b"aa");
        assert_eq!(compact.payload, b"bb");
        assert_eq!(compact.signature, b"cc");
        assert_eq!(compact.signing_input, b"aa.bb");
        assert!(Compact::parse("aa.bb.").is_ok(), "an unsecured JWS has three parts too");
        for text in [
            "",
            ".",
            "..",
            "aa",
            "aa.bb",
            "aa..cc",
            ".bb.cc",
            "aa.bb.cc.dd",
            "aa.bb.cc.dd.ee",
            "{\"payload\":\"\"}",
        ] {
            assert!(Compact::parse(text).is_err(), "{text:?}");
        }
    }
}
