//! Users and groups.

use std::collections::BTreeMap;

use super::{ClientId, RoleSet};
use crate::dev::credentials::Password;

/// The position of a user in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::dev) struct UserId(pub(super) usize);

/// The position of a group in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::dev) struct GroupId(pub(super) usize);

/// A user.
pub(in crate::dev) struct User {
    pub(in crate::dev) id: String,
    pub(in crate::dev) username: String,
    pub(in crate::dev) enabled: bool,
    pub(in crate::dev) email: Option<String>,
    pub(in crate::dev) email_verified: bool,
    pub(in crate::dev) first_name: Option<String>,
    pub(in crate::dev) last_name: Option<String>,
    pub(in crate::dev) attributes: BTreeMap<String, Vec<String>>,
    /// The password, where the file has it in plain text.
    pub(in crate::dev) plain_password: Option<String>,
    pub(in crate::dev) password: Option<Password>,
    /// Something has to be done before the account can be used, such as a new password.
    pub(in crate::dev) has_required_actions: bool,
    pub(in crate::dev) groups: Vec<GroupId>,
    /// All roles: the user's own and those of the groups, expanded.
    pub(in crate::dev) roles: RoleSet,
    pub(in crate::dev) service_account_of: Option<ClientId>,
    pub(in crate::dev) not_before: u64,
}

/// A group.
#[derive(Debug)]
pub(in crate::dev) struct Group {
    pub(in crate::dev) name: String,
    /// The full path, such as `/ops/oncall`.
    pub(in crate::dev) path: String,
    pub(in crate::dev) parent: Option<GroupId>,
    pub(in crate::dev) attributes: BTreeMap<String, Vec<String>>,
    /// The group's own roles, not expanded; those of its parents count too.
    pub(super) roles: RoleSet,
}

impl super::Model {
    /// A group and those above it, from the inside out.
    pub(in crate::dev) fn group_and_parents(&self, group: GroupId) -> impl Iterator<Item = &Group> {
        std::iter::successors(Some(&self.groups[group.0]), |group| {
            group.parent.map(|parent| &self.groups[parent.0])
        })
    }

    pub(in crate::dev) fn group(&self, group: GroupId) -> &Group {
        &self.groups[group.0]
    }
}
