//! The header that all tokens of a key have, so that it is read once and compared from then on.
//!
//! What is remembered follows from the header's text alone, and says as much of a token as reading its header would: the
//! key is chosen and the signature verified all the same. Only headers of tokens that verified are remembered, so that
//! nobody without a private key takes the place of the usual one.

use std::{ops::Deref, sync::Arc};

use arc_swap::ArcSwapOption;

use super::header::{Header, HeaderError};

/// The header of the last token that verified and had another one than the token before.
#[derive(Debug, Default)]
pub(crate) struct HeaderMemo(ArcSwapOption<Remembered>);

#[derive(Debug)]
pub(crate) struct Remembered {
    encoded: Box<[u8]>,
    header: Header,
}

/// A header, and whether it had to be read.
pub(crate) enum KnownHeader {
    Read(Header),
    Remembered(Arc<Remembered>),
}

impl HeaderMemo {
    /// Decodes and reads the first part of a token, unless it is the usual one.
    #[inline]
    pub(crate) fn read(&self, encoded: &[u8]) -> Result<KnownHeader, HeaderError> {
        match &*self.0.load() {
            Some(usual) if *usual.encoded == *encoded => Ok(KnownHeader::Remembered(Arc::clone(usual))),
            _ => Header::parse(encoded).map(KnownHeader::Read),
        }
    }

    /// Remembers the header of a token that verified.
    pub(crate) fn remember(&self, encoded: &[u8], header: &KnownHeader) {
        if let KnownHeader::Read(header) = header {
            self.0.store(Some(Arc::new(Remembered {
                encoded: encoded.into(),
                header: header.clone(),
            })));
        }
    }
}

impl Deref for KnownHeader {
    type Target = Header;

    fn deref(&self) -> &Header {
        match self {
            Self::Read(header) => header,
            Self::Remembered(remembered) => &remembered.header,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(json: &str) -> Vec<u8> {
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(json).into_bytes()
    }

    #[test]
    fn a_remembered_header_is_the_one_that_was_read() {
        let memo = HeaderMemo::default();
        let [one, other] = ["1", "2"].map(|kid| encoded(&format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#)));
        for text in [&one, &one, &other, &one] {
            let known = memo.read(text).expect("a header");
            assert_eq!(*known, Header::parse(text).expect("a header"));
            memo.remember(text, &known);
            let again = memo.read(text).expect("a header");
            assert!(matches!(again, KnownHeader::Remembered(_)));
            assert_eq!(*again, *known);
        }
    }

    #[test]
    fn what_is_not_remembered_is_read_again() {
        let memo = HeaderMemo::default();
        let usual = encoded(r#"{"alg":"RS256","kid":"1"}"#);
        memo.remember(&usual, &memo.read(&usual).expect("a header"));
        for text in [
            encoded(r#"{"alg":"none","kid":"1"}"#),
            encoded(r#"{"alg":"RS256","kid":"1","crit":["b64"]}"#),
            usual[..usual.len() - 1].to_vec(),
            [&usual[..], b"A"].concat(),
            Vec::new(),
        ] {
            assert_eq!(memo.read(&text).err(), Header::parse(&text).err());
            assert!(memo.read(&text).is_err());
        }
    }
}
