//! JSON patterns: `{ ($.eventName = ConsoleLogin) && ($.errorCode NOT EXISTS) }`.
//!
//! Parentheses are kept on a stack of our own, so that no nesting can exhaust the program's.

use super::super::{
    Condition, Expression, Operand, Order, PatternError, Selector, Span, Step, Test,
};
use super::cursor::Cursor;
use super::value;

/// The most wildcard selectors in a pattern, and the most regular expressions (CloudWatch Logs
/// User Guide, "Filter pattern syntax").
const MAX_WILDCARD_SELECTORS: usize = 3;
const MAX_REGEXES: usize = 2;

/// A group that is still open.
struct Group {
    opened: usize,
    alternatives: Vec<Expression>,
    conjunction: Vec<Expression>,
}

impl Group {
    fn new(opened: usize) -> Self {
        Self {
            opened,
            alternatives: Vec::new(),
            conjunction: Vec::new(),
        }
    }

    fn next_alternative(&mut self) {
        let conjunction = std::mem::take(&mut self.conjunction);
        self.alternatives.push(Expression::all(conjunction));
    }

    fn close(mut self) -> Expression {
        self.next_alternative();
        Expression::any(self.alternatives)
    }
}

/// The whole pattern, braces included.
pub(super) fn expression(cursor: &mut Cursor<'_>) -> Result<Expression, PatternError> {
    let mut current = Group::new(cursor.position());
    let mut outer: Vec<Group> = Vec::new();
    let mut quotas = Quotas::default();
    cursor.next();
    loop {
        cursor.skip_blanks();
        if cursor.peek() == Some('(') {
            outer.push(std::mem::replace(
                &mut current,
                Group::new(cursor.position()),
            ));
            cursor.next();
            continue;
        }
        let condition = quotas.condition(cursor)?;
        current.conjunction.push(Expression::Condition(condition));
        loop {
            cursor.skip_blanks();
            if cursor.take("&&") {
                break;
            }
            if cursor.take("||") {
                current.next_alternative();
                break;
            }
            match cursor.peek() {
                Some(')') => {
                    let Some(mut enclosing) = outer.pop() else {
                        return Err(cursor.error_here("this parenthesis closes nothing"));
                    };
                    enclosing.conjunction.push(current.close());
                    current = enclosing;
                    cursor.next();
                }
                Some('}') => {
                    if !outer.is_empty() {
                        let opened = current.opened;
                        return Err(PatternError::new(
                            Span::new(opened, opened + 1),
                            "this parenthesis is never closed",
                        )
                        .suggest("add `)`"));
                    }
                    cursor.next();
                    cursor.skip_blanks();
                    if cursor.peek().is_some() {
                        return Err(cursor.error_to_end("nothing may follow the closing brace"));
                    }
                    return Ok(current.close());
                }
                _ => return Err(no_operator(cursor, &current)),
            }
        }
    }
}

/// What to say where `&&`, `||`, `)` or `}` should stand.
fn no_operator(cursor: &Cursor<'_>, group: &Group) -> PatternError {
    let rest = cursor.rest();
    if rest.is_empty() {
        return cursor
            .error_here("if a pattern starts with `{` it must end with `}`")
            .suggest("add `}`");
    }
    for (wrong, right) in [("&", "&&"), ("|", "||"), ("AND", "&&"), ("OR", "||")] {
        if rest
            .get(..wrong.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(wrong))
        {
            return PatternError::new(
                Span::new(cursor.position(), cursor.position() + wrong.len()),
                format!("`{wrong}` joins no conditions"),
            )
            .suggest(format!("write `{right}`"));
        }
    }
    let error = cursor.error_to_end("expected `&&`, `||`, `)` or `}`");
    match group.conjunction.last() {
        Some(Expression::Condition(Condition {
            test: Test::Equal(Operand::Text(text)) | Test::NotEqual(Operand::Text(text)),
            ..
        })) if !text.is_quoted() => {
            let more = rest
                .split(['&', '|', ')', '}'])
                .next()
                .unwrap_or_default()
                .trim_end();
            error.suggest(format!(
                "put a value with blanks in double quotes: `\"{} {more}\"`",
                text.text()
            ))
        }
        _ => error,
    }
}

/// What of a limited kind was seen so far.
#[derive(Default)]
struct Quotas {
    wildcard_selectors: usize,
    regexes: usize,
}

impl Quotas {
    fn condition(&mut self, cursor: &mut Cursor<'_>) -> Result<Condition, PatternError> {
        let start = cursor.position();
        let selector = selector(cursor)?;
        let wildcards = selector
            .steps
            .iter()
            .filter(|step| step.is_wildcard())
            .count();
        self.wildcard_selectors += wildcards;
        if wildcards > 1 {
            return Err(cursor.error_since(start, "a selector has at most one wildcard"));
        }
        if self.wildcard_selectors > MAX_WILDCARD_SELECTORS {
            return Err(cursor.error_since(
                start,
                format!("a pattern has at most {MAX_WILDCARD_SELECTORS} wildcard selectors"),
            ));
        }
        cursor.skip_blanks();
        let before_test = cursor.position();
        let test = test(cursor)?;
        if let Test::Equal(Operand::Regex(_)) | Test::NotEqual(Operand::Regex(_)) = test {
            self.regexes += 1;
            if self.regexes > MAX_REGEXES {
                return Err(cursor.error_since(
                    before_test,
                    format!("a pattern has at most {MAX_REGEXES} regular expressions"),
                ));
            }
        }
        Ok(Condition { selector, test })
    }
}

fn selector(cursor: &mut Cursor<'_>) -> Result<Selector, PatternError> {
    if !cursor.take("$") {
        return Err(no_selector(cursor));
    }
    let mut steps = Vec::new();
    loop {
        let step = match cursor.peek() {
            Some('.') => {
                cursor.next();
                if cursor.peek() == Some('[') {
                    bracket(cursor, true)?
                } else if cursor.take("*") {
                    Step::AnyMember
                } else {
                    let name = cursor.take_while(is_name_character);
                    if name.is_empty() {
                        return Err(cursor
                            .error_here("a name must follow the dot")
                            .suggest("write a name with other characters as `.['na.me']`"));
                    }
                    Step::Member(name.to_owned())
                }
            }
            Some('[') => bracket(cursor, false)?,
            _ if steps.is_empty() => {
                let start = cursor.position();
                let name = cursor.take_while(is_name_character);
                let error = cursor.error_since(start, "a selector starts with `$.`");
                return Err(if name.is_empty() {
                    error
                } else {
                    error.suggest(format!("write `$.{name}`"))
                });
            }
            _ => return Ok(Selector { steps }),
        };
        steps.push(step);
    }
}

/// What may stand in a name without brackets. Documented are letters, digits, `-` and `_`.
fn is_name_character(character: char) -> bool {
    !character.is_whitespace() && !"=!<>()[]{}&|\"'%$.,*".contains(character)
}

/// What to say where a selector should stand.
fn no_selector(cursor: &mut Cursor<'_>) -> PatternError {
    let start = cursor.position();
    match cursor.peek() {
        None => cursor
            .error_here("if a pattern starts with `{` it must end with `}`")
            .suggest("add a condition and `}`"),
        Some('}' | ')') => cursor.error_here("a condition is missing"),
        Some('!') => cursor
            .error_here("conditions cannot be negated")
            .suggest("use `!=`, or `NOT EXISTS` after the selector"),
        _ => {
            let word =
                cursor.take_while(|character| is_name_character(character) || character == '.');
            if word.is_empty() {
                return cursor
                    .error_here("a condition starts with a selector such as `$.eventName`");
            }
            let error = cursor.error_since(
                start,
                "a condition starts with a selector such as `$.eventName`",
            );
            if word.eq_ignore_ascii_case("NOT") || word.eq_ignore_ascii_case("EXISTS") {
                error.suggest("write `$.field NOT EXISTS`")
            } else {
                error.suggest(format!("write `$.{}`", word.trim_start_matches('.')))
            }
        }
    }
}

/// `[0]`, `[*]`, `['name']` or `["name"]`; the bracket is not read yet.
fn bracket(cursor: &mut Cursor<'_>, after_dot: bool) -> Result<Step, PatternError> {
    let start = cursor.position();
    cursor.next();
    let step = match cursor.peek() {
        Some(quote @ ('\'' | '"')) => {
            cursor.next();
            let name = cursor.take_while(|character| character != quote).to_owned();
            if cursor.next().is_none() {
                return Err(cursor.error_since(start, "this name is never closed"));
            }
            Step::Member(name)
        }
        Some('*') if !after_dot => {
            cursor.next();
            Step::AnyIndex
        }
        Some(digit) if digit.is_ascii_digit() && !after_dot => {
            let digits = cursor.take_while(|character| character.is_ascii_digit());
            let index = digits.parse().ok().filter(|index| *index < 1_000_000);
            Step::Index(index.ok_or_else(|| {
                cursor.error_since(start, "no array of an event has so many elements")
            })?)
        }
        _ => {
            return Err(cursor
                .error_since(start, "brackets hold an index, `*` or a quoted name")
                .suggest("for example `[0]`, `[*]` or `['cluster.name']`"));
        }
    };
    if cursor.take("]") {
        Ok(step)
    } else {
        Err(cursor
            .error_since(start, "this bracket is never closed")
            .suggest("add `]`"))
    }
}

fn test(cursor: &mut Cursor<'_>) -> Result<Test, PatternError> {
    let start = cursor.position();
    if cursor.rest().starts_with("==") {
        cursor.next();
        cursor.next();
        return Err(cursor
            .error_since(start, "`==` is no operator")
            .suggest("write `=`"));
    }
    let order = |order| (Some(order), false);
    let (order, equal) = if cursor.take("!=") {
        (None, false)
    } else if cursor.take("<=") {
        order(Order::LessOrEqual)
    } else if cursor.take(">=") {
        order(Order::GreaterOrEqual)
    } else if cursor.take("=") {
        (None, true)
    } else if cursor.take("<") {
        order(Order::Less)
    } else if cursor.take(">") {
        order(Order::Greater)
    } else {
        return keyword(cursor);
    };
    cursor.skip_blanks();
    let at = cursor.position();
    let operand = value::operand(cursor, ends_bare)?;
    Ok(match (order, equal) {
        (Some(order), _) => {
            let number = match &operand {
                Operand::Text(text) => text.number(),
                Operand::Regex(_) => None,
            };
            let Some(number) = number else {
                let value = cursor.since(at);
                let error = cursor.error_since(
                    at,
                    format!(
                        "`{}` compares numbers, and `{value}` is not one",
                        order.as_str()
                    ),
                );
                let unquoted = value.trim_matches('"');
                return Err(if super::super::Decimal::parse(unquoted).is_some() {
                    error.suggest(format!("write `{unquoted}` without quotes"))
                } else {
                    error
                });
            };
            Test::Ordered(order, number.clone())
        }
        (None, true) => Test::Equal(operand),
        (None, false) => Test::NotEqual(operand),
    })
}

fn ends_bare(rest: &str) -> bool {
    rest.starts_with([')', '}'])
        || rest.starts_with("&&")
        || rest.starts_with("||")
        || rest.starts_with(char::is_whitespace)
}

fn word<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    cursor.skip_blanks();
    cursor.take_while(|character| character.is_ascii_alphabetic())
}

/// `IS NULL`, `IS TRUE`, `IS FALSE`, `NOT EXISTS`. The documentation shows upper case only.
fn keyword(cursor: &mut Cursor<'_>) -> Result<Test, PatternError> {
    let start = cursor.position();
    let first = word(cursor).to_ascii_uppercase();
    let unknown = |cursor: &Cursor<'_>| {
        cursor
            .error_since(start, "expected a comparison")
            .suggest("the comparisons are `=`, `!=`, `<`, `<=`, `>`, `>=`, `IS NULL`, `IS TRUE`, `IS FALSE`, `NOT EXISTS`")
    };
    match first.as_str() {
        "IS" => match word(cursor).to_ascii_uppercase().as_str() {
            "NULL" => Ok(Test::IsNull),
            "TRUE" => Ok(Test::IsTrue),
            "FALSE" => Ok(Test::IsFalse),
            "NOT" => Err(cursor
                .error_since(start, "`IS NOT` is not supported")
                .suggest("for a field that has a value, write `= *`")),
            _ => Err(cursor
                .error_since(start, "`IS` is followed by `NULL`, `TRUE` or `FALSE`")
                .suggest("for a text, write `=`")),
        },
        "NOT" => match word(cursor).to_ascii_uppercase().as_str() {
            "EXISTS" => Ok(Test::NotExists),
            _ => Err(cursor
                .error_since(start, "`NOT` is followed by `EXISTS`")
                .suggest("write `NOT EXISTS`")),
        },
        "EXISTS" => Err(cursor
            .error_since(start, "`EXISTS` is not supported")
            .suggest("write `= *`")),
        "" => {
            if cursor.peek().is_none() {
                Err(cursor
                    .error_here("if a pattern starts with `{` it must end with `}`")
                    .suggest("add a comparison and `}`"))
            } else {
                let length = cursor.peek().map_or(0, char::len_utf8);
                cursor.advance(length);
                Err(unknown(cursor))
            }
        }
        _ => Err(unknown(cursor)),
    }
}
