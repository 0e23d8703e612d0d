//! The words that an enumeration is written with, read from its own implementation of
//! [`Deserialize`]: lists of them cannot fall behind the type.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::forward_to_deserialize_any;

/// The words of an enumeration that derives [`Deserialize`], in the order of its variants. Empty
/// for what is no enumeration.
pub fn of<T: for<'a> Deserialize<'a>>() -> &'static [&'static str] {
    match T::deserialize(Asked) {
        Err(Answer(words)) => words,
        Ok(_) => &[],
    }
}

/// Holds no value, but learns what an enumeration asks for.
struct Asked;

impl<'de> Deserializer<'de> for Asked {
    type Error = Answer;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Answer> {
        Err(Answer(&[]))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        words: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Answer> {
        Err(Answer(words))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// What was asked for.
#[derive(Debug)]
struct Answer(&'static [&'static str]);

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "one of {}", self.0.join(", "))
    }
}

impl std::error::Error for Answer {}

impl Error for Answer {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self(&[])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::control::Severity;
    use crate::finding::{LinkName, LinkStatus, Status};
    use crate::policy::Assurance;

    #[test]
    fn an_enumeration_tells_its_words_and_nothing_else_does() {
        assert_eq!(of::<Assurance>(), ["cis", "effective", "both"]);
        assert_eq!(
            of::<LinkStatus>(),
            ["PASS", "FAIL", "UNKNOWN", "NOT_EVALUATED"]
        );
        assert!(of::<String>().is_empty());
        assert!(of::<Vec<Status>>().is_empty());
    }

    #[test]
    fn lists_of_all_statuses_and_links_are_complete_and_spelled_as_they_are_written() {
        let statuses: BTreeSet<&str> = Status::ALL.map(Status::as_str).into();
        assert_eq!(statuses, of::<Status>().iter().copied().collect());
        let links: Vec<&str> = [LinkName::Account]
            .into_iter()
            .chain(LinkName::CHAIN)
            .map(LinkName::as_str)
            .collect();
        assert_eq!(links, of::<LinkName>());
        let registered = crate::evaluate::links::LINKS.iter();
        assert!(registered.map(|link| link.name.as_str()).eq(links));
        assert_eq!(LinkStatus::ALL.map(LinkStatus::as_str), of::<LinkStatus>());
        for severity in of::<Severity>() {
            let read: Severity = serde_json::from_value((*severity).into()).unwrap();
            assert_eq!(read.as_str(), *severity);
        }
    }
}
