//! The columns of the matrix: what a role, a group or a user alone may call.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    KeycloakUser, Policy,
    policy::{EvaluationContext, is_within},
};

/// A column of the matrix: a role, a group or a user.
#[derive(Clone, Debug)]
pub struct Subject {
    kind: SubjectKind,
    name: String,
    realm_roles: BTreeSet<String>,
    /// Client and role.
    client_roles: BTreeSet<(String, String)>,
    /// Full paths.
    groups: BTreeSet<String>,
    /// The client whose roles `role("…")` means beside realm roles.
    client_id: Option<String>,
    /// Whose token tells scopes, claims and login.
    user: Option<KeycloakUser>,
}

/// What a subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubjectKind {
    /// A realm role.
    RealmRole,
    /// A role of a client.
    ClientRole,
    /// A group.
    Group,
    /// A user, or a service account.
    User,
}

impl SubjectKind {
    /// All of them, in the order of the columns.
    pub(super) const ALL: [Self; 4] = [Self::RealmRole, Self::ClientRole, Self::Group, Self::User];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::RealmRole => "realm role",
            Self::ClientRole => "client role",
            Self::Group => "group",
            Self::User => "user",
        }
    }
}

/// Whether a subject may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Access {
    /// It may.
    Allow,
    /// It may not, whatever else is in the token or the request.
    Deny,
    /// It depends on what a role or group does not say: scopes, claims, the login, a path parameter.
    Depends,
}

impl Access {
    /// The access in one word, as it is printed.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Depends => "depends",
        }
    }

    const fn of(met: bool) -> Self {
        if met { Self::Allow } else { Self::Deny }
    }
}

impl Subject {
    fn new(kind: SubjectKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            realm_roles: BTreeSet::new(),
            client_roles: BTreeSet::new(),
            groups: BTreeSet::new(),
            client_id: None,
            user: None,
        }
    }

    /// A caller who has this realm role and nothing else.
    #[must_use]
    pub fn realm_role(name: impl Into<String>) -> Self {
        let name = name.into();
        Self::new(SubjectKind::RealmRole, &*name).with_realm_role(name)
    }

    /// A caller who has this role of a client and nothing else.
    #[must_use]
    pub fn client_role(client: impl Into<String>, role: impl Into<String>) -> Self {
        let (client, role) = (client.into(), role.into());
        Self::new(SubjectKind::ClientRole, format!("{role} of {client}")).with_client_role(client, role)
    }

    /// A caller who is in this group and nothing else.
    #[must_use]
    pub fn group(path: impl Into<String>) -> Self {
        let path = path.into();
        Self::new(SubjectKind::Group, &*path).with_group(path)
    }

    /// A caller without roles and groups, to be given some.
    #[must_use]
    pub fn user(name: impl Into<String>) -> Self {
        Self::new(SubjectKind::User, name)
    }

    /// The caller whose token this is, with its roles, groups, scopes and claims.
    #[must_use]
    pub fn authenticated(name: impl Into<String>, user: &KeycloakUser) -> Self {
        let owned = |name: &str| name.to_owned();
        let clients = user.clients().flat_map(|(client, roles)| {
            let roles: Vec<_> = roles.map(owned).collect();
            roles.into_iter().map(move |role| (client.to_owned(), role))
        });
        Self {
            realm_roles: user.realm_roles().map(owned).collect(),
            client_roles: clients.collect(),
            groups: user.groups().map(owned).collect(),
            client_id: Some(user.service_client_id().to_owned()),
            user: Some(user.clone()),
            ..Self::new(SubjectKind::User, name)
        }
    }

    /// Adds a realm role.
    #[must_use]
    pub fn with_realm_role(mut self, role: impl Into<String>) -> Self {
        self.realm_roles.insert(role.into());
        self
    }

    /// Adds a role of a client.
    #[must_use]
    pub fn with_client_role(mut self, client: impl Into<String>, role: impl Into<String>) -> Self {
        self.client_roles.insert((client.into(), role.into()));
        self
    }

    /// Adds membership in a group, by its full path.
    #[must_use]
    pub fn with_group(mut self, path: impl Into<String>) -> Self {
        self.groups.insert(path.into());
        self
    }

    /// Says which client's roles `role("…")` means beside realm roles.
    #[must_use]
    pub fn in_service(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// What the subject is.
    #[must_use]
    pub fn kind(&self) -> SubjectKind {
        self.kind
    }

    /// The name that the column is headed with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the subject meets a policy.
    ///
    /// As [`Policy::evaluate`], in Kleene's logic of three values: what neither roles nor groups tell is open, and what
    /// does not hinge on it is decided nevertheless.
    #[must_use]
    pub fn access(&self, policy: &Policy) -> Access {
        match *policy {
            Policy::Public | Policy::Authenticated => Access::Allow,
            Policy::All(operands) => self.first_of([Access::Deny, Access::Depends], operands, Access::Allow),
            Policy::Any(operands) => self.first_of([Access::Allow, Access::Depends], operands, Access::Deny),
            Policy::Not(operand) => match self.access(operand) {
                Access::Allow => Access::Deny,
                Access::Deny => Access::Allow,
                Access::Depends => Access::Depends,
            },
            Policy::Role(role) => Access::of(self.has_realm_role(role) || self.has_own_client_role(role)),
            Policy::RealmRole(role) => Access::of(self.has_realm_role(role)),
            Policy::ClientRole { client, role } => Access::of(self.has_client_role(client, role)),
            Policy::Group(path) => Access::of(self.groups().any(|group| group == path)),
            Policy::GroupTree(path) => Access::of(self.groups().any(|group| is_within(group, path))),
            Policy::Scope(_) | Policy::Claim { .. } | Policy::Acr(_) => self.access_by_token(policy),
            // These are about the time and the path of a request.
            Policy::MaxAge(_) | Policy::Owner { .. } => Access::Depends,
        }
    }

    fn access_by_token(&self, policy: &Policy) -> Access {
        let Some(user) = &self.user else {
            return Access::Depends;
        };
        let context = EvaluationContext::new(user.service_client_id(), Duration::ZERO);
        Access::of(policy.evaluate(user, &context).is_allowed())
    }

    fn first_of(&self, precedence: [Access; 2], operands: &[Policy], otherwise: Access) -> Access {
        let found: Vec<_> = operands.iter().map(|operand| self.access(operand)).collect();
        let decisive = precedence.into_iter().find(|access| found.contains(access));
        decisive.unwrap_or(otherwise)
    }

    fn has_realm_role(&self, role: &str) -> bool {
        self.realm_roles.contains(role)
    }

    fn has_own_client_role(&self, role: &str) -> bool {
        self.client_id
            .as_deref()
            .is_some_and(|client| self.has_client_role(client, role))
    }

    fn has_client_role(&self, client: &str, role: &str) -> bool {
        self.client_roles
            .iter()
            .any(|(own_client, own_role)| own_client == client && own_role == role)
    }

    fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(String::as_str)
    }
}

/// One subject for each role and group that the policies name.
pub(super) fn named_in<'p>(policies: impl Iterator<Item = &'p Policy>) -> Vec<Subject> {
    let mut subjects: Vec<Subject> = Vec::new();
    let mut pending: Vec<&Policy> = policies.collect();
    while let Some(policy) = pending.pop() {
        let subject = match *policy {
            Policy::Role(role) | Policy::RealmRole(role) => Subject::realm_role(role),
            Policy::ClientRole { client, role } => Subject::client_role(client, role),
            Policy::Group(path) | Policy::GroupTree(path) => Subject::group(path),
            Policy::All(operands) | Policy::Any(operands) => {
                pending.extend(operands);
                continue;
            }
            Policy::Not(operand) => {
                pending.push(operand);
                continue;
            }
            Policy::Public
            | Policy::Authenticated
            | Policy::Scope(_)
            | Policy::Claim { .. }
            | Policy::Acr(_)
            | Policy::MaxAge(_)
            | Policy::Owner { .. } => continue,
        };
        if !subjects
            .iter()
            .any(|known| (known.kind, &known.name) == (subject.kind, &subject.name))
        {
            subjects.push(subject);
        }
    }
    subjects.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    subjects
}
