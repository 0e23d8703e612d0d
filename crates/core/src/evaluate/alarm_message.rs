//! The message that an alarm publishes when it goes into ALARM: which members it has, and what is
//! known of their values (CloudWatch User Guide, "Amazon SNS notifications of alarms", with the
//! schemas for metric alarms and composite alarms).

use std::sync::Arc;

use crate::arn::Arn;
use crate::evidence::{CompositeAlarm, MetricAlarm};

/// What is known of one member.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Member {
    /// Exactly these texts: a list, or a text alone.
    Texts(Vec<Arc<str>>),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A number.
    Number(f64),
    /// There, and not empty; its value is not known before the alarm fires.
    Present,
    /// Documented for some alarms or states, so it may be there or not.
    Maybe,
    /// It has members of its own.
    Object,
    /// No message of this kind of alarm has it.
    Absent,
}

/// A message, as far as it is known beforehand.
#[derive(Debug, Clone)]
pub struct AlarmMessage {
    name: Arc<str>,
    arn: Option<Arc<str>>,
    actions: Vec<Arc<str>>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Of one metric: namespace, name, and the numbers of its alarm.
    Metric {
        namespace: Option<Arc<str>>,
        metric: Option<Arc<str>>,
        operator: Option<Arc<str>>,
        numbers: [(&'static str, Option<f64>); 3],
    },
    /// Of an expression, whose part of the message is not documented.
    Expression,
    Composite {
        rule: String,
    },
}

impl AlarmMessage {
    /// The message of a metric alarm.
    pub fn of_metric_alarm(alarm: &MetricAlarm) -> Self {
        #[allow(
            clippy::cast_precision_loss,
            reason = "periods and their numbers are small"
        )]
        let number = |value: Option<u64>| value.map(|value| value as f64);
        let kind = if alarm.metric_name.is_some() {
            Kind::Metric {
                namespace: alarm.namespace.clone(),
                metric: alarm.metric_name.clone(),
                operator: alarm.comparison_operator.clone(),
                numbers: [
                    ("Period", number(alarm.period)),
                    ("EvaluationPeriods", number(alarm.evaluation_periods)),
                    ("Threshold", alarm.threshold),
                ],
            }
        } else {
            Kind::Expression
        };
        Self {
            name: alarm.alarm_name.clone(),
            arn: alarm.alarm_arn.clone(),
            actions: alarm.alarm_actions.clone(),
            kind,
        }
    }

    /// The message of a composite alarm.
    pub fn of_composite_alarm(alarm: &CompositeAlarm) -> Self {
        Self {
            name: alarm.alarm_name.clone(),
            arn: alarm.alarm_arn.clone(),
            actions: alarm.alarm_actions.clone(),
            kind: Kind::Composite {
                rule: alarm.alarm_rule.clone(),
            },
        }
    }

    /// What is known of a member, by the names that lead to it.
    pub(super) fn member(&self, path: &[&str]) -> Member {
        match path {
            [name] => self.top(name),
            ["Trigger", name] => self.trigger(name),
            // Whose members nobody documents.
            [
                "AlarmContributorAttributes" | "TriggeringChildren" | "AlarmTags",
                ..,
            ]
            | ["Trigger", "Dimensions", ..] => Member::Maybe,
            ["Trigger", ..] if matches!(self.kind, Kind::Expression) => Member::Maybe,
            _ => Member::Absent,
        }
    }

    fn top(&self, name: &str) -> Member {
        let composite = matches!(self.kind, Kind::Composite { .. });
        let account = || {
            let arn = self.arn.as_deref()?;
            Some(arn.parse::<Arn>().ok()?.account()?.to_string())
        };
        match name {
            "AlarmName" => text(Some(&self.name)),
            "AlarmArn" => text(self.arn.as_deref()),
            "AWSAccountId" => text(account().as_deref()),
            "AlarmActions" => Member::Texts(self.actions.clone()),
            "NewStateValue" => Member::Texts(vec!["ALARM".into()]),
            "OldStateValue" => Member::OneOf(&["OK", "INSUFFICIENT_DATA"]),
            "NewStateReason" | "StateChangeTime" | "Region" => Member::Present,
            // A description may be null, lists may be empty; tags and contributors are documented
            // for other alarms, or where somebody asked for them.
            "AlarmDescription"
            | "OKActions"
            | "InsufficientDataActions"
            | "AlarmTags"
            | "AlarmContributorId"
            | "AlarmContributorAttributes" => Member::Maybe,
            "AlarmConfigurationUpdatedTimestamp" if !composite => Member::Present,
            "Trigger" if !composite => Member::Object,
            "TriggeringChildren" if composite => Member::Maybe,
            "AlarmRule" => match &self.kind {
                Kind::Composite { rule } => text(Some(rule)),
                _ => Member::Absent,
            },
            _ => Member::Absent,
        }
    }

    fn trigger(&self, name: &str) -> Member {
        match &self.kind {
            Kind::Composite { .. } => Member::Absent,
            Kind::Expression => Member::Maybe,
            Kind::Metric {
                namespace,
                metric,
                operator,
                numbers,
            } => match name {
                "Namespace" => text(namespace.as_deref()),
                "MetricName" => text(metric.as_deref()),
                "ComparisonOperator" => text(operator.as_deref()),
                // Written in ways that the documents show only by example.
                "StatisticType"
                | "Statistic"
                | "Unit"
                | "Dimensions"
                | "DatapointsToAlarm"
                | "TreatMissingData"
                | "EvaluateLowSampleCountPercentile" => Member::Maybe,
                _ => match numbers.iter().find(|(known, _)| *known == name) {
                    Some((_, Some(number))) => Member::Number(*number),
                    Some((_, None)) => Member::Maybe,
                    None => Member::Absent,
                },
            },
        }
    }
}

fn text(known: Option<&str>) -> Member {
    known.map_or(Member::Maybe, |text| Member::Texts(vec![text.into()]))
}
