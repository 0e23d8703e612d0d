//! The questions about filter patterns that AWS leaves open.
//!
//! A question is answered the same way throughout CloudWatch Logs, whatever the answer is. So two
//! conditions that hang on the same question hang together, and a comparison is inconclusive only
//! if its result differs with the answer.

use std::collections::BTreeMap;

/// What is known of open questions all the same, because the service was tried.
pub type Answers = BTreeMap<Undocumented, bool>;

/// A try of the service (`logs:TestMetricFilter`): whether the pattern matches the message is the
/// answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    /// The filter pattern.
    pub pattern: &'static str,
    /// The message of the event.
    pub message: &'static str,
}

/// A question that AWS leaves open. As a proposition it is true or false for the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Undocumented {
    /// Does an unquoted `= true` match the JSON value `true`?
    BareEqualsBoolean,
    /// Does a quoted `= "true"`, or one with wildcards, match the JSON value `true`?
    TextEqualsBoolean,
    /// Does `!= "text"` match a JSON boolean that reads differently?
    NotEqualOnBoolean,
    /// Does `!= true` match the JSON value `true`?
    NotEqualOnSameBoolean,
    /// Does `*aXa` match a text in which occurrences of `aXa` overlap at the end? The real service
    /// was seen not to match `*111.111.111` with `111.111.111.111`.
    OverlappingSuffix,
    /// Does a `*` in the middle match digits of a JSON number? The real service was seen to answer
    /// differently for numbers than for texts.
    InnerWildcardOnNumber,
    /// Does `!=` with a `*` in the middle match a number that the wildcard would cover?
    InnerWildcardNotEqualOnNumber,
    /// Are regular expressions applied to JSON numbers and booleans?
    RegexOnNonText,
    /// Does `!= %regex%` match JSON numbers and booleans in whose text it is not found?
    NotRegexOnNonText,
    /// Does `!= %regex%` match JSON numbers and booleans in whose text it is found?
    NotRegexOnSameNonText,
    /// How does a JSON number with an exponent read as text?
    ExponentAsText,
    /// How many digits of a number count?
    NumericPrecision,
    /// Does `!=` with `[*]` or `.*` ask for one differing element rather than for all?
    NotEqualAnyElement,
    /// Does `!=` with `[*]` pass over elements that lack the member?
    NotEqualSkipsMissing,
    /// Does `NOT EXISTS` with `[*]` ask for one element without the member?
    NotExistsAnyElement,
    /// How does an asterisk in a term without fields behave?
    WildcardInTerm,
    /// What is the text of the raw message: order of members, blanks, escapes?
    RawMessage,
    /// A space-delimited pattern applied to JSON text.
    SpaceDelimited,
}

impl Undocumented {
    /// Every question.
    pub const ALL: [Self; 18] = [
        Self::BareEqualsBoolean,
        Self::TextEqualsBoolean,
        Self::NotEqualOnBoolean,
        Self::NotEqualOnSameBoolean,
        Self::OverlappingSuffix,
        Self::InnerWildcardOnNumber,
        Self::InnerWildcardNotEqualOnNumber,
        Self::RegexOnNonText,
        Self::NotRegexOnNonText,
        Self::NotRegexOnSameNonText,
        Self::ExponentAsText,
        Self::NumericPrecision,
        Self::NotEqualAnyElement,
        Self::NotEqualSkipsMissing,
        Self::NotExistsAnyElement,
        Self::WildcardInTerm,
        Self::RawMessage,
        Self::SpaceDelimited,
    ];

    /// What AWS leaves open, as the reason of an inconclusive answer.
    pub fn reason(self) -> &'static str {
        match self {
            Self::BareEqualsBoolean | Self::TextEqualsBoolean => {
                "AWS does not document whether `=` with a text matches a JSON boolean; `IS TRUE` and `IS FALSE` are documented"
            }
            Self::NotEqualOnBoolean | Self::NotEqualOnSameBoolean => {
                "AWS does not document whether `!=` matches a JSON boolean; `IS TRUE` and `IS FALSE` are documented"
            }
            Self::OverlappingSuffix => {
                "AWS does not document a leading `*` before a text whose occurrences overlap"
            }
            Self::InnerWildcardOnNumber | Self::InnerWildcardNotEqualOnNumber => {
                "AWS does not document a `*` in the middle of a value that is compared with a JSON number"
            }
            Self::RegexOnNonText | Self::NotRegexOnNonText | Self::NotRegexOnSameNonText => {
                "AWS does not document regular expressions on JSON numbers and booleans"
            }
            Self::ExponentAsText => {
                "AWS does not document how a JSON number with an exponent compares with a text"
            }
            Self::NumericPrecision => "AWS does not document how many digits of a number count",
            Self::NotEqualAnyElement | Self::NotEqualSkipsMissing => {
                "AWS does not document whether `!=` with a wildcard selector means any element or all of them"
            }
            Self::NotExistsAnyElement => {
                "AWS does not document whether `NOT EXISTS` with a wildcard selector means any element or all of them"
            }
            Self::WildcardInTerm => "AWS does not document an asterisk in a term",
            Self::RawMessage => {
                "the pattern searches the raw text of the message, whose layout AWS does not document"
            }
            Self::SpaceDelimited => {
                "a space-delimited pattern is not a pattern for CloudTrail events"
            }
        }
    }

    /// How the service can be asked: the message is matched if the proposition is true. Of the
    /// questions that one answer settles ten can be asked, the others are the opposites of some.
    pub fn trial(self) -> Option<Trial> {
        let (pattern, message) = match self {
            Self::BareEqualsBoolean => ("{ $.a = true }", r#"{"a":true}"#),
            Self::TextEqualsBoolean => (r#"{ $.a = "true" }"#, r#"{"a":true}"#),
            Self::NotEqualOnBoolean => (r#"{ $.a != "x" }"#, r#"{"a":true}"#),
            Self::OverlappingSuffix => (r#"{ $.a = "*1.1" }"#, r#"{"a":"1.1.1"}"#),
            Self::InnerWildcardOnNumber => ("{ $.a = 1*3 }", r#"{"a":123}"#),
            Self::RegexOnNonText => ("{ $.a = %12% }", r#"{"a":123}"#),
            Self::NotRegexOnNonText => ("{ $.a != %4% }", r#"{"a":123}"#),
            Self::NotEqualAnyElement => (r#"{ $.a[*] != "x" }"#, r#"{"a":["x","y"]}"#),
            Self::NotEqualSkipsMissing => {
                (r#"{ $.a[*].b != "x" }"#, r#"{"a":[{"b":"y"},{"c":"y"}]}"#)
            }
            Self::NotExistsAnyElement => {
                ("{ $.a[*].b NOT EXISTS }", r#"{"a":[{"b":"y"},{"c":"y"}]}"#)
            }
            Self::NotEqualOnSameBoolean
            | Self::InnerWildcardNotEqualOnNumber
            | Self::NotRegexOnSameNonText
            | Self::ExponentAsText
            | Self::NumericPrecision
            | Self::WildcardInTerm
            | Self::RawMessage
            | Self::SpaceDelimited => return None,
        };
        Some(Trial { pattern, message })
    }

    /// The question that a try of the service answers.
    pub fn tried_by(pattern: &str, message: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|question| {
            question
                .trial()
                .is_some_and(|trial| trial.pattern == pattern && trial.message == message)
        })
    }

    /// Whether one answer holds for every pattern and value, so that it can be assumed and the
    /// rest decided.
    pub(super) fn is_uniform(self) -> bool {
        !matches!(
            self,
            Self::ExponentAsText
                | Self::NumericPrecision
                | Self::WildcardInTerm
                | Self::RawMessage
                | Self::SpaceDelimited
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Answers, Undocumented};
    use crate::{Event, Match, Pattern, matches, matches_knowing};

    #[test]
    fn a_try_of_the_service_answers_its_question() {
        let mut tried = 0;
        for question in Undocumented::ALL {
            let Some(trial) = question.trial() else {
                continue;
            };
            tried += 1;
            assert!(question.is_uniform(), "{question:?}");
            let found = Undocumented::tried_by(trial.pattern, trial.message);
            assert_eq!(found, Some(question));
            let pattern = Pattern::parse(trial.pattern).unwrap();
            let event = Event::from_message(trial.message);
            assert_eq!(
                matches(&pattern, &event),
                Match::Undocumented,
                "{question:?}"
            );
            for truth in [false, true] {
                let mut answers = Answers::from([(question, truth)]);
                // Whether missing members count matters only where all elements are asked for.
                answers
                    .entry(Undocumented::NotEqualAnyElement)
                    .or_insert(false);
                let matched = matches_knowing(&pattern, &event, &answers);
                assert_eq!(matched, Match::from(truth), "{question:?}");
            }
        }
        // A run makes at most ten such calls.
        assert_eq!(tried, 10);
    }
}
