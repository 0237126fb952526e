//! Proofs of possession (RFC 9449 §4.3).

use aws_lc_rs::digest;
use axum::http::HeaderMap;
use base64_simd::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    endpoints::Incoming,
    keys::base64url,
    sessions::{Expiring, State},
};
use crate::{
    Algorithm,
    jose::{Compact, VerificationKey, verify_signature},
};

/// How old a proof may be, and how far ahead of this clock, in seconds: as Keycloak has them.
const LIFETIME: u64 = 10;
const SKEW: u64 = 15;

/// A proof that was checked.
#[derive(Debug)]
pub(super) struct Proof {
    /// The thumbprint of its key (RFC 7638).
    pub(super) thumbprint: String,
}

#[derive(Deserialize)]
struct Header {
    typ: Option<String>,
    alg: String,
    jwk: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Claims {
    jti: Option<String>,
    htm: Option<String>,
    htu: Option<String>,
    iat: Option<u64>,
    ath: Option<String>,
}

impl Proof {
    /// Checks the proof of a request, if it has one. With an access token it has to be one for that token.
    pub(super) fn of(request: &Incoming, access_token: Option<&str>) -> Result<Option<Self>, String> {
        let Some(text) = single(&request.headers)? else {
            return Ok(None);
        };
        let malformed = || "DPoP header verification failure".to_owned();
        let compact = Compact::parse(text).map_err(|_| malformed())?;
        let header: Header = decode(compact.header).ok_or_else(malformed)?;
        if header.typ.as_deref() != Some("dpop+jwt") {
            let typ = header.typ.as_deref().unwrap_or("null");
            return Err(format!("Invalid or missing type in DPoP header: {typ}"));
        }
        let algorithm: Algorithm =
            (header.alg.parse()).map_err(|_| format!("Unsupported DPoP algorithm: {}", header.alg))?;
        let jwk = header.jwk.ok_or("No JWK in DPoP header")?;
        let members: Map<String, Value> = serde_json::from_str(jwk.get()).map_err(|_| malformed())?;
        if members.contains_key("d") {
            return Err("Private key material must not be present in DPoP JWK".to_owned());
        }
        let key = VerificationKey::parse(&jwk).map_err(|_| malformed())?;
        verify_signature(&key, algorithm, &compact)
            .map_err(|_| "DPoP verification failure: Invalid token signature".to_owned())?;
        let claims: Claims = decode(compact.payload).ok_or_else(malformed)?;
        let mut state = request.shared.sessions.lock();
        claims.check(request, access_token, &mut state)?;
        let thumbprint = thumbprint(&members).ok_or_else(malformed)?;
        Ok(Some(Self { thumbprint }))
    }
}

impl Claims {
    fn check(self, request: &Incoming, access_token: Option<&str>, state: &mut State) -> Result<(), String> {
        let now = request.shared.now();
        let (Some(jti), Some(method), Some(address), Some(issued)) = (self.jti, self.htm, self.htu, self.iat) else {
            return Err("DPoP mandatory claims are missing".to_owned());
        };
        if method != request.method.as_str() {
            return Err("DPoP HTTP method mismatch".to_owned());
        }
        let without_query = address.split(['?', '#']).next().unwrap_or_default();
        if without_query != format!("{}/{}", request.issuer, request.path) {
            return Err("DPoP HTTP URL mismatch".to_owned());
        }
        if issued > now + SKEW || issued + LIFETIME + SKEW < now {
            return Err("DPoP proof is not active".to_owned());
        }
        let used = Expiring {
            value: (),
            expires: issued + LIFETIME + SKEW + 1,
        };
        state.proofs.retain(|_, proof| proof.expires > now);
        if state.proofs.insert(jti, used).is_some() {
            return Err("DPoP proof has already been used".to_owned());
        }
        match (access_token, self.ath) {
            (None, _) => Ok(()),
            (Some(token), Some(hash)) if hash == base64url(digest::digest(&digest::SHA256, token.as_bytes())) => Ok(()),
            (Some(_), None) => Err("No access token hash in DPoP proof".to_owned()),
            (Some(_), Some(_)) => Err("DPoP proof access token hash mismatch".to_owned()),
        }
    }
}

fn single(headers: &HeaderMap) -> Result<Option<&str>, String> {
    let mut values = headers.get_all("DPoP").into_iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value
            .to_str()
            .map(Some)
            .map_err(|_| "DPoP header verification failure".to_owned()),
        (Some(_), Some(_)) => Err("Multiple DPoP headers".to_owned()),
    }
}

fn decode<T: for<'de> Deserialize<'de>>(part: &[u8]) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(part).ok()?).ok()
}

/// The digest of the members that make the key (RFC 7638 §3.2, RFC 8037 §2), in the order of their names.
fn thumbprint(jwk: &Map<String, Value>) -> Option<String> {
    let members: &[&str] = match jwk.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "RSA" => &["e", "kty", "n"],
        "OKP" => &["crv", "kty", "x"],
        _ => return None,
    };
    let pairs: Option<Vec<_>> = (members.iter())
        .map(|name| Some(format!("{}:{}", json!(name), json!(jwk.get(*name)?.as_str()?))))
        .collect();
    let text = format!("{{{}}}", pairs?.join(","));
    Some(base64url(digest::digest(&digest::SHA256, text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_the_thumbprint_of_rfc_7638_section_3_1() {
        let jwk = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi\
                  FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb\
                  9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls\
                  1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
            "alg": "RS256",
            "kid": "2011-04-29"
        });
        let thumbprint = thumbprint(jwk.as_object().unwrap()).unwrap();
        assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
