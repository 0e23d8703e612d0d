//! What is sent for an account: a pure function of its findings and of what Security Hub has.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use trailproof_core::finding::{Finding, Status};

use crate::formats::asff::Writer;

/// What a finding that is sent is to Security Hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    New,
    Update,
    Archive,
}

/// What is sent, and what is not.
#[derive(Debug, Default)]
pub(super) struct Decision {
    pub(super) sending: Vec<(Kind, Value)>,
    /// How many findings are there just so.
    pub(super) unchanged: usize,
    /// How many findings are there of a later judgement.
    pub(super) later: usize,
}

/// The id of a finding as it is sent or stored.
pub(super) fn id(finding: &Value) -> &str {
    finding
        .get("Id")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Compares the findings of an account with what Security Hub has of ours. Security Hub takes an
/// update only if its time is later (User Guide, "`BatchImportFindings` for finding providers"), so
/// nothing else is sent.
pub(super) fn decide(
    writer: &Writer<'_>,
    findings: &[Finding],
    stored: &[Value],
    archive: bool,
) -> Decision {
    let mut decision = Decision::default();
    let mut judged = BTreeSet::new();
    for finding in findings {
        let written = writer.finding(finding);
        judged.insert(id(&written).to_owned());
        let known = stored.iter().find(|stored| id(stored) == id(&written));
        let archives = finding.status == Status::NotApplicable;
        match known {
            // What is not about the account and was never published stays unsaid.
            None if archives => {}
            None => decision.sending.push((Kind::New, written)),
            Some(known) => match updated_at(known) {
                Some(at) if at > writer.updated_at() => decision.later += 1,
                Some(at) if at == writer.updated_at() => decision.unchanged += 1,
                _ if archives && !is_active(known) => decision.unchanged += 1,
                _ => {
                    let kind = if archives {
                        Kind::Archive
                    } else {
                        Kind::Update
                    };
                    decision.sending.push((kind, as_old_as(known, written)));
                }
            },
        }
    }
    let gone = stored
        .iter()
        .filter(|stored| archive && is_active(stored) && !judged.contains(id(stored)));
    for stored in gone {
        match updated_at(stored) {
            Some(at) if at >= writer.updated_at() => decision.later += 1,
            _ => {
                let archived = writer.archived(stored);
                decision.sending.push((Kind::Archive, archived));
            }
        }
    }
    decision
}

/// An update of a finding is no new finding.
fn as_old_as(stored: &Value, mut written: Value) -> Value {
    if let (Some(fields), Some(created)) = (written.as_object_mut(), stored.get("CreatedAt")) {
        fields.insert("CreatedAt".to_owned(), created.clone());
    }
    written
}

fn updated_at(stored: &Value) -> Option<Timestamp> {
    stored.get("UpdatedAt")?.as_str()?.parse().ok()
}

/// What is not put away is active (`AwsSecurityFinding`, `RecordState`).
fn is_active(stored: &Value) -> bool {
    stored.get("RecordState").and_then(Value::as_str) != Some("ARCHIVED")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::formats::sample;

    /// The kinds of what is sent, and the counts of what is not.
    fn decided(stored: &[Value], archive: bool) -> (Vec<(Kind, String)>, usize, usize) {
        let sample = sample::organization();
        let writer = Writer::new(&sample.run, None);
        let account = sample.findings[0].account.id;
        let findings: Vec<Finding> = sample
            .findings
            .iter()
            .filter(|finding| finding.account.id == account)
            .cloned()
            .collect();
        let decision = decide(&writer, &findings, stored, archive);
        let sent = decision.sending.iter();
        let sent = sent.map(|(kind, finding)| (*kind, id(finding).to_owned()));
        (sent.collect(), decision.unchanged, decision.later)
    }

    fn stored(id: &str, at: &str, state: &str) -> Value {
        json!({ "Id": id, "UpdatedAt": at, "RecordState": state, "Title": "t", "Note": "theirs" })
    }

    #[test]
    fn what_is_there_is_updated_left_alone_or_put_away() {
        let (first, unchanged, later) = decided(&[], true);
        assert_eq!((unchanged, later), (0, 0));
        let ids: Vec<String> = first.iter().map(|(_, id)| id.clone()).collect();
        assert_eq!(ids.len(), 2);
        assert!(first.iter().all(|(kind, _)| *kind == Kind::New));

        let past = "2020-01-01T00:00:00Z";
        let future = "2100-01-01T00:00:00Z";
        let gone = "trailproof/111111111111/gone";
        let there = [
            stored(&ids[0], past, "ACTIVE"),
            stored(&ids[1], future, "ACTIVE"),
            stored(gone, past, "ACTIVE"),
            stored("trailproof/111111111111/put-away", past, "ARCHIVED"),
            stored("trailproof/111111111111/later", future, "ACTIVE"),
        ];
        let (sent, unchanged, later) = decided(&there, true);
        assert_eq!(
            sent,
            [
                (Kind::Update, ids[0].clone()),
                (Kind::Archive, gone.to_owned())
            ]
        );
        assert_eq!((unchanged, later), (0, 2));
        let (sent, ..) = decided(&there, false);
        assert_eq!(sent, [(Kind::Update, ids[0].clone())]);
    }

    #[test]
    fn the_same_run_again_sends_nothing() {
        let sample = sample::organization();
        let writer = Writer::new(&sample.run, None);
        let findings = sample.findings.iter();
        let all: Vec<Value> = findings.map(|finding| writer.finding(finding)).collect();
        let of_first: Vec<Value> = all.into_iter().take(2).collect();
        assert_eq!(decided(&of_first, true), (Vec::new(), 2, 0));
    }

    #[test]
    fn what_others_wrote_is_not_sent_back() {
        let sample = sample::organization();
        let writer = Writer::new(&sample.run, None);
        let archived = writer.archived(&stored("trailproof/1/x", "2020-01-01T00:00:00Z", "ACTIVE"));
        assert_eq!(archived["RecordState"], "ARCHIVED");
        assert_eq!(archived["Title"], "t");
        assert!(archived.get("Note").is_none(), "{archived}");
    }
}
