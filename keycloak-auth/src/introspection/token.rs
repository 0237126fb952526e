//! Whether a token is opaque, and whether an answer is about it.

use crate::claims::Claims;

/// Whether the token has the form of no JOSE serialisation that access tokens come in: two dots make a JWS, four a JWE.
pub(super) fn is_opaque(token: &[u8]) -> bool {
    !matches!(memchr::memchr_iter(b'.', token).count(), 2 | 4)
}

/// Whether what Keycloak told is about the token, as far as both name the claims that tell tokens apart; else one that differs.
pub(super) fn check_same_token(own: &Claims, told: &Claims) -> Result<(), &'static str> {
    let pairs = [
        ("iss", own.issuer(), told.issuer()),
        ("sub", own.subject(), told.subject()),
        ("azp", own.authorized_party(), told.authorized_party()),
        ("jti", own.token_id(), told.token_id()),
    ];
    for (claim, own, told) in pairs {
        if own.is_some() && told.is_some() && own != told {
            return Err(claim);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_is_what_is_neither_signed_nor_encrypted() {
        for (token, expected) in [
            ("opaque", true),
            ("ya29.a0", true),
            ("a.b.c", false),
            ("a.b.c.d.e", false),
        ] {
            assert_eq!(is_opaque(token.as_bytes()), expected, "{token}");
        }
    }
}
