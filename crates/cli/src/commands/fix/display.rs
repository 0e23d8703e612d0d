//! Plans and what comes of them, as people read them: like a difference, with what is added.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use trailproof_report::remediation::{Change, Plan, Site, Step};

use crate::untrusted::visible;

const ADDED: Style = AnsiColor::Green.on_default();
const HEAD: Style = Style::new().bold();

/// The whole plan.
pub(super) fn plan(plan: &Plan) -> String {
    let mut text = String::new();
    for site in &plan.sites {
        push_site(site, &mut text);
        text.push('\n');
    }
    if !plan.unrepairable.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{HEAD}not repaired by this plan{HEAD:#}");
        for finding in &plan.unrepairable {
            let reason = finding.reason.as_deref().unwrap_or("no reason");
            let _ = writeln!(text, "  {}  {}", visible(&finding.finding), visible(reason));
            let _ = writeln!(text, "      {}", visible(&finding.why));
            for command in &finding.commands {
                let _ = writeln!(text, "      $ {}", visible(command));
            }
        }
        text.push('\n');
    }
    text.push_str(&summary(plan));
    text
}

/// The plan in a sentence.
pub(super) fn summary(plan: &Plan) -> String {
    let summary = &plan.summary;
    let mut text = format!(
        "plan {}: {} at {}; {} will be PASS",
        plan.id,
        count(summary.changes, "change"),
        count(summary.sites, "site"),
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

fn stays(number: usize) -> String {
    let verb = if number == 1 { "stays" } else { "stay" };
    format!("{number} {verb}")
}

/// `1 change`, `2 changes`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn push_site(site: &Site, text: &mut String) {
    let _ = writeln!(
        text,
        "{HEAD}account {}  region {}  log group {}{HEAD:#}",
        site.account,
        site.region,
        visible(&site.log_group)
    );
    for repair in &site.repairs {
        let mut outcome = Vec::new();
        if !repair.turns_green.is_empty() {
            outcome.push(format!(
                "{} will be PASS",
                count(repair.turns_green.len(), "account")
            ));
        }
        if !repair.waits_for_confirmation.is_empty() {
            outcome.push(format!(
                "{} FAIL (subscription.pending) until somebody confirms",
                stays(repair.waits_for_confirmation.len())
            ));
        }
        let _ = writeln!(
            text,
            "  {}: {} ({})",
            visible(&repair.control),
            outcome.join(", "),
            visible(&repair.reasons.join(", "))
        );
        for note in &repair.notes {
            let _ = writeln!(text, "    note: {}", visible(note));
        }
    }
    for step in &site.steps {
        for (index, line) in lines(site, step).iter().enumerate() {
            let mark = if index == 0 { "+" } else { " " };
            let _ = writeln!(text, "  {ADDED}{mark} {}{ADDED:#}", visible(line));
        }
    }
}

fn lines(site: &Site, step: &Step) -> Vec<String> {
    let elsewhere = if step.account == site.account {
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
            vec![format!("topic          {}{existing}", topic.name)]
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
fn short(arn: &str) -> String {
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
