//! "Did you mean …": the nearest of the known words.

/// The word of `known` that `word` is most likely a misspelling of, or that it ends in, as `require_roles` does.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    known
        .iter()
        .map(|candidate| (similarity(&word, candidate), *candidate))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// The word of ours for what another system calls so: Spring Security, Jakarta EE, NestJS, Symfony, ASP.NET Core.
pub(crate) fn of_another_system(word: &str) -> Option<&'static str> {
    let word: String = word
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric())
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    Some(match &*word {
        "permitall" | "allowanonymous" | "anonymous" | "unauthenticated" | "open" | "everyone" | "ispublic"
        | "publicaccess" | "unprotected" | "skipauth" | "noauth" => "public",
        "isauthenticated"
        | "fullyauthenticated"
        | "isfullyauthenticated"
        | "loggedin"
        | "login"
        | "loginrequired"
        | "requireauth"
        | "requiresauth"
        | "requireslogin"
        | "isgranted"
        | "authorize"
        | "authorized"
        | "protected" => "authenticated",
        "hasrole" | "hasauthority" | "requirerole" | "isuserinrole" => "role",
        "hasanyrole" | "hasanyauthority" | "rolesallowed" | "requireroles" | "allowedroles" => "roles",
        "hasscope" | "requirescope" => "scope",
        "ingroup" | "isingroup" | "memberof" | "hasgroup" => "group",
        "and" | "allof" => "all",
        "or" | "anyof" | "oneof" => "any",
        _ => return None,
    })
}

fn similarity(word: &str, candidate: &str) -> f64 {
    match word.strip_suffix(candidate) {
        Some(prefix) if prefix.ends_with('_') => 0.99,
        _ => strsim::jaro_winkler(word, candidate),
    }
}

/// The name that `name` is most likely a misspelling of. Stricter than [`nearest`], as rustc is with names: one letter in
/// three may differ, and case does not count.
pub(crate) fn nearest_name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let most = name.chars().count().max(3) / 3;
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Names for a reader; not all of them when there are many.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 8;
    let mut names = names.into_iter();
    let shown: Vec<_> = names.by_ref().take(MOST).map(|name| format!("`{name}`")).collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
