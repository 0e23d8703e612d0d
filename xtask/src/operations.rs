//! The AWS operations that a program can call, read from its symbols.
//!
//! Every operation of the AWS SDK for Rust is a module of its own, and the linker keeps code of
//! those alone that something calls. So what is not among the symbols of a program that was not
//! stripped, the program cannot ask of AWS.

use std::collections::BTreeSet;
use std::io::BufRead as _;

/// What comes before the name of an operation in a symbol, and how long it is: names in symbols
/// have their length before them.
const LENGTH: u8 = b'9';
const MODULE: &[u8] = b"operation";

/// How the crates of the SDK begin.
const CRATE: &str = "aws_sdk_";

/// The operations as policies name them, such as `logs:DescribeLogGroups`.
pub fn of_program(program: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = program;
    // The search for one byte is the standard library's, which is fast in a debug build, too:
    // programs have a hundred million bytes.
    while let Ok(1..) = rest.skip_until(LENGTH) {
        let before = program.len() - rest.len();
        if let Some(after) = rest.strip_prefix(MODULE)
            && let Some(before) = program
                .get(..before)
                .and_then(|before| before.strip_suffix(&[LENGTH]))
            && let Some(action) = action(before, after)
        {
            found.insert(action);
        }
    }
    found
}

/// The action of the operation between two parts of a symbol.
fn action(before: &[u8], after: &[u8]) -> Option<String> {
    let service = service(before)?;
    let digits = after
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let length: usize = str::from_utf8(after.get(..digits)?).ok()?.parse().ok()?;
    let name = str::from_utf8(after.get(digits..digits.checked_add(length)?)?).ok()?;
    let name: String = name.split('_').flat_map(capitalized).collect();
    Some(format!("{service}:{name}"))
}

/// The service whose crate ends here, as policies name it.
fn service(before: &[u8]) -> Option<String> {
    let letters = before
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_lowercase() || **byte == b'_')
        .count();
    let name = str::from_utf8(before.get(before.len() - letters..)?).ok()?;
    let service = name.strip_prefix(CRATE)?;
    Some(match service {
        "cloudwatchlogs" => "logs".to_owned(),
        other => other.to_owned(),
    })
}

fn capitalized(word: &str) -> impl Iterator<Item = char> {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        of_program(text.as_bytes()).into_iter().collect()
    }

    #[test]
    fn symbols_of_both_manglings_are_read() {
        let legacy =
            "\0_ZN22aws_sdk_cloudwatchlogs9operation17put_metric_filter15PutMetricFilter\0";
        assert_eq!(found(legacy), ["logs:PutMetricFilter"]);
        let new = "_RNvMNtNtCs9a_11aws_sdk_sns9operation9subscribeNtB2_9Subscribe";
        assert_eq!(found(new), ["sns:Subscribe"]);
        let both = format!("{legacy}{new}");
        assert_eq!(found(&both), ["logs:PutMetricFilter", "sns:Subscribe"]);
    }

    #[test]
    fn what_is_no_operation_of_the_sdk_is_none() {
        for text in [
            "_ZN9simulator9operation9subscribe",
            "aws_sdk_sns9operation",
            "aws_sdk_sns9operation99x",
            "aws_sdk_sns9operation99999999999999999999999x",
            "aws_sdk_sns6client9subscribe",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
