//! The conditions by which CloudWatch chooses what is shared or copied: `Namespace NOT LIKE 'AWS/%'`
//! of a link, `LogGroupName IN ('trail')` or `AccountId = '222222222222'` of a rule of the
//! organization (Observability Access Manager API Reference, `MetricConfiguration` and
//! `LogGroupConfiguration`; Observability Admin API Reference, `CentralizationRuleSource`).

use super::undecided::{and, or};

/// Longer conditions are not read: the API takes 2,000 characters.
const MAX_LENGTH: usize = 2_000;

/// Whether a condition holds for something of which some fields are known; `None` where that rests
/// on one that is not, or AWS does not document what the condition means.
pub(super) fn holds(filter: &str, field: impl Fn(&str) -> Option<String>) -> Option<bool> {
    let filter = filter.trim();
    if filter == "*" {
        return Some(true);
    }
    if filter.len() > MAX_LENGTH {
        return None;
    }
    let tokens = tokens(filter)?;
    let mut rest = tokens.as_slice();
    let mut terms = vec![condition(&mut rest, &field)?.0];
    let mut joints = Vec::new();
    while let [Token::Word(joint @ ("AND" | "OR")), after @ ..] = rest {
        joints.push(*joint == "AND");
        rest = after;
        terms.push(condition(&mut rest, &field)?.0);
    }
    if !rest.is_empty() {
        return None;
    }
    // Which of the two binds tighter is not documented: decided where it does not matter.
    let in_order = joined(&terms, &joints);
    let mut alternatives = Vec::new();
    let mut first = 0;
    for (index, is_and) in joints.iter().enumerate() {
        if !is_and {
            alternatives.push(first..index);
            first = index + 1;
        }
    }
    alternatives.push(first..joints.len());
    let and_first = alternatives
        .into_iter()
        .map(|range| {
            let terms = terms.get(range.start..=range.end).unwrap_or_default();
            terms.iter().copied().fold(Some(true), and)
        })
        .fold(Some(false), or);
    (in_order == and_first).then_some(in_order).flatten()
}

fn joined(terms: &[Option<bool>], joints: &[bool]) -> Option<bool> {
    let mut terms = terms.iter().copied();
    let first = terms.next().flatten();
    terms.zip(joints).fold(first, |known, (term, is_and)| {
        if *is_and {
            and(known, term)
        } else {
            or(known, term)
        }
    })
}

#[derive(Debug, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Text(&'a str),
}

fn tokens(filter: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = filter.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' => {
                let end = rest.get(1..)?.find(first)? + 1;
                tokens.push(Token::Text(rest.get(1..end)?));
                end + 1
            }
            '(' | ')' | ',' | '=' => {
                tokens.push(Token::Word(rest.get(..1)?));
                1
            }
            '!' if rest.starts_with("!=") => {
                tokens.push(Token::Word("!="));
                2
            }
            _ => {
                let is_part = |character: char| character.is_ascii_alphabetic();
                let end = rest
                    .find(|character| !is_part(character))
                    .unwrap_or(rest.len());
                tokens.push(Token::Word(
                    rest.get(..end).filter(|word| !word.is_empty())?,
                ));
                end
            }
        };
        rest = rest.get(end..)?.trim_start();
    }
    Some(tokens)
}

/// Whether a condition holds, where AWS documents what it means.
struct Holds(Option<bool>);

/// One condition; `None` where it is not one.
fn condition(rest: &mut &[Token<'_>], field: &impl Fn(&str) -> Option<String>) -> Option<Holds> {
    let [Token::Word(name), after @ ..] = *rest else {
        return None;
    };
    let value = field(name);
    let value = value.as_deref();
    let (negated, after) = match after {
        [Token::Word("NOT"), after @ ..] => (true, after),
        _ => (false, after),
    };
    let (holds, after) = match after {
        [
            Token::Word(operator @ ("=" | "!=")),
            Token::Text(text),
            after @ ..,
        ] if !negated => {
            let equal = value.map(|value| (*text == value) == (*operator == "="));
            (equal, after)
        }
        [Token::Word("LIKE"), Token::Text(pattern), after @ ..] => {
            (value.and_then(|value| like(pattern, value)), after)
        }
        [Token::Word("IN"), Token::Word("("), after @ ..] => among(after, value)?,
        _ => return None,
    };
    *rest = after;
    let holds = holds.map(|holds| holds != negated);
    Some(Holds(holds))
}

/// The rest of a list, from its first text on.
fn among<'t, 'a>(
    mut rest: &'t [Token<'a>],
    value: Option<&str>,
) -> Option<(Option<bool>, &'t [Token<'a>])> {
    let mut found = false;
    loop {
        let [Token::Text(text), Token::Word(next), after @ ..] = rest else {
            return None;
        };
        found |= value == Some(*text);
        rest = after;
        match *next {
            "," => {}
            ")" => return Some((value.map(|_| found), rest)),
            _ => return None,
        }
    }
}

/// A search by the beginning of names: nothing else is documented.
fn like(pattern: &str, value: &str) -> Option<bool> {
    let beginning = pattern.strip_suffix('%')?;
    if beginning.contains('%') {
        return None;
    }
    if value.starts_with(beginning) {
        return Some(true);
    }
    // In SQL it stands for any character.
    (!beginning.contains('_')).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(filter: &str, namespace: &str) -> Option<bool> {
        holds(filter, |field| {
            (field == "Namespace").then(|| namespace.to_owned())
        })
    }

    #[test]
    fn conditions_as_the_api_documents_them() {
        for (filter, namespace, expected) in [
            ("*", "CISBenchmark", Some(true)),
            ("Namespace NOT LIKE 'AWS/%'", "CISBenchmark", Some(true)),
            ("Namespace NOT LIKE 'AWS/%'", "AWS/EC2", Some(false)),
            (
                "Namespace IN ('AWS/EC2', 'AWS/ELB', 'AWS/S3')",
                "CISBenchmark",
                Some(false),
            ),
            (
                "Namespace IN ('AWS/EC2','CISBenchmark')",
                "CISBenchmark",
                Some(true),
            ),
            (
                "Namespace NOT IN ('CISBenchmark')",
                "CISBenchmark",
                Some(false),
            ),
            (
                "Namespace = 'AWS/EC2' OR Namespace NOT LIKE 'AWS/%'",
                "CISBenchmark",
                Some(true),
            ),
            ("Namespace='CISBenchmark'", "CISBenchmark", Some(true)),
            ("Namespace != 'CISBenchmark'", "CISBenchmark", Some(false)),
            ("Namespace = 'cisbenchmark'", "CISBenchmark", Some(false)),
            (
                "Namespace LIKE 'CIS%' AND Namespace != 'CISBenchmark'",
                "CISBenchmark",
                Some(false),
            ),
            // (true OR true) AND false, or true OR (true AND false).
            (
                "Namespace = 'A' OR Namespace = 'A' AND Namespace = 'B'",
                "A",
                None,
            ),
            (
                "Namespace = 'A' AND Namespace = 'B' OR Namespace = 'A'",
                "A",
                Some(true),
            ),
            ("Namespace LIKE '%Benchmark'", "CISBenchmark", None),
            ("Namespace LIKE 'CIS_enchmark%'", "CISBenchmark", None),
            ("Namespace LIKE 'CISBenchmark'", "CISBenchmark", None),
        ] {
            assert_eq!(shares(filter, namespace), expected, "{filter}");
        }
    }

    #[test]
    fn nothing_is_made_of_nonsense() {
        for filter in [
            "",
            "Namespace",
            "Namespace =",
            "Namespace = 'A",
            "Namespace = A",
            "Namespace IN (",
            "Namespace IN ('A'",
            "Namespace IN ()",
            "Namespace NOT = 'A'",
            "Namespace = 'A' OR",
            "Namespace = 'A' 'B'",
            "(Namespace = 'A')",
            "LogGroupName = 'A'",
            "é",
        ] {
            assert_eq!(shares(filter, "A"), None, "{filter}");
        }
        let long = "Namespace = 'A' OR ".repeat(1_000) + "Namespace = 'A'";
        assert_eq!(shares(&long, "A"), None);
    }

    fn decided(text: &str) -> Option<bool> {
        holds(text, |field| match field {
            "LogGroupName" => Some("trail".to_owned()),
            "AccountId" => Some("222222222222".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn what_rests_on_an_unknown_field_is_not_decided() {
        for (text, expected) in [
            ("*", Some(true)),
            ("LogGroupName = 'trail'", Some(true)),
            ("LogGroupName != 'trail'", Some(false)),
            ("LogGroupName LIKE 'tr%'", Some(true)),
            ("LogGroupName NOT LIKE 'tr%'", Some(false)),
            ("LogGroupName LIKE 'app%'", Some(false)),
            ("LogGroupName IN ('app', 'trail')", Some(true)),
            ("LogGroupName NOT IN ('app','other')", Some(true)),
            ("AccountId IN ('111111111111')", Some(false)),
            ("AccountId = \"222222222222\"", Some(true)),
            ("OrganizationUnitId = 'ou-abcd-1'", None),
            ("AccountId = '1' OR OrganizationUnitId = 'ou-abcd-1'", None),
            (
                "AccountId = '1' AND OrganizationUnitId = 'ou-abcd-1'",
                Some(false),
            ),
            (
                "LogGroupName = 'trail' OR AccountId = '1' AND AccountId = '2'",
                None,
            ),
        ] {
            assert_eq!(decided(text), expected, "{text}");
        }
    }
}
