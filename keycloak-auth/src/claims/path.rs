//! Paths to claims: segments separated by dots; a dot that belongs to a name is written `\.`, as in Keycloak's mappers.

/// Splits the first segment off a path.
pub(crate) fn split(path: &str) -> (&str, Option<&str>) {
    let dot = path.match_indices('.').find(|(at, _)| !path[..*at].ends_with('\\'));
    dot.map_or((path, None), |(at, _)| (&path[..at], Some(&path[at + 1..])))
}

/// Whether a member's name is what a segment says, `\.` standing for a dot.
pub(crate) fn is_named(segment: &str, name: &str) -> bool {
    if segment.contains("\\.") {
        segment.replace("\\.", ".") == name
    } else {
        segment == name
    }
}
