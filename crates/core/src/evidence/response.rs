//! What AWS answered, on its way into evidence: one page, or many that were joined.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::pseudonym::{mask_answer, mask_member};

/// A response, with exactly the member names of the AWS API.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// It came as one page, or as a recorded answer.
    Whole(Value),
    /// It came as several pages.
    Joined(Joined),
}

/// The members of several pages. Lists, of which an organization has one with tens of thousands of
/// items, are text: as values, they take three times the memory.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Joined(BTreeMap<String, Member>);

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Member {
    Value(Value),
    List(Vec<Box<RawValue>>),
}

impl From<Value> for Response {
    fn from(response: Value) -> Self {
        Self::Whole(response)
    }
}

impl From<Map<String, Value>> for Response {
    fn from(page: Map<String, Value>) -> Self {
        Self::Whole(page.into())
    }
}

impl Response {
    /// Adds another page: its lists to those that are there, and every other member in place of what
    /// is there.
    pub fn join(&mut self, page: Map<String, Value>) {
        if let Self::Whole(first) = self {
            let mut joined = Joined(BTreeMap::new());
            if let Value::Object(members) = first.take() {
                joined.add(members);
            }
            *self = Self::Joined(joined);
        }
        if let Self::Joined(joined) = self {
            joined.add(page);
        }
    }

    /// How many bytes of text its joined lists are: whoever writes a long answer makes room for them
    /// at once, because doubling it takes as much again.
    pub fn joined_bytes(&self) -> usize {
        let Self::Joined(Joined(members)) = self else {
            return 0;
        };
        let lists = members.values().map(|member| match member {
            Member::Value(_) => 0,
            Member::List(items) => items.iter().map(|item| item.get().len() + 1).sum(),
        });
        lists.sum()
    }

    /// The response as a value.
    pub fn into_value(self) -> Value {
        match self {
            Self::Whole(response) => response,
            Self::Joined(Joined(members)) => {
                let members = members.into_iter();
                let members = members.map(|(name, member)| (name, member.into_value()));
                Value::Object(members.collect())
            }
        }
    }

    /// The response without the items of the lists that were joined.
    pub(super) fn outline(&self) -> Cow<'_, Value> {
        match self {
            Self::Whole(response) => Cow::Borrowed(response),
            Self::Joined(Joined(members)) => {
                let outline = members.iter().map(|(name, member)| {
                    let member = match member {
                        Member::Value(value) => value.clone(),
                        Member::List(_) => Value::Array(Vec::new()),
                    };
                    (name.clone(), member)
                });
                Cow::Owned(Value::Object(outline.collect()))
            }
        }
    }

    /// Hands over the items of a list, one after the other, or why one cannot be read; `None` where
    /// there is no such list. Each is let go before the next one is read.
    pub(super) fn each<T: DeserializeOwned>(
        self,
        member: &str,
        take: impl FnMut(Result<T, serde_json::Error>),
    ) -> Option<()> {
        match self {
            Self::Whole(mut response) => match response.get_mut(member)?.take() {
                Value::Array(items) => items.into_iter().map(T::deserialize).for_each(take),
                _ => return None,
            },
            Self::Joined(Joined(mut members)) => match members.remove(member)? {
                Member::List(items) => {
                    let items = items.into_iter().map(|item| to_value(&item));
                    items.map(T::deserialize).for_each(take);
                }
                Member::Value(_) => return None,
            },
        }
        Some(())
    }

    /// Replaces people's addresses in what a service answered to an operation.
    pub(super) fn mask(&mut self, operation: &str) {
        match self {
            Self::Whole(response) => {
                mask_answer(operation, response);
            }
            Self::Joined(Joined(members)) => {
                for (name, member) in members {
                    match member {
                        Member::Value(value) => {
                            mask_member(operation, name, value);
                        }
                        Member::List(items) => {
                            for item in items {
                                let mut value = to_value(item);
                                mask_answer(operation, &mut value);
                                *item = to_text(&value);
                            }
                        }
                    }
                }
            }
        }
    }
}

impl Joined {
    fn add(&mut self, page: Map<String, Value>) {
        for (name, value) in page {
            let Value::Array(items) = value else {
                self.0.insert(name, Member::Value(value));
                continue;
            };
            let items = items.iter().map(to_text);
            match self.0.get_mut(&name) {
                Some(Member::List(all)) => all.extend(items),
                _ => {
                    self.0.insert(name, Member::List(items.collect()));
                }
            }
        }
    }
}

impl Member {
    fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::List(items) => items.iter().map(|item| to_value(item)).collect(),
        }
    }
}

/// A value can always be written. If one could not, what reads the list would say so of null.
fn to_text(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// What was written from a value can always be read.
fn to_value(text: &RawValue) -> Value {
    serde_json::from_str(text.get()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::evidence::pseudonym;

    fn page(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    fn joined() -> Response {
        let mut response = Response::from(page(json!({
            "Accounts": [{ "Id": "1", "Email": "a@example.com" }], "Kept": 1, "Replaced": "first",
            "MasterAccountEmail": "b@example.com",
        })));
        response.join(page(json!({ "Accounts": [], "Replaced": { "by": 2 } })));
        response.join(page(
            json!({ "Accounts": [{ "Id": "2" }, 3], "Late": ["x"] }),
        ));
        response
    }

    #[test]
    fn pages_are_joined() {
        let whole = json!({
            "Accounts": [{ "Id": "1", "Email": "a@example.com" }, { "Id": "2" }, 3],
            "Kept": 1, "Replaced": { "by": 2 }, "Late": ["x"], "MasterAccountEmail": "b@example.com",
        });
        let response = joined();
        assert_eq!(serde_json::to_value(&response).unwrap(), whole);
        assert_eq!(
            serde_json::to_string(&response).unwrap(),
            serde_json::to_string(&whole).unwrap()
        );
        let length = serde_json::to_vec(&response).unwrap().len();
        assert!((length - 120..length).contains(&response.joined_bytes()));
        assert_eq!(response.into_value(), whole);
        let one = json!({ "Accounts": [1] });
        assert_eq!(Response::from(page(one.clone())).into_value(), one);
    }

    #[test]
    fn the_outline_has_every_member() {
        let outline = json!({
            "Accounts": [], "Kept": 1, "Replaced": { "by": 2 }, "Late": [],
            "MasterAccountEmail": "b@example.com",
        });
        assert_eq!(*joined().outline(), outline);
    }

    /// The same items, and the same words about those that cannot be read.
    #[test]
    fn items_are_the_same_from_text_and_from_values() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Account {
            id: String,
        }
        let items = |response: Response, list: &str| {
            let mut items = Vec::new();
            response.each(list, |item: Result<Account, _>| {
                items.push(item.map_err(|error| error.to_string()));
            })?;
            Some(items)
        };
        let whole = Response::from(joined().into_value());
        for list in ["Accounts", "Kept", "Absent"] {
            assert_eq!(items(joined(), list), items(whole.clone(), list), "{list}");
        }
        let accounts = items(joined(), "Accounts").unwrap();
        assert_eq!(accounts.iter().filter(|account| account.is_ok()).count(), 2);
        assert_eq!(items(joined(), "Kept"), None);
    }

    #[test]
    fn addresses_are_masked_in_text_and_in_values() {
        let operation = "organizations:ListAccounts";
        let (mut text, mut whole) = (joined(), Response::from(joined().into_value()));
        text.mask(operation);
        whole.mask(operation);
        let masked = text.into_value();
        assert_eq!(masked, whole.into_value());
        assert_eq!(masked["Accounts"][0]["Email"], pseudonym("a@example.com"));
        assert_eq!(masked["MasterAccountEmail"], pseudonym("b@example.com"));
    }
}
