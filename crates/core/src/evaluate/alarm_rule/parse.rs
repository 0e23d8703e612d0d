//! Reading alarm rules.

use super::{Rule, State, Threshold};

/// Deeper than the 500 elements that AWS allows can nest in practice, shallow enough for any stack.
const MAX_DEPTH: usize = 250;

/// A rule that could not be read. AWS accepted it, so its meaning is unknown, not wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("alarm rule: expected {expected} at byte {offset}")]
pub struct InvalidRule {
    /// What would have been understood there.
    pub expected: &'static str,
    /// Where, in bytes from the start of the rule.
    pub offset: usize,
}

/// Reads an alarm rule. `NOT` binds tightest, then `AND`, then `OR`.
pub fn parse(text: &str) -> Result<Rule, InvalidRule> {
    let mut parser = Parser {
        text,
        offset: 0,
        depth: 0,
    };
    let rule = parser.or()?;
    parser.skip_blanks();
    if parser.rest().is_empty() {
        Ok(rule)
    } else {
        Err(parser.expected("AND, OR or the end"))
    }
}

struct Parser<'t> {
    text: &'t str,
    offset: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn expected(&self, expected: &'static str) -> InvalidRule {
        InvalidRule {
            expected,
            offset: self.offset,
        }
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.offset += rest.len() - rest.trim_start().len();
    }

    fn symbol(&mut self, symbol: char) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(symbol);
        if found {
            self.offset += symbol.len_utf8();
        }
        found
    }

    fn need(&mut self, symbol: char, expected: &'static str) -> Result<(), InvalidRule> {
        if self.symbol(symbol) {
            Ok(())
        } else {
            Err(self.expected(expected))
        }
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        self.skip_blanks();
        let rest = self.rest();
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let end = rest
            .find(|character| !is_word(character))
            .unwrap_or(rest.len());
        let found = rest
            .get(..end)
            .is_some_and(|word| word.eq_ignore_ascii_case(keyword));
        if found {
            self.offset += end;
        }
        found
    }

    fn or(&mut self) -> Result<Rule, InvalidRule> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.expected("less nesting"));
        }
        let mut alternatives = vec![self.and()?];
        while self.keyword("OR") {
            alternatives.push(self.and()?);
        }
        self.depth -= 1;
        Ok(one_or(alternatives, Rule::Or))
    }

    fn and(&mut self) -> Result<Rule, InvalidRule> {
        let mut conditions = vec![self.not()?];
        while self.keyword("AND") {
            conditions.push(self.not()?);
        }
        Ok(one_or(conditions, Rule::And))
    }

    fn not(&mut self) -> Result<Rule, InvalidRule> {
        let mut negated = false;
        while self.keyword("NOT") {
            negated = !negated;
        }
        let rule = self.primary()?;
        Ok(if negated {
            Rule::Not(Box::new(rule))
        } else {
            rule
        })
    }

    fn primary(&mut self) -> Result<Rule, InvalidRule> {
        if self.symbol('(') {
            let rule = self.or()?;
            self.need(')', "`)`")?;
            return Ok(rule);
        }
        if self.keyword("TRUE") {
            return Ok(Rule::Constant(true));
        }
        if self.keyword("FALSE") {
            return Ok(Rule::Constant(false));
        }
        if self.keyword("AT_LEAST") {
            return self.at_least();
        }
        let state = self.state()?;
        self.need('(', "`(`")?;
        let alarm = self.alarm()?;
        self.need(')', "`)`")?;
        Ok(Rule::Is(state, alarm))
    }

    fn state(&mut self) -> Result<State, InvalidRule> {
        if self.keyword("ALARM") {
            Ok(State::Alarm)
        } else if self.keyword("OK") {
            Ok(State::Ok)
        } else if self.keyword("INSUFFICIENT_DATA") {
            Ok(State::InsufficientData)
        } else {
            Err(self.expected("ALARM, OK, INSUFFICIENT_DATA, AT_LEAST, TRUE, FALSE, NOT or `(`"))
        }
    }

    fn at_least(&mut self) -> Result<Rule, InvalidRule> {
        self.need('(', "`(`")?;
        self.skip_blanks();
        let rest = self.rest();
        let end = rest
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(rest.len());
        let number = rest.get(..end).and_then(|digits| digits.parse().ok());
        let number = number.ok_or_else(|| self.expected("a number"))?;
        self.offset += end;
        let threshold = if self.symbol('%') {
            Threshold::Percent(number)
        } else {
            Threshold::Count(number)
        };
        self.need(',', "`,`")?;
        let negated = self.keyword("NOT");
        let state = self.state()?;
        self.need(',', "`,`")?;
        self.need('(', "`(`")?;
        let mut alarms = vec![self.alarm()?];
        while self.symbol(',') {
            alarms.push(self.alarm()?);
        }
        self.need(')', "`)`")?;
        self.need(')', "`)`")?;
        Ok(Rule::AtLeast {
            threshold,
            state,
            negated,
            alarms,
        })
    }

    /// A name or ARN, in double quotes or bare up to a bracket, comma or quote.
    fn alarm(&mut self) -> Result<String, InvalidRule> {
        self.skip_blanks();
        let name = if self.symbol('"') {
            let rest = self.rest();
            let end = rest
                .find('"')
                .ok_or_else(|| self.expected("a closing quote"))?;
            self.offset += end + 1;
            rest.get(..end)
        } else {
            let rest = self.rest();
            let end = rest.find(['(', ')', ',', '"']).unwrap_or(rest.len());
            self.offset += end;
            rest.get(..end).map(str::trim_end)
        };
        name.filter(|name| !name.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| self.expected("the name or ARN of an alarm"))
    }
}

fn one_or(mut rules: Vec<Rule>, many: fn(Vec<Rule>) -> Rule) -> Rule {
    match (rules.len(), rules.pop()) {
        (1, Some(rule)) => rule,
        (_, last) => {
            rules.extend(last);
            many(rules)
        }
    }
}
