//! CloudWatch: making, changing and deleting alarms.

use super::cloudwatch::{
    alarm_arn, alarm_names, dimensions_of, invalid, no_alarm, no_resource, tags_of,
};
use super::{Answer, Context, unsupported};
use crate::document::Structure;
use crate::failure::Failure;
use crate::model::{Alarm, MetricQuery, MetricStatistic, Organization, Site, Suppressor};
use crate::operation::Operation;
use crate::parameters::Parameters;

pub(super) fn write(
    organization: &mut Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    let tagged = context
        .parameters
        .text("ResourceARN")
        .and_then(|arn| arn.strip_prefix(&alarm_arn(organization, context, "")))
        .map(str::to_owned);
    let Some(account) = organization.account_mut(context.caller.account) else {
        return Err(unsupported());
    };
    let site = account.site_mut(context.region);
    let parameters = context.parameters;
    match operation {
        Operation::PutMetricAlarm => {
            put(site, read_metric_alarm(parameters)?);
            Ok(Structure::new())
        }
        Operation::PutCompositeAlarm => {
            put(site, read_composite_alarm(parameters)?);
            Ok(Structure::new())
        }
        Operation::DeleteAlarms => {
            let names = alarm_names(context)?;
            let found = || {
                site.alarms
                    .iter()
                    .filter(|alarm| names.contains(&alarm.name))
            };
            if found().filter(|alarm| alarm.is_composite()).count() > 1 {
                return Err(invalid(
                    "At most one composite alarm can be deleted at once.",
                ));
            }
            // "If you specify any incorrect alarm names, the alarms you specify with correct
            // names are still deleted" (`DeleteAlarms`).
            if found().next().is_none() {
                return Err(no_alarm("Unknown alarm."));
            }
            site.alarms.retain(|alarm| !names.contains(&alarm.name));
            Ok(Structure::new())
        }
        Operation::SetAlarmState => {
            let name = parameters.text("AlarmName").unwrap_or_default();
            let state = parameters.text("StateValue").unwrap_or_default();
            if !["OK", "ALARM", "INSUFFICIENT_DATA"].contains(&state) {
                return Err(invalid(
                    "StateValue must be OK, ALARM or INSUFFICIENT_DATA.",
                ));
            }
            let alarm =
                alarm(site, name).ok_or_else(|| no_alarm("The named resource does not exist."))?;
            state.clone_into(&mut alarm.state);
            Ok(Structure::new())
        }
        Operation::EnableAlarmActions | Operation::DisableAlarmActions => {
            let names = alarm_names(context)?;
            for alarm in &mut site.alarms {
                if names.contains(&alarm.name) {
                    alarm.actions_enabled = operation == Operation::EnableAlarmActions;
                }
            }
            Ok(Structure::new())
        }
        Operation::TagResource => {
            let alarm = tagged_alarm(site, tagged)?;
            alarm.tags.extend(tags_of(parameters.list("Tags")));
            Ok(Structure::new())
        }
        Operation::UntagResource => {
            let alarm = tagged_alarm(site, tagged)?;
            for key in parameters.texts("TagKeys") {
                alarm.tags.remove(&key);
            }
            Ok(Structure::new())
        }
        _ => Err(unsupported()),
    }
}

fn alarm<'a>(site: &'a mut Site, name: &str) -> Option<&'a mut Alarm> {
    site.alarms.iter_mut().find(|alarm| alarm.name == name)
}

fn tagged_alarm(site: &mut Site, name: Option<String>) -> Result<&mut Alarm, Failure> {
    name.and_then(|name| alarm(site, &name))
        .ok_or_else(|| no_resource("The named resource does not exist."))
}

/// Both operations completely overwrite what was there, tags and state aside: "tags are ignored"
/// on an update, and the state stays until the next evaluation (`PutMetricAlarm`).
fn put(site: &mut Site, mut alarm: Alarm) {
    match site
        .alarms
        .iter_mut()
        .find(|existing| existing.name == alarm.name)
    {
        Some(existing) => {
            alarm.tags = std::mem::take(&mut existing.tags);
            alarm.state = std::mem::take(&mut existing.state);
            *existing = alarm;
        }
        None => site.alarms.push(alarm),
    }
}

/// The members that both kinds of alarm have.
fn read_common(parameters: Parameters<'_>) -> Result<Alarm, Failure> {
    let name = parameters.text("AlarmName").unwrap_or_default();
    let name_is_valid = (1..=255).contains(&name.chars().count())
        && !name.bytes().any(|byte| byte.is_ascii_control());
    if !name_is_valid {
        return Err(invalid(
            "1 validation error detected: Value at 'alarmName' failed to satisfy constraint",
        ));
    }
    let actions = |name| -> Result<Vec<String>, Failure> {
        let actions = parameters.texts(name);
        if actions.len() > 5 || actions.iter().any(|action| action.len() > 1024) {
            return Err(invalid("at most 5 actions of 1024 characters are allowed."));
        }
        if actions.iter().any(|action| !action.starts_with("arn:")) {
            return Err(invalid("Invalid arn syntax: an action must be an ARN."));
        }
        Ok(actions)
    };
    Ok(Alarm {
        name: name.to_owned(),
        description: owned(parameters, "AlarmDescription"),
        actions_enabled: parameters.boolean("ActionsEnabled").unwrap_or(true),
        alarm_actions: actions("AlarmActions")?,
        ok_actions: actions("OKActions")?,
        insufficient_data_actions: actions("InsufficientDataActions")?,
        tags: tags_of(parameters.list("Tags")),
        ..Alarm::default()
    })
}

fn read_metric_alarm(parameters: Parameters<'_>) -> Result<Alarm, Failure> {
    let metrics: Vec<MetricQuery> = parameters.structures("Metrics").map(read_query).collect();
    let alarm = Alarm {
        metric_name: owned(parameters, "MetricName"),
        namespace: owned(parameters, "Namespace"),
        statistic: owned(parameters, "Statistic"),
        extended_statistic: owned(parameters, "ExtendedStatistic"),
        dimensions: dimensions_of(parameters.list("Dimensions")),
        period: parameters.integer("Period"),
        unit: owned(parameters, "Unit"),
        evaluation_periods: parameters.integer("EvaluationPeriods"),
        datapoints_to_alarm: parameters.integer("DatapointsToAlarm"),
        threshold: parameters.float("Threshold"),
        comparison_operator: owned(parameters, "ComparisonOperator"),
        treat_missing_data: owned(parameters, "TreatMissingData"),
        evaluate_low_sample_count_percentile: owned(parameters, "EvaluateLowSampleCountPercentile"),
        threshold_metric_id: owned(parameters, "ThresholdMetricId"),
        metrics,
        ..read_common(parameters)?
    };
    if alarm.evaluation_periods.is_none_or(|periods| periods < 1)
        || alarm.comparison_operator.is_empty()
    {
        return Err(invalid(
            "EvaluationPeriods and ComparisonOperator must be given.",
        ));
    }
    if alarm.metrics.is_empty() {
        let statistic = alarm.statistic.is_empty() == alarm.extended_statistic.is_empty();
        if alarm.metric_name.is_empty() || alarm.namespace.is_empty() || statistic {
            return Err(invalid(
                "MetricName, Namespace and one of Statistic and ExtendedStatistic must be given.",
            ));
        }
        let period = alarm.period.unwrap_or_default();
        if !([10, 20, 30].contains(&period) || period > 0 && period % 60 == 0) {
            return Err(invalid("Period must be 10, 20, 30 or a multiple of 60."));
        }
    } else if !alarm.metric_name.is_empty() {
        return Err(Failure::invalid(
            "InvalidParameterCombination",
            "Metrics and MetricName are mutually exclusive.",
        ));
    }
    Ok(alarm)
}

fn read_query(query: Parameters<'_>) -> MetricQuery {
    MetricQuery {
        id: owned(query, "Id"),
        expression: owned(query, "Expression"),
        metric: query.get("MetricStat").map(|statistic| {
            let statistic = Parameters(statistic);
            let metric = Parameters(statistic.get("Metric").unwrap_or(statistic.0));
            MetricStatistic {
                namespace: owned(metric, "Namespace"),
                metric_name: owned(metric, "MetricName"),
                dimensions: dimensions_of(metric.list("Dimensions")),
                period: statistic.integer("Period").unwrap_or_default(),
                statistic: owned(statistic, "Stat"),
                unit: owned(statistic, "Unit"),
            }
        }),
        label: owned(query, "Label"),
        return_data: query.boolean("ReturnData"),
        period: query.integer("Period"),
        account_id: owned(query, "AccountId"),
    }
}

fn read_composite_alarm(parameters: Parameters<'_>) -> Result<Alarm, Failure> {
    let rule = owned(parameters, "AlarmRule");
    if rule.is_empty() || rule.len() > 10240 {
        return Err(invalid("AlarmRule must have 1 to 10240 characters."));
    }
    let suppressor = parameters
        .text("ActionsSuppressor")
        .map(|alarm| Suppressor {
            alarm: alarm.to_owned(),
            wait_period: parameters
                .integer("ActionsSuppressorWaitPeriod")
                .unwrap_or_default(),
            extension_period: parameters
                .integer("ActionsSuppressorExtensionPeriod")
                .unwrap_or_default(),
            suppressed_by: String::new(),
        });
    Ok(Alarm {
        rule,
        suppressor,
        ..read_common(parameters)?
    })
}

fn owned(parameters: Parameters<'_>, name: &str) -> String {
    parameters.text(name).unwrap_or_default().to_owned()
}
