//! The page of the guide that lists the errors lists all of them, as they are.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use http::header::WWW_AUTHENTICATE;

use super::{Answer, ErrorFormat};
use crate::{
    AuthError, GrantKind, InvalidToken, OAuthError, Policy, ProviderError, TokenRefusal, Unavailable,
    bearer::HeaderFault, claims::Claims, jose::MalformedToken, policy::EvaluationContext,
};

const PAGE: &str = include_str!("../docs/errors.md");

/// The inventory of the package that this one takes the place of: class, code.
const ORIGINAL: [(&str, &str); 21] = [
    ("InvalidTokenError", "malformed_token"),
    ("InvalidSignatureError", "invalid_signature"),
    ("TokenExpiredError", "token_expired"),
    ("InvalidClaimsError", "invalid_claims"),
    ("MissingClaimError", "missing_claim"),
    ("UnknownKidError", "unknown_kid"),
    ("InvalidAlgorithmError", "invalid_algorithm"),
    ("TokenInactiveError", "token_inactive"),
    ("IntrospectionServiceError", "introspection_service_error"),
    ("TokenRefreshError", "token_refresh_failed"),
    ("KeycloakConfigurationError", "keycloak_config_error"),
    ("KeycloakConnectionError", "keycloak_connection_error"),
    ("CertExpiredError", "cert_expired"),
    ("CertUntrustedError", "cert_untrusted"),
    ("HostnameMismatchError", "hostname_mismatch"),
    ("AuthorizationError", "forbidden"),
    ("MissingRolesError", "missing_roles"),
    ("MissingGroupsError", "missing_groups"),
    ("NoAuthenticatedUserError", "not_authenticated"),
    ("NoAuthorizationHeaderError", "missing_header"),
    ("InvalidAuthorizationHeaderError", "invalid_header_format"),
];

/// The lines of the tables with five columns: by code, status and challenge.
fn lines() -> BTreeMap<&'static str, (u16, &'static str)> {
    let rows = PAGE.lines().filter_map(|line| {
        let cells: Vec<&str> = line
            .strip_prefix('|')?
            .strip_suffix('|')?
            .split('|')
            .map(str::trim)
            .collect();
        let [code, status, challenge, meaning, fix] = cells[..] else {
            return None;
        };
        let code = code.strip_prefix('`')?.strip_suffix('`')?;
        assert!(!meaning.is_empty() && !fix.is_empty(), "{line}");
        Some((code, (status.parse().expect("a status"), challenge)))
    });
    let lines: Vec<_> = rows.collect();
    let by_code: BTreeMap<_, _> = lines.iter().copied().collect();
    assert_eq!(by_code.len(), lines.len(), "a code has one line");
    by_code
}

/// Whatever in the source of the answers looks like a code is one, or belongs to a challenge, or is a member of the details.
#[test]
fn nothing_that_is_answered_is_missing_in_the_catalogue() {
    let source = concat!(include_str!("answer.rs"), include_str!("response.rs"));
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let words: Vec<&str> = code
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(|word| word.contains('_') && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_')))
        .collect();
    assert!(words.len() > 30, "{words:?}");
    let lines = lines();
    let is_listed = |word: &str| {
        lines.contains_key(word)
            || lines.values().any(|(_, challenge)| challenge.contains(word))
            || word == "retry_after"
    };
    let missing: Vec<_> = words.into_iter().filter(|word| !is_listed(word)).collect();
    assert!(missing.is_empty(), "without a line in docs/errors.md: {missing:?}");
}

#[test]
fn status_and_challenge_are_as_the_catalogue_says() {
    let lines = lines();
    let mut seen = Vec::new();
    for error in errors() {
        let answer = Answer::to(&error);
        let (status, challenge) = *lines.get(answer.code).expect(answer.code);
        seen.push(answer.code);
        assert_eq!(answer.status.as_u16(), status, "{}", answer.code);
        let response = answer.response(&ErrorFormat::Envelope, Some("acme"));
        let sent = response.headers().get(WWW_AUTHENTICATE);
        let sent = sent.map_or("", |value| value.to_str().expect("ASCII"));
        let expected = match challenge {
            "none" => "",
            "`realm=\"…\"`, no error" => "Bearer realm=\"acme\"",
            "the same, `acr_values=\"…\"`, `max_age=\"…\"`" => "Bearer error=\"insufficient_user_authentication\"",
            error => &format!("Bearer error=\"{}\"", error.split('`').nth(1).expect("a code")),
        };
        assert!(
            sent.starts_with(expected) && sent.is_empty() == expected.is_empty(),
            "{}: {sent}",
            answer.code
        );
        for member in answer.details.as_object().expect("an object").keys() {
            assert!(PAGE.contains(&format!("`{member}`")), "{member}");
        }
    }
    // These take a TLS connection; tests over HTTPS have them.
    seen.extend(["cert_expired", "cert_untrusted", "hostname_mismatch"]);
    let unseen: Vec<_> = lines.keys().filter(|code| !seen.contains(code)).collect();
    assert!(unseen.is_empty(), "not answered by anything: {unseen:?}");
}

#[test]
fn each_error_of_the_original_has_its_counterpart() {
    let lines = lines();
    for (class, code) in ORIGINAL {
        let row = format!("| `{class}` | `{code}` | ");
        let row = PAGE.lines().find(|line| line.starts_with(&row)).expect(class);
        let here = row
            .split('|')
            .nth(4)
            .expect("four columns")
            .split('`')
            .nth(1)
            .expect("a code");
        assert!(
            lines.contains_key(here) || here.starts_with("BuildError") || row.contains("](crate::"),
            "{class}: {here}"
        );
    }
}

#[test]
fn each_code_of_the_token_endpoint_is_explained() {
    for error in oauth_errors() {
        let row = format!("| `{}` | ", error.as_str());
        assert!(PAGE.lines().any(|line| line.starts_with(&row)), "{}", error.as_str());
    }
}

/// One of each, and more where the code depends on what is in it.
fn errors() -> Vec<AuthError> {
    let unavailable = || Unavailable::new(Arc::new(ProviderError::NoRuntime), Duration::from_secs(30));
    let mut errors = vec![
        AuthError::MissingCredentials,
        AuthError::Unavailable(unavailable()),
        AuthError::IntrospectionUnavailable(unavailable()),
        AuthError::TokenEndpointUnavailable(unavailable()),
        AuthError::NotInstalled,
    ];
    errors.extend([HeaderFault::SeveralCredentials, HeaderFault::Malformed].map(AuthError::from));
    errors.extend(
        [
            InvalidToken::Malformed(MalformedToken::Parts),
            InvalidToken::HeaderParameter("crit"),
            InvalidToken::Algorithm,
            InvalidToken::UnknownKey,
            InvalidToken::Signature,
            InvalidToken::MissingClaim("aud"),
            InvalidToken::Claim("aud"),
            InvalidToken::CustomClaims,
            InvalidToken::Expired,
            InvalidToken::NotYetValid,
            InvalidToken::TokenType,
            InvalidToken::Inactive,
            InvalidToken::SenderConstrained,
        ]
        .map(AuthError::from),
    );
    errors.extend(
        [
            Policy::Role("admin"),
            Policy::Group("/ops"),
            Policy::Scope("orders:read"),
            Policy::Not(&Policy::Authenticated),
            Policy::Acr("gold"),
            Policy::MaxAge(300),
        ]
        .map(denied),
    );
    let grants = [
        GrantKind::RefreshToken,
        GrantKind::ClientCredentials,
        GrantKind::TokenExchange,
    ];
    errors.extend(grants.into_iter().flat_map(|grant| {
        oauth_errors().map(|error| AuthError::TokenRefused(TokenRefusal::new(grant, error.as_str().to_owned(), None)))
    }));
    errors
}

/// A caller with nothing but a login that is long past.
fn denied(policy: Policy) -> AuthError {
    let claims = Claims::parse(r#"{"sub":"dave","auth_time":1,"acr":"0"}"#).expect("claims");
    let context = EvaluationContext::new("orders-api", Duration::from_secs(1_000_000));
    AuthError::of(policy.evaluate(&claims, &context)).expect("denied")
}

fn oauth_errors() -> [OAuthError; 9] {
    [
        OAuthError::InvalidRequest,
        OAuthError::InvalidClient,
        OAuthError::InvalidGrant,
        OAuthError::UnauthorizedClient,
        OAuthError::UnsupportedGrantType,
        OAuthError::InvalidScope,
        OAuthError::InvalidTarget,
        OAuthError::AccessDenied,
        OAuthError::Other,
    ]
}
