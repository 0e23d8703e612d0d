//! Steps and counts, as people read them.

use std::fmt::Write as _;

use trailproof_core::account::AccountId;
use trailproof_report::remediation::{Change, Plan, Step};

use crate::commands::changing::count;
use crate::untrusted::visible;

/// The plan in a sentence.
pub(super) fn summary(plan: &Plan) -> String {
    let summary = &plan.summary;
    let mut text = format!(
        "plan {}: {} at {}; {}{} will be PASS",
        plan.id,
        count(summary.changes, "change"),
        count(summary.sites, "site"),
        if plan.offline { "at least " } else { "" },
        count(summary.turns_green, "finding"),
    );
    if summary.waits_for_confirmation > 0 {
        let _ = write!(
            text,
            ", {} FAIL (subscription.pending) until somebody confirms",
            stays(summary.waits_for_confirmation)
        );
    }
    if summary.unrepairable > 0 {
        let _ = write!(
            text,
            ", {} not repaired",
            count(summary.unrepairable, "finding")
        );
    }
    text
}

/// `1 stays`, `2 stay`.
pub(super) fn stays(number: usize) -> String {
    let verb = if number == 1 { "stays" } else { "stay" };
    format!("{number} {verb}")
}

/// What a step creates, in lines of which the first names it; the account is said where it is not
/// the one that the reader sees already.
pub(super) fn lines(own: AccountId, step: &Step) -> Vec<String> {
    let elsewhere = if step.account == own {
        String::new()
    } else {
        format!("  (in account {})", step.account)
    };
    match &step.change {
        Change::PutMetricFilter(filter) => vec![
            format!(
                "metric filter  {} -> metric {}/{}",
                filter.name, filter.namespace, filter.metric
            ),
            format!("                 {}", filter.pattern),
        ],
        Change::CreateTopic(topic) => {
            let existing = if topic.use_existing {
                "  (used as it is if it exists)"
            } else {
                ""
            };
            let mut lines = vec![format!("topic          {}{existing}", topic.name)];
            if let Some(publishers) = &topic.publishers {
                lines.push(format!(
                    "               lets CloudWatch publish the alarms of {publishers}"
                ));
            }
            if let Some(key) = &topic.kms_key {
                lines.push(format!("               encrypted with {key}"));
            }
            lines
        }
        Change::Subscribe(subscription) => {
            let waits = if subscription.needs_confirmation {
                "  (pending until its owner confirms)"
            } else {
                ""
            };
            vec![format!(
                "subscription   {}:{} -> {}{waits}{elsewhere}",
                subscription.protocol,
                subscription.endpoint,
                short(&subscription.topic_arn)
            )]
        }
        Change::AddTopicStatement(statement) => vec![format!(
            "policy         {} lets CloudWatch publish the alarms of {}",
            short(&statement.topic_arn),
            statement.publishers
        )],
        Change::PutMetricAlarm(alarm) => vec![format!(
            "alarm          {}: sum of {}/{} >= {} within {} s -> {}",
            alarm.name,
            alarm.namespace,
            alarm.metric,
            alarm.threshold,
            alarm.period,
            short(&alarm.topic_arn)
        )],
    }
}

/// A topic by its name; with its account where only the ARN is known.
pub(super) fn short(arn: &str) -> String {
    let mut parts = arn.rsplitn(3, ':');
    match (parts.next(), parts.next()) {
        (Some(name), Some(account)) => format!("{account}:{name}"),
        _ => arn.to_owned(),
    }
}

/// A step in one line.
pub(super) fn step(step: &Step) -> String {
    format!(
        "{} {}: {}",
        step.account,
        step.region,
        visible(&step.change.to_string())
    )
}
