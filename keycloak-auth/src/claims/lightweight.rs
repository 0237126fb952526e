//! Whether a token may lack claims, as Keycloak's lightweight access tokens do.

use super::Claims;

/// Whether these may be the claims of a lightweight token, so that some that decide are missing.
///
/// Keycloak 26.2 and later say it in the `jti`: two letters for the session, two for the token (`rt` regular, `lt`
/// lightweight), two for the grant, a colon. Where a token does not say that it is regular, it counts as lightweight, whatever it
/// has: each claim can be put into lightweight tokens by its mapper, so none shows that no other is missing. Asking about a full
/// one costs a question, not asking about a lightweight one lets `not(role(…))` hold.
pub(crate) fn is_lightweight(claims: &Claims) -> bool {
    kind(claims) != Some(*b"rt")
}

/// Whether the token says that it is a lightweight one, or, where it says nothing, lacks the subject that every other has.
///
/// This is for advice. A decision takes [`is_lightweight`], which errs on the other side.
pub(crate) fn says_that_it_is_lightweight(claims: &Claims) -> bool {
    match kind(claims) {
        Some(kind) => kind == *b"lt",
        None => claims.subject().is_none(),
    }
}

/// The two letters for the token, where the `jti` has them.
fn kind(claims: &Claims) -> Option<[u8; 2]> {
    let (context, _) = claims.token_id()?.split_once(':')?;
    match context.as_bytes() {
        [_, _, first, second, _, _] => Some([*first, *second]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_lightweight_unless_it_says_that_it_is_not() {
        let full = r#""sub": "s", "realm_access": {"roles": ["a"]}, "resource_access": {"c": {"roles": ["a"]}}"#;
        for (id, expected) in [
            (r#""onltro:1""#, true),
            (r#""ofltrt:1""#, true),
            (r#""onrtro:1""#, false),
            (r#""trrtcc:1""#, false),
            (r#""66384c88-b170""#, true),
            (r#""onxxro:1""#, true),
            (r#""rt:1""#, true),
            (r#""onrtro""#, true),
            (r#""onrtro1:1""#, true),
        ] {
            for claims in [format!(r#"{{"jti": {id}, {full}}}"#), format!(r#"{{"jti": {id}}}"#)] {
                let parsed = Claims::parse(&claims).expect("claims");
                assert_eq!(is_lightweight(&parsed), expected, "{claims}");
            }
        }
        let without_id = Claims::parse(&format!("{{{full}}}")).expect("claims");
        assert!(is_lightweight(&without_id));
    }

    #[test]
    fn advice_is_given_about_what_says_that_it_is_lightweight() {
        for (claims, expected) in [
            (r#"{"jti": "onltro:1", "sub": "s"}"#, true),
            (r#"{"jti": "onrtro:1"}"#, false),
            (r#"{"jti": "66384c88-b170", "sub": "s"}"#, false),
            (r#"{"jti": "66384c88-b170"}"#, true),
            ("{}", true),
        ] {
            let parsed = Claims::parse(claims).expect("claims");
            assert_eq!(says_that_it_is_lightweight(&parsed), expected, "{claims}");
        }
    }
}
