//! base64url without padding, canonical form only (RFC 7515 §2, RFC 4648 §3.5).

use std::mem::MaybeUninit;

use base64_simd::{Out, URL_SAFE_NO_PAD};

/// The text is not canonical base64url, or decodes to something that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotBase64Url;

/// Room on the stack to decode into; nothing is spent on clearing it first.
pub(crate) type Buffer<const SIZE: usize> = [MaybeUninit<u8>; SIZE];

/// An empty buffer.
pub(crate) const fn buffer<const SIZE: usize>() -> Buffer<SIZE> {
    [const { MaybeUninit::uninit() }; SIZE]
}

/// Decodes into `buffer` and returns the part that was filled.
pub(crate) fn decode_into<'b>(text: &[u8], buffer: &'b mut [MaybeUninit<u8>]) -> Result<&'b [u8], NotBase64Url> {
    if text.len() / 4 * 3 + 2 > buffer.len() {
        return Err(NotBase64Url);
    }
    URL_SAFE_NO_PAD
        .decode(text, Out::from_uninit_slice(buffer))
        .map(|filled| &*filled)
        .map_err(|_| NotBase64Url)
}

/// Whether the text is canonical base64url.
pub(crate) fn is_canonical(text: &[u8]) -> bool {
    URL_SAFE_NO_PAD.check(text).is_ok()
}

/// Encodes bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Decodes to bytes.
pub(crate) fn decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, NotBase64Url> {
    URL_SAFE_NO_PAD.decode_to_vec(text).map_err(|_| NotBase64Url)
}

/// Decodes to UTF-8 text.
pub(crate) fn decode_text(text: &str) -> Result<String, NotBase64Url> {
    String::from_utf8(decode(text)?).map_err(|_| NotBase64Url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_rfc_7515_appendix_c_encodes() {
        assert_eq!(decode("A-z_4ME"), Ok(vec![3, 236, 255, 224, 193]));
    }

    #[test]
    fn refuses_every_second_spelling_of_the_same_bytes() {
        // `QQ` is "A"; `QR` differs only in bits that decoding would drop.
        assert_eq!(decode("QQ"), Ok(b"A".to_vec()));
        for spelling in ["QR", "QQ==", "QQ=", "Q Q", "QQ\n", "Q", "+/", "QUI\u{0}", "QUJ"] {
            assert_eq!(decode(spelling), Err(NotBase64Url), "{spelling:?}");
            assert_eq!(
                decode_into(spelling.as_bytes(), &mut buffer::<64>()),
                Err(NotBase64Url),
                "{spelling:?}"
            );
        }
    }

    #[test]
    fn refuses_what_does_not_fit_the_buffer() {
        assert_eq!(decode_into(b"QUJDREVGR0g", &mut buffer::<4>()), Err(NotBase64Url));
    }
}
