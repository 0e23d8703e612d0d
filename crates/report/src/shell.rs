//! Text of others in POSIX shell programs: commands to be pasted, words and comments of scripts.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use trailproof_core::remedy::{Command, Word};

/// One word, quoted where it must be. Never expands, whatever is in it.
pub fn quote(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@=,+".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
    }
}

/// A text in a comment: one line, nothing that ends it.
pub fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A command in one line, for people. Control characters would act on a terminal before a shell
/// sees them, and are left out.
pub fn command(command: &Command) -> String {
    line(command, |character| !character.is_control())
}

/// A command in a program: exactly its words.
pub fn program(command: &Command) -> String {
    line(command, |_| true)
}

fn line(command: &Command, keep: impl Fn(char) -> bool) -> String {
    let words = command.words.iter().map(|word| match word {
        Word::Text(text) => {
            let kept: String = text.chars().filter(|character| keep(*character)).collect();
            quote(&kept).into_owned()
        }
        Word::Variable(name) => format!("\"${name}\""),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The command that [`command`] wrote. A text that it would not write so is one word.
pub fn read(line: &str) -> Command {
    let words = words(line);
    let text = || vec![Word::text(line)];
    Command {
        words: words.unwrap_or_else(text),
    }
}

fn words(line: &str) -> Option<Vec<Word>> {
    let mut rest = line.chars().peekable();
    let mut words = Vec::new();
    loop {
        while rest.next_if_eq(&' ').is_some() {}
        if rest.peek().is_none() {
            return Some(words);
        }
        words.push(if rest.next_if_eq(&'"').is_some() {
            rest.next_if_eq(&'$')?;
            Word::Variable(until(&mut rest, '"')?.into())
        } else {
            text(&mut rest)?
        });
    }
}

/// A word without variables: quoted and escaped parts beside each other are one.
fn text(rest: &mut Peekable<Chars<'_>>) -> Option<Word> {
    let mut text = String::new();
    while let Some(character) = rest.next_if(|next| *next != ' ') {
        match character {
            '\'' => text.push_str(&until(rest, '\'')?),
            '\\' => text.push(rest.next()?),
            '"' | '$' | '`' => return None,
            other => text.push(other),
        }
    }
    Some(Word::text(text))
}

fn until(rest: &mut Peekable<Chars<'_>>, end: char) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            character if character == end => return Some(text),
            character => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        for (text, quoted) in [
            ("us-east-1", "us-east-1"),
            ("plain-word_1.2/3:4", "plain-word_1.2/3:4"),
            ("", "''"),
            ("a b", "'a b'"),
            ("{ $.a = \"b\" }", "'{ $.a = \"b\" }'"),
            ("it's $(rm -rf /)", r"'it'\''s $(rm -rf /)'"),
            ("$(rm -rf /)`x`", "'$(rm -rf /)`x`'"),
            ("~root", "'~root'"),
            ("a;b|c&d>e`f`", "'a;b|c&d>e`f`'"),
        ] {
            assert_eq!(quote(text), quoted);
        }
    }

    #[test]
    fn a_command_can_be_pasted_and_read_back() {
        let written = Command::aws("sns subscribe")
            .with("--topic-arn", "it's a \"topic\" $(x) ~")
            .with("--empty", "")
            .with_variable("--notification-endpoint", "EMAIL");
        let line = command(&written);
        assert_eq!(
            line,
            r#"aws sns subscribe --topic-arn 'it'\''s a "topic" $(x) ~' --empty '' --notification-endpoint "$EMAIL""#
        );
        assert_eq!(read(&line), written);
        let escape = Command::aws("x").with("--name", "a\u{1b}[31m\nb");
        assert_eq!(command(&escape), "aws x --name 'a[31mb'");
        // What others wrote is never taken for a program.
        for text in ["'open", "a \"b\" c", "a $(b)", "\""] {
            assert_eq!(read(text).words, [Word::text(text)], "{text}");
        }
    }

    #[test]
    fn comments_stay_on_their_line() {
        assert_eq!(comment("a\nrm -rf /\r\u{85}"), "a rm -rf /  ");
    }
}
