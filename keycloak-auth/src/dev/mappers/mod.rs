//! Protocol mappers: what puts a claim into a token.
//!
//! `read` makes a mapper of its member in the realm file, `apply` runs the mappers of a token.

mod apply;
mod claim;
mod read;
mod values;

pub(super) use apply::{Subject, apply};
pub(super) use read::RoleNames;

use claim::ClaimName;

use serde_json::Value;

use super::model::RoleId;

/// A protocol mapper.
#[derive(Debug)]
pub(super) struct Mapper {
    kind: Kind,
    targets: Targets,
}

/// What a mapper adds.
#[derive(Debug)]
enum Kind {
    /// `oidc-usermodel-attribute-mapper`
    Attribute {
        attribute: String,
        claim: Claim,
        multivalued: bool,
        aggregate: bool,
    },
    /// `oidc-usermodel-property-mapper`
    Property { property: String, claim: Claim },
    /// `oidc-full-name-mapper`
    FullName,
    /// `oidc-address-mapper`: pairs of member and attribute.
    Address(Vec<(&'static str, String)>),
    /// `oidc-usermodel-realm-role-mapper`
    RealmRoles {
        claim: Claim,
        prefix: String,
        multivalued: bool,
    },
    /// `oidc-usermodel-client-role-mapper`
    ClientRoles {
        claim: Claim,
        client: Option<String>,
        prefix: String,
        multivalued: bool,
    },
    /// `oidc-group-membership-mapper`
    Groups { claim: ClaimName, full_path: bool },
    /// `oidc-audience-mapper`
    Audience(String),
    /// `oidc-audience-resolve-mapper`
    AudienceResolve,
    /// `oidc-allowed-origins-mapper`
    AllowedOrigins,
    /// `oidc-acr-mapper`
    Acr,
    /// `oidc-amr-mapper`: the embedded realm knows no authentication method references, as Keycloak by default.
    Amr,
    /// `oidc-sub-mapper`
    Sub,
    /// `oidc-usersessionmodel-note-mapper`
    SessionNote { note: String, claim: Claim },
    /// `oidc-hardcoded-claim-mapper`
    HardcodedClaim { claim: ClaimName, value: Value },
    /// `oidc-hardcoded-role-mapper`
    HardcodedRole(RoleId),
    /// `oidc-role-name-mapper`
    RoleName { role: RoleId, name: String },
    /// `oidc-organization-membership-mapper`: the embedded realm has no organizations, so it adds nothing.
    Organization,
    /// `oidc-nonce-backwards-compatible-mapper`
    Nonce,
}

/// A claim with the type of its value.
#[derive(Debug)]
struct Claim {
    name: ClaimName,
    value_type: ValueType,
}

/// The setting `jsonType.label`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueType {
    String,
    Integer,
    Boolean,
    Json,
}

/// What a mapper adds its claim to.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five independent switches of the realm file"
)]
struct Targets {
    access_token: bool,
    lightweight_access_token: bool,
    id_token: bool,
    userinfo: bool,
    introspection: bool,
}

/// What the claims are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    AccessToken,
    LightweightAccessToken,
    IdToken,
    UserInfo,
    Introspection,
}

impl Kind {
    /// Whether mappers of this kind serve such claims at all, whatever their switches say.
    fn serves(&self, target: Target) -> bool {
        match self {
            Self::Attribute { .. }
            | Self::Property { .. }
            | Self::FullName
            | Self::Address(_)
            | Self::RealmRoles { .. }
            | Self::ClientRoles { .. }
            | Self::Groups { .. }
            | Self::SessionNote { .. }
            | Self::HardcodedClaim { .. }
            | Self::Organization => true,
            Self::Audience(_) | Self::Acr | Self::Amr | Self::Sub => target != Target::UserInfo,
            Self::AudienceResolve
            | Self::AllowedOrigins
            | Self::HardcodedRole(_)
            | Self::RoleName { .. }
            | Self::Nonce => !matches!(target, Target::UserInfo | Target::IdToken),
        }
    }
}

impl Targets {
    fn include(self, target: Target) -> bool {
        match target {
            Target::AccessToken => self.access_token,
            Target::LightweightAccessToken => self.lightweight_access_token,
            Target::IdToken => self.id_token,
            Target::UserInfo => self.userinfo,
            Target::Introspection => self.introspection,
        }
    }
}
