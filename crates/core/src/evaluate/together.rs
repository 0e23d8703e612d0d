//! Trails that prove a control together: each records a part of its events, or the filters of its
//! log group match a part of them. The decision procedure for patterns decides whether the parts
//! are everything.

use std::sync::Arc;

use super::coverage::{Covering, Decisions, Required, conjunction, tells_accounts_apart};
use super::links::metric_filter;
use super::links::selectors::{self, Recorded};
use super::verdict::{Chain, Standing, Step, Verdict, Yardstick, standing};
use crate::account::AccountId;
use crate::evidence::Request;
use crate::finding::LinkName;

/// What the filters of a log group pass on of a control's events, where that is not all of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Passed {
    /// The patterns of filters whose routes are proved.
    pub(super) proved: Vec<String>,
    /// From the metric filter to the subscription, of the best of these.
    pub(super) chain: Chain,
    /// The patterns of filters whose routes may be complete.
    pub(super) open: Vec<String>,
    /// The calls that may complete them.
    pub(super) wants: Vec<Request>,
}

/// One trail's part.
pub(super) struct Part<'a> {
    /// The steps from the trail to its delivery, as they are shown.
    pub(super) head: &'a [Arc<Step>],
    pub(super) recorded: &'a Recorded,
    pub(super) passed: Passed,
}

/// What several trails come to.
pub(super) enum Together {
    /// Proved: this chain is one of those that do it.
    Proved(Chain),
    /// It may be, and these calls may show it.
    Possible(Chain, Vec<Request>),
    /// Nothing that was not said of each of them.
    No,
}

/// Whether trails whose selectors admit a part of the events each record all of them together.
pub(super) fn record_everything(
    recorded: &[&Recorded],
    required: Required<'_>,
    decisions: &mut Decisions,
) -> bool {
    let parts = recorded.iter().filter_map(|recorded| match recorded {
        Recorded::Some(patterns) if !patterns.is_empty() => Some(patterns),
        _ => None,
    });
    let parts: Vec<&Vec<String>> = parts.collect();
    let texts: Vec<&str> = parts
        .iter()
        .flat_map(|patterns| patterns.iter().map(String::as_str))
        .collect();
    parts.len() > 1
        && matches!(
            decisions.covers(required, &texts),
            Covering::Covers | Covering::Everything
        )
}

/// Whether a step of a head may stand in a chain that is proved together.
fn head_standing(head: &[Arc<Step>]) -> Standing {
    head.iter()
        .filter(|step| step.link != LinkName::Selectors)
        .map(|step| step.effective.standing())
        .min()
        .unwrap_or(Standing::Proved)
}

/// The events that a trail records and one of the filters matches; `None` where no pattern says it.
fn events(recorded: &Recorded, filters: &[String]) -> Option<Vec<String>> {
    match recorded {
        Recorded::All => Some(filters.to_vec()),
        Recorded::Unknown(_) => None,
        Recorded::Some(patterns) => patterns
            .iter()
            .flat_map(|pattern| filters.iter().map(move |filter| (pattern, filter)))
            .map(|(pattern, filter)| {
                let inner = pattern.trim().strip_prefix('{')?.strip_suffix('}')?;
                conjunction(filter, &[format!("({})", inner.trim())])
            })
            .collect(),
    }
}

/// What the parts come to, each of which is not enough by itself.
pub(super) fn join(
    account: AccountId,
    parts: &[Part<'_>],
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Together {
    let mut proved: Vec<String> = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut wants: Vec<Request> = Vec::new();
    let mut shown: Option<&Part<'_>> = None;
    let mut contributing = 0;
    for part in parts {
        let standing = head_standing(part.head);
        if standing == Standing::Broken || part.passed.open.is_empty() {
            continue;
        }
        contributing += 1;
        wants.extend(part.passed.wants.iter().cloned());
        open.extend(events(part.recorded, &part.passed.open).unwrap_or_default());
        if standing == Standing::Proved && !part.passed.proved.is_empty() {
            proved.extend(events(part.recorded, &part.passed.proved).unwrap_or_default());
            shown = shown.or(Some(part));
        }
    }
    if contributing < 2 {
        return Together::No;
    }
    let mut cover = |texts: &[String]| {
        let particular = texts.iter().any(|text| tells_accounts_apart(text));
        let required = Required {
            account: particular.then_some(account),
            ..required
        };
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        decisions.covers(required, &texts) == Covering::Covers
    };
    if let Some(part) = shown
        && cover(&proved)
    {
        let head = part.head.iter().map(|step| {
            if step.link == LinkName::Selectors {
                let step = Step::clone(step).effective(Verdict::Proved);
                Arc::new(step.observe(
                    &selectors::TOGETHER,
                    format!(
                        "{contributing} trails prove the control together; this is the chain of one of them"
                    ),
                ))
            } else {
                Arc::clone(step)
            }
        });
        return Together::Proved(head.chain(part.passed.chain.iter().cloned()).collect());
    }
    if !cover(&open) {
        return Together::No;
    }
    wants.sort();
    wants.dedup();
    let first = parts
        .iter()
        .find(|part| head_standing(part.head) != Standing::Broken && !part.passed.open.is_empty());
    let mut chain: Chain = first.map(|part| part.head.to_vec()).unwrap_or_default();
    if standing(&chain, Yardstick::Effective) == Standing::Broken {
        return Together::No;
    }
    chain.push(Arc::new(metric_filter::together(contributing)));
    Together::Possible(chain, wants)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use crate::control;
    use crate::evaluate::fixture::{MANAGEMENT, MEMBER, OTHER, World, record, verdict};
    use crate::finding::Status::{self, Fail, Pass, Unknown};

    const SECOND: &str = "arn:aws:cloudtrail:eu-west-1:111111111111:trail/second";
    const WHOLE: &str =
        r#"{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }"#;
    const ONE: &str = r#"{ $.errorCode = "*UnauthorizedOperation" }"#;
    const TWO: &str = r#"{ $.errorCode = "AccessDenied*" }"#;

    /// Two organization trails: what each records, the log group of the second, and the filters of
    /// both log groups.
    fn two_trails(selectors: [&Value; 2], group: &str, filters: [&[&str]; 2]) -> World {
        let mut world = World::healthy();
        let control = control::builtin()
            .iter()
            .find(|control| control.id == "unauthorized-api-calls");
        world.policy.controls = vec![control.unwrap().clone()];
        for account in [MANAGEMENT, MEMBER, OTHER] {
            let response = &mut world.record_mut("cloudtrail:DescribeTrails", account)["response"];
            let mut second = response["trailList"][0].clone();
            second["Name"] = json!("second");
            second["TrailARN"] = json!(SECOND);
            if account == MANAGEMENT {
                second["CloudWatchLogsLogGroupArn"] = json!(format!(
                    "arn:aws:logs:eu-west-1:111111111111:log-group:{group}:*"
                ));
            }
            response["trailList"].as_array_mut().unwrap().push(second);
        }
        let described = |names: &[&str], log_group: &str| {
            let filters: Vec<Value> = names
                .iter()
                .map(|pattern| {
                    json!({
                        "filterName": pattern, "filterPattern": pattern, "logGroupName": log_group,
                        "metricTransformations": [{
                            "metricName": "Failures", "metricNamespace": "CISBenchmark",
                            "metricValue": "1",
                        }],
                    })
                })
                .collect();
            json!({"metricFilters": filters})
        };
        let [first, second] = selectors;
        world.record_mut("cloudtrail:GetEventSelectors", MANAGEMENT)["response"] =
            json!({"EventSelectors": [first]});
        world.record_mut("logs:DescribeMetricFilters", MANAGEMENT)["response"] =
            described(filters[0], "trail");
        let status = world.record_mut("cloudtrail:GetTrailStatus", MANAGEMENT)["response"].clone();
        let mut add = |operation: &str, parameters: Value, response: Value| {
            let record = record(operation, MANAGEMENT, "eu-west-1", &parameters, &response);
            world.records.push(record);
        };
        add("cloudtrail:GetTrailStatus", json!({"Name": SECOND}), status);
        add(
            "cloudtrail:GetEventSelectors",
            json!({"TrailName": SECOND}),
            json!({"TrailARN": SECOND, "EventSelectors": [second]}),
        );
        if group != "trail" {
            add(
                "logs:DescribeLogGroups",
                json!({"logGroupNamePrefix": group}),
                json!({"logGroups": [{"logGroupName": group, "logGroupClass": "STANDARD"}]}),
            );
            add(
                "logs:DescribeMetricFilters",
                json!({"logGroupName": group}),
                described(filters[1], group),
            );
        }
        world
    }

    /// A trail that records reads and one that records writes, into one log group.
    pub(in crate::evaluate) fn reads_and_writes() -> World {
        let select = |kind: &str| json!({"ReadWriteType": kind, "IncludeManagementEvents": true});
        let [reads, writes] = ["ReadOnly", "WriteOnly"].map(select);
        two_trails([&reads, &writes], "trail", [&[WHOLE], &[]])
    }

    fn effective(world: &World) -> (Status, Option<String>) {
        let finding = world.finding(MEMBER);
        let (_, effective, reason) = verdict(&finding);
        (effective, reason.map(str::to_owned))
    }

    #[test]
    fn trails_prove_a_control_together_or_leave_it_open() {
        let select = |kind: &str| json!({"ReadWriteType": kind, "IncludeManagementEvents": true});
        let [all, reads, writes] = ["All", "ReadOnly", "WriteOnly"].map(select);
        for (selectors, group, filters, expected) in [
            ([&reads, &writes], "trail", [[WHOLE].as_slice(), &[]], Pass),
            ([&reads, &reads], "trail", [&[WHOLE], &[]], Fail),
            ([&reads, &writes], "second", [&[WHOLE], &[WHOLE]], Pass),
            ([&all, &all], "second", [&[ONE], &[TWO]], Pass),
            ([&all, &all], "second", [&[ONE], &[ONE]], Fail),
            ([&all, &writes], "second", [&[ONE], &[TWO]], Fail),
            // The part of the second trail never ends in an alarm.
            ([&reads, &writes], "second", [&[WHOLE], &[ONE]], Unknown),
        ] {
            let world = two_trails(selectors, group, filters);
            let (effective, reason) = effective(&world);
            assert_eq!(
                effective, expected,
                "{selectors:?} {group} {filters:?} {reason:?}"
            );
        }
    }

    /// What was never asked is asked for, since it may complete the proof.
    #[test]
    fn the_parts_are_asked_for() {
        let select = |kind: &str| json!({"ReadWriteType": kind, "IncludeManagementEvents": true});
        let [reads, writes] = ["ReadOnly", "WriteOnly"].map(select);
        for operation in ["logs:DescribeMetricFilters", "cloudwatch:DescribeAlarms"] {
            let world = two_trails([&reads, &writes], "trail", [&[WHOLE], &[]])
                .without(operation, MANAGEMENT);
            assert_eq!(effective(&world).0, Unknown, "{operation}");
            assert!(!world.wanted(MEMBER).is_empty(), "{operation}");
        }
    }
}
