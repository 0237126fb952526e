//! Finding one custom claim in the payload without building a tree.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::value::RawValue;

use crate::strict_json::Name;

/// The string member `name` at the top level of a payload.
pub(super) fn text_claim<'c>(json: &'c str, name: &str) -> Option<Cow<'c, str>> {
    let members: BTreeMap<Name<'c>, &'c RawValue> = serde_json::from_str(json).ok()?;
    let (_, value) = members.into_iter().find(|(member, _)| member.0 == name)?;
    serde_json::from_str::<Name<'c>>(value.get()).ok().map(|text| text.0)
}
