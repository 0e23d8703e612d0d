//! What a call asked for, by its meaning: two spellings of one question have one key.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Operation;
use super::store::Unreadable;
use crate::account::AccountId;
use crate::arn::Arn;

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
pub(super) struct Parameters<'a> {
    pub(super) operation: Operation,
    pub(super) map: &'a Map<String, Value>,
}

impl Parameters<'_> {
    /// A text; null and the empty text are absent.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Unreadable> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(other) => Err(Self::unreadable(name, &format!("`{other}` is not a text"))),
        }
    }

    /// Whose resource the call asks for; `None` where its ARN tells no account. What has no ARN is
    /// the caller's own.
    pub(super) fn owner(&self, caller: AccountId) -> Option<AccountId> {
        ["RoleArn", "Name", "TrailName", "TopicArn"]
            .iter()
            .filter_map(|name| self.map.get(*name)?.as_str())
            .find(|text| text.starts_with("arn:"))
            .map_or(Some(caller), Arn::account_in)
    }

    /// A text that the operation cannot do without.
    pub(super) fn required(&self, name: &str) -> Result<String, Unreadable> {
        self.text(name)?
            .ok_or_else(|| Self::unreadable(name, "it is missing"))
    }

    /// A yes or no.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Unreadable> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(Self::unreadable(
                name,
                &format!("`{other}` is not true or false"),
            )),
        }
    }

    /// A list of texts; null and the empty list are absent.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Unreadable> {
        match self.map.get(name) {
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
    pub(super) fn continues(&self) -> bool {
        TOKENS
            .iter()
            .filter_map(|name| self.map.get(*name)?.as_str())
            .any(|token| !token.is_empty())
    }

    /// Every other parameter that narrows the answer, as one text. `None` when there is none: the
    /// answer is then everything there is.
    pub(super) fn rest(&self, known: &[&str]) -> Option<String> {
        let rest: Map<String, Value> = self
            .map
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

    pub(super) fn unreadable(name: &str, reason: &str) -> Unreadable {
        Unreadable {
            member: format!("parameters.{name}"),
            reason: reason.to_owned(),
        }
    }
}

/// Which trails `DescribeTrails` was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TrailSelection {
    /// Whether replications were asked for.
    pub(super) shadows: bool,
    /// Only these.
    pub(super) only: Option<Box<str>>,
}

impl TrailSelection {
    pub(super) fn of(parameters: &Parameters<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            shadows: parameters.flag("includeShadowTrails")?.unwrap_or(true),
            only: parameters
                .rest(&["includeShadowTrails"])
                .map(String::into_boxed_str),
        })
    }
}

/// Which log groups `DescribeLogGroups` was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LogGroupSelection {
    prefix: Option<String>,
    pattern: Option<String>,
    class: Option<String>,
    names: BTreeSet<String>,
    rest: Option<String>,
}

impl LogGroupSelection {
    pub(super) fn of(parameters: &Parameters<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            prefix: parameters.text("logGroupNamePrefix")?,
            pattern: parameters.text("logGroupNamePattern")?,
            class: parameters.text("logGroupClass")?,
            names: parameters
                .texts("logGroupIdentifiers")?
                .iter()
                .map(|identifier| log_group_name(identifier).to_owned())
                .collect(),
            rest: parameters.rest(&[
                "logGroupNamePrefix",
                "logGroupNamePattern",
                "logGroupClass",
                "logGroupIdentifiers",
            ]),
        })
    }

    /// Whether a log group of this name, if there is one, has to be in the answer.
    pub(super) fn covers(&self, name: &str) -> bool {
        self.rest.is_none()
            && self.class.is_none()
            && self
                .prefix
                .as_deref()
                .is_none_or(|prefix| name.starts_with(prefix))
            && self
                .pattern
                .as_deref()
                .is_none_or(|pattern| name.contains(pattern))
            && (self.names.is_empty() || self.names.contains(name))
    }
}

/// The name in a log group's name or ARN.
pub(super) fn log_group_name(identifier: &str) -> &str {
    let name = identifier
        .split_once(":log-group:")
        .map_or(identifier, |(_, name)| name);
    name.strip_suffix(":*").unwrap_or(name)
}

/// Which filters `DescribeMetricFilters` was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FilterSelection {
    /// The log group; `None` for every log group.
    pub(super) log_group: Option<String>,
    /// Whether the answer leaves filters out: by name or by metric.
    pub(super) rest: Option<String>,
}

impl FilterSelection {
    pub(super) fn of(parameters: &Parameters<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            log_group: parameters.text("logGroupName")?,
            rest: parameters.rest(&["logGroupName"]),
        })
    }
}

/// Which alarms `DescribeAlarms` was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AlarmSelection {
    /// Metric alarms; also when no type was asked for.
    pub(super) metric: bool,
    /// Composite alarms; only when asked for by name of the type.
    pub(super) composite: bool,
    /// Whether the answer leaves alarms out: by name, prefix, state or action.
    pub(super) rest: Option<String>,
}

impl AlarmSelection {
    pub(super) fn of(parameters: &Parameters<'_>) -> Result<Self, Unreadable> {
        let types = parameters.texts("AlarmTypes")?;
        Ok(Self {
            metric: types.is_empty() || types.iter().any(|kind| kind == "MetricAlarm"),
            composite: types.iter().any(|kind| kind == "CompositeAlarm"),
            rest: parameters.rest(&["AlarmTypes"]),
        })
    }
}

/// Which mute rules `ListAlarmMuteRules` was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MuteSelection {
    /// Only the rules that target this alarm.
    pub(super) alarm: Option<String>,
    /// Only the rules with these statuses; empty for all.
    pub(super) statuses: BTreeSet<String>,
    /// Anything else that leaves rules out.
    pub(super) rest: Option<String>,
}

impl MuteSelection {
    pub(super) fn of(parameters: &Parameters<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            alarm: parameters.text("AlarmName")?,
            statuses: parameters.texts("Statuses")?.into_iter().collect(),
            rest: parameters.rest(&["AlarmName", "Statuses"]),
        })
    }

    /// Whether active rules have to be in the answer.
    pub(super) fn shows_active(&self) -> bool {
        self.rest.is_none() && (self.statuses.is_empty() || self.statuses.contains("ACTIVE"))
    }
}
