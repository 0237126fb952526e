//! The attributes that a user needs before Keycloak lets them in: without them the account is "not fully set up".

use serde::Deserialize;
use serde_json::Value;

use crate::dev::{
    error::RealmFileError,
    file::{RealmFile, UserFile},
    model::paths::Path,
};

const PROVIDER: &str = "org.keycloak.userprofile.UserProfileProvider";
const SETTING: &str = "kc.user.profile.config";

/// What the user profile of a realm requires.
pub(super) struct RequiredProfile(Vec<String>);

#[derive(Deserialize)]
struct ProfileFile {
    attributes: Vec<AttributeFile>,
}

#[derive(Deserialize)]
struct AttributeFile {
    name: String,
    required: Option<Value>,
}

impl RequiredProfile {
    /// That of the file, or Keycloak's own: e-mail address, first and last name.
    pub(super) fn read(file: &RealmFile) -> Result<Self, RealmFileError> {
        let verify = file
            .required_actions
            .iter()
            .find(|action| action.alias == "VERIFY_PROFILE");
        if verify.is_some_and(|action| action.enabled == Some(false)) {
            return Ok(Self(Vec::new()));
        }
        let providers = file.components.get(PROVIDER);
        let configured = providers.and_then(|providers| providers.first()?.setting(SETTING));
        let Some(text) = configured else {
            return Ok(Self(["email", "firstName", "lastName"].map(str::to_owned).to_vec()));
        };
        let profile: ProfileFile = serde_json::from_str(text).map_err(|error| {
            let path = Path::new("components").member(PROVIDER).item(0);
            path.member("config").member(SETTING).invalid(error.to_string())
        })?;
        let required = profile.attributes.into_iter().filter(AttributeFile::is_required);
        Ok(Self(required.map(|attribute| attribute.name).collect()))
    }

    /// The attributes that a user lacks, or has a value of that cannot be one.
    pub(super) fn missing<'p>(&'p self, user: &UserFile) -> Vec<&'p str> {
        let has = |name: &str| match name {
            "username" => true,
            "email" => user.email.as_deref().is_some_and(is_email),
            "firstName" => is_set(user.first_name.as_ref()),
            "lastName" => is_set(user.last_name.as_ref()),
            other => user.attributes.get(other).is_some_and(|values| is_set(values.first())),
        };
        self.0.iter().map(String::as_str).filter(|name| !has(name)).collect()
    }
}

impl AttributeFile {
    /// Whether users themselves have to have it: always, or as users; those of some scopes only are left out.
    fn is_required(&self) -> bool {
        let Some(Value::Object(required)) = &self.required else {
            return false;
        };
        let listed = |name: &str| {
            required
                .get(name)
                .and_then(Value::as_array)
                .filter(|list| !list.is_empty())
        };
        match listed("roles") {
            None => listed("scopes").is_none(),
            Some(roles) => roles.iter().any(|role| role == "user"),
        }
    }
}

fn is_email(text: &str) -> bool {
    text.split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

fn is_set(value: Option<&String>) -> bool {
    value.is_some_and(|value| !value.trim().is_empty())
}
