//! The authorization code grant (RFC 6749 §4.1.3) with PKCE (RFC 7636).

use aws_lc_rs::digest;

use super::{Grant, Incoming};
use crate::dev::{
    answers::OAuthError,
    keys::base64url,
    sessions::{AuthorizationRequest, ChallengeMethod},
    tokens::{Claims, Scope, SessionKind},
};

pub(super) fn grant(grant: &Grant<'_>) -> Result<Claims, OAuthError> {
    let Grant { request, client, .. } = *grant;
    let shared = &request.shared;
    let model = &shared.model;
    let text = request
        .form
        .get("code")
        .ok_or_else(|| OAuthError::invalid_request("Missing parameter: code"))?;
    let now = shared.now();
    let not_valid = || OAuthError::invalid_grant("Code not valid");
    let mut state = shared.sessions.lock();
    let Some(code) = state.codes.remove(text) else {
        // Somebody has a code that was used before: what it gave ends (RFC 6749 §4.1.2).
        if let Some((_, session)) = text.split_once('.')
            && let Some(session) = state.sessions.get_mut(session)
        {
            session.clients.remove(&client);
        }
        return Err(not_valid());
    };
    if code.expires <= now {
        return Err(not_valid());
    }
    let code = code.value;
    if code.request.client != client {
        return Err(OAuthError::invalid_grant(
            "Auth error: Found different client_id in clientSession",
        ));
    }
    check_redirect_uri(request, &code.request)?;
    check_verifier(request.form.get("code_verifier"), code.request.code_challenge.as_ref())?;
    let session = state
        .active(&code.session, now, &model.settings)
        .ok_or_else(not_valid)?;
    let user = session.user;
    if !model.user(user).enabled {
        return Err(OAuthError::invalid_grant("User disabled"));
    }
    let parameter = code.request.scope.as_deref();
    let scope = Scope::requested(model, model.client(client), model.user(user), parameter);
    let offline = grant.check_offline(parameter, &scope)?;
    session.last_access = now;
    let Some(of_client) = session.clients.get_mut(&client) else {
        return Err(not_valid());
    };
    of_client.nonce.clone_from(&code.request.nonce);
    let mut session = session.clone();
    if offline {
        session = state.go_offline(&session, client, model.client(client).refresh_tokens);
    }
    let session = SessionKind::Online(&session);
    Ok(grant.issue("ac", now, user, &scope, session).answer())
}

fn check_redirect_uri(request: &Incoming, asked: &AuthorizationRequest) -> Result<(), OAuthError> {
    let given = request.form.get("redirect_uri");
    let same = given == Some(asked.redirect_uri.as_str()) || (given.is_none() && !asked.redirect_uri_given);
    if same {
        Ok(())
    } else {
        Err(OAuthError::invalid_grant("Incorrect redirect_uri"))
    }
}

fn check_verifier(verifier: Option<&str>, challenge: Option<&(String, ChallengeMethod)>) -> Result<(), OAuthError> {
    let Some((challenge, method)) = challenge else {
        return match verifier {
            None => Ok(()),
            Some(_) => Err(OAuthError::invalid_grant(
                "PKCE code verifier specified but challenge not present",
            )),
        };
    };
    let verifier = verifier.ok_or_else(|| OAuthError::invalid_grant("PKCE code verifier not specified"))?;
    if !is_pkce_text(verifier) {
        return Err(OAuthError::invalid_grant(
            "PKCE verification failed: Invalid code verifier",
        ));
    }
    let computed = match method {
        ChallengeMethod::Plain => verifier.to_owned(),
        ChallengeMethod::S256 => base64url(digest::digest(&digest::SHA256, verifier.as_bytes())),
    };
    if computed == *challenge {
        Ok(())
    } else {
        Err(OAuthError::invalid_grant("PKCE verification failed: Code mismatch"))
    }
}

/// Whether it has the form of a verifier, which is that of a challenge too: 43 to 128 unreserved characters
/// (RFC 7636 §4.1).
pub(in crate::dev::endpoints) fn is_pkce_text(text: &str) -> bool {
    let unreserved = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifies_the_example_of_rfc_7636_appendix_b() {
        let challenge = (
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
            ChallengeMethod::S256,
        );
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(check_verifier(Some(verifier), Some(&challenge)).is_ok());
        let error = check_verifier(Some(&verifier.replace('d', "e")), Some(&challenge)).unwrap_err();
        assert_eq!(
            error.description.as_deref(),
            Some("PKCE verification failed: Code mismatch")
        );
    }

    #[test]
    fn refuses_a_verifier_without_challenge() {
        assert!(check_verifier(Some(&"a".repeat(43)), None).is_err());
        assert!(check_verifier(None, None).is_ok());
    }

    #[test]
    fn limits_the_length_of_a_verifier() {
        for (length, good) in [(42, false), (43, true), (128, true), (129, false)] {
            assert_eq!(is_pkce_text(&"a".repeat(length)), good, "{length}");
        }
        assert!(!is_pkce_text(&"ä".repeat(43)));
    }
}
