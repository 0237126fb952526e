//! Client authentication (RFC 6749 §2.3): by `Basic` or by parameters of the form.

use axum::http::{StatusCode, header};
use base64_simd::STANDARD;
use url::form_urlencoded;

use super::Incoming;
use crate::dev::{
    answers::OAuthError,
    model::{ClientId, ClientKind},
};

const INVALID: &str = "Invalid client or Invalid client credentials";

/// The client that asks, authenticated unless it is public.
pub(super) fn authenticate(request: &Incoming) -> Result<ClientId, OAuthError> {
    let invalid_client = || OAuthError::new(StatusCode::UNAUTHORIZED, "invalid_client", INVALID);
    let unauthorized = || OAuthError::unauthorized_client(StatusCode::UNAUTHORIZED, INVALID);
    let (client_id, secret) = match basic(request) {
        Some((client_id, secret)) => (client_id, Some(secret)),
        None => {
            let client_id = request.form.get("client_id").ok_or_else(invalid_client)?;
            (
                client_id.to_owned(),
                request.form.get("client_secret").map(str::to_owned),
            )
        }
    };
    let model = &request.shared.model;
    let id = model.client_named(&client_id).ok_or_else(invalid_client)?;
    let client = model.client(id);
    if !client.enabled || !client.openid_connect {
        return Err(invalid_client());
    }
    match &client.kind {
        ClientKind::Public => Ok(id),
        ClientKind::Confidential(Some(expected)) => {
            let given = secret.unwrap_or_default();
            aws_lc_rs::constant_time::verify_slices_are_equal(expected.expose().as_bytes(), given.as_bytes())
                .map(|()| id)
                .map_err(|_| unauthorized())
        }
        ClientKind::Confidential(None) | ClientKind::BearerOnly => Err(unauthorized()),
    }
}

/// Name and secret of a `Basic` header, both of them form-encoded (RFC 6749 §2.3.1).
fn basic(request: &Incoming) -> Option<(String, String)> {
    let value = request.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode_to_vec(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = text.split_once(':')?;
    Some((form_decode(client_id), form_decode(secret)))
}

fn form_decode(text: &str) -> String {
    let text = text.replace('&', "%26").replace('=', "%3D");
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    pairs.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}
