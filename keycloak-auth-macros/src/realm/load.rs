//! Finds and reads the realm file, once a process and again when it changes.

use std::{
    collections::HashMap,
    env, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::SystemTime,
};

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::{
    Problem, Realm, RealmCheck, export,
    settings::{RealmFile, Settings, VARIABLE},
};

/// A compiler has one package, an editor's server many.
static LOADED: LazyLock<Mutex<HashMap<Source, Loaded>>> = LazyLock::new(Mutex::default);

/// The realm of the package that is being compiled.
pub(crate) fn check() -> RealmCheck {
    // Build systems other than cargo may not set it, and then there is no manifest to look for either.
    let Some(package) = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) else {
        return RealmCheck::default();
    };
    let variable = env::var(VARIABLE).ok();
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (package, variable);
    if let Some(known) = loaded.get_mut(&key)
        && known.is_current()
    {
        return known.tell();
    }
    let mut fresh = Loaded::load(&key.0, key.1.as_deref());
    let told = fresh.tell();
    loaded.insert(key, fresh);
    told
}

/// The package's folder, and the value of the environment variable.
type Source = (PathBuf, Option<String>);

/// What was found, and of which files.
pub(super) struct Loaded {
    realm: Option<Arc<Realm>>,
    problem: Option<Problem>,
    files: Vec<(PathBuf, Option<Stamp>)>,
    is_told: bool,
}

/// What changes when a file is written.
#[derive(PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
}

impl Loaded {
    pub(super) fn load(package: &Path, variable: Option<&str>) -> Self {
        let mut settings = Settings::read(package, variable);
        let mut files: Vec<_> = settings.manifests.drain(..).map(stamped).collect();
        let mut problem = settings.problem.take();
        let mut realm = None;
        if let Some(file) = &settings.file {
            files.push(stamped(file.path.clone()));
            match read(file, settings.realm_name.as_deref(), settings.client) {
                Ok(read) => realm = Some(Arc::new(read)),
                Err(unusable) => problem = problem.or(Some(unusable)),
            }
        }
        // One error, which is to be corrected first.
        if problem.is_some() {
            realm = None;
        }
        Self {
            realm,
            problem,
            files,
            is_told: false,
        }
    }

    pub(super) fn is_current(&self) -> bool {
        self.files.iter().all(|(path, stamp)| Stamp::of(path) == *stamp)
    }

    /// The first to ask learns everything, the others the names.
    pub(super) fn tell(&mut self) -> RealmCheck {
        let is_first = !self.is_told;
        self.is_told = true;
        RealmCheck {
            realm: self.realm.clone(),
            problem: self.problem.clone().filter(|_| is_first),
            dependencies: if is_first {
                self.dependencies()
            } else {
                TokenStream::new()
            },
        }
    }

    /// The compiler tells cargo about files that are included and variables that are read. Of the files nothing is used, so
    /// that they do not end up in the program.
    fn dependencies(&self) -> TokenStream {
        // A missing file would be reported a second time.
        let existing = self.files.iter().filter(|(_, stamp)| stamp.is_some());
        let files = existing.filter_map(|(path, _)| path.to_str());
        let span = Span::mixed_site();
        quote_spanned! {span=>
            const _: () = {
                #(_ = ::core::include_bytes!(#files);)*
                _ = ::core::option_env!(#VARIABLE);
            };
        }
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
        })
    }
}

fn stamped(path: PathBuf) -> (PathBuf, Option<Stamp>) {
    let stamp = Stamp::of(&path);
    (path, stamp)
}

fn read(file: &RealmFile, realm_name: Option<&str>, client: Option<String>) -> Result<Realm, Problem> {
    let RealmFile { path, written, .. } = file;
    let json = fs::read(path).map_err(|error| unreadable(file, &error))?;
    let realm = Realm::new(export::parse(&json, written, realm_name)?, client);
    match &realm.own_client {
        Some(client) if !realm.client_roles.contains_key(client) => Err(Problem::new(
            format!("the realm `{}` has no client `{client}`", realm.name),
            "`client` in the table `metadata.keycloak` of Cargo.toml is the `client_id` of the service",
        )),
        _ => Ok(realm),
    }
}

fn unreadable(file: &RealmFile, error: &io::Error) -> Problem {
    let RealmFile {
        path,
        written,
        is_of_variable,
    } = file;
    let help = if path.is_dir() {
        "it is a folder; name the file of the realm in it, such as `acme-realm.json` of `kc.sh export --dir`".to_owned()
    } else if !is_of_variable {
        format!(
            "it is looked for at `{}`, as `realm` in the table `metadata.keycloak` of Cargo.toml says",
            path.display()
        )
    } else if Path::new(written).is_relative() {
        format!(
            "it is looked for at `{}`, as the environment variable `{VARIABLE}` says, which is relative to the folder of the package: \
             make it absolute",
            path.display()
        )
    } else {
        format!("the environment variable `{VARIABLE}` says that it is there")
    };
    Problem::new(format!("cannot read the realm file `{written}`: {error}"), help)
}
