//! From cause to answer: status, `WWW-Authenticate`, code and message, in one total match.
//!
//! The log gets the why, the client gets the code of the RFC. No text in here contains anything that came with the
//! request.

mod answer;
mod format;
mod prepared;
mod response;

pub use answer::Answer;
pub use format::{ErrorFormat, Renderer};

pub(crate) use response::{challenge_of, code_of, respond, respond_as_anybody};

#[cfg(feature = "utoipa")]
pub(crate) use response::problem_details;

#[cfg(test)]
mod catalogue;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuthError, InvalidToken, error::credential_errors};

    #[test]
    fn prepared_texts_say_what_they_stand_for() {
        let naming = AuthError::from(InvalidToken::HeaderParameter("crit"));
        for error in credential_errors().into_iter().chain([naming]) {
            let answer = Answer::to(&error);
            let composed = Answer {
                prepared: None,
                ..answer.clone()
            };
            assert!(answer.prepared.is_some(), "{error:?}");
            assert_eq!(answer.challenge(None), composed.challenge(None), "{error:?}");
            assert_eq!(answer.envelope(), composed.envelope(), "{error:?}");
        }
    }
}
