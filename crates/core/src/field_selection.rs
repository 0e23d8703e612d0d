//! `fieldSelectionCriteria` of a metric filter: which accounts and regions a filter admits.
//!
//! The language compares the system fields `@aws.account` and `@aws.region` with `=`, `!=`, `IN`
//! and `NOT IN`, joined by `AND` and `OR` (CloudWatch Logs API Reference, `PutMetricFilter`). What
//! a criterion says about any other field is not known.

use crate::account::{AccountId, Region};
use crate::pattern::{Match, Span};

/// The longest criteria CloudWatch Logs accepts, in characters.
const MAX_LENGTH: usize = 2000;

/// Criteria that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at byte {})", span.start)]
pub struct FieldSelectionError {
    /// Where.
    pub span: Span,
    /// What is wrong: a lower-case fragment.
    pub message: String,
}

/// Parsed criteria.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSelection {
    /// Alternatives of conjunctions; `None` admits everything.
    root: Option<Expression>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Criterion {
        field: Field,
        negated: bool,
        values: Vec<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Account,
    Region,
    /// A field whose value is not known here.
    Other,
}

impl FieldSelection {
    /// Parses criteria. Empty criteria admit everything.
    pub fn parse(text: &str) -> Result<Self, FieldSelectionError> {
        if text.chars().count() > MAX_LENGTH {
            return Err(FieldSelectionError {
                span: Span::new(0, text.len()),
                message: format!("criteria have at most {MAX_LENGTH} characters"),
            });
        }
        let tokens = tokens(text)?;
        if tokens.is_empty() {
            return Ok(Self { root: None });
        }
        Ok(Self {
            root: Some(expression(&tokens, text.len())?),
        })
    }

    /// Whether events of the account and region are admitted. Undocumented where that rests on
    /// another field, or on a wildcard.
    pub fn admits(&self, account: AccountId, region: &Region) -> Match {
        self.root.as_ref().map_or(Match::Yes, |root| {
            root.admits(&account.to_string(), region.as_str())
        })
    }
}

impl Expression {
    fn admits(&self, account: &str, region: &str) -> Match {
        match self {
            Self::All(parts) => parts.iter().fold(Match::Yes, |all, part| {
                all.and(part.admits(account, region))
            }),
            Self::Any(parts) => parts
                .iter()
                .fold(Match::No, |any, part| any.or(part.admits(account, region))),
            Self::Criterion {
                field,
                negated,
                values,
            } => {
                let actual = match field {
                    Field::Account => account,
                    Field::Region => region,
                    Field::Other => return Match::Undocumented,
                };
                let listed = values.iter().fold(Match::No, |any, value| {
                    any.or(if value == actual {
                        Match::Yes
                    } else if value.contains('*') || value.contains('%') {
                        Match::Undocumented
                    } else {
                        Match::No
                    })
                });
                if *negated { listed.negated() } else { listed }
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Equal,
    NotEqual,
    Word,
    Quoted,
}

#[derive(Debug, Clone)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    span: Span,
}

impl Token<'_> {
    fn is_keyword(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword)
    }
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, FieldSelectionError> {
    let mut tokens = Vec::new();
    let mut position = 0;
    while let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else {
            break;
        };
        if first.is_whitespace() {
            position += first.len_utf8();
            continue;
        }
        let start = position;
        let (kind, content, length) = match first {
            '(' => (Kind::Open, "(", 1),
            ')' => (Kind::Close, ")", 1),
            '[' => (Kind::OpenList, "[", 1),
            ']' => (Kind::CloseList, "]", 1),
            ',' => (Kind::Comma, ",", 1),
            '=' => (Kind::Equal, "=", 1),
            '!' if rest.starts_with("!=") => (Kind::NotEqual, "!=", 2),
            '"' | '\'' => {
                let Some((content, _)) = rest.get(1..).and_then(|rest| rest.split_once(first))
                else {
                    return Err(FieldSelectionError {
                        span: Span::new(start, text.len()),
                        message: "this text is never closed".to_owned(),
                    });
                };
                (Kind::Quoted, content, content.len() + 2)
            }
            _ => {
                let length = rest
                    .find(|character: char| {
                        character.is_whitespace() || "()[],=!\"'".contains(character)
                    })
                    .unwrap_or(rest.len());
                if length == 0 {
                    return Err(FieldSelectionError {
                        span: Span::new(start, start + 1),
                        message: format!("`{first}` is not expected here"),
                    });
                }
                (Kind::Word, rest.get(..length).unwrap_or_default(), length)
            }
        };
        position += length;
        tokens.push(Token {
            kind,
            text: content,
            span: Span::new(start, position),
        });
    }
    Ok(tokens)
}

/// A group that is still open: alternatives, and the conjunction at hand.
#[derive(Default)]
struct Group {
    alternatives: Vec<Expression>,
    conjunction: Vec<Expression>,
}

impl Group {
    fn next_alternative(&mut self) {
        let conjunction = std::mem::take(&mut self.conjunction);
        self.alternatives.push(Expression::All(conjunction));
    }

    fn close(mut self) -> Expression {
        self.next_alternative();
        Expression::Any(self.alternatives)
    }
}

/// Parentheses are kept on a stack of our own, so that no nesting can exhaust the program's.
fn expression(tokens: &[Token<'_>], end: usize) -> Result<Expression, FieldSelectionError> {
    let unexpected = |token: Option<&Token<'_>>, expected: &str| FieldSelectionError {
        span: token.map_or(Span::new(end, end), |token| token.span),
        message: format!("expected {expected}"),
    };
    let mut rest = tokens.iter().peekable();
    let mut current = Group::default();
    let mut outer = Vec::new();
    loop {
        if rest.next_if(|token| token.kind == Kind::Open).is_some() {
            // An expression in parentheses is evaluated by recursion; criteria nest little.
            if outer.len() >= 64 {
                return Err(unexpected(rest.peek().copied(), "fewer parentheses"));
            }
            outer.push(std::mem::take(&mut current));
            continue;
        }
        let field = match rest.next() {
            Some(token) if matches!(token.kind, Kind::Word | Kind::Quoted) => {
                match token.text.trim_start_matches("$.") {
                    "@aws.account" => Field::Account,
                    "@aws.region" => Field::Region,
                    _ => Field::Other,
                }
            }
            token => return Err(unexpected(token, "a field such as `@aws.account`")),
        };
        let negated = rest.next_if(|token| token.is_keyword("NOT")).is_some();
        let mut values = Vec::new();
        let negated = match rest.next() {
            Some(token) if token.is_keyword("IN") => {
                let opened = rest.next();
                if !opened.is_some_and(|token| matches!(token.kind, Kind::OpenList | Kind::Open)) {
                    return Err(unexpected(opened, "`[` after `IN`"));
                }
                loop {
                    match rest.next() {
                        Some(token) if matches!(token.kind, Kind::Word | Kind::Quoted) => {
                            values.push(token.text.to_owned());
                        }
                        token => return Err(unexpected(token, "a value")),
                    }
                    match rest.next() {
                        Some(token) if token.kind == Kind::Comma => {}
                        Some(token) if matches!(token.kind, Kind::CloseList | Kind::Close) => break,
                        token => return Err(unexpected(token, "`,` or `]`")),
                    }
                }
                negated
            }
            Some(token) if matches!(token.kind, Kind::Equal | Kind::NotEqual) && !negated => {
                match rest.next() {
                    Some(value) if matches!(value.kind, Kind::Word | Kind::Quoted) => {
                        values.push(value.text.to_owned());
                    }
                    value => return Err(unexpected(value, "a value")),
                }
                token.kind == Kind::NotEqual
            }
            token => return Err(unexpected(token, "`=`, `!=`, `IN` or `NOT IN`")),
        };
        current.conjunction.push(Expression::Criterion {
            field,
            negated,
            values,
        });
        loop {
            match rest.next() {
                Some(token) if token.is_keyword("AND") => break,
                Some(token) if token.is_keyword("OR") => {
                    current.next_alternative();
                    break;
                }
                Some(token) if token.kind == Kind::Close => {
                    let Some(mut enclosing): Option<Group> = outer.pop() else {
                        return Err(unexpected(Some(token), "no `)`: it closes nothing"));
                    };
                    enclosing.conjunction.push(current.close());
                    current = enclosing;
                }
                None if outer.is_empty() => return Ok(current.close()),
                token => return Err(unexpected(token, "`AND`, `OR` or `)`")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(criteria: &str) -> Match {
        FieldSelection::parse(criteria)
            .unwrap()
            .admits("111111111111".parse().unwrap(), &Region::new("eu-west-1"))
    }

    #[test]
    fn criteria_admit_accounts_and_regions() {
        for (criteria, expected) in [
            ("", Match::Yes),
            (r#"@aws.account = "111111111111""#, Match::Yes),
            ("@aws.account = 111111111111", Match::Yes),
            (r#"@aws.account != "111111111111""#, Match::No),
            (
                r#"@aws.account IN ["111111111111", "222222222222"]"#,
                Match::Yes,
            ),
            (r#"@aws.account NOT IN ["111111111111"]"#, Match::No),
            (r#"@aws.account IN ["222222222222"]"#, Match::No),
            (
                r#"@aws.region = "eu-west-1" AND @aws.account = "222222222222""#,
                Match::No,
            ),
            (
                r#"@aws.region = "eu-west-1" OR @aws.account = "222222222222""#,
                Match::Yes,
            ),
            (
                r#"@aws.region = "x" AND @aws.account = "1" OR @aws.region = "eu-west-1""#,
                Match::Yes,
            ),
            (
                r#"@aws.region = "x" AND (@aws.account = "1" OR @aws.region = "eu-west-1")"#,
                Match::No,
            ),
            (r#"@data.source = "x""#, Match::Undocumented),
            (
                r#"@data.source = "x" AND @aws.region = "us-east-1""#,
                Match::No,
            ),
            (r#"@aws.region = "eu-*""#, Match::Undocumented),
        ] {
            assert_eq!(admits(criteria), expected, "{criteria}");
        }
    }

    #[test]
    fn broken_criteria_are_errors_with_their_place() {
        for (criteria, start) in [
            ("@aws.account", 12),
            ("@aws.account = ", 15),
            (r#"@aws.account = "1"#, 15),
            ("@aws.account IN 1", 16),
            ("(@aws.account = 1", 17),
            ("@aws.account = 1)", 16),
            ("@aws.account = 1 @aws.region = 2", 17),
            ("! @aws.account", 0),
        ] {
            let error = FieldSelection::parse(criteria).unwrap_err();
            assert_eq!(error.span.start, start, "{criteria}: {error}");
        }
    }
}
