//! What the token endpoint answers (RFC 6749 §5.1).

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Tokens, as Keycloak's token endpoint answers them (RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3).
///
/// Serializes to what Keycloak sent, so that a service can pass it on. `Debug` shows no token.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// How it is to be used: `Bearer`, or `DPoP`.
    pub token_type: String,
    /// The lifetime of the access token in seconds, from when it was issued.
    #[serde(default)]
    pub expires_in: u64,
    /// The refresh token; client credentials and token exchange bring none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The lifetime of the refresh token in seconds; 0 where there is no end or no refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_expires_in: Option<u64>,
    /// The ID token, where the scope `openid` was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// The granted scopes, separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The id of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_state: Option<String>,
    /// Tokens that were issued before this time are void, in seconds since 1970; 0 for none.
    #[serde(rename = "not-before-policy", skip_serializing_if = "Option::is_none")]
    pub not_before_policy: Option<u64>,
    /// All other members.
    #[serde(flatten)]
    #[cfg_attr(feature = "utoipa", schema(ignore))]
    pub other: Map<String, Value>,
}

impl TokenResponse {
    /// The lifetime of the access token, from when it was issued.
    #[must_use]
    pub const fn lifetime(&self) -> Duration {
        Duration::from_secs(self.expires_in)
    }
}

/// Shows which tokens there are and how long they live, and no token.
impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .field("has_refresh_token", &self.refresh_token.is_some())
            .field("refresh_expires_in", &self.refresh_expires_in)
            .field("has_id_token", &self.id_token.is_some())
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keeps_every_member_and_shows_no_token() {
        let answer = json!({
            "access_token": "canary-a", "token_type": "Bearer", "expires_in": 300, "refresh_token": "canary-r",
            "refresh_expires_in": 1800, "id_token": "canary-i", "not-before-policy": 0, "session_state": "s",
            "scope": "openid", "something": { "new": "canary-n" },
        });
        let tokens: TokenResponse = serde_json::from_value(answer.clone()).expect("an answer");
        assert_eq!(serde_json::to_value(&tokens).expect("JSON"), answer);
        assert!(!format!("{tokens:?}").contains("canary"), "{tokens:?}");
    }
}
