//! The mappers of a token at work.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Claim, ClaimName, Kind, Mapper, Target, values};
use crate::dev::model::{Client, Model, RoleSet, User};

/// Whom the claims are about, and in which session.
pub(in crate::dev) struct Subject<'a> {
    pub(in crate::dev) model: &'a Model,
    /// The address by which the server was reached.
    pub(in crate::dev) server_url: &'a str,
    pub(in crate::dev) user: &'a User,
    pub(in crate::dev) client: &'a Client,
    /// The roles that the token may carry.
    pub(in crate::dev) roles: &'a RoleSet,
    pub(in crate::dev) acr: &'a str,
    pub(in crate::dev) nonce: Option<&'a str>,
    /// What the session remembers, such as `AUTH_TIME`.
    pub(in crate::dev) notes: &'a BTreeMap<String, String>,
}

/// The names of roles, which some mappers change before others put them into claims.
#[derive(Default)]
struct RoleView {
    realm: BTreeSet<String>,
    clients: BTreeMap<String, BTreeSet<String>>,
}

/// Adds the claims of these mappers.
pub(in crate::dev) fn apply<'m>(
    claims: &mut Map<String, Value>,
    subject: &Subject<'_>,
    mappers: impl Iterator<Item = &'m Mapper>,
    target: Target,
) {
    let mappers: Vec<_> = mappers.collect();
    let view = RoleView::new(subject, &mappers);
    // The level of authentication stands whatever others say of it.
    let (last, first): (Vec<&Mapper>, Vec<&Mapper>) =
        mappers.into_iter().partition(|mapper| matches!(mapper.kind, Kind::Acr));
    for mapper in first.into_iter().chain(last) {
        if mapper.kind.serves(target) && mapper.targets.include(target) {
            mapper.kind.apply(claims, subject, &view);
        }
    }
    if target == Target::UserInfo {
        // They are about a token, not about a user.
        for name in ["acr", "aud", "auth_time", "azp"] {
            claims.remove(name);
        }
    }
}

impl RoleView {
    /// The roles after the mappers that add and rename some.
    fn new(subject: &Subject<'_>, mappers: &[&Mapper]) -> Self {
        let mut view = Self::default();
        let mut roles = subject.roles.clone();
        roles.extend(mappers.iter().filter_map(|mapper| match mapper.kind {
            Kind::HardcodedRole(role) => Some(role),
            _ => None,
        }));
        for role in &roles {
            let (client, name) = subject.model.role(*role);
            view.of(client).insert(name.to_owned());
        }
        for mapper in mappers {
            if let Kind::RoleName { role, name } = &mapper.kind {
                let (client, old) = subject.model.role(*role);
                if view.of(client).remove(old) {
                    // `client.role` gives the role to that client, a name without a dot to the realm.
                    let (client, name) = match name.split_once('.') {
                        Some((client, name)) => (Some(client), name),
                        None => (None, name.as_str()),
                    };
                    view.of(client).insert(name.to_owned());
                }
            }
        }
        view.clients.retain(|_, roles| !roles.is_empty());
        view
    }

    fn of(&mut self, client: Option<&str>) -> &mut BTreeSet<String> {
        match client {
            None => &mut self.realm,
            Some(client) => self.clients.entry(client.to_owned()).or_default(),
        }
    }
}

impl Kind {
    fn apply(&self, claims: &mut Map<String, Value>, subject: &Subject<'_>, view: &RoleView) {
        let user = subject.user;
        match self {
            Self::Attribute {
                attribute,
                claim,
                multivalued,
                aggregate,
            } => {
                let texts = attribute_values(subject, attribute, *aggregate);
                set(
                    claims,
                    claim,
                    values::convert_all(&texts, claim.value_type, *multivalued),
                );
            }
            Self::Property { property, claim } => {
                let value = property_value(user, property);
                set(
                    claims,
                    claim,
                    value.and_then(|text| values::convert(&text, claim.value_type)),
                );
            }
            Self::FullName => {
                let names: Vec<_> = [&user.first_name, &user.last_name].into_iter().flatten().collect();
                let names: Vec<_> = names
                    .iter()
                    .map(|name| name.as_str())
                    .filter(|name| !name.is_empty())
                    .collect();
                if !names.is_empty() {
                    claims.insert("name".to_owned(), json!(names.join(" ")));
                }
            }
            Self::Address(members) => {
                let address: Map<_, _> = (members.iter())
                    .filter_map(|(member, attribute)| {
                        let values = user.attributes.get(attribute)?;
                        Some(((*member).to_owned(), json!(values.first()?)))
                    })
                    .collect();
                if !address.is_empty() {
                    claims.insert("address".to_owned(), Value::Object(address));
                }
            }
            Self::RealmRoles {
                claim,
                prefix,
                multivalued,
            } => {
                let names = prefixed(&view.realm, prefix);
                set(
                    claims,
                    claim,
                    values::convert_all(&names, claim.value_type, *multivalued),
                );
            }
            Self::ClientRoles {
                claim,
                client,
                prefix,
                multivalued,
            } => {
                for (client_id, roles) in &view.clients {
                    if client.as_ref().is_some_and(|only| only != client_id) {
                        continue;
                    }
                    let value = values::convert_all(&prefixed(roles, prefix), claim.value_type, *multivalued);
                    let Some(value) = value else { continue };
                    if claim.name.has_client() {
                        claim.name.for_client(client_id).set(claims, value);
                    } else {
                        set(claims, claim, Some(value));
                    }
                }
            }
            Self::Groups { claim, full_path } => {
                let groups = user.groups.iter().map(|group| subject.model.group(*group));
                let names: Vec<_> = groups
                    .map(|group| if *full_path { &group.path } else { &group.name })
                    .collect();
                if !names.is_empty() {
                    set_name(claims, claim, json!(names));
                }
            }
            Self::Audience(audience) => add_audience(claims, audience),
            Self::AudienceResolve => {
                let others = view
                    .clients
                    .keys()
                    .filter(|client| **client != subject.client.client_id);
                others.for_each(|client| add_audience(claims, client));
            }
            Self::AllowedOrigins => {
                let origins: Vec<_> = subject.client.origins(subject.server_url).collect();
                if !origins.is_empty() {
                    claims.insert("allowed-origins".to_owned(), json!(origins));
                }
            }
            Self::Acr => {
                claims.insert("acr".to_owned(), json!(subject.acr));
            }
            Self::Sub => {
                claims.insert("sub".to_owned(), json!(user.id));
            }
            Self::SessionNote { note, claim } => {
                let value = subject.notes.get(note);
                set(
                    claims,
                    claim,
                    value.and_then(|text| values::convert(text, claim.value_type)),
                );
            }
            Self::HardcodedClaim { claim, value } => set_name(claims, claim, value.clone()),
            Self::Nonce => {
                if let Some(nonce) = subject.nonce {
                    claims.insert("nonce".to_owned(), json!(nonce));
                }
            }
            Self::HardcodedRole(_) | Self::RoleName { .. } | Self::Organization | Self::Amr => {}
        }
    }
}

fn set(claims: &mut Map<String, Value>, claim: &Claim, value: Option<Value>) {
    if let Some(value) = value {
        set_name(claims, &claim.name, value);
    }
}

fn set_name(claims: &mut Map<String, Value>, name: &ClaimName, value: Value) {
    if name.is("aud") {
        match &value {
            Value::String(audience) => add_audience(claims, audience),
            Value::Array(audiences) => {
                (audiences.iter().filter_map(Value::as_str)).for_each(|audience| add_audience(claims, audience));
            }
            _ => {}
        }
    } else if !name.is_reserved() {
        name.set(claims, value);
    }
}

/// One audience is a text, several are an array (RFC 7519 §4.1.3).
pub(super) fn add_audience(claims: &mut Map<String, Value>, audience: &str) {
    match claims.get_mut("aud") {
        None => {
            claims.insert("aud".to_owned(), json!(audience));
        }
        Some(Value::Array(present)) => {
            if !present.iter().any(|other| other == audience) {
                present.push(json!(audience));
            }
        }
        Some(present) => {
            if present != audience {
                *present = json!([present.take(), audience]);
            }
        }
    }
}

fn prefixed(roles: &BTreeSet<String>, prefix: &str) -> Vec<String> {
    roles.iter().map(|role| format!("{prefix}{role}")).collect()
}

/// The values of an attribute: the user's, or those of the nearest groups that have it.
fn attribute_values(subject: &Subject<'_>, attribute: &str, aggregate: bool) -> Vec<String> {
    let user = subject.user;
    let mut values = match attribute {
        "username" => vec![user.username.clone()],
        "email" => user.email.iter().cloned().collect(),
        "firstName" => user.first_name.iter().cloned().collect(),
        "lastName" => user.last_name.iter().cloned().collect(),
        other => user.attributes.get(other).cloned().unwrap_or_default(),
    };
    if !values.is_empty() && !aggregate {
        return values;
    }
    for group in &user.groups {
        for group in subject.model.group_and_parents(*group) {
            let Some(of_group) = group.attributes.get(attribute) else {
                continue;
            };
            for value in of_group {
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
            if !aggregate && !values.is_empty() {
                return values;
            }
        }
    }
    values
}

fn property_value(user: &User, property: &str) -> Option<String> {
    match property {
        "id" => Some(user.id.clone()),
        "username" => Some(user.username.clone()),
        "email" => user.email.clone(),
        "firstName" => user.first_name.clone(),
        "lastName" => user.last_name.clone(),
        "emailVerified" => Some(user.email_verified.to_string()),
        "enabled" => Some(user.enabled.to_string()),
        _ => None,
    }
}
