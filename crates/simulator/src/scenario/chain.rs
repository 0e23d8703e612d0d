//! The healthy chain and its changes: tables merged before they become resources.

use toml::{Table, Value};
use trailproof_core::account::{AccountId, Region};

use super::ScenarioError;
use crate::model::{Account, LogGroup, Subscription, Topic};

/// The parts of a chain, and the lists that add to them.
const PARTS: [&str; 6] = [
    "trail",
    "log_group",
    "filter",
    "alarm",
    "topic",
    "subscription",
];
const LISTS: [(&str, &str); 3] = [
    ("more_filters", "filter"),
    ("more_alarms", "alarm"),
    ("more_subscriptions", "subscription"),
];

/// Adds to an account the healthy chain with the changes of its file and its own.
pub(super) fn add(
    account: &mut Account,
    home: &Region,
    of_file: &Table,
    own: &Table,
) -> Result<(), ScenarioError> {
    let id = account.id;
    let fault = |place: &str, message: String| ScenarioError::Account {
        account: id,
        place: format!("chain.{place}"),
        message,
    };
    let mut chain: Table = toml::from_str(include_str!("healthy.toml"))
        .map_err(|error| fault("", error.to_string()))?;
    if let Some(name) = own.get("name").and_then(Value::as_str) {
        rename(&mut chain, name);
    }
    for changes in [of_file, own] {
        for (key, value) in changes {
            let known = PARTS.contains(&key.as_str())
                || LISTS.iter().any(|(list, _)| list == key)
                || ["name", "region"].contains(&key.as_str());
            if !known {
                return Err(fault(key, "there is no such part of a chain".to_owned()));
            }
            merge(&mut chain, key, value.clone());
        }
    }
    let region = match chain.get("region").and_then(Value::as_str) {
        Some(region) => Region::new(region),
        None => home.clone(),
    };
    let part = |name: &str| match chain.get(name) {
        Some(Value::Table(table)) => Some(table),
        _ => None,
    };
    let more = |list: &str, name: &str| -> Vec<Table> {
        let changes = chain.get(list).and_then(Value::as_array);
        changes
            .into_iter()
            .flatten()
            .filter_map(Value::as_table)
            .map(|changes| {
                let mut merged = part(name).cloned().unwrap_or_default();
                for (key, value) in changes {
                    merge(&mut merged, key, value.clone());
                }
                merged
            })
            .collect()
    };
    let all = |list: &str, name: &str| -> Vec<Table> {
        part(name)
            .cloned()
            .into_iter()
            .chain(more(list, name))
            .collect()
    };
    let site = account.site_mut(&region);
    if let Some(trail) = part("trail") {
        site.trails.push(read(id, "chain.trail", trail)?);
    }
    if let Some(group) = part("log_group") {
        let mut group: LogGroup = read(id, "chain.log_group", group)?;
        for filter in all("more_filters", "filter") {
            group.filters.push(read(id, "chain.filter", &filter)?);
        }
        site.log_groups.push(group);
    }
    for alarm in all("more_alarms", "alarm") {
        site.alarms.push(read(id, "chain.alarm", &alarm)?);
    }
    if let Some(topic) = part("topic") {
        let mut topic: Topic = read(id, "chain.topic", topic)?;
        for subscription in all("more_subscriptions", "subscription") {
            let subscription: Subscription = read(id, "chain.subscription", &subscription)?;
            topic.subscriptions.push(subscription);
        }
        site.topics.push(topic);
    }
    Ok(())
}

/// Makes a resource of a table.
pub(super) fn read<T: serde::de::DeserializeOwned>(
    account: AccountId,
    place: &str,
    table: &Table,
) -> Result<T, ScenarioError> {
    T::deserialize(Value::Table(table.clone())).map_err(|error| ScenarioError::Account {
        account,
        place: place.to_owned(),
        message: error.to_string(),
    })
}

/// Tables are merged, `true` leaves what is there, everything else replaces.
fn merge(table: &mut Table, key: &str, value: Value) {
    match (table.get_mut(key), value) {
        (Some(Value::Table(existing)), Value::Table(changes)) => {
            for (key, value) in changes {
                merge(existing, &key, value);
            }
        }
        (Some(Value::Table(_)), Value::Boolean(true)) => {}
        (_, value) => {
            table.insert(key.to_owned(), value);
        }
    }
}

/// Puts a prefix before every name of the chain, references included, so that an account can
/// have several.
fn rename(chain: &mut Table, prefix: &str) {
    const NAMES: [(&str, &str); 9] = [
        ("trail", "name"),
        ("trail", "log_group"),
        ("log_group", "name"),
        ("filter", "name"),
        ("filter", "metric_name"),
        ("alarm", "name"),
        ("alarm", "metric_name"),
        ("alarm", "alarm_actions"),
        ("topic", "name"),
    ];
    for (part, key) in NAMES {
        let value = chain
            .get_mut(part)
            .and_then(Value::as_table_mut)
            .and_then(|part| part.get_mut(key));
        match value {
            Some(Value::String(name)) => *name = format!("{prefix}-{name}"),
            Some(Value::Array(names)) => {
                for name in names {
                    if let Value::String(name) = name {
                        *name = format!("{prefix}-{name}");
                    }
                }
            }
            _ => {}
        }
    }
}
