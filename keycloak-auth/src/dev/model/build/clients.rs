//! Clients.

use super::super::{
    Client, ClientId, ClientScope, RedirectUris,
    client::{Attributes, ClientKind},
    paths::Path,
    roles::Roles,
};
use crate::{
    Algorithm,
    dev::{
        error::{RealmFileError, RealmWarning},
        file::{ClientFile, RealmFile},
        mappers::Mapper,
    },
    secret::Secret,
};

pub(super) fn read(
    file: &RealmFile,
    roles: &Roles<'_>,
    scopes: &[ClientScope],
    warnings: &mut Vec<RealmWarning>,
) -> Result<Vec<Client>, RealmFileError> {
    let defaults = Defaults {
        default: realm_scopes(
            file.default_default_client_scopes.as_deref(),
            scopes,
            "defaultDefaultClientScopes",
        )?,
        optional: realm_scopes(
            file.default_optional_client_scopes.as_deref(),
            scopes,
            "defaultOptionalClientScopes",
        )?,
    };
    let mut clients = Vec::new();
    for (number, client) in file.clients.iter().enumerate() {
        let reader = Reader {
            file: client,
            path: Path::new("clients").item(number),
            attributes: Attributes(&client.attributes),
        };
        clients.push(reader.read(ClientId(number), roles, scopes, &defaults, warnings)?);
    }
    Ok(clients)
}

/// The scopes of clients that name none.
struct Defaults {
    default: Vec<usize>,
    optional: Vec<usize>,
}

struct Reader<'f> {
    file: &'f ClientFile,
    path: Path,
    attributes: Attributes<'f>,
}

impl Reader<'_> {
    fn read(
        &self,
        id: ClientId,
        roles: &Roles<'_>,
        scopes: &[ClientScope],
        defaults: &Defaults,
        warnings: &mut Vec<RealmWarning>,
    ) -> Result<Client, RealmFileError> {
        let (file, attributes) = (self.file, &self.attributes);
        let mut mappers = Vec::new();
        for (number, mapper) in file.protocol_mappers.iter().enumerate() {
            let path = self.path.member("protocolMappers").item(number);
            mappers.extend(Mapper::read(mapper, &path, roles, warnings)?);
        }
        // A file that names one kind of scopes gives a client only those it names.
        let (default_scopes, optional_scopes) =
            if file.default_client_scopes.is_none() && file.optional_client_scopes.is_none() {
                (defaults.default.clone(), defaults.optional.clone())
            } else {
                (
                    self.scopes(file.default_client_scopes.as_deref(), scopes, "defaultClientScopes")?,
                    self.scopes(file.optional_client_scopes.as_deref(), scopes, "optionalClientScopes")?,
                )
            };
        let redirect_uris = RedirectUris(file.redirect_uris.iter().map(|uri| self.absolute(uri)).collect());
        let web_origins = self.web_origins(&redirect_uris);
        let algorithm = |name: &str, warnings: &mut Vec<RealmWarning>| self.algorithm(name, warnings);
        Ok(Client {
            client_id: file.client_id.clone(),
            enabled: file.enabled.unwrap_or(true),
            openid_connect: file.protocol.as_deref().unwrap_or("openid-connect") == "openid-connect",
            kind: self.kind(),
            standard_flow: file.standard_flow_enabled.unwrap_or(true),
            direct_access_grants: file.direct_access_grants_enabled,
            service_account: file.service_accounts_enabled,
            token_exchange: attributes.is_true("standard.token.exchange.enabled"),
            lightweight: attributes.is_true("client.use.lightweight.access.token.enabled"),
            consent_required: file.consent_required,
            dpop_bound: attributes.is_true("dpop.bound.access.tokens"),
            pkce_method: attributes.text("pkce.code.challenge.method").map(str::to_owned),
            refresh_tokens: !attributes.is_false("use.refresh.tokens"),
            refresh_tokens_for_service_account: attributes.is_true("client_credentials.use_refresh_token"),
            access_token_lifespan: attributes
                .text("access.token.lifespan")
                .and_then(|text| text.parse().ok()),
            access_token_algorithm: algorithm("access.token.signed.response.alg", warnings),
            id_token_algorithm: algorithm("id.token.signed.response.alg", warnings),
            access_token_header_type: attributes.is_true("access.token.header.type.rfc9068"),
            not_before: file.not_before,
            post_logout_redirect_uris: self.post_logout_redirect_uris(),
            redirect_uris,
            web_origins,
            role_scope: (!file.full_scope_allowed.unwrap_or(true)).then(|| roles.expand(roles.of(id))),
            mappers,
            default_scopes,
            optional_scopes,
        })
    }

    fn kind(&self) -> ClientKind {
        if self.file.bearer_only {
            ClientKind::BearerOnly
        } else if self.file.public_client {
            ClientKind::Public
        } else {
            // An export over the admin API masks secrets.
            let secret = self
                .file
                .secret
                .as_deref()
                .filter(|secret| !secret.is_empty() && *secret != "**********");
            ClientKind::Confidential(secret.map(Secret::new))
        }
    }

    fn scopes(
        &self,
        names: Option<&[String]>,
        scopes: &[ClientScope],
        member: &str,
    ) -> Result<Vec<usize>, RealmFileError> {
        find_scopes(names, scopes, &self.path.member(member))
    }

    /// A redirect URI that is a path is one below the root URL.
    fn absolute(&self, uri: &str) -> String {
        let root = self.file.root_url.as_deref().unwrap_or_default();
        if uri.starts_with('/') && !root.starts_with("${") {
            format!("{}{uri}", root.trim_end_matches('/'))
        } else {
            uri.to_owned()
        }
    }

    /// The origins, with `+` replaced by those of the redirect URIs.
    fn web_origins(&self, redirect_uris: &RedirectUris) -> Vec<String> {
        let mut origins: Vec<String> = Vec::new();
        for origin in self.file.web_origins.iter().flatten() {
            if origin == "+" {
                origins.extend(redirect_uris.origins());
            } else {
                origins.push(origin.strip_suffix('/').unwrap_or(origin).to_owned());
            }
        }
        origins.sort();
        origins.dedup();
        origins
    }

    /// After a logout: the attribute has them with `##` between; `+` stands for the redirect URIs, as nothing does.
    fn post_logout_redirect_uris(&self) -> RedirectUris {
        let of_login = || self.file.redirect_uris.iter().map(|uri| self.absolute(uri));
        let mut uris = Vec::new();
        for uri in self
            .attributes
            .text("post.logout.redirect.uris")
            .unwrap_or("+")
            .split("##")
        {
            match uri {
                "+" => uris.extend(of_login()),
                "-" => {}
                other => uris.push(self.absolute(other)),
            }
        }
        RedirectUris(uris)
    }

    fn algorithm(&self, name: &str, warnings: &mut Vec<RealmWarning>) -> Option<Algorithm> {
        let text = self.attributes.text(name)?;
        let algorithm = text.parse().ok();
        if algorithm.is_none() {
            warnings.push(RealmWarning::new(
                self.path.member("attributes").member(name).to_string(),
                format!("`{text}` is not supported: the algorithm of the realm is taken"),
            ));
        }
        algorithm
    }
}

fn realm_scopes(names: Option<&[String]>, scopes: &[ClientScope], member: &str) -> Result<Vec<usize>, RealmFileError> {
    find_scopes(names, scopes, &Path::new(member))
}

fn find_scopes(names: Option<&[String]>, scopes: &[ClientScope], path: &Path) -> Result<Vec<usize>, RealmFileError> {
    let mut found = Vec::new();
    for (number, name) in names.unwrap_or_default().iter().enumerate() {
        let scope = scopes.iter().position(|scope| scope.name == *name);
        let scope = scope.ok_or_else(|| {
            let path = path.item(number);
            path.invalid(format!("there is no client scope `{name}`"))
        })?;
        // Those of other protocols stand in the same list.
        if scopes[scope].openid_connect && !found.contains(&scope) {
            found.push(scope);
        }
    }
    Ok(found)
}
