//! The questions about filter patterns that AWS leaves open.
//!
//! A question is answered the same way throughout CloudWatch Logs, whatever the answer is. So two
//! conditions that hang on the same question hang together, and a comparison is inconclusive only
//! if its result differs with the answer.

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
