//! Regular expressions of filter patterns: `%...%`.
//!
//! The supported alphabet is small (CloudWatch Logs User Guide, "Supported regular expressions
//! syntax"), and everything outside it is rejected, as AWS does. What is inside is rewritten for
//! this program's engine, so that a class such as `\d` means ASCII digits.

use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use regex_automata::dfa::dense;
use regex_automata::meta;
use regex_automata::nfa::thompson;
use regex_syntax::hir::Hir;

use super::{PatternError, Span};

/// A regular expression, searched for anywhere in a text.
#[derive(Debug, Clone)]
pub struct Regex {
    source: Arc<str>,
    engine: Arc<Engine>,
}

#[derive(Debug)]
struct Engine {
    search: meta::Regex,
    hir: Hir,
    automaton: OnceLock<Option<dense::DFA<Vec<u32>>>>,
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Regex {}

impl Hash for Regex {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.hash(state);
    }
}

/// Bounds the memory of one compiled expression.
const SIZE_LIMIT: usize = 1 << 20;

impl Regex {
    /// Compiles what stands between the percent signs; `offset` is where it begins in the pattern.
    pub(super) fn parse(source: &str, offset: usize) -> Result<Self, PatternError> {
        let translated = Translation::of(source, offset)?;
        let whole = Span::new(offset, offset + source.len());
        let hir = regex_syntax::ParserBuilder::new()
            .nest_limit(250)
            .build()
            .parse(&translated)
            .map_err(|_| PatternError::new(whole, "this is not a regular expression"))?;
        let search = meta::Builder::new()
            .configure(meta::Config::new().nfa_size_limit(Some(SIZE_LIMIT)))
            .build_from_hir(&hir)
            .map_err(|_| PatternError::new(whole, "this regular expression is too large"))?;
        Ok(Self {
            source: source.into(),
            engine: Arc::new(Engine {
                search,
                hir,
                automaton: OnceLock::new(),
            }),
        })
    }

    /// What stands between the percent signs.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the expression is found in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.engine.search.is_match(text)
    }

    /// The text the expression searches for, where it is nothing but a text.
    pub(super) fn as_literal(&self) -> Option<&str> {
        self.source
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b" :_#=@/;,-".contains(&byte))
            .then_some(&*self.source)
    }

    /// A deterministic automaton of the expression, unless it would be too large.
    pub(super) fn automaton(&self) -> Option<&dense::DFA<Vec<u32>>> {
        let build = || {
            let nfa = thompson::Compiler::new()
                .configure(thompson::Config::new().nfa_size_limit(Some(SIZE_LIMIT)))
                .build_from_hir(&self.engine.hir)
                .ok()?;
            dense::Builder::new()
                .configure(
                    dense::Config::new()
                        .dfa_size_limit(Some(SIZE_LIMIT))
                        .determinize_size_limit(Some(SIZE_LIMIT)),
                )
                .build_from_nfa(&nfa)
                .ok()
        };
        self.engine.automaton.get_or_init(build).as_ref()
    }
}

/// The rewriting of one expression.
struct Translation<'a> {
    source: &'a str,
    offset: usize,
    position: usize,
    output: String,
}

impl<'a> Translation<'a> {
    fn of(source: &'a str, offset: usize) -> Result<String, PatternError> {
        let mut translation = Self {
            source,
            offset,
            position: 0,
            output: String::new(),
        };
        while let Some(character) = translation.next()? {
            match character {
                '[' => translation.class()?,
                '{' => translation.repetition()?,
                '}' => return Err(translation.error(1, "`}` closes no repetition")),
                ']' => return Err(translation.error(1, "`]` closes no class")),
                '\\' => {
                    let escaped = translation.escape(false)?;
                    translation.output.push_str(&escaped);
                }
                plain if "#-".contains(plain) => {
                    translation.output.push('\\');
                    translation.output.push(plain);
                }
                other => translation.output.push(other),
            }
        }
        Ok(translation.output)
    }

    fn error(&self, length: usize, message: &str) -> PatternError {
        let end = self.offset + self.position;
        PatternError::new(Span::new(end.saturating_sub(length), end), message)
    }

    fn peek(&self) -> Option<char> {
        self.source.get(self.position..)?.chars().next()
    }

    fn next(&mut self) -> Result<Option<char>, PatternError> {
        let Some(character) = self.peek() else {
            return Ok(None);
        };
        self.position += character.len_utf8();
        // A blank is not documented, but the service was seen to accept it.
        if character.is_ascii_alphanumeric() || r" :_#=@/;,-^$?[]{}|\*+.".contains(character) {
            return Ok(Some(character));
        }
        let error = self.error(
            character.len_utf8(),
            &format!("`{character}` is not supported in a regular expression"),
        );
        Err(if character.is_ascii() {
            error.suggest(format!("write `\\x{:02x}`", u32::from(character)))
        } else {
            error.suggest("write `.` for a character outside ASCII")
        })
    }

    /// The replacement of an escape sequence; the backslash is read already.
    fn escape(&mut self, in_class: bool) -> Result<String, PatternError> {
        let Some(character) = self.next()? else {
            return Err(self.error(1, "nothing follows the backslash"));
        };
        let class = |items: &str, negated: bool| match (in_class, negated) {
            (true, false) => items.to_owned(),
            (false, false) => format!("[{items}]"),
            (_, true) => format!("[^{items}]"),
        };
        Ok(match character {
            'd' => class("0-9", false),
            'D' => class("0-9", true),
            'w' => class("0-9A-Za-z_", false),
            'W' => class("0-9A-Za-z_", true),
            's' => class(r"\t\n\x0B\f\r ", false),
            'S' => class(r"\t\n\x0B\f\r ", true),
            'x' => {
                let start = self.position;
                let digits = self.source.get(start..start + 2).unwrap_or_default();
                match u8::from_str_radix(digits, 16) {
                    Ok(byte) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                        self.position += 2;
                        format!(r"\x{byte:02x}")
                    }
                    _ => return Err(self.error(2, r"`\x` needs two hexadecimal digits")),
                }
            }
            letter if letter.is_ascii_alphanumeric() => {
                return Err(self
                    .error(2, &format!(r"`\{letter}` is not supported"))
                    .suggest(r"the classes are \d \D \s \S \w \W, and \xhh"));
            }
            symbol => format!(r"\x{:02x}", u32::from(symbol)),
        })
    }

    /// `[...]`; the bracket is read already.
    fn class(&mut self) -> Result<(), PatternError> {
        let opened = self.offset + self.position - 1;
        let mut output = String::from("[");
        if self.peek() == Some('^') {
            self.position += 1;
            output.push('^');
        }
        let mut empty = true;
        loop {
            let Some(character) = self.next()? else {
                let span = Span::new(opened, self.offset + self.source.len());
                return Err(PatternError::new(span, "this class is never closed")
                    .suggest("end it with `]`"));
            };
            match character {
                ']' if empty => return Err(self.error(1, "this class is empty")),
                ']' => break,
                '\\' => {
                    let escaped = self.escape(true)?;
                    output.push_str(&escaped);
                }
                '-' => {
                    // A range where something stands on both sides, else the character itself.
                    let range = !empty && self.peek().is_some_and(|next| next != ']');
                    output.push_str(if range { "-" } else { r"\-" });
                }
                letter if letter.is_ascii_alphanumeric() => output.push(letter),
                symbol => {
                    let _ = write!(output, r"\x{:02x}", u32::from(symbol));
                }
            }
            empty = false;
        }
        output.push(']');
        self.output.push_str(&output);
        Ok(())
    }

    /// `{m}`, `{m,}` or `{m,n}`; the brace is read already.
    fn repetition(&mut self) -> Result<(), PatternError> {
        let rest = self.source.get(self.position..).unwrap_or_default();
        let Some((bounds, _)) = rest.split_once('}') else {
            return Err(self.error(1, "this repetition is never closed"));
        };
        let (least, most) = bounds.split_once(',').unwrap_or((bounds, bounds));
        let number = |text: &str| text.parse::<u16>().ok().filter(|count| *count <= 1000);
        let valid = match (number(least), most) {
            (Some(_), "") => bounds.contains(','),
            (Some(least), most) => number(most).is_some_and(|most| least <= most),
            (None, _) => false,
        };
        if !valid {
            return Err(self.error(1, "a repetition is written `{m}`, `{m,}` or `{m,n}`"));
        }
        let _ = write!(self.output, "{{{bounds}}}");
        self.position += bounds.len() + 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_examples_match() {
        for (source, text, expected) in [
            ("AUTHORIZED", "[ERROR 401] UNAUTHORIZED REQUEST", true),
            ("^[hc]at", "a cat", false),
            ("^[hc]at", "hat", true),
            ("[hc]at$", "that", true),
            ("colou?r", "color", true),
            ("a{3,5}", "aa", false),
            ("gra|ey", "grey", true),
            (r"10\.10\.0\.1", "10.10.0.1", true),
            (r"10\.10\.0\.1", "10010.0.1", false),
            ("ab*c", "ac", true),
            ("ab+c", "ac", false),
            (r"^[^\d]\W\S\D$", "a-bc", true),
            (r"\x28x\x29", "(x)", true),
            (r"[\w-]+@", "a-b@", true),
            (r"[a.b]", ".", true),
            (r"[-a]", "-", true),
            ("Failed auth", "Failed authentication", true),
        ] {
            let regex = Regex::parse(source, 0).unwrap();
            assert_eq!(regex.is_match(text), expected, "{source} on {text}");
        }
    }

    #[test]
    fn what_aws_rejects_is_an_error_with_its_place() {
        for (source, start, end) in [
            ("something!", 9, 10),
            ("a(b", 1, 2),
            ("ü", 0, 2),
            (r"a\b", 1, 3),
            ("[a", 0, 2),
            ("a{2", 1, 2),
            ("a'b", 1, 2),
        ] {
            let error = Regex::parse(source, 0).unwrap_err();
            assert_eq!((error.span.start, error.span.end), (start, end), "{source}");
        }
    }

    #[test]
    fn sizes_are_bounded() {
        assert!(Regex::parse("a{1000}{1000}{1000}", 0).is_err());
    }
}
