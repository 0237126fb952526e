//! What kind of token it is, and whether an answer is about it.

use crate::{claims::Claims, invalid_token::InvalidToken};

/// Whether the token has the form of no JOSE serialisation that access tokens come in: two dots make a JWS, four a JWE.
pub(crate) fn is_opaque(token: &[u8]) -> bool {
    !matches!(memchr::memchr_iter(b'.', token).count(), 2 | 4)
}

/// Whether these are the claims of a lightweight token, so that those that decide are missing.
///
/// Keycloak 26.2 and later say it in the `jti`: two letters for the session, two for the token (`rt` regular, `lt`
/// lightweight), two for the grant, a colon. Where nothing is said, a token without subject or roles counts as lightweight:
/// asking about a full one costs a question, not asking about a lightweight one lets `not(role(…))` hold.
pub(crate) fn is_lightweight(claims: &Claims) -> bool {
    let context = claims.token_id().and_then(|id| id.split_once(':'));
    match context.map(|(context, _)| context.as_bytes()) {
        Some([_, _, b'r', b't', _, _]) => false,
        Some([_, _, b'l', b't', _, _]) => true,
        _ => claims.subject().is_none() || (claims.realm_roles().next().is_none() && claims.clients().next().is_none()),
    }
}

/// Whether what Keycloak told is about the token, as far as both name the claims that tell tokens apart.
pub(super) fn check_same_token(own: &Claims, told: &Claims) -> Result<(), InvalidToken> {
    let pairs = [
        ("iss", own.issuer(), told.issuer()),
        ("sub", own.subject(), told.subject()),
        ("azp", own.authorized_party(), told.authorized_party()),
        ("jti", own.token_id(), told.token_id()),
    ];
    for (claim, own, told) in pairs {
        if own.is_some() && told.is_some() && own != told {
            tracing::warn!(
                name: "keycloak.introspection_of_another_token",
                target: "keycloak_auth",
                { keycloak.claim = claim },
                "the introspection endpoint answers about another token: `{claim}` differs"
            );
            return Err(InvalidToken::Claim(claim));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lightweight_token_says_so_or_lacks_what_full_ones_have() {
        let full = r#""sub": "s", "realm_access": {"roles": ["a"]}"#;
        for (claims, expected) in [
            (format!(r#"{{"jti": "onltro:1", {full}}}"#), true),
            (r#"{"jti": "ofltrt:1"}"#.to_owned(), true),
            (r#"{"jti": "onrtro:1", "sub": "s"}"#.to_owned(), false),
            (r#"{"jti": "trrtcc:1"}"#.to_owned(), false),
            (format!(r#"{{"jti": "66384c88-b170", {full}}}"#), false),
            (
                r#"{"jti": "66384c88-b170", "sub": "s", "resource_access": {"c": {"roles": ["a"]}}}"#.to_owned(),
                false,
            ),
            (r#"{"jti": "66384c88-b170", "sub": "s"}"#.to_owned(), true),
            (
                r#"{"jti": "66384c88-b170", "realm_access": {"roles": ["a"]}}"#.to_owned(),
                true,
            ),
            (r#"{"jti": "onxxro:1", "sub": "s"}"#.to_owned(), true),
            (r#"{"jti": "rt:1"}"#.to_owned(), true),
            (format!("{{{full}}}"), false),
            ("{}".to_owned(), true),
        ] {
            let parsed = Claims::parse(&claims).expect("claims");
            assert_eq!(is_lightweight(&parsed), expected, "{claims}");
        }
    }

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
