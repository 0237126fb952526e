//! A mapper from its member in the realm file.

use super::{Claim, ClaimName, Kind, Mapper, Targets, ValueType, values};
use crate::dev::{
    error::{RealmFileError, RealmWarning},
    file::MapperFile,
    model::{Path, RoleId},
};

/// Resolves the roles that mappers name.
pub(in crate::dev) trait RoleNames {
    fn role(&self, name: &str, path: &Path) -> Result<RoleId, RealmFileError>;
}

impl Mapper {
    /// Reads one mapper; a kind that is not supported is named and left out.
    pub(in crate::dev) fn read(
        file: &MapperFile,
        path: &Path,
        roles: &impl RoleNames,
        warnings: &mut Vec<RealmWarning>,
    ) -> Result<Option<Self>, RealmFileError> {
        if file
            .protocol
            .as_deref()
            .is_some_and(|protocol| protocol != "openid-connect")
        {
            return Ok(None);
        }
        let Some(kind) = file.protocol_mapper.as_deref().filter(|kind| !kind.is_empty()) else {
            return Err(path.member("protocolMapper").invalid("a mapper needs its kind"));
        };
        let config = Config {
            file,
            path: path.member("config"),
        };
        // Mappers of old files lack the switches that came later.
        let default_on = |name: &str| !file.config.contains_key(name) || file.is_true(name);
        let mut targets = Targets {
            access_token: file.is_true("access.token.claim"),
            lightweight_access_token: file.is_true("lightweight.claim"),
            id_token: file.is_true("id.token.claim"),
            userinfo: match file.config.get("userinfo.token.claim") {
                Some(value) => value == "true",
                None => file.is_true("id.token.claim"),
            },
            introspection: default_on("introspection.token.claim"),
        };
        let kind = match kind {
            "oidc-usermodel-attribute-mapper" => Kind::Attribute {
                attribute: config.required("user.attribute")?,
                claim: config.claim()?,
                multivalued: file.is_true("multivalued"),
                aggregate: file.is_true("aggregate.attrs"),
            },
            "oidc-usermodel-property-mapper" => Kind::Property {
                property: config.required("user.attribute")?,
                claim: config.claim()?,
            },
            "oidc-full-name-mapper" => Kind::FullName,
            "oidc-address-mapper" => Kind::Address(address(file)),
            "oidc-usermodel-realm-role-mapper" => Kind::RealmRoles {
                claim: config.claim()?,
                prefix: config.text("usermodel.realmRoleMapping.rolePrefix"),
                multivalued: default_on("multivalued"),
            },
            "oidc-usermodel-client-role-mapper" => Kind::ClientRoles {
                claim: config.claim()?,
                client: file.setting("usermodel.clientRoleMapping.clientId").map(str::to_owned),
                prefix: config.text("usermodel.clientRoleMapping.rolePrefix"),
                multivalued: default_on("multivalued"),
            },
            "oidc-group-membership-mapper" => Kind::Groups {
                claim: config.claim_name()?,
                full_path: file.is_true("full.path"),
            },
            "oidc-audience-mapper" => {
                let client = file.setting("included.client.audience");
                let Some(audience) = client.or_else(|| file.setting("included.custom.audience")) else {
                    return Err((config.path.member("included.client.audience"))
                        .invalid("an audience mapper needs this, or `included.custom.audience`"));
                };
                Kind::Audience(audience.to_owned())
            }
            "oidc-audience-resolve-mapper" => {
                targets.access_token = default_on("access.token.claim");
                Kind::AudienceResolve
            }
            "oidc-allowed-origins-mapper" => {
                targets.access_token = default_on("access.token.claim");
                Kind::AllowedOrigins
            }
            "oidc-acr-mapper" => Kind::Acr,
            "oidc-amr-mapper" => Kind::Amr,
            "oidc-sub-mapper" => Kind::Sub,
            "oidc-usersessionmodel-note-mapper" => Kind::SessionNote {
                note: config.required("user.session.note")?,
                claim: config.claim()?,
            },
            "oidc-hardcoded-claim-mapper" => config.hardcoded_claim()?,
            "oidc-hardcoded-role-mapper" => Kind::HardcodedRole(config.role(roles)?),
            "oidc-role-name-mapper" => Kind::RoleName {
                role: config.role(roles)?,
                name: config.required("new.role.name")?,
            },
            "oidc-organization-membership-mapper" => Kind::Organization,
            "oidc-nonce-backwards-compatible-mapper" => {
                targets.access_token = true;
                Kind::Nonce
            }
            other => {
                warnings.push(RealmWarning::new(
                    path.member("protocolMapper").to_string(),
                    format!("`{other}` is not supported: its claims are missing"),
                ));
                return Ok(None);
            }
        };
        Ok(Some(Self { kind, targets }))
    }
}

struct Config<'f> {
    file: &'f MapperFile,
    path: Path,
}

impl Config<'_> {
    fn required(&self, name: &str) -> Result<String, RealmFileError> {
        let value = self.file.setting(name).map(str::to_owned);
        value.ok_or_else(|| {
            let kind = self.file.protocol_mapper.as_deref().unwrap_or_default();
            self.path
                .member(name)
                .invalid(format!("the mapper `{kind}` needs this"))
        })
    }

    fn text(&self, name: &str) -> String {
        self.file.config.get(name).cloned().unwrap_or_default()
    }

    fn claim_name(&self) -> Result<ClaimName, RealmFileError> {
        self.required("claim.name").map(|name| ClaimName::parse(&name))
    }

    fn claim(&self) -> Result<Claim, RealmFileError> {
        Ok(Claim {
            name: self.claim_name()?,
            value_type: self.value_type()?,
        })
    }

    fn value_type(&self) -> Result<ValueType, RealmFileError> {
        match self.file.setting("jsonType.label") {
            None | Some("String") => Ok(ValueType::String),
            Some("long" | "int") => Ok(ValueType::Integer),
            Some("boolean") => Ok(ValueType::Boolean),
            Some("JSON") => Ok(ValueType::Json),
            Some(other) => Err(self.path.member("jsonType.label").invalid(format!(
                "`{other}` is none of `String`, `long`, `int`, `boolean` and `JSON`"
            ))),
        }
    }

    fn hardcoded_claim(&self) -> Result<Kind, RealmFileError> {
        let claim = self.claim_name()?;
        let text = self.required("claim.value")?;
        let value = values::convert(&text, self.value_type()?).ok_or_else(|| {
            let path = self.path.member("claim.value");
            path.invalid(format!("`{text}` does not have the type of `jsonType.label`"))
        })?;
        Ok(Kind::HardcodedClaim { claim, value })
    }

    fn role(&self, roles: &impl RoleNames) -> Result<RoleId, RealmFileError> {
        roles.role(&self.required("role")?, &self.path.member("role"))
    }
}

/// The members of the claim `address` (OpenID Connect Core §5.1.1) with the attributes that they are taken from.
fn address(file: &MapperFile) -> Vec<(&'static str, String)> {
    const MEMBERS: [(&str, &str); 6] = [
        ("street_address", "street"),
        ("locality", "locality"),
        ("region", "region"),
        ("postal_code", "postal_code"),
        ("country", "country"),
        ("formatted", "formatted"),
    ];
    let attribute = |name: &str| {
        let setting = file.setting(&format!("user.attribute.{name}"));
        setting.unwrap_or(name).to_owned()
    };
    MEMBERS.map(|(member, name)| (member, attribute(name))).to_vec()
}
