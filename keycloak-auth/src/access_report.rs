//! What a handler with a policy would answer to a token, and why: for tests and support.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::{AuthError, Keycloak, Policy, challenge::Answer, policy::Explanation, text};

/// The judgement about a token and a policy, with its reasons; made by [`Keycloak::explain`].
///
/// It never contains the token. It does say whose token it is, what the caller lacks, and what stands in an issuer,
/// audience or algorithm that is not acceptable, so it is not for the response.
#[derive(Clone, Debug)]
pub struct AccessReport {
    policy: Policy,
    subject: Option<String>,
    username: Option<String>,
    error: Option<AuthError>,
    /// What stands in the claim or header that is not acceptable, and what should.
    mismatch: Option<String>,
    explanation: Option<Explanation>,
}

impl Keycloak {
    /// Says what a handler with this policy would answer to a request with this token, and why. A token with `Bearer` before
    /// it, as it stands in a header, is taken for the token.
    ///
    /// Policies with `owner(…)` are about a request and its path, so without one they do not hold.
    ///
    /// ```
    /// use keycloak_auth::{policy, testing::TestRealm};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let realm = TestRealm::new("acme", "orders-api");
    /// let report = realm.keycloak().explain(&policy!(realm_roles = "admin"), &realm.user("bob").token()).await;
    /// assert_eq!(report.status(), 403);
    /// assert!(report.to_string().contains("would suffice: realm role `admin`"));
    /// # }
    /// ```
    pub async fn explain(&self, policy: &Policy, access_token: &str) -> AccessReport {
        let mut report = AccessReport {
            policy: *policy,
            subject: None,
            username: None,
            error: None,
            mismatch: None,
            explanation: None,
        };
        if policy.is_public() {
            return report;
        }
        let access_token = without_scheme(access_token);
        match self.authenticate(access_token).await {
            Ok(user) => {
                let explanation = policy.explain(&user, &self.evaluation_context(self.now()));
                let explanation = explanation.of_incomplete(user.is_incomplete());
                report.subject = user.subject().map(str::to_owned);
                report.username = user.username().map(str::to_owned);
                report.error = AuthError::of(explanation.decision());
                report.explanation = Some(explanation);
            }
            Err(error) => {
                if let AuthError::InvalidToken(invalid) = error {
                    report.mismatch = self.authenticator().validator().mismatch(access_token, invalid);
                }
                report.error = Some(error);
            }
        }
        report
    }
}

/// The token of a whole `Authorization` header, which is what one has at hand where a request was refused.
fn without_scheme(pasted: &str) -> &str {
    let pasted = pasted.trim();
    match pasted.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => token.trim_start(),
        _ => pasted,
    }
}

impl AccessReport {
    /// Whether the request would get to the handler.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.error.is_none()
    }

    /// The status that the guard would answer with; 200 when it would let the request through.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.error
            .as_ref()
            .map_or(200, |error| Answer::to(error).status.as_u16())
    }

    /// The code in the body of the answer; none when the request would be let through.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.error.as_ref().map(|error| Answer::to(error).code)
    }

    /// Why the request would be refused.
    #[must_use]
    pub fn error(&self) -> Option<&AuthError> {
        self.error.as_ref()
    }

    /// What the policy says; none when the token is not acceptable, and for a public policy, which looks at none.
    #[must_use]
    pub fn explanation(&self) -> Option<&Explanation> {
        self.explanation.as_ref()
    }

    /// `sub` of the token, where it is acceptable and has one.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// `preferred_username` of the token, where it is acceptable and has one.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    fn reason(&self) -> String {
        match (&self.explanation, &self.error) {
            (Some(explanation), _) => explanation.to_string(),
            (None, Some(error)) => match &self.mismatch {
                Some(values) => format!("{}: {values}", text::chain(error)),
                None => text::chain(error),
            },
            (None, None) => "allowed: the policy is public".to_owned(),
        }
    }
}

/// The status, the caller by username and subject, and the reason, in one line.
impl fmt::Display for AccessReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.status())?;
        if let Some(code) = self.code() {
            write!(f, "{code} ")?;
        }
        match (&self.username, &self.subject) {
            (Some(name), Some(subject)) => {
                write!(f, "for `{}` (`{}`) ", text::shortened(name), text::shortened(subject))?
            }
            (Some(name), None) | (None, Some(name)) => write!(f, "for `{}` ", text::shortened(name))?,
            (None, None) => {}
        }
        f.write_str(&self.reason())
    }
}

/// `{"allowed", "status", "code", "subject", "username", "policy", "reason", "explanation"}`
impl Serialize for AccessReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("AccessReport", 8)?;
        report.serialize_field("allowed", &self.is_allowed())?;
        report.serialize_field("status", &self.status())?;
        report.serialize_field("code", &self.code())?;
        report.serialize_field("subject", &self.subject)?;
        report.serialize_field("username", &self.username)?;
        report.serialize_field("policy", &self.policy)?;
        report.serialize_field("reason", &self.reason())?;
        report.serialize_field("explanation", &self.explanation)?;
        report.end()
    }
}
