//! The parameters of a record, by their meaning.

use serde_json::{Map, Value};

use crate::evidence::store::Unreadable;

/// Parameters that page or shape an answer and select nothing.
const PAGING: &[&str] = &[
    "limit",
    "Limit",
    "MaxRecords",
    "MaxItems",
    "MaxResults",
    "maxResults",
    "PageSize",
];

/// Parameters that ask for what comes after other pages.
const TOKENS: &[&str] = &["NextToken", "nextToken", "StartingToken"];

/// A record's parameters, taken apart.
pub(in crate::evidence) struct Parameters<'a>(pub(in crate::evidence) &'a Map<String, Value>);

impl Parameters<'_> {
    /// A text; null and the empty text are absent.
    pub(in crate::evidence) fn text(&self, name: &str) -> Result<Option<String>, Unreadable> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(other) => Err(Self::unreadable(name, &format!("`{other}` is not a text"))),
        }
    }

    /// A text that the operation cannot do without.
    pub(in crate::evidence) fn required(&self, name: &str) -> Result<String, Unreadable> {
        self.text(name)?
            .ok_or_else(|| Self::unreadable(name, "it is missing"))
    }

    /// A yes or no.
    pub(in crate::evidence) fn flag(&self, name: &str) -> Result<Option<bool>, Unreadable> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(Self::unreadable(
                name,
                &format!("`{other}` is not true or false"),
            )),
        }
    }

    /// A list of texts; null and the empty list are absent.
    pub(in crate::evidence) fn texts(&self, name: &str) -> Result<Vec<String>, Unreadable> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| {
                    item.as_str()
                        .map(str::to_owned)
                        .ok_or_else(|| Self::unreadable(name, &format!("`{item}` is not a text")))
                })
                .collect(),
            Some(other) => Err(Self::unreadable(name, &format!("`{other}` is not a list"))),
        }
    }

    /// Whether the answer begins after other pages, which it leaves out.
    pub(in crate::evidence) fn continues(&self) -> bool {
        TOKENS
            .iter()
            .filter_map(|name| self.0.get(*name)?.as_str())
            .any(|token| !token.is_empty())
    }

    /// Every other parameter that narrows the answer, as one text. `None` when there is none: the
    /// answer is then everything there is.
    pub(in crate::evidence) fn rest(&self, known: &[&str]) -> Option<String> {
        let rest: Map<String, Value> = self
            .0
            .iter()
            .filter(|(name, value)| {
                !known.contains(&name.as_str())
                    && !PAGING.contains(&name.as_str())
                    && !value.is_null()
                    && value.as_array().is_none_or(|items| !items.is_empty())
                    && value.as_str().is_none_or(|text| !text.is_empty())
            })
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        (!rest.is_empty()).then(|| Value::Object(rest).to_string())
    }

    pub(in crate::evidence) fn unreadable(name: &str, reason: &str) -> Unreadable {
        Unreadable {
            member: format!("parameters.{name}"),
            reason: reason.to_owned(),
        }
    }
}
