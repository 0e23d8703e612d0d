//! `recipients.csv`: who hears of which accounts and controls, one row per finding and subscription
//! that its chain leads to.
//!
//! The chain is the one that the effective verdict shows, and forwarders lead on from its topic. A
//! finding whose chain ends before a topic has no row.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use trailproof_core::control;
use trailproof_core::evaluate::{Evaluator, Recipient};
use trailproof_core::finding::Status;

use crate::findings::Outline;
use crate::format::{Format, Report};
use crate::run::file;
use crate::spreadsheet::{self, write_rows};

/// The format `recipients`.
#[derive(Debug)]
pub struct RecipientsCsv;

const HEADER: [&str; 12] = [
    "endpoint",
    "protocol",
    "confirmed",
    "hears",
    "why",
    "account_id",
    "account_name",
    "control_id",
    "effective",
    "status",
    "topic_arn",
    "through",
];

impl Format for RecipientsCsv {
    fn name(&self) -> &'static str {
        "recipients"
    }

    fn file_name(&self) -> &'static str {
        file::RECIPIENTS_CSV
    }

    fn description(&self) -> &'static str {
        "who hears of which accounts and controls"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        write_rows(&HEADER, out, |row| for_each_row(report, row))
    }

    fn reads_evidence(&self) -> bool {
        true
    }
}

/// A cell of a row by the name of its column; empty where there is no such column.
pub(crate) fn cell<'a>(row: &'a [String; 12], column: &str) -> &'a str {
    spreadsheet::cell(&HEADER, row, column)
}

/// Hands over every row, in the order of findings.
pub(crate) fn for_each_row(
    report: &Report<'_>,
    hand_over: &mut dyn FnMut(&[String; 12]) -> io::Result<()>,
) -> io::Result<()> {
    let policy = &report.run.policy;
    let controls = control::with_custom(policy.custom_controls.clone())
        .map_err(io::Error::other)
        .and_then(|all| control::select(&all, &policy.controls).map_err(io::Error::other))?;
    let policy = policy.to_policy(controls, &report.run.scope);
    let evaluator = Evaluator::new(policy);
    let controls = &evaluator.policy().controls;
    let mut evaluation = evaluator.on(report.evidence);
    for findings in report.findings.accounts() {
        let Some(first) = findings.first() else {
            continue;
        };
        let account = first.account.id;
        let recipients = evaluation.recipients(account);
        let ids = controls.iter().map(|control| control.id.as_str());
        let recipients: BTreeMap<&str, Vec<Recipient>> = ids.zip(recipients).collect();
        for finding in findings {
            let found = recipients.get(finding.control.id.as_str());
            for recipient in found.into_iter().flatten() {
                hand_over(&row(finding, recipient))?;
            }
        }
        evaluation.forget(account);
    }
    Ok(())
}

fn row(finding: &Outline, recipient: &Recipient) -> [String; 12] {
    let text = |value: &Option<Arc<str>>| value.as_deref().unwrap_or_default().to_owned();
    let effective = finding.assurance.effective;
    // Nobody hears of what breaks before the subscription, whoever is subscribed.
    let (hears, why) = match (effective, recipient.hears) {
        (_, Some(false)) => ("no", recipient.why.as_str()),
        (Status::Pass, Some(true)) => ("yes", ""),
        (Status::Pass | Status::Unknown, None) => ("unknown", recipient.why.as_str()),
        (Status::Unknown, Some(true)) => ("unknown", "the chain is not proved"),
        _ => ("no", "the chain is broken"),
    };
    [
        text(&recipient.endpoint),
        text(&recipient.protocol),
        if recipient.is_confirmed {
            "true"
        } else {
            "false"
        }
        .to_owned(),
        hears.to_owned(),
        why.to_owned(),
        finding.account.id.to_string(),
        finding
            .account
            .name
            .as_deref()
            .unwrap_or_default()
            .to_owned(),
        finding.control.id.clone(),
        effective.as_str().to_owned(),
        finding.status.as_str().to_owned(),
        recipient.topic.clone(),
        recipient.through.join(" "),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Findings;

    fn recipient(hears: Option<bool>) -> Recipient {
        Recipient {
            topic: "arn:aws:sns:us-east-1:111111111111:t".to_owned(),
            through: Vec::new(),
            protocol: Some("email".into()),
            endpoint: Some("=cmd|' /C calc'!A0".into()),
            is_confirmed: true,
            hears,
            why: "because".to_owned(),
        }
    }

    #[test]
    fn nobody_hears_of_a_chain_that_is_broken() {
        let mut finding =
            crate::formats::sample::finding("111111111111", "root-usage", Status::Pass);
        for (effective, recipient_hears, expected) in [
            (Status::Pass, Some(true), "yes"),
            (Status::Pass, Some(false), "no"),
            (Status::Pass, None, "unknown"),
            (Status::Unknown, Some(true), "unknown"),
            (Status::Unknown, Some(false), "no"),
            (Status::Fail, Some(true), "no"),
            (Status::Fail, None, "no"),
        ] {
            finding.assurance.effective = effective;
            let findings = Findings::kept(std::slice::from_ref(&finding));
            let cells = row(&findings.outlines()[0], &recipient(recipient_hears));
            assert_eq!(cells[3], expected, "{effective} {recipient_hears:?}");
        }
    }
}
