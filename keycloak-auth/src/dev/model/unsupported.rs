//! What a realm file asks for and the embedded realm does not do.

use crate::dev::{
    error::RealmWarning,
    file::{ClientFile, RealmFile},
};

/// Names everything that a user of the file would miss.
pub(super) fn report(file: &RealmFile, warnings: &mut Vec<RealmWarning>) {
    let mut warn = |member: String, text: &str| warnings.push(RealmWarning::new(member, text));
    realm(file, &mut warn);
    scopes(file, &mut warn);
    for (number, own) in file.clients.iter().enumerate() {
        client(own, &format!("clients[{number}]"), &mut warn);
    }
    for (number, user) in file.users.iter().enumerate() {
        let path = format!("users[{number}]");
        for (number, credential) in user.credentials.iter().enumerate() {
            match credential.kind.as_deref() {
                None | Some("password") => {}
                Some(_) => warn(
                    format!("{path}.credentials[{number}]"),
                    "only passwords are supported: this credential is not asked for",
                ),
            }
        }
        if !user.required_actions.is_empty() {
            warn(
                format!("{path}.requiredActions"),
                "required actions cannot be done here: the user cannot log in",
            );
        }
        if user.federation_link.is_some() {
            warn(format!("{path}.federationLink"), "user federation is not supported");
        }
    }
}

fn realm(file: &RealmFile, warn: &mut impl FnMut(String, &str)) {
    for (asked, member, text) in [
        (
            !file.identity_providers.is_empty(),
            "identityProviders",
            "logins by other providers are not offered",
        ),
        (
            !file.user_federation_providers.is_empty(),
            "userFederationProviders",
            "user federation is not supported",
        ),
        (
            !file.federated_users.is_empty(),
            "federatedUsers",
            "user federation is not supported",
        ),
        (
            !file.organizations.is_empty(),
            "organizations",
            "there are no organizations: their claims are missing",
        ),
        (
            file.registration_allowed,
            "registrationAllowed",
            "the login page offers no registration",
        ),
        (
            file.reset_password_allowed,
            "resetPasswordAllowed",
            "the login page offers no new password",
        ),
        (
            file.remember_me,
            "rememberMe",
            "the login page does not offer to remember a user",
        ),
        (
            file.verify_email,
            "verifyEmail",
            "no e-mail is sent: unverified addresses are not held up",
        ),
        (
            file.brute_force_protected,
            "bruteForceProtected",
            "any number of logins may fail",
        ),
        (
            file.components.contains_key("org.keycloak.storage.UserStorageProvider"),
            "components",
            "user federation is not supported",
        ),
        (
            is_custom(file.browser_flow.as_deref(), "browser"),
            "browserFlow",
            "the login page asks for user name and password only",
        ),
        (
            is_custom(file.direct_grant_flow.as_deref(), "direct grant"),
            "directGrantFlow",
            "the password grant asks for user name and password only",
        ),
    ] {
        if asked {
            warn(member.to_owned(), text);
        }
    }
}

fn is_custom(flow: Option<&str>, built_in: &str) -> bool {
    flow.is_some_and(|flow| flow != built_in)
}

/// The trap of a hand-written file: client scopes of its own, and none of those that make `sub` and roles.
fn scopes(file: &RealmFile, warn: &mut impl FnMut(String, &str)) {
    let Some(scopes) = &file.client_scopes else { return };
    for (name, missing) in [("basic", "`sub`"), ("roles", "roles and the audience of roles")] {
        if !scopes.iter().any(|scope| scope.name == name) {
            warn(
                "clientScopes".to_owned(),
                &format!(
                    "a file with client scopes has only those: without `{name}` tokens come without {missing}; \
                     leave `clientScopes` out, or list the built-in ones too, as an export does"
                ),
            );
        }
    }
}

fn client(file: &ClientFile, path: &str, warn: &mut impl FnMut(String, &str)) {
    if file
        .protocol
        .as_deref()
        .is_some_and(|protocol| protocol != "openid-connect")
    {
        warn(
            format!("{path}.protocol"),
            "only `openid-connect` is supported: this client cannot log in",
        );
        return;
    }
    let authenticator = file.client_authenticator_type.as_deref().unwrap_or("client-secret");
    let confidential = !file.public_client && !file.bearer_only;
    let secret = file.secret.as_deref().unwrap_or_default();
    let is_true = |name: &str| file.attributes.get(name).is_some_and(|value| value == "true");
    let has_value = |name: &str| file.attributes.get(name).is_some_and(|value| !value.is_empty());
    for (asked, member, text) in [
        (
            confidential && authenticator != "client-secret",
            "clientAuthenticatorType",
            "only `client-secret` is supported: this client cannot authenticate otherwise",
        ),
        (
            confidential && authenticator == "client-secret" && (secret.is_empty() || secret == "**********"),
            "secret",
            "the secret is not in the file: this client cannot authenticate",
        ),
        (
            file.implicit_flow_enabled,
            "implicitFlowEnabled",
            "the implicit flow is not supported",
        ),
        (
            file.consent_required,
            "consentRequired",
            "the user is not asked for consent",
        ),
        (
            file.authorization_services_enabled,
            "authorizationServicesEnabled",
            "there are no authorization services",
        ),
        (
            !file.authentication_flow_binding_overrides.is_empty(),
            "authenticationFlowBindingOverrides",
            "logins ask for user name and password only",
        ),
        (
            is_true("oauth2.device.authorization.grant.enabled"),
            "attributes",
            "the device authorization grant is not supported",
        ),
        (
            is_true("oidc.ciba.grant.enabled"),
            "attributes",
            "the CIBA grant is not supported",
        ),
        (
            is_true("tls.client.certificate.bound.access.tokens"),
            "attributes",
            "tokens are not bound to a TLS client certificate",
        ),
        (
            is_true("require.pushed.authorization.requests"),
            "attributes",
            "pushed authorization requests are not supported",
        ),
        (
            has_value("backchannel.logout.url"),
            "attributes",
            "the client is not told of logouts",
        ),
        (
            has_value("id.token.encrypted.response.alg"),
            "attributes",
            "ID tokens are not encrypted",
        ),
        (
            has_value("user.info.response.signature.alg"),
            "attributes",
            "the userinfo answer is not signed",
        ),
    ] {
        if asked {
            warn(format!("{path}.{member}"), text);
        }
    }
}
