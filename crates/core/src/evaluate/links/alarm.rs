//! An alarm watches the metric and can fire.

use std::sync::Arc;

use crate::account::AccountId;
use crate::evaluate::firing::{self, Beside, Firing, Restriction, Signal};
use crate::evaluate::reading::{Unread, locked, request};
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{
    Call, MetricAlarm, MetricFilter, MetricTransformation, Operation, Reader, Site, View,
};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;

static NONE: Reason = Reason {
    code: "alarm.none",
    status: Status::Fail,
    meaning: "No alarm in the log group's account and region watches the metric.",
    remedy: "Create an alarm on the metric.",
};
static CANNOT_FIRE: Reason = Reason {
    code: "alarm.cannot-fire",
    status: Status::Fail,
    meaning: "No number of matching events moves the alarm from quiet into ALARM.",
    remedy: "Create an alarm beside it: Sum over 300 seconds, at least 1, in 1 evaluation period.",
};
static NOT_DECIDED: Reason = Reason {
    code: "alarm.not-decided",
    status: Status::Unknown,
    meaning: "Whether the alarm can fire could not be decided.",
    remedy: "Create an alarm beside it: Sum over 300 seconds, at least 1, in 1 evaluation period.",
};
static NOT_OBSERVED: Reason = Reason {
    code: "alarm.not-observed",
    status: Status::Unknown,
    meaning: "The alarms could not be listed.",
    remedy: "Let the audit role in the log group's account call cloudwatch:DescribeAlarms, then scan again.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] =
    &[&NONE, &CANNOT_FIRE, &NOT_DECIDED, &NOT_OBSERVED];

pub(in crate::evaluate) const OBSERVATIONS: &[&ObservationKind] = &[
    &firing::NEEDS_SEVERAL,
    &firing::LATCHES,
    &firing::MISSING_DATA_BREACHES,
    &firing::WRONG_WAY,
    &firing::BELOW_A_MINUTE,
];

/// An alarm that names the metric, as judged.
pub(in crate::evaluate) struct Watching {
    pub(in crate::evaluate) alarm: Arc<MetricAlarm>,
    pub(in crate::evaluate) step: Step,
    /// The events the alarm is confined to.
    pub(in crate::evaluate) restrictions: Vec<Restriction>,
}

/// Every alarm that names the metric, and a step for those that may be missing or are.
pub(in crate::evaluate) fn judge(
    evidence: &Reader<'_>,
    site: &Site,
    alarms: &View<MetricAlarm>,
    filter: &MetricFilter,
    transformation: &MetricTransformation,
    beside: Vec<Beside<'_>>,
) -> (Vec<Watching>, Option<Step>) {
    let signal = Signal::new(filter, transformation, site.account).beside(beside);
    let metric = format!(
        "{}/{}",
        transformation.metric_namespace, transformation.metric_name
    );
    let watching: Vec<Watching> = alarms
        .items
        .iter()
        .flat_map(|alarm| {
            firing::analyse(alarm, &signal)
                .into_iter()
                .map(move |firing| (alarm, firing))
        })
        .filter_map(|(alarm, firing)| {
            let named = firing::reads(alarm, &signal);
            if !named && firing == Firing::Unrelated {
                return None;
            }
            let mut watching = one(alarm, site, firing, &metric);
            watching.step = watching.step.seen(alarms.observed_at);
            if !named {
                // The benchmark's audit looks for the metric's name and finds none.
                let cis = watching.step.effective.clone();
                watching.step = watching.step.cis(cis);
            }
            Some(watching)
        })
        .collect();
    let rest = Step::new(LinkName::Alarm)
        .on(&*metric, Some(site.account), Some(site.region.clone()))
        .seen(alarms.observed_at);
    if alarms.complete {
        let absent = watching.is_empty().then(|| {
            rest.because(Cause::new(
                &NONE,
                none(alarms, transformation, site, &metric),
            ))
        });
        return (watching, absent);
    }
    let unread = match &alarms.failure {
        Some(error) => Unread::failed(Operation::DescribeAlarms, site, error, alarms.observed_at),
        None => locked(evidence, site.account)
            .unwrap_or_else(|| Unread::never_asked(request(site, Call::DescribeAlarms))),
    };
    let unseen = rest
        .because(Cause::new(
            &NOT_OBSERVED,
            format!(
                "whether an alarm watches `{metric}` is not known: {}",
                unread.why
            ),
        ))
        .wanting(unread.wants);
    (watching, Some(unseen))
}

fn none(
    alarms: &View<MetricAlarm>,
    transformation: &MetricTransformation,
    site: &Site,
    metric: &str,
) -> String {
    let elsewhere = alarms
        .items
        .iter()
        .find(|alarm| alarm.metric_name.as_deref() == Some(transformation.metric_name.as_str()));
    let hint = elsewhere.map_or_else(String::new, |alarm| {
        format!(
            "; alarm `{}` watches a metric of that name in namespace `{}`",
            alarm.alarm_name,
            alarm.namespace.as_deref().unwrap_or_default()
        )
    });
    format!(
        "no alarm in account {} and {} watches metric `{metric}`{hint}",
        site.account, site.region
    )
}

fn one(alarm: &Arc<MetricAlarm>, site: &Site, firing: Firing, metric: &str) -> Watching {
    let name = &alarm.alarm_name;
    let step = Step::new(LinkName::Alarm)
        .on(
            alarm.alarm_arn.as_deref().unwrap_or(name),
            Some(site.account),
            Some(site.region.clone()),
        )
        .detail(format!("alarm `{name}` watches `{metric}`"));
    let (step, restrictions) = match firing {
        Firing::Fires(fires) => {
            let mut step = step.detail(match fires.events {
                1 => format!("one matching event moves alarm `{name}` into ALARM"),
                events => format!("{events} matching events move alarm `{name}` into ALARM"),
            });
            step.observations = fires.observations.into_iter().map(Arc::new).collect();
            (step, fires.restrictions)
        }
        Firing::Cannot { why } => (
            step.effective(Verdict::Broken(Cause::new(
                &CANNOT_FIRE,
                format!("alarm `{name}` cannot fire: it {why}"),
            ))),
            Vec::new(),
        ),
        Firing::Undecided { why } => (
            step.effective(Verdict::Unseen(Cause::new(
                &NOT_DECIDED,
                format!("whether alarm `{name}` can fire was not decided: it {why}"),
            ))),
            Vec::new(),
        ),
        Firing::Unrelated => (
            step.effective(Verdict::Broken(Cause::new(
                &CANNOT_FIRE,
                format!("alarm `{name}` does not watch the metric that the filter writes"),
            ))),
            Vec::new(),
        ),
    };
    Watching {
        alarm: Arc::clone(alarm),
        step,
        restrictions,
    }
}

/// The step of an alarm that watches the metric by a dimension that no event of the account has.
pub(in crate::evaluate) fn watches_others(
    step: Step,
    alarm: &MetricAlarm,
    account: AccountId,
) -> Step {
    if step.effective != Verdict::Proved {
        return step;
    }
    step.effective(Verdict::Broken(Cause::new(
        &CANNOT_FIRE,
        format!(
            "alarm `{}` does not fire on events of account {account}: the dimensions it watches \
             are those of other events",
            alarm.alarm_name
        ),
    )))
}

#[cfg(test)]
pub(in crate::evaluate) mod tests {
    use serde_json::json;

    use crate::evaluate::fixture::{
        Case, MANAGEMENT, MEMBER, OTHER, PATTERN, World, check, table, verdict,
    };
    use crate::finding::Status::{Fail, Pass, Unknown};

    /// A system field may be that of the event or that of the log group.
    #[test]
    fn system_fields_as_dimensions() {
        let undecided = Some("metric-filter.dimensions-not-decided");
        let cannot = Some("alarm.cannot-fire");
        for (fields, watched, owner, member) in [
            (
                json!(["@aws.account"]),
                json!([{"Name": "@aws.account", "Value": "111111111111"}]),
                (Pass, None),
                (Unknown, undecided),
            ),
            (
                json!(["@aws.account"]),
                json!([{"Name": "@aws.account", "Value": "222222222222"}]),
                (Fail, cannot),
                (Unknown, undecided),
            ),
            (
                json!(["@aws.account"]),
                json!([{"Name": "@aws.account", "Value": "333333333333"}]),
                (Fail, cannot),
                (Fail, cannot),
            ),
            (
                json!(["@aws.account"]),
                json!([]),
                (Fail, cannot),
                (Fail, cannot),
            ),
            (
                json!(["@aws.region"]),
                json!([{"Name": "@aws.region", "Value": "eu-west-1"}]),
                (Unknown, undecided),
                (Unknown, undecided),
            ),
            (
                json!(["@aws.region"]),
                json!([{"Name": "@aws.region", "Value": "nowhere-1"}]),
                (Fail, cannot),
                (Fail, cannot),
            ),
        ] {
            let world = World::healthy()
                .set(
                    "logs:DescribeMetricFilters",
                    MANAGEMENT,
                    "/metricFilters/0/emitSystemFieldDimensions",
                    fields,
                )
                .set(
                    "cloudwatch:DescribeAlarms",
                    MANAGEMENT,
                    "/MetricAlarms/0/Dimensions",
                    watched.clone(),
                );
            for (account, (effective, reason)) in [(MANAGEMENT, owner), (MEMBER, member)] {
                let finding = world.finding(account);
                assert_eq!(
                    verdict(&finding),
                    (Pass, effective, reason),
                    "{watched} {account}: {}",
                    finding.message
                );
            }
        }
    }

    /// Metric math may add up what a dimension tells apart.
    #[test]
    fn a_sum_over_the_accounts() {
        let of = |id: &str, account: &str| {
            json!({"Id": id, "ReturnData": false, "MetricStat": {
                "Period": 300, "Stat": "Sum",
                "Metric": {
                    "Namespace": "CISBenchmark", "MetricName": "Failures",
                    "Dimensions": [{"Name": "Account", "Value": account}],
                },
            }})
        };
        let world = World::healthy()
            .set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/metricTransformations/0/dimensions",
                json!({"Account": "$.recipientAccountId"}),
            )
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/Metrics",
                json!([
                    {"Id": "all", "Expression": "SUM(METRICS())", "ReturnData": true},
                    of("m1", "111111111111"),
                    of("m2", "222222222222"),
                ]),
            );
        for (account, effective, reason) in [
            (MANAGEMENT, Pass, None),
            (MEMBER, Pass, None),
            (OTHER, Fail, Some("metric-filter.misses-events")),
        ] {
            let finding = world.finding(account);
            assert_eq!(
                verdict(&finding),
                (Pass, effective, reason),
                "{account}: {}",
                finding.message
            );
        }
    }

    /// Another filter of the log group writes to the metric that the alarm watches.
    #[test]
    fn the_default_value_of_another_filter() {
        for (pattern, default, statistic, effective, reason) in [
            ("{ $.eventName = CreateUser }", json!(0), "Sum", Pass, None),
            (
                "{ $.eventName = CreateUser }",
                json!(1),
                "Sum",
                Fail,
                Some("alarm.cannot-fire"),
            ),
            (
                "{ $.eventName = CreateUser }",
                json!(0),
                "Average",
                Fail,
                Some("alarm.cannot-fire"),
            ),
            (
                "{ $.eventName = ConsoleLogin && $.userIdentity.type = Root }",
                json!(0),
                "Average",
                Unknown,
                Some("alarm.not-decided"),
            ),
            // It matches every event, so the alarm is in ALARM as long as there are any.
            ("", json!(null), "Sum", Fail, Some("alarm.cannot-fire")),
            (
                "{ $.eventName = CreateUser }",
                json!(null),
                "Average",
                Pass,
                None,
            ),
        ] {
            let filter = |name: &str, pattern: &str, default: &serde_json::Value| {
                json!({
                    "filterName": name, "filterPattern": pattern, "logGroupName": "trail",
                    "metricTransformations": [{
                        "metricName": "Failures", "metricNamespace": "CISBenchmark",
                        "metricValue": "1", "defaultValue": default,
                    }],
                })
            };
            let filters = json!([
                filter("failures", PATTERN, &json!(null)),
                filter("other", pattern, &default),
            ]);
            let world = World::healthy()
                .set(
                    "logs:DescribeMetricFilters",
                    MANAGEMENT,
                    "/metricFilters",
                    filters,
                )
                .set(
                    "cloudwatch:DescribeAlarms",
                    MANAGEMENT,
                    "/MetricAlarms/0/Statistic",
                    json!(statistic),
                );
            check(&world, Pass, effective, reason);
            let observations = world.finding(MEMBER).observations;
            let shared = observations.iter().any(|seen| seen.code == "metric.shared");
            assert_eq!(shared, pattern == "{ $.eventName = CreateUser }");
        }
    }

    /// Each observation, and where it is made.
    pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
        vec![
            (
                "alarm.needs-several-events",
                World::healthy().set(
                    "cloudwatch:DescribeAlarms",
                    MANAGEMENT,
                    "/MetricAlarms/0/Threshold",
                    json!(5.0),
                ),
            ),
            (
                "alarm.latches",
                World::healthy().set(
                    "cloudwatch:DescribeAlarms",
                    MANAGEMENT,
                    "/MetricAlarms/0/TreatMissingData",
                    json!("ignore"),
                ),
            ),
            (
                "alarm.missing-data-breaching",
                World::healthy()
                    .set(
                        "logs:DescribeMetricFilters",
                        MANAGEMENT,
                        "/metricFilters/0/metricTransformations/0/defaultValue",
                        json!(0),
                    )
                    .set(
                        "cloudwatch:DescribeAlarms",
                        MANAGEMENT,
                        "/MetricAlarms/0/TreatMissingData",
                        json!("breaching"),
                    ),
            ),
            (
                "alarm.looks-the-wrong-way",
                World::healthy().set(
                    "cloudwatch:DescribeAlarms",
                    MANAGEMENT,
                    "/MetricAlarms/0/ComparisonOperator",
                    json!("LessThanOrEqualToThreshold"),
                ),
            ),
            (
                "alarm.period-below-a-minute",
                World::healthy().set(
                    "cloudwatch:DescribeAlarms",
                    MANAGEMENT,
                    "/MetricAlarms/0/Period",
                    json!(30),
                ),
            ),
        ]
    }

    #[test]
    fn one_thing_is_not_as_it_should_be() {
        table(&[
            Case(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/metricTransformations/0/metricName",
                json!("Other"),
                Fail,
                Fail,
                Some("alarm.none"),
            ),
            Case(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/metricTransformations/0/dimensions",
                json!({"User": "$.userIdentity.userName"}),
                Pass,
                Fail,
                Some("alarm.cannot-fire"),
            ),
            Case(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms",
                json!([]),
                Fail,
                Fail,
                Some("alarm.none"),
            ),
            Case(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/Namespace",
                json!("Other"),
                Fail,
                Fail,
                Some("alarm.none"),
            ),
            Case(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/ComparisonOperator",
                json!("LessThanThreshold"),
                Pass,
                Fail,
                Some("alarm.cannot-fire"),
            ),
            Case(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/TreatMissingData",
                json!("breaching"),
                Pass,
                Fail,
                Some("alarm.cannot-fire"),
            ),
            Case(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/Unit",
                json!("Seconds"),
                Pass,
                Fail,
                Some("alarm.cannot-fire"),
            ),
            Case(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/Threshold",
                json!(5.0),
                Pass,
                Pass,
                None,
            ),
        ]);
    }
}
