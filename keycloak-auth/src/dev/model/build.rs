//! A model from a realm file: names are resolved, and what cannot be is an error with the path of its member.

mod clients;
mod profile;
mod scopes;
mod users;

use std::collections::HashMap;

use super::{ClientId, Model, Settings, paths::Path, roles::Roles, unsupported};
use crate::{
    Algorithm,
    dev::{
        error::{RealmFileError, RealmWarning},
        file::RealmFile,
        mappers::RoleNames,
        model::RoleId,
    },
};

/// Checks a realm file and makes the model of it.
pub(in crate::dev) fn build(mut file: RealmFile, warnings: &mut Vec<RealmWarning>) -> Result<Model, RealmFileError> {
    if file.realm.trim().is_empty() {
        return Err(RealmFileError::invalid("realm", "a realm needs a name"));
    }
    if file.realm.contains(['/', '?', '#', '%', '\\']) {
        return Err(RealmFileError::invalid(
            "realm",
            "the name cannot be part of an address",
        ));
    }
    unsupported::report(&file, warnings);
    file.complete();
    let client_ids = client_ids(&file)?;
    let roles = Roles::read(&file.roles, &client_ids)?;
    let default_role = default_role(&file, &roles)?;
    let scopes = scopes::read(&file, &roles, warnings)?;
    let mut clients = clients::read(&file, &roles, &scopes, warnings)?;
    scopes::restrict_clients(&file, &roles, &mut clients)?;
    let groups = users::read_groups(&file.groups, &roles)?;
    let users = users::read(&file, &roles, &groups, default_role, &mut clients, &scopes, warnings)?;
    let keys = key_algorithms(&file, warnings);
    let settings = settings(&file, warnings);
    let usernames = users::index(&users, |user| Some(user.username.clone()));
    let emails = users::index(&users, |user| user.email.clone());
    Ok(Model {
        display_name: file.display_name.unwrap_or_else(|| file.realm.clone()),
        enabled: file.enabled.unwrap_or(true),
        name: file.realm,
        settings,
        keys,
        roles: roles.all,
        groups: groups.all,
        scopes,
        clients,
        users,
        client_ids,
        usernames,
        emails,
    })
}

fn client_ids(file: &RealmFile) -> Result<HashMap<String, ClientId>, RealmFileError> {
    let mut client_ids = HashMap::new();
    for (number, client) in file.clients.iter().enumerate() {
        let path = Path::new("clients").item(number).member("clientId");
        if client.client_id.trim().is_empty() {
            return Err(path.invalid("a client needs its id"));
        }
        if client_ids.insert(client.client_id.clone(), ClientId(number)).is_some() {
            return Err(path.invalid(format!("there are two clients `{}`", client.client_id)));
        }
    }
    Ok(client_ids)
}

fn default_role(file: &RealmFile, roles: &Roles<'_>) -> Result<Option<RoleId>, RealmFileError> {
    let Some(role) = &file.default_role else {
        return Ok(None);
    };
    roles
        .of_realm(&role.name, &Path::new("defaultRole").member("name"))
        .map(Some)
}

impl RoleNames for Roles<'_> {
    fn role(&self, name: &str, path: &Path) -> Result<RoleId, RealmFileError> {
        self.of_mapper(name, path)
    }
}

/// The algorithms of the realm's signing keys; an encryption key is there in any case.
fn key_algorithms(file: &RealmFile, warnings: &mut Vec<RealmWarning>) -> Vec<Algorithm> {
    let mut algorithms = Vec::new();
    let providers = file.components.get("org.keycloak.keys.KeyProvider");
    for (number, provider) in providers.into_iter().flatten().enumerate() {
        let setting = |name: &str, default| provider.setting(name).unwrap_or(default).to_owned();
        let algorithm = match provider.provider_id.as_str() {
            "rsa-generated" | "rsa" | "java-keystore" => setting("algorithm", "RS256"),
            "ecdsa-generated" => match setting("ecdsaEllipticCurveKey", "P-256").as_str() {
                "P-384" => "ES384".to_owned(),
                "P-521" => "ES512".to_owned(),
                _ => "ES256".to_owned(),
            },
            "eddsa-generated" if setting("eddsaEllipticCurveKey", "Ed25519") == "Ed25519" => "EdDSA".to_owned(),
            // Keys of the server's own, and for encryption.
            "hmac-generated" | "aes-generated" | "rsa-enc-generated" | "rsa-enc" | "ecdh-generated" => continue,
            other => other.to_owned(),
        };
        if provider.setting("enabled") == Some("false") || provider.setting("active") == Some("false") {
            continue;
        }
        let path = Path::new("components")
            .member("org.keycloak.keys.KeyProvider")
            .item(number);
        match algorithm.parse() {
            Ok(algorithm) if algorithms.contains(&algorithm) => {}
            Ok(algorithm) => algorithms.push(algorithm),
            Err(_) => warnings.push(RealmWarning::new(
                path.to_string(),
                format!("`{algorithm}` is not supported: this key is missing"),
            )),
        }
    }
    if algorithms.is_empty() {
        algorithms.push(Algorithm::RS256);
    }
    algorithms
}

fn settings(file: &RealmFile, warnings: &mut Vec<RealmWarning>) -> Settings {
    let name = file.default_signature_algorithm.as_deref().unwrap_or("RS256");
    let signature_algorithm = name.parse().unwrap_or_else(|_| {
        warnings.push(RealmWarning::new(
            "defaultSignatureAlgorithm",
            format!("`{name}` is not supported: tokens are signed by RS256"),
        ));
        Algorithm::RS256
    });
    let unless_zero = |seconds: u64| (seconds > 0).then_some(seconds);
    Settings {
        not_before: file.not_before,
        signature_algorithm,
        refresh_token_reuse: file.revoke_refresh_token.then_some(file.refresh_token_max_reuse),
        access_token_lifespan: file.access_token_lifespan.unwrap_or(300),
        session_idle: file.sso_session_idle_timeout.unwrap_or(1800),
        session_lifespan: file.sso_session_max_lifespan.unwrap_or(36000),
        client_session_idle: unless_zero(file.client_session_idle_timeout),
        client_session_lifespan: unless_zero(file.client_session_max_lifespan),
        offline_session_idle: file.offline_session_idle_timeout.unwrap_or(2_592_000),
        code_lifespan: file.access_code_lifespan.unwrap_or(60),
        login_lifespan: file.access_code_lifespan_login.unwrap_or(1800),
        organizations: file.organizations_enabled,
        login_with_email: file.login_with_email_allowed.unwrap_or(true) && !file.duplicate_emails_allowed,
    }
}

/// A name-based UUID: the same for the same names, so that a subject survives a restart.
fn uuid_of(names: &[&str]) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for name in names {
        context.update(name.as_bytes());
        context.update(&[0]);
    }
    let digest = context.finish();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    crate::dev::random::uuid(bytes, 8)
}
