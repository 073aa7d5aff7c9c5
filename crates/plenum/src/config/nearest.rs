//! The known name that a mistyped one probably means.

/// The nearest of `names` by edit distance, if it is near enough to be meant: a third of the
/// letters may differ.
pub(crate) fn nearest<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let typed = typed.to_ascii_lowercase();
    names
        .map(|name| (strsim::damerau_levenshtein(&typed, name), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_is_near_and_only_that() {
        let names = || ["http.port", "http.bind", "media.port"].into_iter();
        assert_eq!(nearest("http.prot", names()), Some("http.port"));
        assert_eq!(nearest("htp.port", names()), Some("http.port"));
        assert_eq!(nearest("HTTP.BIND", names()), Some("http.bind"));
        assert_eq!(nearest("something.else", names()), None);
    }
}
