//! Digests, which stand for secrets in memory.

use aws_lc_rs::digest::{Context, SHA256};

/// Stands for the whole of some texts.
pub(crate) type Digest = [u8; 32];

/// Binds every byte of each text, and whether it is there; in memory there is only the digest, and no token.
pub(crate) fn digest_of<'t>(texts: impl IntoIterator<Item = Option<&'t str>>) -> Digest {
    let mut context = Context::new(&SHA256);
    for text in texts {
        context.update(&[u8::from(text.is_some())]);
        let text = text.unwrap_or_default();
        context.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        context.update(text.as_bytes());
    }
    context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}
