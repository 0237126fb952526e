//! Where the realm file is: `[package.metadata.keycloak]`, `[workspace.metadata.keycloak]`, or the environment variable.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::IgnoredAny};

use super::Problem;
use crate::suggest;

/// Takes the place of the key `realm`; relative to the package's folder. Empty, it switches the check off.
pub(super) const VARIABLE: &str = "KEYCLOAK_REALM_FILE";

const KEYS: &[&str] = &["client", "realm", "realm-name"];

/// What the manifests and the environment say.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) file: Option<RealmFile>,
    /// Which realm of the file, where it has several.
    pub(super) realm_name: Option<String>,
    /// The client that the service is, whose roles `role("…")` means beside realm roles.
    pub(super) client: Option<String>,
    /// The manifests that were read.
    pub(super) manifests: Vec<PathBuf>,
    pub(super) problem: Option<Problem>,
}

/// The realm file, and how the user wrote it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RealmFile {
    pub(super) path: PathBuf,
    pub(super) written: String,
    /// Whether the environment variable says so.
    pub(super) is_of_variable: bool,
}

impl Settings {
    /// Reads the manifest of the folder `package` and that of its workspace, whose keys count where the package has none.
    /// `variable` is the value of [`VARIABLE`].
    pub(super) fn read(package: &Path, variable: Option<&str>) -> Self {
        let mut settings = Self::default();
        let mut realm = None;
        for folder in package.ancestors() {
            let path = folder.join("Cargo.toml");
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            let mut manifest = settings.parse(&text);
            let is_workspace = manifest.workspace.is_some();
            let tables = [
                (folder == package).then_some(manifest.package),
                manifest.workspace.take(),
            ];
            if tables.iter().any(Option::is_some) {
                settings.manifests.push(path);
            }
            for keys in tables.into_iter().flatten().filter_map(|table| table.metadata.keycloak) {
                realm = realm.or_else(|| keys.realm.map(|key| (folder, key)));
                settings.realm_name = settings.realm_name.or(keys.realm_name);
                settings.client = settings.client.or(keys.client);
                settings.problem = settings
                    .problem
                    .or_else(|| keys.unknown.keys().next().map(|key| unknown_key(key)));
            }
            if is_workspace {
                break;
            }
        }
        settings.file = match (variable, realm) {
            (Some(""), _) | (None, None | Some((_, RealmKey::Switch(false)))) => None,
            (Some(file), _) => Some(RealmFile::of_variable(package, file)),
            (None, Some((folder, RealmKey::File(file)))) => Some(RealmFile::of_key(folder, &file)),
            (None, Some((_, RealmKey::Switch(true)))) => {
                settings.problem = settings.problem.or_else(|| {
                    Some(Problem::new(
                        "`realm = true` in the table `metadata.keycloak` of Cargo.toml does not say which file",
                        "write `realm = \"realm.json\"`, or `realm = false` to check nothing",
                    ))
                });
                None
            }
        };
        settings
    }

    fn parse(&mut self, text: &str) -> Manifest {
        toml::from_str(text).unwrap_or_else(|error| {
            self.problem.get_or_insert_with(|| {
                Problem::new(
                    format!(
                        "cannot read the table `metadata.keycloak` of Cargo.toml: {}",
                        error.message()
                    ),
                    "it looks like this: `[package.metadata.keycloak]`, and in the next line `realm = \"realm.json\"`",
                )
            });
            Manifest::default()
        })
    }
}

impl RealmFile {
    fn of_variable(package: &Path, written: &str) -> Self {
        Self {
            is_of_variable: true,
            ..Self::of_key(package, written)
        }
    }

    fn of_key(folder: &Path, written: &str) -> Self {
        Self {
            path: folder.join(written),
            written: written.to_owned(),
            is_of_variable: false,
        }
    }
}

#[derive(Default, Deserialize)]
struct Manifest {
    #[serde(default)]
    package: Table,
    workspace: Option<Table>,
}

#[derive(Default, Deserialize)]
struct Table {
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    keycloak: Option<Keycloak>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Keycloak {
    realm: Option<RealmKey>,
    realm_name: Option<String>,
    client: Option<String>,
    #[serde(flatten)]
    unknown: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "the path of the realm file, or `false`")]
enum RealmKey {
    File(String),
    Switch(bool),
}

fn unknown_key(key: &str) -> Problem {
    let help = match suggest::nearest_name(key, KEYS.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("its keys are {}", suggest::list(KEYS.iter().copied())),
    };
    Problem::new(
        format!("unknown key `{key}` in the table `metadata.keycloak` of Cargo.toml"),
        help,
    )
}
