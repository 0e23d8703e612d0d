//! What somebody probably meant.

/// The known word that looks most like a misspelled one, where one looks like it at all.
pub(crate) fn nearest<'a>(
    wanted: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted = wanted.to_ascii_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wanted, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 5)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_nothing_is_left_alone() {
        let known = ["role", "regions", "subscription.pending"];
        for (wanted, expected) in [
            ("rol", Some("role")),
            ("REGION", Some("regions")),
            ("subscription.pendin", Some("subscription.pending")),
            ("zebra", None),
        ] {
            assert_eq!(nearest(wanted, known), expected, "{wanted}");
        }
    }
}
