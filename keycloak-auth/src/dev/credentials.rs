//! Passwords: in plain text as a hand-written file has them, or hashed as an export has them.

use std::{collections::BTreeMap, fmt, num::NonZeroU32};

use argon2::{Algorithm as Variant, Argon2, Params, Version};
use aws_lc_rs::{constant_time, pbkdf2};
use serde::Deserialize;

use super::{error::RealmFileError, file::CredentialFile, model::Path};

/// A password to compare with.
pub(super) enum Password {
    Plain(String),
    Hashed {
        hash: Vec<u8>,
        salt: Vec<u8>,
        function: Function,
    },
}

/// The function that hashes, with its costs.
pub(super) enum Function {
    Argon2(Box<Argon2<'static>>),
    Pbkdf2(pbkdf2::Algorithm, NonZeroU32),
}

/// `secretData` of a credential.
#[derive(Deserialize)]
struct SecretData {
    value: String,
    salt: Option<String>,
}

/// `credentialData` of a credential.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialData {
    algorithm: String,
    hash_iterations: u32,
    #[serde(default)]
    additional_parameters: BTreeMap<String, Vec<String>>,
}

impl Password {
    pub(super) fn read(file: &CredentialFile, path: &Path) -> Result<Self, RealmFileError> {
        if let Some(plain) = &file.value {
            return Ok(Self::Plain(plain.clone()));
        }
        let parse_error = |error: serde_json::Error| error.to_string();
        let secret_path = path.member("secretData");
        let data_path = path.member("credentialData");
        let secret = (file.secret_data.as_deref())
            .ok_or_else(|| path.invalid("a password needs a `value`, or `secretData` and `credentialData`"))?;
        let secret: SecretData =
            serde_json::from_str(secret).map_err(|error| secret_path.invalid(parse_error(error)))?;
        let data = file
            .credential_data
            .as_deref()
            .ok_or_else(|| data_path.invalid("a hashed password needs this"))?;
        let data: CredentialData = serde_json::from_str(data).map_err(|error| data_path.invalid(parse_error(error)))?;
        let base64 = |text: &str| {
            let decoded = base64_simd::STANDARD.decode_to_vec(text);
            decoded.map_err(|_| secret_path.invalid("`value` and `salt` are base64"))
        };
        let hash = base64(&secret.value)?;
        let function = Function::new(&data, hash.len()).map_err(|problem| data_path.invalid(problem))?;
        Ok(Self::Hashed {
            salt: base64(secret.salt.as_deref().unwrap_or_default())?,
            hash,
            function,
        })
    }

    /// Whether this is the password. Takes as long as the function of the hash does, which is meant to be long.
    pub(super) fn matches(&self, password: &str) -> bool {
        match self {
            Self::Plain(plain) => constant_time::verify_slices_are_equal(plain.as_bytes(), password.as_bytes()).is_ok(),
            Self::Hashed { hash, salt, function } => match function {
                Function::Argon2(argon2) => {
                    let mut computed = vec![0; hash.len()];
                    let hashed = argon2.hash_password_into(password.as_bytes(), salt, &mut computed);
                    hashed.is_ok() && constant_time::verify_slices_are_equal(&computed, hash).is_ok()
                }
                Function::Pbkdf2(algorithm, iterations) => {
                    pbkdf2::verify(*algorithm, *iterations, salt, password.as_bytes(), hash).is_ok()
                }
            },
        }
    }

    /// Whether it takes long to compare.
    pub(super) fn is_hashed(&self) -> bool {
        matches!(self, Self::Hashed { .. })
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

impl Function {
    /// The function of a hash of this length; the error says what is not supported.
    fn new(data: &CredentialData, length: usize) -> Result<Self, String> {
        let pbkdf2 = |algorithm| {
            let iterations = NonZeroU32::new(data.hash_iterations).ok_or("`hashIterations` is 0")?;
            Ok(Self::Pbkdf2(algorithm, iterations))
        };
        match data.algorithm.as_str() {
            "argon2" => Self::argon2(data, length),
            "pbkdf2-sha512" => pbkdf2(pbkdf2::PBKDF2_HMAC_SHA512),
            "pbkdf2-sha256" => pbkdf2(pbkdf2::PBKDF2_HMAC_SHA256),
            "pbkdf2" => pbkdf2(pbkdf2::PBKDF2_HMAC_SHA1),
            other => Err(format!("the hash algorithm `{other}` is not supported")),
        }
    }

    fn argon2(data: &CredentialData, length: usize) -> Result<Self, String> {
        let parameter = |name: &str| data.additional_parameters.get(name)?.first().map(String::as_str);
        let number = |name: &str, default: u32| match parameter(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| format!("the parameter `{name}` is no number")),
        };
        let variant = match parameter("type").unwrap_or("id") {
            "id" => Variant::Argon2id,
            "d" => Variant::Argon2d,
            "i" => Variant::Argon2i,
            other => return Err(format!("argon2 has no type `{other}`")),
        };
        let version = match parameter("version").unwrap_or("1.3") {
            "1.3" => Version::V0x13,
            "1.0" => Version::V0x10,
            other => return Err(format!("argon2 has no version `{other}`")),
        };
        let params = Params::new(
            number("memory", 7168)?,
            data.hash_iterations,
            number("parallelism", 1)?,
            Some(length),
        );
        let params = params.map_err(|error| error.to_string())?;
        Ok(Self::Argon2(Box::new(Argon2::new(variant, version, params))))
    }
}

#[cfg(test)]
mod tests;
