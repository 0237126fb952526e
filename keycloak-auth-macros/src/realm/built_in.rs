//! What Keycloak creates in every realm, and a file written by hand does not mention.

/// The realm roles besides `default-roles-…`.
pub(super) const REALM_ROLES: &[&str] = &["offline_access", "uma_authorization"];

/// The clients with their roles.
pub(super) const CLIENTS: &[(&str, &[&str])] = &[
    (
        "account",
        &[
            "delete-account",
            "manage-account",
            "manage-account-links",
            "manage-consent",
            "view-applications",
            "view-consent",
            "view-groups",
            "view-profile",
        ],
    ),
    ("account-console", &[]),
    ("admin-cli", &[]),
    ("broker", &["read-token"]),
    (
        "realm-management",
        &[
            "create-client",
            "impersonation",
            "manage-authorization",
            "manage-clients",
            "manage-events",
            "manage-identity-providers",
            "manage-organizations",
            "manage-realm",
            "manage-users",
            "query-clients",
            "query-groups",
            "query-organizations",
            "query-realms",
            "query-users",
            "realm-admin",
            "view-authorization",
            "view-clients",
            "view-events",
            "view-identity-providers",
            "view-organizations",
            "view-realm",
            "view-users",
        ],
    ),
    ("security-admin-console", &[]),
];

/// The role that Keycloak adds to a client with authorization services.
pub(super) const AUTHORIZATION_SERVICES_ROLE: &str = "uma_protection";

/// The client scopes of a realm whose file has none of its own.
pub(super) const SCOPES: &[&str] = &[
    "acr",
    "address",
    "basic",
    "email",
    "microprofile-jwt",
    "offline_access",
    "organization",
    "phone",
    "profile",
    "roles",
    "service_account",
    "web-origins",
];

/// Not a client scope, but in the `scope` of every token of OpenID Connect.
pub(super) const OPENID: &str = "openid";

/// The client scope that takes a value behind a colon, as in `organization:acme`.
pub(super) const ORGANIZATION: &str = "organization";

/// Whether a client is in every realm.
pub(crate) fn is_built_in(client: &str) -> bool {
    CLIENTS.iter().any(|(built_in, _)| *built_in == client)
}
