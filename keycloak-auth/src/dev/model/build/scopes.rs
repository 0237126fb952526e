//! Client scopes, and the roles in the scope of clients and client scopes.

use super::super::{Client, ClientScope, RoleId, paths::Path, roles::Roles};
use crate::dev::{
    error::{RealmFileError, RealmWarning},
    file::{RealmFile, ScopeMappingFile},
    mappers::Mapper,
};

/// Reads the client scopes; those of other protocols stay, without mappers, so that their names are known.
pub(super) fn read(
    file: &RealmFile,
    roles: &Roles<'_>,
    warnings: &mut Vec<RealmWarning>,
) -> Result<Vec<ClientScope>, RealmFileError> {
    let mut scopes: Vec<ClientScope> = Vec::new();
    for (number, scope) in file.client_scopes.iter().flatten().enumerate() {
        let path = Path::new("clientScopes").item(number);
        if scope.name.trim().is_empty() {
            return Err(path.member("name").invalid("a client scope needs a name"));
        }
        if scopes.iter().any(|other| other.name == scope.name) {
            let text = format!("there are two client scopes `{}`", scope.name);
            return Err(path.member("name").invalid(text));
        }
        let mut mappers = Vec::new();
        for (number, mapper) in scope.protocol_mappers.iter().enumerate() {
            let path = path.member("protocolMappers").item(number);
            mappers.extend(Mapper::read(mapper, &path, roles, warnings)?);
        }
        scopes.push(ClientScope {
            name: scope.name.clone(),
            openid_connect: scope.protocol.as_deref().unwrap_or("openid-connect") == "openid-connect",
            in_token_scope: scope
                .attributes
                .get("include.in.token.scope")
                .is_none_or(|value| value != "false"),
            mappers,
            roles: roles.expand([]),
        });
    }
    for_each_mapping(
        file,
        |mapping, role_ids| {
            let Some(name) = &mapping.target.client_scope else {
                return Ok(());
            };
            let scope = scopes.iter_mut().find(|scope| scope.name == *name);
            let scope = scope.ok_or_else(|| {
                let path = mapping.path.member("clientScope");
                path.invalid(format!("there is no client scope `{name}`"))
            })?;
            scope.roles.extend(roles.expand(role_ids));
            Ok(())
        },
        roles,
    )?;
    Ok(scopes)
}

/// Adds the roles of the scope mappings to the clients without full scope.
pub(super) fn restrict_clients(
    file: &RealmFile,
    roles: &Roles<'_>,
    clients: &mut [Client],
) -> Result<(), RealmFileError> {
    for_each_mapping(
        file,
        |mapping, role_ids| {
            let Some(name) = &mapping.target.client else {
                return Ok(());
            };
            let client = roles.client(name, &mapping.path.member("client"))?;
            if let Some(scope) = &mut clients[client.0].role_scope {
                scope.extend(roles.expand(role_ids));
            }
            Ok(())
        },
        roles,
    )
}

struct Mapping<'f> {
    target: &'f ScopeMappingFile,
    path: Path,
}

/// Goes through `scopeMappings` (realm roles) and `clientScopeMappings` (roles of clients).
fn for_each_mapping(
    file: &RealmFile,
    mut visit: impl FnMut(&Mapping<'_>, Vec<RoleId>) -> Result<(), RealmFileError>,
    roles: &Roles<'_>,
) -> Result<(), RealmFileError> {
    for (number, target) in file.scope_mappings.iter().enumerate() {
        let path = Path::new("scopeMappings").item(number);
        let of_realm = (target.roles.iter().enumerate())
            .map(|(number, name)| roles.of_realm(name, &path.member("roles").item(number)))
            .collect::<Result<_, _>>()?;
        visit(&Mapping { target, path }, of_realm)?;
    }
    for (client_id, mappings) in &file.client_scope_mappings {
        let path = Path::new("clientScopeMappings").member(client_id);
        let client = roles.client(client_id, &path)?;
        for (number, target) in mappings.iter().enumerate() {
            let path = path.item(number);
            let of_client = (target.roles.iter().enumerate())
                .map(|(number, name)| roles.of_client(client, client_id, name, &path.member("roles").item(number)))
                .collect::<Result<_, _>>()?;
            visit(&Mapping { target, path }, of_client)?;
        }
    }
    Ok(())
}
