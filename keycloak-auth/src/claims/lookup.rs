//! Finding one custom claim in the payload without building a tree.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::value::RawValue;

use super::path::{is_named, split};
use crate::strict_json::Name;

/// The string at `path`.
pub(super) fn text_claim<'c>(json: &'c str, path: &str) -> Option<Cow<'c, str>> {
    let (segment, rest) = split(path);
    let members: BTreeMap<Name<'c>, &'c RawValue> = serde_json::from_str(json).ok()?;
    let (_, value) = members.into_iter().find(|(member, _)| is_named(segment, &member.0))?;
    match rest {
        Some(rest) => text_claim(value.get(), rest),
        None => serde_json::from_str::<Name<'c>>(value.get()).ok().map(|text| text.0),
    }
}
