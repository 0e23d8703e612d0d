//! CloudWatch: alarms and the rules that mute them.

use std::collections::BTreeMap;

use super::{Answer, Context, unsupported};
use crate::document::{Document, Structure};
use crate::failure::Failure;
use crate::model::{Alarm, MetricQuery, MetricStatistic, MuteRule, Organization, Site};
use crate::operation::Operation;
use crate::pagination;

/// The most that a page of alarms or mute rules has, and what it has when nobody asks.
const PAGE: usize = 100;
const DEFAULT_PAGE: usize = 50;

/// The most alarms that a call may name.
const MOST_NAMES: usize = 100;

/// When everything was configured; nobody asks.
const CONFIGURED: jiff::Timestamp = jiff::Timestamp::constant(1_700_000_000, 0);

pub(super) fn read(
    organization: &Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    let empty = Site::default();
    let site = organization
        .account(context.caller.account)
        .and_then(|account| account.site(context.region))
        .unwrap_or(&empty);
    match operation {
        Operation::DescribeAlarms => describe_alarms(organization, site, context),
        Operation::DescribeAlarmsForMetric => {
            let parameters = context.parameters;
            let dimensions = dimensions_of(parameters.list("Dimensions"));
            let alarms: Document = site
                .alarms
                .iter()
                .filter(|alarm| {
                    !alarm.is_composite()
                        && Some(alarm.metric_name.as_str()) == parameters.text("MetricName")
                        && Some(alarm.namespace.as_str()) == parameters.text("Namespace")
                        && alarm.dimensions == dimensions
                })
                .map(|alarm| metric_alarm(organization, context, alarm))
                .collect();
            Ok(Structure::new().with("MetricAlarms", alarms))
        }
        Operation::ListAlarmMuteRules => list_mute_rules(organization, site, context),
        Operation::GetAlarmMuteRule => {
            let name = context.parameters.text("AlarmMuteRuleName");
            let rule = site
                .mute_rules
                .iter()
                .find(|rule| Some(rule.name.as_str()) == name)
                .ok_or_else(|| no_resource("Mute rule not found."))?;
            let schedule = Structure::new()
                .with("Expression", &rule.expression)
                .with("Duration", &rule.duration);
            let targets: Document = rule.alarms.iter().collect();
            Ok(Structure::new()
                .with("Name", &rule.name)
                .with(
                    "AlarmMuteRuleArn",
                    mute_rule_arn(organization, context, rule),
                )
                .with("Rule", Structure::new().with("Schedule", schedule))
                .with("MuteTargets", Structure::new().with("AlarmNames", targets))
                .with("Status", &rule.status)
                .with("LastUpdatedTimestamp", CONFIGURED)
                .with("MuteType", &rule.mute_type))
        }
        Operation::ListTagsForResource => {
            let arn = context.parameters.text("ResourceARN").unwrap_or_default();
            let alarm = site
                .alarms
                .iter()
                .find(|alarm| alarm_arn(organization, context, &alarm.name) == arn)
                .ok_or_else(|| no_resource("The named resource does not exist."))?;
            Ok(Structure::new().with("Tags", tags(&alarm.tags)))
        }
        _ => Err(unsupported()),
    }
}

fn describe_alarms(organization: &Organization, site: &Site, context: Context<'_>) -> Answer {
    let parameters = context.parameters;
    let types = parameters.texts("AlarmTypes");
    // "If you omit this parameter, only metric alarms are returned" (DescribeAlarms).
    let wants = |kind: &str| {
        if types.is_empty() {
            kind == "MetricAlarm"
        } else {
            types.iter().any(|wanted| wanted == kind)
        }
    };
    let names = alarm_names(context)?;
    let prefix = parameters.text("AlarmNamePrefix").unwrap_or_default();
    if !names.is_empty() && !prefix.is_empty() {
        return Err(invalid(
            "AlarmNamePrefix and AlarmNames are mutually exclusive.",
        ));
    }
    let state = parameters.text("StateValue");
    let action = parameters.text("ActionPrefix").unwrap_or_default();
    let mut alarms: Vec<&Alarm> = site
        .alarms
        .iter()
        .filter(|alarm| {
            wants(if alarm.is_composite() {
                "CompositeAlarm"
            } else if alarm.is_on_logs() {
                "LogAlarm"
            } else {
                "MetricAlarm"
            })
        })
        .filter(|alarm| names.is_empty() || names.contains(&alarm.name))
        .filter(|alarm| alarm.name.starts_with(prefix))
        .filter(|alarm| state.is_none_or(|state| alarm.state == state))
        .filter(|alarm| {
            action.is_empty()
                || alarm
                    .alarm_actions
                    .iter()
                    .any(|target| target.starts_with(action))
        })
        .collect();
    alarms.sort_unstable_by_key(|alarm| (!alarm.is_composite(), &alarm.name));
    let page = page(context, "DescribeAlarms", alarms.len())?;
    let (composite, others): (Vec<&Alarm>, Vec<&Alarm>) = alarms
        .into_iter()
        .skip(page.start)
        .take(page.length)
        .partition(|alarm| alarm.is_composite());
    let (on_logs, metric): (Vec<&Alarm>, Vec<&Alarm>) =
        others.into_iter().partition(|alarm| alarm.is_on_logs());
    // Where there are none, or the caller does not ask for them, the list is not there.
    let on_logs = (!on_logs.is_empty()).then(|| {
        let on_logs = on_logs.into_iter();
        on_logs
            .map(|alarm| log_alarm(organization, context, alarm))
            .collect::<Document>()
    });
    let composite: Document = composite
        .into_iter()
        .map(|alarm| composite_alarm(organization, context, alarm))
        .collect();
    let metric: Document = metric
        .into_iter()
        .map(|alarm| metric_alarm(organization, context, alarm))
        .collect();
    Ok(Structure::new()
        .with("CompositeAlarms", composite)
        .with("MetricAlarms", metric)
        .maybe("LogAlarms", on_logs)
        .maybe("NextToken", page.next))
}

fn log_alarm(organization: &Organization, context: Context<'_>, alarm: &Alarm) -> Structure {
    let identifiers: Document = alarm.log_groups.iter().collect();
    common(organization, context, alarm)
        .with(
            "ScheduledQueryConfiguration",
            Structure::new()
                .text("QueryString", &alarm.query)
                .with("LogGroupIdentifiers", identifiers)
                .with("AggregationExpression", "count(*)"),
        )
        .with("QueryResultsToEvaluate", 1_i64)
        .with("QueryResultsToAlarm", 1_i64)
        .maybe("Threshold", alarm.threshold)
        .text("ComparisonOperator", &alarm.comparison_operator)
}

/// The members that all kinds of alarm have.
fn common(organization: &Organization, context: Context<'_>, alarm: &Alarm) -> Structure {
    let actions = |actions: &[String]| -> Document {
        actions
            .iter()
            .map(|action| resolve(organization, context, action))
            .collect()
    };
    let ago = |minutes: Option<i64>| {
        minutes.map_or(CONFIGURED, |minutes| {
            context.now - jiff::SignedDuration::from_mins(minutes)
        })
    };
    Structure::new()
        .with("AlarmName", &alarm.name)
        .with("AlarmArn", alarm_arn(organization, context, &alarm.name))
        .text("AlarmDescription", &alarm.description)
        .with(
            "AlarmConfigurationUpdatedTimestamp",
            ago(alarm.configured_minutes),
        )
        .with("ActionsEnabled", alarm.actions_enabled)
        .with("OKActions", actions(&alarm.ok_actions))
        .with("AlarmActions", actions(&alarm.alarm_actions))
        .with(
            "InsufficientDataActions",
            actions(&alarm.insufficient_data_actions),
        )
        .with("StateValue", &alarm.state)
        .with("StateReason", "Unchecked: Initial alarm creation")
        .with("StateUpdatedTimestamp", ago(alarm.state_minutes))
        .with("StateTransitionedTimestamp", ago(alarm.state_minutes))
}

/// An action: an ARN, or the name of a topic of the same account and region.
fn resolve(organization: &Organization, context: Context<'_>, action: &str) -> String {
    if action.starts_with("arn:") {
        return action.to_owned();
    }
    format!(
        "arn:{}:sns:{}:{}:{action}",
        organization.partition(),
        context.region,
        context.caller.account
    )
}

fn metric_alarm(organization: &Organization, context: Context<'_>, alarm: &Alarm) -> Structure {
    let metrics: Document = alarm.metrics.iter().map(metric_query).collect();
    let mut answer = common(organization, context, alarm)
        .text("MetricName", &alarm.metric_name)
        .text("Namespace", &alarm.namespace)
        .text("Statistic", &alarm.statistic)
        .text("ExtendedStatistic", &alarm.extended_statistic)
        .with("Dimensions", dimensions(&alarm.dimensions))
        .maybe("Period", alarm.period)
        .text("Unit", &alarm.unit)
        .maybe("EvaluationPeriods", alarm.evaluation_periods)
        .maybe("DatapointsToAlarm", alarm.datapoints_to_alarm)
        .maybe("Threshold", alarm.threshold)
        .text("ComparisonOperator", &alarm.comparison_operator)
        .text("TreatMissingData", &alarm.treat_missing_data)
        .text(
            "EvaluateLowSampleCountPercentile",
            &alarm.evaluate_low_sample_count_percentile,
        )
        .text("ThresholdMetricId", &alarm.threshold_metric_id)
        .text("EvaluationState", &alarm.evaluation_state);
    if let Some(minutes) = alarm.warm_up_minutes {
        let warm_up = Structure::new()
            .with("WarmUpPeriodDurationInMinutes", minutes)
            .with(
                "OnlyStartEvaluatingAfterWarmUpPeriodEnds",
                alarm.evaluated_after_warm_up,
            );
        answer = answer.with("WarmUpConfiguration", warm_up);
    }
    if !alarm.wall_clock.is_empty() {
        let window = Structure::new().with("Timezone", &alarm.wall_clock);
        let window = Structure::new().with("WallClockWindow", window);
        answer = answer.with("EvaluationWindow", window);
    }
    if !alarm.metrics.is_empty() {
        answer = answer.with("Metrics", metrics);
    }
    answer
}

fn metric_query(query: &MetricQuery) -> Structure {
    Structure::new()
        .with("Id", &query.id)
        .maybe("MetricStat", query.metric.as_ref().map(metric_statistic))
        .text("Expression", &query.expression)
        .text("Label", &query.label)
        .maybe("ReturnData", query.return_data)
        .maybe("Period", query.period)
        .text("AccountId", &query.account_id)
}

fn metric_statistic(metric: &MetricStatistic) -> Structure {
    Structure::new()
        .with(
            "Metric",
            Structure::new()
                .with("Namespace", &metric.namespace)
                .with("MetricName", &metric.metric_name)
                .with("Dimensions", dimensions(&metric.dimensions)),
        )
        .with("Period", metric.period)
        .with("Stat", &metric.statistic)
        .text("Unit", &metric.unit)
}

fn composite_alarm(organization: &Organization, context: Context<'_>, alarm: &Alarm) -> Structure {
    let answer = common(organization, context, alarm).with("AlarmRule", &alarm.rule);
    match &alarm.suppressor {
        None => answer,
        Some(suppressor) => answer
            .text("ActionsSuppressedBy", &suppressor.suppressed_by)
            .with("ActionsSuppressor", &suppressor.alarm)
            .with("ActionsSuppressorWaitPeriod", suppressor.wait_period)
            .with(
                "ActionsSuppressorExtensionPeriod",
                suppressor.extension_period,
            ),
    }
}

fn list_mute_rules(organization: &Organization, site: &Site, context: Context<'_>) -> Answer {
    let alarm = context.parameters.text("AlarmName");
    let statuses = context.parameters.texts("Statuses");
    let rules: Vec<&MuteRule> = site
        .mute_rules
        .iter()
        .filter(|rule| alarm.is_none_or(|alarm| rule.alarms.iter().any(|name| name == alarm)))
        .filter(|rule| statuses.is_empty() || statuses.contains(&rule.status))
        .collect();
    let page = page(context, "ListAlarmMuteRules", rules.len())?;
    let rules: Document = rules
        .into_iter()
        .skip(page.start)
        .take(page.length)
        .map(|rule| {
            Structure::new()
                .with(
                    "AlarmMuteRuleArn",
                    mute_rule_arn(organization, context, rule),
                )
                .with("Status", &rule.status)
                .with("MuteType", &rule.mute_type)
                .with("LastUpdatedTimestamp", CONFIGURED)
        })
        .collect();
    Ok(Structure::new()
        .with("AlarmMuteRuleSummaries", rules)
        .maybe("NextToken", page.next))
}

fn page(context: Context<'_>, listing: &str, total: usize) -> Result<pagination::Page, Failure> {
    let asked = context.parameters.integer("MaxRecords");
    let size = pagination::size(asked, PAGE, DEFAULT_PAGE, || {
        invalid("MaxRecords must be between 1 and 100.")
    })?;
    let token = context.parameters.text("NextToken");
    context
        .paging
        .page(listing, token, total, size)
        .ok_or_else(|| Failure::invalid("InvalidNextToken", "The next token is invalid."))
}

pub(super) fn alarm_arn(organization: &Organization, context: Context<'_>, name: &str) -> String {
    format!(
        "arn:{}:cloudwatch:{}:{}:alarm:{name}",
        organization.partition(),
        context.region,
        context.caller.account
    )
}

fn mute_rule_arn(organization: &Organization, context: Context<'_>, rule: &MuteRule) -> String {
    format!(
        "arn:{}:cloudwatch:{}:{}:alarm-mute-rule:{}",
        organization.partition(),
        context.region,
        context.caller.account,
        rule.name
    )
}

fn dimensions(dimensions: &BTreeMap<String, String>) -> Document {
    dimensions
        .iter()
        .map(|(name, value)| Structure::new().with("Name", name).with("Value", value))
        .collect()
}

/// Dimensions as callers send them.
pub(super) fn dimensions_of(sent: &[serde_json::Value]) -> BTreeMap<String, String> {
    pairs(sent, "Name")
}

/// Tags as callers send them.
pub(super) fn tags_of(sent: &[serde_json::Value]) -> BTreeMap<String, String> {
    pairs(sent, "Key")
}

fn pairs(sent: &[serde_json::Value], key: &str) -> BTreeMap<String, String> {
    sent.iter()
        .filter_map(|pair| {
            let name = pair.get(key)?.as_str()?;
            let value = pair.get("Value")?.as_str()?;
            Some((name.to_owned(), value.to_owned()))
        })
        .collect()
}

pub(super) fn tags(tags: &BTreeMap<String, String>) -> Document {
    tags.iter()
        .map(|(key, value)| Structure::new().with("Key", key).with("Value", value))
        .collect()
}

pub(super) fn invalid(message: &'static str) -> Failure {
    Failure::invalid("ValidationError", message)
}

/// What the operations on alarms say about an alarm that is not there.
pub(super) fn no_alarm(message: &'static str) -> Failure {
    Failure::not_found("ResourceNotFound", message).status(404)
}

/// What the operations on tags and mute rules say: theirs is another error, with another code.
pub(super) fn no_resource(message: &'static str) -> Failure {
    Failure::not_found("ResourceNotFoundException", message).status(404)
}

/// The names of alarms that a call lists.
pub(super) fn alarm_names(context: Context<'_>) -> Result<Vec<String>, Failure> {
    let names = context.parameters.texts("AlarmNames");
    if names.len() > MOST_NAMES {
        return Err(invalid(
            "1 validation error detected: Value at 'alarmNames' failed to satisfy constraint: \
             Member must have length less than or equal to 100",
        ));
    }
    Ok(names)
}
