//! The challenge of an answer: `WWW-Authenticate` (RFC 6750 §3, RFC 9470 §3).

use http::HeaderValue;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Challenge {
    None,
    /// The scheme and the realm, without an error: RFC 6750 §3.1, last paragraph.
    Realm,
    /// `error` and its description (RFC 6750 §3).
    Error {
        error: &'static str,
        scope: Vec<&'static str>,
    },
    /// RFC 9470 §3.
    StepUp {
        acr: Option<&'static str>,
        max_age: Option<u64>,
    },
}

impl Challenge {
    pub(super) const fn error(error: &'static str) -> Self {
        Self::Error {
            error,
            scope: Vec::new(),
        }
    }

    /// The value of the header; `realm` is named where there is no error.
    pub(super) fn header(&self, message: &str, realm: Option<&str>) -> Option<HeaderValue> {
        let text = match self {
            Self::None => return None,
            Self::Realm => realm.map_or_else(
                || "Bearer".to_owned(),
                |realm| format!("Bearer realm=\"{}\"", quotable(realm)),
            ),
            Self::Error { error, scope } => {
                let mut text = format!("Bearer error=\"{error}\", error_description=\"{message}\"");
                if !scope.is_empty() {
                    text.push_str(&format!(", scope=\"{}\"", quotable(&scope.join(" "))));
                }
                text
            }
            Self::StepUp { acr, max_age } => {
                let mut text =
                    format!("Bearer error=\"insufficient_user_authentication\", error_description=\"{message}\"");
                if let Some(acr) = acr {
                    text.push_str(&format!(", acr_values=\"{}\"", quotable(acr)));
                }
                if let Some(max_age) = max_age {
                    text.push_str(&format!(", max_age=\"{max_age}\""));
                }
                text
            }
        };
        HeaderValue::try_from(text)
            .ok()
            .or(Some(HeaderValue::from_static("Bearer")))
    }
}

/// A text as the inside of a quoted-string: what may not stand there is left out (RFC 6750 §3, RFC 9110 §5.6.4).
fn quotable(text: &str) -> String {
    text.chars()
        .filter(|character| matches!(character, ' '..='~') && !matches!(character, '"' | '\\'))
        .collect()
}
