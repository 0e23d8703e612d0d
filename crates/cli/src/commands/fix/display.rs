//! Plans and what comes of them, as people read them: like a difference, with what is added.

use std::collections::HashMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use trailproof_report::remediation::{Change, Plan, Site, Step, Unrepairable};

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
        push_unrepaired(&plan.unrepairable, &mut text);
        text.push('\n');
    }
    text.push_str(&summary(plan));
    text
}

/// What is left to people: once for all findings that the same commands repair, as one trail may
/// break the chains of a whole organization.
fn push_unrepaired(findings: &[Unrepairable], text: &mut String) {
    /// Findings that are named before the rest is counted.
    const NAMED: usize = 10;
    let mut groups: Vec<(&Unrepairable, Vec<&str>)> = Vec::new();
    let mut known = HashMap::new();
    for finding in findings {
        let group = *known
            .entry((&finding.reason, &finding.why, &finding.commands))
            .or_insert_with(|| {
                groups.push((finding, Vec::new()));
                groups.len() - 1
            });
        if let Some((_, members)) = groups.get_mut(group) {
            members.push(&finding.finding);
        }
    }
    for (first, members) in groups {
        let reason = first.reason.as_deref().unwrap_or("no reason");
        let _ = writeln!(text, "  {}: {}", visible(reason), visible(&first.why));
        for command in &first.commands {
            let _ = writeln!(text, "      $ {}", visible(command));
        }
        for finding in members.iter().take(NAMED) {
            let _ = writeln!(text, "      {}", visible(finding));
        }
        if members.len() > NAMED {
            let _ = writeln!(text, "      and {} more", members.len() - NAMED);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_same_commands_repair_is_told_once() {
        let left = |account: &str, reason: &str, commands: &[&str]| Unrepairable {
            finding: format!("{account}/console-auth-failures"),
            account: account.parse().unwrap(),
            control: "console-auth-failures".to_owned(),
            broken_link: None,
            reason: Some(reason.to_owned()),
            why: "for a person".to_owned(),
            commands: commands.iter().map(ToString::to_string).collect(),
        };
        let mut findings = vec![
            left("000000000001", "log-group.none", &["aws one", "aws two"]),
            left("000000000002", "logging.stopped", &["aws \u{1b}[31mthree"]),
        ];
        findings.extend((3..15).map(|number| {
            left(
                &format!("{number:012}"),
                "log-group.none",
                &["aws one", "aws two"],
            )
        }));
        let mut text = String::new();
        push_unrepaired(&findings, &mut text);
        assert_eq!(text.matches("aws one").count(), 1);
        assert!(text.starts_with(
            "  log-group.none: for a person\n      $ aws one\n      $ aws two\n      \
             000000000001/console-auth-failures\n      000000000003/"
        ));
        assert!(text.contains("000000000011/console-auth-failures\n      and 3 more\n"));
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
