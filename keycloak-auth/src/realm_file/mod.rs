//! Reading a realm file, in the format of Keycloak's export: from the text to the members that somebody asks for.
//!
//! The access matrix and the embedded realm ask for different ones, and each has types of its own for them, beside the
//! roles, which are the same to both.

mod roles;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

pub(crate) use roles::RolesFile;
#[cfg(feature = "dev-realm")]
pub(crate) use roles::{CompositesFile, RoleFile};

/// What somebody reads of a realm.
pub(crate) trait Realm: DeserializeOwned {
    /// The realm's name; empty when the file does not say.
    fn name(&self) -> &str;
}

/// Why a text is no realm file.
#[derive(Debug)]
pub(crate) struct Malformed {
    /// The path of the member, such as `users[2].email`; `.` where the text is not JSON at all.
    pub(crate) member: String,
    /// What is wrong with it, with line and column.
    pub(crate) source: serde_json::Error,
}

const NAMELESS: &str = "a realm needs a name";

/// Reads a realm, or the realm of an array of realms, which an export of a whole server is: the one that is not `master`.
/// With it come the names of the others, and their positions in the array. Which of several is meant is not guessed.
///
/// As Keycloak does it, a byte order mark is read over, and a member that is `null` counts as missing. The check of names at
/// compile time takes the same realm of the same file.
pub(crate) fn read<R: Realm>(json: &str) -> Result<(R, Vec<(usize, String)>), Malformed> {
    let json = json.trim_start_matches('\u{feff}');
    if !json.trim_start().starts_with('[') {
        let realm: R = without_nulls(json)?;
        if realm.name().is_empty() {
            return Err(Malformed::new("realm", NAMELESS));
        }
        return Ok((realm, Vec::new()));
    }
    let mut realms: Vec<R> = without_nulls(json)?;
    if let Some(nameless) = realms.iter().position(|realm| realm.name().is_empty()) {
        return Err(Malformed::new(format!("[{nameless}].realm"), NAMELESS));
    }
    let mut candidates = (0..realms.len()).filter(|number| realms.len() == 1 || realms[*number].name() != "master");
    let chosen = match (candidates.next(), candidates.next()) {
        (Some(chosen), None) => chosen,
        (None, _) => return Err(Malformed::new(".", "the file has no realm")),
        (Some(first), Some(second)) => {
            let (first, second) = (realms[first].name(), realms[second].name());
            let problem = format!(
                "the file has several realms, `{first}` and `{second}`: leave the one that is meant, as `kc.sh export --realm {first}` does"
            );
            return Err(Malformed::new(".", problem));
        }
    };
    let names = realms.iter().map(|realm| realm.name().to_owned()).enumerate();
    let others = names.filter(|(number, _)| *number != chosen).collect();
    Ok((realms.swap_remove(chosen), others))
}

/// Reads the text as it is, which tells the line of a mistake. Where that fails for members that are `null`, without them.
fn without_nulls<T: DeserializeOwned>(json: &str) -> Result<T, Malformed> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let as_it_is = match typed(&mut deserializer) {
        Ok(value) => return deserializer.end().map(|()| value).map_err(Malformed::at_root),
        Err(malformed) => malformed,
    };
    let Ok(mut value) = serde_json::from_str(json) else {
        return Err(as_it_is);
    };
    remove_nulls(&mut value);
    typed(value).map_err(|malformed| {
        if malformed.member == as_it_is.member {
            as_it_is
        } else {
            malformed
        }
    })
}

fn typed<'de, T, D>(deserializer: D) -> Result<T, Malformed>
where
    T: Deserialize<'de>,
    D: Deserializer<'de, Error = serde_json::Error>,
{
    serde_path_to_error::deserialize(deserializer).map_err(|error| Malformed {
        member: error.path().to_string(),
        source: error.into_inner(),
    })
}

fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(remove_nulls);
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}

impl Malformed {
    fn new(member: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self {
            member: member.into(),
            source: serde::de::Error::custom(problem),
        }
    }

    fn at_root(source: serde_json::Error) -> Self {
        Self {
            member: ".".to_owned(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default)]
    struct Sketch {
        realm: String,
        users: Vec<User>,
    }

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default)]
    struct User {
        username: String,
        groups: Vec<String>,
    }

    impl Realm for Sketch {
        fn name(&self) -> &str {
            &self.realm
        }
    }

    fn error(json: &str) -> (String, String) {
        let malformed = read::<Sketch>(json).expect_err(json);
        (malformed.member, malformed.source.to_string())
    }

    /// The same files as for the check at compile time.
    #[test]
    fn takes_the_realm_that_the_check_at_compile_time_takes() {
        #[derive(serde::Deserialize)]
        struct Reading {
            file: String,
            realm: Option<String>,
            problem: Option<String>,
        }
        let readings: Vec<Reading> =
            serde_json::from_str(include_str!("../../../tests/realm/readings.json")).expect("readings");
        assert!(!readings.is_empty());
        for Reading { file, realm, problem } in readings {
            match read::<Sketch>(&file) {
                Ok((read, _)) => assert_eq!((Some(read.realm), None), (realm, problem), "{file}"),
                Err(malformed) => {
                    let problem = problem.unwrap_or_else(|| panic!("{file}: {malformed:?}"));
                    assert!(malformed.source.to_string().contains(&problem), "{file}: {malformed:?}");
                }
            }
        }
    }

    #[test]
    fn names_the_realms_it_leaves_out_and_where_one_has_no_name() {
        let (_, others) = read::<Sketch>(r#"[{"realm": "acme"}, {"realm": "master"}]"#).expect("a realm");
        assert_eq!(others, [(1, "master".to_owned())]);
        assert_eq!(
            error(r#"[{"realm": "acme"}, {}]"#),
            ("[1].realm".to_owned(), NAMELESS.to_owned())
        );
        assert_eq!(error("{}"), ("realm".to_owned(), NAMELESS.to_owned()));
    }

    #[test]
    fn a_member_that_is_null_counts_as_missing() {
        let json = r#"{"realm": "acme", "users": [{"username": "u", "groups": null}, {"username": null}]}"#;
        let (realm, _): (Sketch, _) = read(json).expect("a realm");
        assert_eq!(
            (realm.users[0].username.as_str(), realm.users[0].groups.len()),
            ("u", 0)
        );
        assert_eq!(realm.users[1].username, "");
    }

    #[test]
    fn names_the_member_that_has_another_type_and_where_it_stands() {
        for json in [
            "{\"users\": [{},\n {\"username\": 7}]}",
            "{\"users\": [{},\n {\"username\": 7, \"groups\": null}]}",
        ] {
            let (member, problem) = error(json);
            assert_eq!(member, "users[1].username", "{json}");
            assert!(problem.contains("expected a string at line 2 column"), "{problem}");
        }
        let (member, problem) = error(r#"{"realm": null, "users": [{"username": 7}]}"#);
        assert_eq!(member, "users[0].username");
        assert!(problem.contains("expected a string"), "{problem}");
    }

    #[test]
    fn says_where_the_json_breaks() {
        assert!(error("{\"realm\": \"a\",\n \"users\": [}").1.contains("line 2 column"));
        let (member, problem) = error(r#"{"realm": "a"} {}"#);
        assert_eq!(member, ".");
        assert!(problem.contains("trailing characters"), "{problem}");
    }
}
