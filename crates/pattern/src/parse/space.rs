//! Space-delimited patterns: `[ip, user, ..., status = 4*, bytes]`.

use super::super::{Field, FieldTest, Operand, Order, PatternError, SpacePattern};
use super::cursor::Cursor;
use super::value;

pub(super) fn pattern(cursor: &mut Cursor<'_>) -> Result<SpacePattern, PatternError> {
    let opened = cursor.position();
    cursor.next();
    let mut fields = Vec::new();
    let mut regexes = 0;
    loop {
        cursor.skip_blanks();
        fields.push(field(cursor, &mut regexes)?);
        cursor.skip_blanks();
        let at = cursor.position();
        match cursor.next() {
            Some(',') => {}
            Some(']') => break,
            None => {
                return Err(cursor
                    .error_since(opened, "if a pattern starts with `[` it must end with `]`")
                    .suggest("add `]`"));
            }
            Some(_) => {
                return Err(cursor
                    .error_since(at, "expected `,` or `]`")
                    .suggest("separate fields by commas"));
            }
        }
    }
    cursor.skip_blanks();
    if cursor.peek().is_some() {
        return Err(cursor.error_to_end("nothing may follow the closing bracket"));
    }
    Ok(SpacePattern { fields })
}

fn field(cursor: &mut Cursor<'_>, regexes: &mut usize) -> Result<Field, PatternError> {
    if cursor.take("...") {
        return Ok(Field::Ellipsis);
    }
    let name = name(cursor)?;
    let mut tests: Vec<Vec<FieldTest>> = Vec::new();
    let mut conjunction = Vec::new();
    cursor.skip_blanks();
    if matches!(cursor.peek(), Some('=' | '!' | '<' | '>')) {
        loop {
            cursor.skip_blanks();
            conjunction.push(test(cursor, regexes)?);
            cursor.skip_blanks();
            let start = cursor.position();
            if cursor.take("||") {
                tests.push(std::mem::take(&mut conjunction));
            } else if !cursor.take("&&") {
                break;
            }
            cursor.skip_blanks();
            let other = self::name(cursor)?;
            if other != name {
                return Err(cursor
                    .error_since(
                        start,
                        format!("this joins `{name}` with another field, `{other}`"),
                    )
                    .suggest("`&&` and `||` join tests of one field only"));
            }
        }
        tests.push(conjunction);
    }
    Ok(Field::Named {
        name: name.to_owned(),
        tests,
    })
}

fn name<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, PatternError> {
    let name = cursor
        .take_while(|character| !character.is_whitespace() && !"=!<>,[]&|\"%".contains(character));
    if name.is_empty() {
        return Err(cursor
            .error_here("a field needs a name")
            .suggest("for example `[ip, user, ..., status]`"));
    }
    Ok(name)
}

fn test(cursor: &mut Cursor<'_>, regexes: &mut usize) -> Result<FieldTest, PatternError> {
    let operators = [
        ("!=", None),
        ("<=", Some(Order::LessOrEqual)),
        (">=", Some(Order::GreaterOrEqual)),
        ("=", None),
        ("<", Some(Order::Less)),
        (">", Some(Order::Greater)),
    ];
    let Some((operator, order)) = operators
        .into_iter()
        .find(|(operator, _)| cursor.take(operator))
    else {
        return Err(cursor.error_here("expected `=`, `!=`, `<`, `<=`, `>` or `>=`"));
    };
    cursor.skip_blanks();
    let start = cursor.position();
    let operand = value::operand(cursor, |rest| {
        rest.starts_with([',', ']'])
            || rest.starts_with("&&")
            || rest.starts_with("||")
            || rest.starts_with(char::is_whitespace)
    })?;
    if matches!(operand, Operand::Regex(_)) {
        *regexes += 1;
        if *regexes > 2 {
            return Err(cursor.error_since(start, "a pattern has at most 2 regular expressions"));
        }
    }
    match (order, &operand) {
        (Some(order), Operand::Text(text)) => match text.number() {
            Some(number) => Ok(FieldTest::Ordered(order, number.clone())),
            None => Err(cursor.error_since(start, format!("`{operator}` compares numbers"))),
        },
        (Some(_), Operand::Regex(_)) => {
            Err(cursor.error_since(start, format!("`{operator}` compares numbers")))
        }
        (None, _) if operator == "=" => Ok(FieldTest::Equal(operand)),
        (None, _) => Ok(FieldTest::NotEqual(operand)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Pattern;

    #[test]
    fn errors_point_to_whole_characters() {
        let text = "[ip = 1 ї]";
        let error = Pattern::parse(text).unwrap_err();
        assert_eq!(text.get(error.span.start..error.span.end), Some("ї"));
    }
}
