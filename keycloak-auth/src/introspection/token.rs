//! Whether a token is opaque, and whether an answer is about it.

use crate::claims::Claims;

/// Whether the token has the form of no JOSE serialisation that access tokens come in: two dots make a JWS, four a JWE.
///
/// Nor has it more or fewer dots and a header all the same: Keycloak ignores dots at the end, so that one token would have any
/// number of spellings, each of which is active. `{"` is `ey` in base64url; without any dot it is chance.
pub(super) fn is_opaque(token: &[u8]) -> bool {
    match memchr::memchr_iter(b'.', token).count() {
        0 => true,
        2 | 4 => false,
        _ => !token.starts_with(b"ey"),
    }
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
    fn opaque_is_what_nobody_can_take_for_signed_or_encrypted() {
        for (token, expected) in [
            ("opaque", true),
            ("ya29.a0", true),
            ("opaque==", true),
            ("opaque.", true),
            ("eyX0b7", true),
            ("a.b.c", false),
            ("a.b.c.d.e", false),
            ("eyJhbGciOiJSUzI1NiJ9.e30", false),
            ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln.", false),
            ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln...", false),
        ] {
            assert_eq!(is_opaque(token.as_bytes()), expected, "{token}");
        }
    }
}
