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

fn similarity(word: &str, candidate: &str) -> f64 {
    match word.strip_suffix(candidate) {
        Some(prefix) if prefix.ends_with('_') => 0.99,
        _ => strsim::jaro_winkler(word, candidate),
    }
}
