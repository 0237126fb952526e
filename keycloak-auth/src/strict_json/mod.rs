//! JSON read strictly: a member that stands twice is an error, at every depth (RFC 7519 §4, RFC 8725 §2.6).
//!
//! Two parsers that keep different ones of two members of the same name read two different tokens. [`Reader`] walks the
//! text once and is what every new token goes through; a type of the caller's and the look-up of one claim go through
//! `serde_json`. Members that stand twice apart, both take the same texts for JSON, which the tests
//! hold them to.

mod kind;
mod members;
mod name;
mod reader;
mod string;
mod value;

pub(crate) use kind::Kind;
pub(crate) use members::Members;
pub(crate) use name::Name;
pub(crate) use reader::Reader;
pub(crate) use value::Value;

/// Not JSON, or a member stands twice, or it is nested too deeply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

#[cfg(test)]
mod tests;
