//! CloudWatch Logs: making, changing and testing metric filters and log groups.

use jiff::Timestamp;
use trailproof_core::account::Region;

use super::logs::{group_not_found, invalid};
use super::{Answer, Context, unsupported};
use crate::document::{Document, Structure};
use crate::failure::Failure;
use crate::model::{FieldDimensions, LogGroup, LogGroupClass, MetricFilter, Organization, Site};
use crate::operation::Operation;
use crate::parameters::Parameters;
use trailproof_core::evidence::ErrorClass;
use trailproof_core::pattern::{Event, Pattern, matches};

/// Metric filters per log group (CloudWatch Logs quotas).
const FILTER_LIMIT: usize = 100;

pub(super) fn write(
    organization: &mut Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    let Some(account) = organization.account_mut(context.caller.account) else {
        return Err(group_not_found());
    };
    let region: &Region = context.region;
    let site = account.site_mut(region);
    let parameters = context.parameters;
    let group_name = parameters.text("logGroupName").unwrap_or_default();
    match operation {
        Operation::PutMetricFilter => put(site, group_name, parameters, context.now),
        Operation::DeleteMetricFilter => {
            let name = parameters.text("filterName").unwrap_or_default();
            let group = group(site, group_name)?;
            let before = group.filters.len();
            group.filters.retain(|filter| filter.name != name);
            if group.filters.len() == before {
                return Err(Failure::not_found(
                    "ResourceNotFoundException",
                    "The specified metric filter does not exist.",
                ));
            }
            Ok(Structure::new())
        }
        Operation::CreateLogGroup => {
            if site.log_groups.iter().any(|group| group.name == group_name) {
                return Err(Failure::invalid(
                    "ResourceAlreadyExistsException",
                    "The specified log group already exists",
                ));
            }
            if !is_group_name(group_name) {
                return Err(invalid(
                    "1 validation error detected: Value at 'logGroupName' failed to satisfy \
                     constraint",
                ));
            }
            let class = match parameters.text("logGroupClass") {
                None => LogGroupClass::Standard,
                Some(class) => LogGroupClass::from_name(class)
                    .ok_or_else(|| invalid("logGroupClass is not valid."))?,
            };
            site.log_groups.push(LogGroup {
                name: group_name.to_owned(),
                class,
                filters: Vec::new(),
            });
            Ok(Structure::new())
        }
        Operation::DeleteLogGroup => {
            group(site, group_name)?;
            site.log_groups.retain(|group| group.name != group_name);
            Ok(Structure::new())
        }
        _ => Err(unsupported()),
    }
}

fn group<'a>(site: &'a mut Site, name: &str) -> Result<&'a mut LogGroup, Failure> {
    site.log_groups
        .iter_mut()
        .find(|group| group.name == name)
        .ok_or_else(group_not_found)
}

fn is_group_name(name: &str) -> bool {
    (1..=512).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte))
}

fn put(site: &mut Site, group_name: &str, parameters: Parameters<'_>, now: Timestamp) -> Answer {
    let group = group(site, group_name)?;
    let filter = read_filter(parameters)?;
    if group.class != LogGroupClass::Standard {
        return Err(Failure::invalid(
            "InvalidOperationException",
            "This operation is not supported for the log group class.",
        ));
    }
    let full = group.filters.len() >= FILTER_LIMIT;
    match group
        .filters
        .iter_mut()
        .find(|existing| existing.name == filter.name)
    {
        Some(existing) => {
            *existing = MetricFilter {
                created_at: existing.created_at,
                ..filter
            }
        }
        None if full => {
            return Err(Failure::new(
                ErrorClass::Invalid,
                "LimitExceededException",
                "Resource limit exceeded.",
            ));
        }
        None => group.filters.push(MetricFilter {
            created_at: Some(now.as_millisecond()),
            ..filter
        }),
    }
    Ok(Structure::new())
}

fn read_filter(parameters: Parameters<'_>) -> Result<MetricFilter, Failure> {
    let name = parameters.text("filterName").unwrap_or_default();
    let pattern = parameters
        .text("filterPattern")
        .ok_or_else(|| invalid("filterPattern must be given."))?;
    let name_is_valid = (1..=512).contains(&name.chars().count()) && !name.contains([':', '*']);
    if !name_is_valid {
        return Err(invalid(
            "1 validation error detected: Value at 'filterName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [^:*]*",
        ));
    }
    check_pattern(pattern)?;
    let mut transformations = parameters.structures("metricTransformations");
    let (Some(transformation), None) = (transformations.next(), transformations.next()) else {
        return Err(invalid(
            "1 validation error detected: Value at 'metricTransformations' failed to satisfy \
             constraint: Member must have length equal to 1",
        ));
    };
    let required = |name| {
        transformation
            .text(name)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| invalid("a metric transformation needs a name, namespace and value."))
    };
    let dimensions: std::collections::BTreeMap<String, String> = transformation
        .get("dimensions")
        .and_then(serde_json::Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    let default_value = transformation.float("defaultValue");
    let emitted: Vec<FieldDimensions> = parameters
        .texts("emitSystemFieldDimensions")
        .iter()
        .map(|name| {
            FieldDimensions::from_name(name)
                .ok_or_else(|| invalid("emitSystemFieldDimensions is not valid."))
        })
        .collect::<Result<_, _>>()?;
    if !dimensions.is_empty() && default_value.is_some() {
        return Err(invalid(
            "Invalid metric transformation: dimensions and default value are mutually exclusive \
             properties.",
        ));
    }
    if dimensions.len() + emitted.len() > 3 {
        return Err(invalid("Too many dimensions: at most 3 are allowed."));
    }
    if !dimensions.is_empty() && !pattern.trim_start().starts_with(['{', '[']) {
        return Err(invalid(
            "The specified filter pattern does not support dimensions",
        ));
    }
    Ok(MetricFilter {
        name: name.to_owned(),
        pattern: pattern.to_owned(),
        metric_name: required("metricName")?,
        namespace: required("metricNamespace")?,
        value: required("metricValue")?,
        default_value,
        dimensions,
        unit: transformation
            .text("unit")
            .filter(|unit| *unit != "None")
            .unwrap_or_default()
            .to_owned(),
        apply_on_transformed_logs: parameters
            .boolean("applyOnTransformedLogs")
            .unwrap_or_default(),
        field_selection_criteria: parameters
            .text("fieldSelectionCriteria")
            .unwrap_or_default()
            .to_owned(),
        emit_system_field_dimensions: emitted,
        created_at: None,
    })
}

/// Refuses what is certainly no filter pattern.
fn check_pattern(pattern: &str) -> Result<Pattern, Failure> {
    if pattern.chars().count() > 1024 {
        return Err(invalid(
            "1 validation error detected: Value at 'filterPattern' failed to satisfy constraint: \
             Member must have length less than or equal to 1024",
        ));
    }
    Pattern::parse(pattern).map_err(|error| {
        Failure::invalid(
            "InvalidParameterException",
            format!("Invalid filter pattern: {error}"),
        )
    })
}

/// `TestMetricFilter`.
pub(super) fn test(organization: &Organization, context: Context<'_>) -> Answer {
    let text = context.parameters.text("filterPattern").unwrap_or_default();
    let pattern = check_pattern(text)?;
    let messages = context.parameters.texts("logEventMessages");
    if !(1..=50).contains(&messages.len()) {
        return Err(invalid(
            "1 validation error detected: Value at 'logEventMessages' failed to satisfy constraint",
        ));
    }
    // What AWS does not document is what the organization was told.
    let undocumented = organization.matched_tries.contains(text);
    let is_matched = |message: &str| {
        matches(&pattern, &Event::from_message(message))
            .as_bool()
            .unwrap_or(undocumented)
    };
    let matching: Document = (1_i64..)
        .zip(&messages)
        .filter(|(_, message)| is_matched(message))
        .map(|(number, message)| {
            Structure::new()
                .with("eventNumber", number)
                .with("eventMessage", message)
                .with("extractedValues", Document::Map(Vec::new()))
        })
        .collect();
    Ok(Structure::new().with("matches", matching))
}
