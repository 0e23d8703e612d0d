//! CloudWatch Logs: log groups and what their metric filters are.

use trailproof_core::arn::Arn;

use super::listing::Listing;
use super::{Answer, Context, unsupported};
use crate::document::{Document, Structure};
use crate::failure::Failure;
use crate::model::{LogGroup, MetricFilter, Organization, Site};
use crate::operation::Operation;
use crate::pagination;

/// The most that a page has, and what it has when nobody asks (Logs API, `limit`).
const PAGE: usize = 50;

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
        Operation::DescribeLogGroups => describe_log_groups(organization, site, context),
        Operation::DescribeMetricFilters => describe_metric_filters(site, context),
        Operation::TestMetricFilter => super::metric_filter_writing::test(organization, context),
        _ => Err(unsupported()),
    }
}

fn describe_log_groups(organization: &Organization, site: &Site, context: Context<'_>) -> Answer {
    let parameters = context.parameters;
    let prefix = parameters.text("logGroupNamePrefix").unwrap_or_default();
    let part = parameters
        .text("logGroupNamePattern")
        .unwrap_or_default()
        .to_lowercase();
    let class = parameters.text("logGroupClass");
    let identifiers = parameters.texts("logGroupIdentifiers");
    if !prefix.is_empty() && !part.is_empty() {
        return Err(invalid(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ));
    }
    let mut groups: Vec<&LogGroup> = site
        .log_groups
        .iter()
        .filter(|group| group.name.starts_with(prefix))
        .filter(|group| part.is_empty() || group.name.to_lowercase().contains(&part))
        .filter(|group| class.is_none_or(|class| group.class.as_str() == class))
        .filter(|group| {
            identifiers.is_empty()
                || identifiers.iter().any(|identifier| {
                    let arn: Option<Arn> = identifier.parse().ok();
                    let name = arn.as_ref().and_then(Arn::log_group_name);
                    name.unwrap_or(identifier) == group.name
                })
        })
        .collect();
    groups.sort_unstable_by(|left, right| left.name.cmp(&right.name));
    list(
        context,
        "DescribeLogGroups",
        "logGroups",
        &groups,
        |group| {
            let arn = format!(
                "arn:{}:logs:{}:{}:log-group:{}",
                organization.partition(),
                context.region,
                context.caller.account,
                group.name
            );
            let filters = i64::try_from(group.filters.len()).unwrap_or(i64::MAX);
            Structure::new()
                .with("logGroupName", &group.name)
                .with("creationTime", CREATED)
                .with("metricFilterCount", filters)
                .with("arn", format!("{arn}:*"))
                .with("storedBytes", 0)
                .with("logGroupClass", group.class.as_str())
                .with("logGroupArn", arn)
        },
    )
}

/// When everything was made, in milliseconds; nobody asks.
const CREATED: i64 = 1_700_000_000_000;

fn describe_metric_filters(site: &Site, context: Context<'_>) -> Answer {
    let parameters = context.parameters;
    let group = parameters.text("logGroupName");
    if let Some(name) = group
        && !site.log_groups.iter().any(|group| group.name == name)
    {
        return Err(group_not_found());
    }
    let prefix = parameters.text("filterNamePrefix").unwrap_or_default();
    let (metric, namespace) = (
        parameters.text("metricName"),
        parameters.text("metricNamespace"),
    );
    if metric.is_some() != namespace.is_some() {
        return Err(invalid(
            "metricName and metricNamespace must both be given or both be left out.",
        ));
    }
    let mut filters: Vec<(&str, &MetricFilter)> = site
        .log_groups
        .iter()
        .filter(|candidate| group.is_none_or(|name| candidate.name == name))
        .flat_map(|group| {
            group
                .filters
                .iter()
                .map(|filter| (group.name.as_str(), filter))
        })
        .filter(|(_, filter)| filter.name.starts_with(prefix))
        .filter(|(_, filter)| metric.is_none_or(|name| filter.metric_name == name))
        .filter(|(_, filter)| namespace.is_none_or(|name| filter.namespace == name))
        .collect();
    filters.sort_unstable_by(|left, right| (&left.1.name, left.0).cmp(&(&right.1.name, right.0)));
    list(
        context,
        "DescribeMetricFilters",
        "metricFilters",
        &filters,
        |(group, filter)| describe_filter(group, filter),
    )
}

fn describe_filter(group: &str, filter: &MetricFilter) -> Structure {
    let dimensions: Vec<(String, Document)> = filter
        .dimensions
        .iter()
        .map(|(name, value)| (name.clone(), value.into()))
        .collect();
    let mut transformation = Structure::new()
        .with("metricName", &filter.metric_name)
        .with("metricNamespace", &filter.namespace)
        .with("metricValue", &filter.value)
        .maybe("defaultValue", filter.default_value);
    if !dimensions.is_empty() {
        transformation = transformation.with("dimensions", Document::Map(dimensions));
    }
    let transformation = transformation.text("unit", &filter.unit);
    let mut answer = Structure::new()
        .with("filterName", &filter.name)
        .with("filterPattern", &filter.pattern)
        .with(
            "metricTransformations",
            Document::from_iter([transformation]),
        )
        .with("creationTime", filter.created_at.unwrap_or(CREATED))
        .with("logGroupName", group)
        .with("applyOnTransformedLogs", filter.apply_on_transformed_logs)
        .text("fieldSelectionCriteria", &filter.field_selection_criteria);
    if !filter.emit_system_field_dimensions.is_empty() {
        let fields: Document = filter
            .emit_system_field_dimensions
            .iter()
            .map(|field| field.as_str())
            .collect();
        answer = answer.with("emitSystemFieldDimensions", fields);
    }
    answer
}

pub(super) fn group_not_found() -> Failure {
    Failure::not_found(
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
}

pub(super) fn invalid(message: &'static str) -> Failure {
    Failure::invalid("InvalidParameterException", message)
}

fn list<T>(
    context: Context<'_>,
    listing: &'static str,
    name: &'static str,
    items: &[T],
    describe: impl Fn(&T) -> Structure,
) -> Answer {
    let limit = context.parameters.integer("limit");
    let size = pagination::size(limit, PAGE, PAGE, || {
        invalid(
            "1 validation error detected: Value at 'limit' failed to satisfy constraint: Member \
             must have value less than or equal to 50",
        )
    })?;
    let listing = Listing {
        name: listing,
        member: name,
        token: "nextToken",
        size,
    };
    let refused = || invalid("The specified nextToken is invalid.");
    listing.page(context, items, refused, describe)
}
