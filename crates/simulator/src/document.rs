//! Answers before they are written in a protocol: what AWS calls structures, lists, maps and
//! times. Each protocol writes them in its own way.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Map, Number, Value};

/// A value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Document {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Cow<'static, str>),
    Time(Timestamp),
    List(Vec<Self>),
    /// Members that the API model names.
    Structure(Structure),
    /// Keys that are data.
    Map(Vec<(String, Self)>),
}

/// Named members in the order they were added.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Structure(Vec<(&'static str, Document)>);

impl Structure {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a member.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Document>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Adds a member that is there.
    #[must_use]
    pub(crate) fn maybe(self, name: &'static str, value: Option<impl Into<Document>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a text that is not empty: the model keeps what is not set as an empty text.
    #[must_use]
    pub(crate) fn text(self, name: &'static str, value: &str) -> Self {
        self.maybe(name, Some(value).filter(|value| !value.is_empty()))
    }

    pub(crate) fn members(&self) -> &[(&'static str, Document)] {
        &self.0
    }
}

impl Document {
    /// As the AWS CLI prints it: times in ISO 8601.
    pub(crate) fn into_json(self) -> Value {
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Integer(value) => Value::Number(value.into()),
            Self::Float(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
            Self::Text(text) => Value::String(text.into_owned()),
            Self::Time(time) => Value::String(time.to_string()),
            Self::List(items) => items.into_iter().map(Self::into_json).collect(),
            Self::Structure(Structure(members)) => members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into_json()))
                .collect::<Map<_, _>>()
                .into(),
            Self::Map(entries) => entries
                .into_iter()
                .map(|(key, value)| (key, value.into_json()))
                .collect::<Map<_, _>>()
                .into(),
        }
    }
}

impl From<&Value> for Document {
    /// What was sent as JSON and is given back. Members without a value are left out.
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Text(Cow::Borrowed("")),
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::Integer(integer),
                None => Self::Float(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => text.into(),
            Value::Array(items) => items.iter().collect(),
            Value::Object(members) => {
                let members = members.iter().filter(|(_, value)| !value.is_null());
                let members = members.map(|(name, value)| (name.clone(), value.into()));
                Self::Map(members.collect())
            }
        }
    }
}

impl From<bool> for Document {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Document {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Document {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Document {
    fn from(value: &str) -> Self {
        Self::Text(Cow::Owned(value.to_owned()))
    }
}

impl From<String> for Document {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl From<&String> for Document {
    fn from(value: &String) -> Self {
        value.as_str().into()
    }
}

impl From<Cow<'static, str>> for Document {
    fn from(value: Cow<'static, str>) -> Self {
        Self::Text(value)
    }
}

impl From<Timestamp> for Document {
    fn from(value: Timestamp) -> Self {
        Self::Time(value)
    }
}

impl From<Structure> for Document {
    fn from(value: Structure) -> Self {
        Self::Structure(value)
    }
}

impl<T: Into<Document>> FromIterator<T> for Document {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}
