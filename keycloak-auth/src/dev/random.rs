//! Random values.

use aws_lc_rs::rand;

/// A random UUID (version 4).
pub(super) fn random_uuid() -> String {
    uuid(bytes(), 4)
}

/// A UUID of these bytes (RFC 9562 §4).
pub(super) fn uuid(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = (bytes[6] & 0x0f) | (version << 4);
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// An unguessable text of 256 bits.
pub(super) fn random_text() -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes::<32>())
}

pub(super) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system has random numbers");
    bytes
}
