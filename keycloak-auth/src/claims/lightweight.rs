//! Whether a token may lack claims, as Keycloak's lightweight access tokens do.

use super::Claims;

/// Whether these may be the claims of a lightweight token, so that some that decide are missing.
///
/// Keycloak 26.2 and later say it in the `jti`: two letters for the session, two for the token (`rt` regular, `lt`
/// lightweight), two for the grant, a colon. Where a token does not say that it is regular, it counts as lightweight, whatever it
/// has: each claim can be put into lightweight tokens by its mapper, so none shows that no other is missing. Asking about a full
/// one costs a question, not asking about a lightweight one lets `not(role(…))` hold.
pub(crate) fn is_lightweight(claims: &Claims) -> bool {
    let context = claims.token_id().and_then(|id| id.split_once(':'));
    !matches!(
        context.map(|(context, _)| context.as_bytes()),
        Some([_, _, b'r', b't', _, _])
    )
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
}
