//! The versions of the CIS AWS Foundations Benchmark, and how people write them.

/// The benchmark's name.
pub const BENCHMARK: &str = "CIS AWS Foundations Benchmark";

/// Every version whose numbers are known, oldest first.
pub const VERSIONS: [&str; 10] = [
    "1.2.0", "1.3.0", "1.4.0", "1.5.0", "2.0.0", "3.0.0", "4.0.1", "5.0.0", "6.0.0", "7.0.0",
];

/// A benchmark version that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version of the {BENCHMARK}; known are {known}", known = VERSIONS.join(", "))]
pub struct UnknownBenchmark(pub String);

/// The version that somebody means by `6.0.0`, `6.0`, `6` or `v6.0.0`; the newest by `latest`. A patch level that was
/// never published is refused, except `4.0.0`, which 4.0.1 replaced.
pub fn version(text: &str) -> Result<&'static str, UnknownBenchmark> {
    let wanted = text.trim().trim_start_matches(['v', 'V']);
    let known = |full: &&&str| {
        let minor = full.rsplit_once('.').map_or("", |(minor, _)| minor);
        let major = minor.strip_suffix(".0");
        **full == wanted
            || minor == wanted
            || major == Some(wanted)
            || (wanted == "4.0.0" && **full == "4.0.1")
    };
    if wanted == "latest"
        && let Some(newest) = VERSIONS.last()
    {
        return Ok(newest);
    }
    VERSIONS
        .iter()
        .find(known)
        .copied()
        .ok_or_else(|| UnknownBenchmark(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_people_write_them() {
        for (text, expected) in [
            ("6.0.0", "6.0.0"),
            ("6.0", "6.0.0"),
            ("6", "6.0.0"),
            ("v1.4.0", "1.4.0"),
            (" 1.2 ", "1.2.0"),
            ("4.0.0", "4.0.1"),
            ("4", "4.0.1"),
            ("latest", "7.0.0"),
        ] {
            assert_eq!(version(text), Ok(expected), "{text}");
        }
        for text in ["", "1", "1.1.0", "6.0.1", "8.0.0", "six", "6.0.0.0"] {
            assert_eq!(version(text), Err(UnknownBenchmark(text.to_owned())));
        }
    }
}
