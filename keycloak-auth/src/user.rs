//! The caller, as handlers see it.

use std::{fmt, ops::Deref, sync::Arc};

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use crate::{
    claims::{Claims, says_that_it_is_lightweight},
    verified_token::VerifiedToken,
};

/// The authenticated caller of a request.
///
/// As an argument of a handler it makes a request without an acceptable token fail with 401; as `Option<KeycloakUser>` it
/// is `None` for a request without credentials, while a bad token is still a 401. Cloning is cheap. All claims of the
/// token are there by dereferencing to [`Claims`].
///
/// ```
/// use keycloak_auth::KeycloakUser;
///
/// async fn me(user: KeycloakUser) -> String {
///     format!("{} <{}>", user.username().unwrap_or("?"), user.email().unwrap_or("no address"))
/// }
/// # let _ = me;
/// ```
#[derive(Clone)]
pub struct KeycloakUser(Arc<VerifiedToken>);

impl KeycloakUser {
    pub(crate) fn new(token: Arc<VerifiedToken>) -> Self {
        Self(token)
    }

    pub(crate) fn into_token(self) -> Arc<VerifiedToken> {
        self.0
    }

    /// Whether Keycloak told the claims, so that the cache of verified tokens does not have them.
    pub(crate) fn is_introspected(&self) -> bool {
        self.0.key().is_none()
    }

    /// Whether the token is a lightweight one and Keycloak was not asked for the rest, so that roles may be missing here.
    pub(crate) fn is_incomplete(&self) -> bool {
        !self.is_introspected() && says_that_it_is_lightweight(self.0.claims())
    }

    /// Whether the caller has the role in the realm or in the configured client; what `role("…")` means in a policy.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.has_realm_role(role) || self.has_client_role(self.0.client_id(), role)
    }

    /// Whether the caller has the realm role.
    #[must_use]
    pub fn has_realm_role(&self, role: &str) -> bool {
        self.0.claims().has_realm_role(role)
    }

    /// Whether the caller has the role of that client.
    #[must_use]
    pub fn has_client_role(&self, client: &str, role: &str) -> bool {
        self.0.claims().has_client_role(client, role)
    }

    /// Whether the caller is a direct member of the group; `"ops"` means the same as `"/ops"`.
    #[must_use]
    pub fn in_group(&self, path: &str) -> bool {
        let path = path.strip_prefix('/').unwrap_or(path);
        self.groups().any(|group| group.strip_prefix('/') == Some(path))
    }

    /// Whether the scope was granted.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.claims().has_scope(scope)
    }

    /// The client of this service, whose roles [`has_role`](Self::has_role) means beside realm roles.
    pub(crate) fn service_client_id(&self) -> &str {
        self.0.client_id()
    }

    /// The access token itself, to pass on to another service. It is a secret: keep it out of logs and answers.
    #[must_use]
    pub fn access_token(&self) -> &str {
        self.0.token()
    }
}

impl Deref for KeycloakUser {
    type Target = Claims;

    fn deref(&self) -> &Claims {
        self.0.claims()
    }
}

/// Shows the subject only.
impl fmt::Debug for KeycloakUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeycloakUser")
            .field("subject", &self.subject())
            .finish_non_exhaustive()
    }
}

/// The user as JSON: who it is and what it may do, without the token and without custom claims.
impl Serialize for KeycloakUser {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut user = serializer.serialize_struct("KeycloakUser", 11)?;
        user.serialize_field("subject", &self.subject())?;
        user.serialize_field("username", &self.username())?;
        user.serialize_field("email", &self.email())?;
        user.serialize_field("email_verified", &self.email_verified())?;
        user.serialize_field("name", &self.name())?;
        user.serialize_field("given_name", &self.given_name())?;
        user.serialize_field("family_name", &self.family_name())?;
        user.serialize_field("realm_roles", &self.realm_roles().collect::<Vec<_>>())?;
        user.serialize_field("client_roles", &ClientRoles(self))?;
        user.serialize_field("groups", &self.groups().collect::<Vec<_>>())?;
        user.serialize_field("scopes", &self.scopes().collect::<Vec<_>>())?;
        user.end()
    }
}

struct ClientRoles<'a>(&'a Claims);

impl Serialize for ClientRoles<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut clients = serializer.serialize_map(None)?;
        for (client, roles) in self.0.clients() {
            clients.serialize_entry(client, &roles.collect::<Vec<_>>())?;
        }
        clients.end()
    }
}

/// The caller: who it is, and what it may do.
#[cfg(feature = "utoipa")]
#[derive(utoipa::ToSchema)]
#[schema(as = KeycloakUser)]
#[expect(dead_code, reason = "only its schema is used")]
struct KeycloakUserSchema {
    /// The user's id in Keycloak; absent in lightweight tokens.
    subject: Option<String>,
    /// The user's name at login.
    username: Option<String>,
    email: Option<String>,
    email_verified: bool,
    /// The full name.
    name: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    realm_roles: Vec<String>,
    /// The roles in each client.
    client_roles: std::collections::BTreeMap<String, Vec<String>>,
    /// Full paths.
    groups: Vec<String>,
    scopes: Vec<String>,
}

#[cfg(feature = "utoipa")]
impl utoipa::PartialSchema for KeycloakUser {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        <KeycloakUserSchema as utoipa::PartialSchema>::schema()
    }
}

#[cfg(feature = "utoipa")]
impl utoipa::ToSchema for KeycloakUser {
    fn name() -> std::borrow::Cow<'static, str> {
        "KeycloakUser".into()
    }
}
