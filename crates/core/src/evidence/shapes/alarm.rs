//! CloudWatch alarms.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::alarm_configuration::AlarmConfiguration;
use super::lenient::{list, null_is_default, text, time};
use super::texts::Texts;

#[expect(clippy::struct_field_names, reason = "the names are those of the API")]
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::evidence) struct AlarmsResponse {
    #[serde(default)]
    pub(in crate::evidence) metric_alarms: Option<Vec<MetricAlarm>>,
    #[serde(default)]
    pub(in crate::evidence) composite_alarms: Option<Vec<CompositeAlarm>>,
    #[serde(default, deserialize_with = "list")]
    pub(in crate::evidence) log_alarms: Vec<LogAlarm>,
}

/// An alarm on the result of a query over log groups.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a log alarm")]
pub struct LogAlarm {
    /// Its name. Untrusted text.
    pub alarm_name: Arc<str>,
    /// Its ARN.
    #[serde(default, deserialize_with = "text")]
    pub alarm_arn: Option<Arc<str>>,
    /// Whether state changes run actions; absent is true.
    #[serde(default)]
    pub actions_enabled: Option<bool>,
    /// What runs when the alarm goes into ALARM.
    #[serde(default, deserialize_with = "list")]
    pub alarm_actions: Vec<Arc<str>>,
    /// What it asks, and where.
    #[serde(default, deserialize_with = "null_is_default")]
    pub scheduled_query_configuration: ScheduledQueryConfiguration,
}

/// What a log alarm asks, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduledQueryConfiguration {
    /// The query. Untrusted text.
    #[serde(default, deserialize_with = "text")]
    pub query_string: Option<String>,
    /// The log groups, by name or ARN.
    #[serde(default, deserialize_with = "list")]
    pub log_group_identifiers: Vec<String>,
}

/// An alarm on a metric or on metric math: what is said of it alone. What it evaluates stands in its
/// configuration, whose members are read as its own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricAlarm {
    /// Its name. Untrusted text.
    pub alarm_name: Arc<str>,
    /// Its ARN.
    pub alarm_arn: Option<Arc<str>>,
    /// What runs when the alarm goes into ALARM.
    pub alarm_actions: Vec<Arc<str>>,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state_value: Option<Arc<str>>,
    /// Why it is in that state, in CloudWatch's words.
    pub state_reason: Option<Arc<str>>,
    /// When its state changed last.
    pub state_transitioned_timestamp: Option<Timestamp>,
    /// When its state or what CloudWatch says of it changed last: not before the state did.
    pub state_updated_timestamp: Option<Timestamp>,
    /// When it was created or changed last.
    pub alarm_configuration_updated_timestamp: Option<Timestamp>,
    /// What keeps CloudWatch from evaluating it, such as `EVALUATION_ERROR`; absent where nothing
    /// does.
    pub evaluation_state: Option<Arc<str>>,
    /// What it evaluates, and how.
    pub configuration: Arc<AlarmConfiguration>,
}

impl Deref for MetricAlarm {
    type Target = AlarmConfiguration;

    fn deref(&self) -> &AlarmConfiguration {
        &self.configuration
    }
}

#[cfg(test)]
impl std::ops::DerefMut for MetricAlarm {
    fn deref_mut(&mut self) -> &mut AlarmConfiguration {
        Arc::make_mut(&mut self.configuration)
    }
}

/// The members of an alarm that are no part of its configuration. In an answer, both stand beside
/// each other.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "PascalCase")]
enum Member {
    AlarmName,
    AlarmArn,
    AlarmActions,
    StateValue,
    StateReason,
    StateTransitionedTimestamp,
    StateUpdatedTimestamp,
    AlarmConfigurationUpdatedTimestamp,
    EvaluationState,
    OfConfiguration(String),
}

#[derive(Deserialize)]
struct Text(#[serde(deserialize_with = "text")] Option<Arc<str>>);

#[derive(Deserialize)]
struct List(#[serde(deserialize_with = "list")] Vec<Arc<str>>);

#[derive(Deserialize)]
struct Time(#[serde(deserialize_with = "time")] Option<Timestamp>);

/// The members of a configuration, while those beside it are taken out.
struct Configured<'a, M> {
    members: M,
    name: &'a mut Option<Arc<str>>,
    alarm: &'a mut MetricAlarm,
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for Configured<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error>
    where
        K: DeserializeSeed<'de>,
    {
        let Self {
            members,
            name,
            alarm,
        } = self;
        while let Some(member) = members.next_key()? {
            match member {
                Member::AlarmName => **name = Some(members.next_value()?),
                Member::AlarmArn => alarm.alarm_arn = members.next_value::<Text>()?.0,
                Member::AlarmActions => alarm.alarm_actions = members.next_value::<List>()?.0,
                Member::StateValue => alarm.state_value = members.next_value::<Text>()?.0,
                Member::StateReason => alarm.state_reason = members.next_value::<Text>()?.0,
                Member::StateTransitionedTimestamp => {
                    alarm.state_transitioned_timestamp = members.next_value::<Time>()?.0;
                }
                Member::StateUpdatedTimestamp => {
                    alarm.state_updated_timestamp = members.next_value::<Time>()?.0;
                }
                Member::AlarmConfigurationUpdatedTimestamp => {
                    alarm.alarm_configuration_updated_timestamp = members.next_value::<Time>()?.0;
                }
                Member::EvaluationState => {
                    alarm.evaluation_state = members.next_value::<Text>()?.0;
                }
                Member::OfConfiguration(member) => {
                    return seed.deserialize(member.into_deserializer()).map(Some);
                }
            }
        }
        Ok(None)
    }

    fn next_value_seed<V>(&mut self, seed: V) -> Result<V::Value, M::Error>
    where
        V: DeserializeSeed<'de>,
    {
        self.members.next_value_seed(seed)
    }
}

impl<'de> Deserialize<'de> for MetricAlarm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;

        impl<'de> Visitor<'de> for Reading {
            type Value = MetricAlarm;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a metric alarm")
            }

            fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<MetricAlarm, M::Error> {
                let (mut name, mut alarm) = (None, MetricAlarm::default());
                let configured = Configured {
                    members,
                    name: &mut name,
                    alarm: &mut alarm,
                };
                let configuration = MapAccessDeserializer::new(configured);
                let configuration = AlarmConfiguration::deserialize(configuration)?;
                *Arc::make_mut(&mut alarm.configuration) = configuration;
                alarm.alarm_name = name.ok_or_else(|| M::Error::missing_field("AlarmName"))?;
                Ok(alarm)
            }
        }

        deserializer.deserialize_map(Reading)
    }
}

impl Texts for LogAlarm {
    fn texts(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        std::iter::once(&mut self.alarm_name).chain(&mut self.alarm_actions)
    }
}

impl Texts for MetricAlarm {
    fn texts(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        let words = [&mut self.state_value, &mut self.state_reason];
        std::iter::once(&mut self.alarm_name)
            .chain(&mut self.alarm_actions)
            .chain(words.into_iter().flatten())
    }
}

impl Texts for CompositeAlarm {
    fn texts(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        let words = [&mut self.state_value, &mut self.state_reason];
        std::iter::once(&mut self.alarm_name)
            .chain(&mut self.alarm_actions)
            .chain(words.into_iter().flatten())
    }
}

/// An alarm on the states of other alarms.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a composite alarm")]
pub struct CompositeAlarm {
    /// Its name. Untrusted text.
    pub alarm_name: Arc<str>,
    /// Its ARN.
    #[serde(default, deserialize_with = "text")]
    pub alarm_arn: Option<Arc<str>>,
    /// The expression over other alarms' states.
    #[serde(default, deserialize_with = "null_is_default")]
    pub alarm_rule: String,
    /// Whether state changes run actions; absent is true.
    #[serde(default)]
    pub actions_enabled: Option<bool>,
    /// What runs when the alarm goes into ALARM.
    #[serde(default, deserialize_with = "list")]
    pub alarm_actions: Vec<Arc<str>>,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    #[serde(default, deserialize_with = "text")]
    pub state_value: Option<Arc<str>>,
    /// Why it is in that state, in CloudWatch's words.
    #[serde(default, deserialize_with = "text")]
    pub state_reason: Option<Arc<str>>,
    /// When its state changed last.
    #[serde(default, deserialize_with = "time")]
    pub state_transitioned_timestamp: Option<Timestamp>,
    /// When its state or what CloudWatch says of it changed last: not before the state did.
    #[serde(default, deserialize_with = "time")]
    pub state_updated_timestamp: Option<Timestamp>,
    /// The alarm that suppresses this one's actions while it is in ALARM.
    #[serde(default, deserialize_with = "text")]
    pub actions_suppressor: Option<Arc<str>>,
    /// What suppresses the actions at the moment.
    #[serde(default, deserialize_with = "text")]
    pub actions_suppressed_by: Option<Arc<str>>,
}
