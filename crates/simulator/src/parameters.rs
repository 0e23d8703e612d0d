//! What a caller sent, read leniently: awsQuery sends every number and boolean as text.

use serde_json::Value;

/// The parameters of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameters<'a>(pub(crate) &'a Value);

impl<'a> Parameters<'a> {
    pub(crate) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(Value::as_str)
    }

    pub(crate) fn integer(self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::String(text) => text.parse().ok(),
            value => value.as_i64(),
        }
    }

    pub(crate) fn float(self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Value::String(text) => text.parse().ok(),
            value => value.as_f64(),
        }
    }

    pub(crate) fn boolean(self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::String(text) => text.parse().ok(),
            value => value.as_bool(),
        }
    }

    pub(crate) fn list(self, name: &str) -> &'a [Value] {
        self.get(name)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    pub(crate) fn texts(self, name: &str) -> Vec<String> {
        self.list(name)
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    /// The structures of a list.
    pub(crate) fn structures(self, name: &str) -> impl Iterator<Item = Parameters<'a>> {
        self.list(name).iter().map(Parameters)
    }
}
