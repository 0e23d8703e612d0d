//! Patterns as text that parses to the same tree.

use std::fmt::{self, Display, Formatter, Write as _};

use super::{
    Condition, Expression, Field, FieldTest, Form, Operand, Pattern, Selector, SpacePattern, Step,
    Term, TermKind, Test, TextOperand,
};

impl Display for Pattern {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.form() {
            Form::Everything => Ok(()),
            Form::Json(expression) => write!(formatter, "{{ {expression} }}"),
            Form::Space(pattern) => pattern.fmt(formatter),
            Form::Regex(regex) => write!(formatter, "%{}%", regex.source()),
            Form::Terms(terms) => separated(formatter, terms, " "),
        }
    }
}

fn separated<T: Display>(formatter: &mut Formatter<'_>, parts: &[T], by: &str) -> fmt::Result {
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            formatter.write_str(by)?;
        }
        part.fmt(formatter)?;
    }
    Ok(())
}

impl Display for Expression {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (parts, operator) = match self {
            Self::All(parts) => (parts, " && "),
            Self::Any(parts) => (parts, " || "),
            Self::Condition(condition) => return condition.fmt(formatter),
        };
        for (position, part) in parts.iter().enumerate() {
            if position > 0 {
                formatter.write_str(operator)?;
            }
            match part {
                Self::Condition(condition) => condition.fmt(formatter)?,
                group => write!(formatter, "({group})")?,
            }
        }
        Ok(())
    }
}

impl Display for Condition {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let selector = &self.selector;
        match &self.test {
            Test::Equal(operand) => write!(formatter, "{selector} = {operand}"),
            Test::NotEqual(operand) => write!(formatter, "{selector} != {operand}"),
            Test::Ordered(order, number) => {
                write!(formatter, "{selector} {} {}", order.as_str(), number.text())
            }
            Test::IsNull => write!(formatter, "{selector} IS NULL"),
            Test::IsTrue => write!(formatter, "{selector} IS TRUE"),
            Test::IsFalse => write!(formatter, "{selector} IS FALSE"),
            Test::NotExists => write!(formatter, "{selector} NOT EXISTS"),
        }
    }
}

impl Display for Selector {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_char('$')?;
        for step in &self.steps {
            match step {
                Step::Member(name) if is_plain_name(name) => write!(formatter, ".{name}")?,
                Step::Member(name) if name.contains('\'') => write!(formatter, ".[\"{name}\"]")?,
                Step::Member(name) => write!(formatter, ".['{name}']")?,
                Step::AnyMember => formatter.write_str(".*")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
                Step::AnyIndex => formatter.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

impl Display for Operand {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(formatter),
            Self::Regex(regex) => write!(formatter, "%{}%", regex.source()),
        }
    }
}

impl Display for TextOperand {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if self.is_quoted() {
            quoted(formatter, self.text())
        } else {
            formatter.write_str(self.text())
        }
    }
}

fn quoted(formatter: &mut Formatter<'_>, text: &str) -> fmt::Result {
    write!(formatter, "\"{}\"", text.replace('"', "\\\""))
}

impl Display for Term {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.kind {
            TermKind::Required => "",
            TermKind::Optional => "?",
            TermKind::Excluded => "-",
        })?;
        if self.quoted {
            quoted(formatter, &self.text)
        } else {
            formatter.write_str(&self.text)
        }
    }
}

impl Display for SpacePattern {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_char('[')?;
        separated(formatter, &self.fields, ", ")?;
        formatter.write_char(']')
    }
}

impl Display for Field {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ellipsis => formatter.write_str("..."),
            Self::Named { name, tests } => {
                if tests.is_empty() {
                    return formatter.write_str(name);
                }
                for (position, conjunction) in tests.iter().enumerate() {
                    if position > 0 {
                        formatter.write_str(" || ")?;
                    }
                    for (position, test) in conjunction.iter().enumerate() {
                        if position > 0 {
                            formatter.write_str(" && ")?;
                        }
                        match test {
                            FieldTest::Equal(operand) => write!(formatter, "{name} = {operand}")?,
                            FieldTest::NotEqual(operand) => {
                                write!(formatter, "{name} != {operand}")?;
                            }
                            FieldTest::Ordered(order, number) => {
                                write!(formatter, "{name} {} {}", order.as_str(), number.text())?;
                            }
                        }
                    }
                }
                Ok(())
            }
        }
    }
}
