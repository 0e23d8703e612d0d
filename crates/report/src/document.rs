//! The types of `findings.json`, apart from the domain's own, so that the format changes only on
//! purpose. Its JSON Schema is generated from them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::control::Severity;
use trailproof_core::finding::{
    AccountSummary, AssuranceResult, AttestedBy, ChainLink, ControlSummary, Finding, LinkName,
    LinkStatus, MutedBy, Observation, Remediation, Status, Summary,
};

use crate::run::Run;
use crate::shell;
pub(crate) use crate::words::Words;

/// The JSON Schema of `findings.json`.
pub fn schema() -> Schema {
    let mut schema = schemars::schema_for!(FindingsDocument);
    schema.insert(
        "title".to_owned(),
        Value::from("trailproof findings.json, schema_version 1"),
    );
    require_nullable(&mut schema);
    schema
}

/// What may be null is written all the same: a reader can rely on the member being there. Only the
/// members named here are left out when there is nothing to say.
fn require_nullable(schema: &mut Schema) {
    const RECORDS: [&str; 4] = [
        "FindingRecord",
        "AccountRecord",
        "ControlRecord",
        "ChainLinkRecord",
    ];
    const LEFT_OUT: [&str; 3] = ["attested", "muted", "ou_names"];
    let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) else {
        return;
    };
    for record in RECORDS {
        let Some(record) = definitions.get_mut(record).and_then(Value::as_object_mut) else {
            continue;
        };
        let members: Vec<Value> = record
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|properties| properties.keys())
            .filter(|name| !LEFT_OUT.contains(&name.as_str()))
            .map(|name| Value::from(name.as_str()))
            .collect();
        record.insert("required".to_owned(), Value::from(members));
    }
}

/// The whole of `findings.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindingsDocument {
    /// The version of this format.
    pub schema_version: u32,
    /// What was asked, and how it went; the same as `run.json`.
    pub run: Run,
    /// Counts of the findings.
    pub summary: SummaryRecord,
    /// One per account and control, ordered by account, then control.
    pub findings: Vec<FindingRecord>,
}

/// Counts of findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SummaryRecord {
    /// All findings.
    pub findings: usize,
    /// By status; every status is present.
    pub by_status: BTreeMap<String, usize>,
    /// FAIL and UNKNOWN findings by the link that broke.
    pub by_broken_link: BTreeMap<String, usize>,
    /// By the yardsticks `cis`, `effective` and `both`, whichever the status follows: the findings
    /// by status.
    #[serde(default)]
    pub by_assurance: BTreeMap<String, BTreeMap<String, usize>>,
}

impl From<&Summary> for SummaryRecord {
    fn from(summary: &Summary) -> Self {
        Self {
            findings: summary.findings,
            by_status: summary.by_status.clone(),
            by_broken_link: summary.by_broken_link.clone(),
            by_assurance: summary.by_assurance.clone(),
        }
    }
}

/// A verdict for one account and one control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindingRecord {
    /// Stable over runs: `ACCOUNT/CONTROL`.
    pub id: String,
    /// The account.
    pub account: AccountRecord,
    /// The control.
    pub control: ControlRecord,
    /// The verdict, by the assurance that was asked for.
    #[schemars(with = "Words<Status>")]
    pub status: Status,
    /// The verdicts by both yardsticks.
    pub assurance: AssuranceRecord,
    /// The first link that fails (FAIL) or cannot be seen (UNKNOWN).
    #[schemars(with = "Option<Words<LinkName>>")]
    pub broken_link: Option<LinkName>,
    /// `LINK.what`, such as `metric-filter.misses-events`; null for PASS.
    pub reason: Option<Arc<str>>,
    /// The verdict in a sentence a person understands.
    pub message: Arc<str>,
    /// The chain that got furthest.
    pub chain: Vec<ChainLinkRecord>,
    /// What else is worth knowing.
    pub observations: Vec<ObservationRecord>,
    /// An event that would not reach anybody, or should not but would.
    pub witness: Option<Arc<Value>>,
    /// What to do; null when there is nothing to do.
    pub remediation: Option<RemediationRecord>,
    /// The latest observation the verdict rests on.
    #[schemars(with = "Option<String>")]
    pub observed_at: Option<Timestamp>,
    /// How an attestation changed the verdict, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested: Option<AttestedRecord>,
    /// How a mute changed the verdict, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<MutedRecord>,
}

/// The account a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountRecord {
    /// Its twelve digits.
    #[schemars(with = "String", regex(pattern = r"^[0-9]{12}$"))]
    pub id: AccountId,
    /// Its name, where the organization told it.
    pub name: Option<String>,
    /// Its place in the organization, where the organization told it.
    pub ou_path: Option<String>,
    /// The names of the organizational units on that path, from the root down, the root left out;
    /// a unit that the evidence does not name stands there by its id. Left out where it names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ou_names: Vec<String>,
}

/// The control a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlRecord {
    /// Such as `console-auth-failures`.
    pub id: String,
    /// The benchmark's title.
    pub title: String,
    /// The benchmark and its version.
    pub benchmark: String,
    /// The recommendation's number there; null where that version has none. `findings.csv` writes
    /// `CIS 5.10`, which no spreadsheet takes for a number.
    pub number: Option<String>,
    /// How much a failure matters.
    #[schemars(with = "Words<Severity>")]
    #[serde(default)]
    pub severity: Severity,
}

/// The verdicts by both yardsticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssuranceRecord {
    /// By the benchmark's audit steps, to the letter.
    #[schemars(with = "Words<Status>")]
    pub cis: Status,
    /// Would the message arrive?
    #[schemars(with = "Words<Status>")]
    pub effective: Status,
}

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainLinkRecord {
    /// Which link.
    #[schemars(with = "Words<LinkName>")]
    pub link: LinkName,
    /// What became of it.
    #[schemars(with = "Words<LinkStatus>")]
    pub status: LinkStatus,
    /// The ARN or name of the resource that stands for the link.
    pub resource: Option<Arc<str>>,
    /// The account the resource is in.
    #[schemars(with = "Option<String>")]
    pub account: Option<AccountId>,
    /// The region the resource is in.
    #[schemars(with = "Option<String>")]
    pub region: Option<Region>,
    /// What was seen, in a sentence.
    pub detail: Arc<str>,
}

/// A fact worth knowing that does not change the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObservationRecord {
    /// A stable word.
    pub code: String,
    /// A sentence.
    pub message: String,
}

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemediationRecord {
    /// What a person should do.
    pub summary: String,
    /// Whether `trailproof fix` can do it.
    pub automatic: bool,
    /// The AWS CLI commands a person would run, where they can be given.
    pub commands: Vec<String>,
}

/// The attestation that changed a verdict to ATTESTED.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttestedRecord {
    /// The verdict without it.
    #[schemars(with = "Words<Status>")]
    pub status: Status,
    /// Which system watches the events.
    pub system: String,
    /// What it does with them.
    pub statement: String,
    /// Who stands for it.
    pub owner: String,
    /// When the attestation ends.
    #[schemars(with = "String")]
    pub expires: Timestamp,
    /// Where it is written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// The mute that changed a verdict to MUTED.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MutedRecord {
    /// The verdict without it.
    #[schemars(with = "Words<Status>")]
    pub status: Status,
    /// Why it was accepted.
    pub justification: String,
    /// Who accepted it.
    pub owner: String,
    /// When the acceptance ends.
    #[schemars(with = "String")]
    pub expires: Timestamp,
}

impl From<&Finding> for FindingRecord {
    fn from(finding: &Finding) -> Self {
        let AccountSummary {
            id,
            name,
            ou_path,
            ou_names,
        } = &*finding.account;
        let account = AccountRecord {
            id: *id,
            name: name.clone(),
            ou_path: ou_path.clone(),
            ou_names: ou_names.clone(),
        };
        let ControlSummary {
            id,
            title,
            benchmark,
            number,
            severity,
        } = &*finding.control;
        let control = ControlRecord {
            id: id.clone(),
            title: title.clone(),
            benchmark: benchmark.clone(),
            number: number.clone(),
            severity: *severity,
        };
        let remediation = finding.remediation.as_deref();
        let muted = finding.muted.as_deref();
        Self {
            id: finding.id.clone(),
            account,
            control,
            status: finding.status,
            assurance: AssuranceRecord {
                cis: finding.assurance.cis,
                effective: finding.assurance.effective,
            },
            broken_link: finding.broken_link,
            reason: finding.reason.clone(),
            message: Arc::clone(&finding.message),
            chain: finding.chain.iter().map(|link| (&**link).into()).collect(),
            observations: finding
                .observations
                .iter()
                .map(|observation| ObservationRecord {
                    code: observation.code.clone(),
                    message: observation.message.clone(),
                })
                .collect(),
            witness: finding.witness.clone(),
            remediation: remediation.map(|remediation| RemediationRecord {
                summary: remediation.summary.clone(),
                automatic: remediation.automatic,
                commands: remediation.commands.iter().map(shell::command).collect(),
            }),
            observed_at: finding.observed_at,
            attested: finding.attested.as_deref().map(|attested| AttestedRecord {
                status: attested.status,
                system: attested.system.clone(),
                statement: attested.statement.clone(),
                owner: attested.owner.clone(),
                expires: attested.expires,
                reference: attested.reference.clone(),
            }),
            muted: muted.map(|muted| MutedRecord {
                status: muted.status,
                justification: muted.justification.clone(),
                owner: muted.owner.clone(),
                expires: muted.expires,
            }),
        }
    }
}

impl From<FindingRecord> for Finding {
    fn from(record: FindingRecord) -> Self {
        Self {
            id: record.id,
            account: Arc::new(AccountSummary {
                id: record.account.id,
                name: record.account.name,
                ou_path: record.account.ou_path,
                ou_names: record.account.ou_names,
            }),
            control: Arc::new(ControlSummary {
                id: record.control.id,
                title: record.control.title,
                benchmark: record.control.benchmark,
                number: record.control.number,
                severity: record.control.severity,
            }),
            status: record.status,
            assurance: AssuranceResult {
                cis: record.assurance.cis,
                effective: record.assurance.effective,
            },
            broken_link: record.broken_link,
            reason: record.reason,
            message: record.message,
            chain: record
                .chain
                .into_iter()
                .map(|link| Arc::new(link.into()))
                .collect(),
            observations: record
                .observations
                .into_iter()
                .map(|observation| {
                    Arc::new(Observation {
                        code: observation.code,
                        message: observation.message,
                    })
                })
                .collect(),
            witness: record.witness,
            remediation: record.remediation.map(|remediation| {
                Arc::new(Remediation {
                    summary: remediation.summary,
                    automatic: remediation.automatic,
                    commands: remediation
                        .commands
                        .iter()
                        .map(|line| shell::read(line))
                        .collect(),
                })
            }),
            observed_at: record.observed_at,
            attested: record.attested.map(|attested| {
                Arc::new(AttestedBy {
                    status: attested.status,
                    system: attested.system,
                    statement: attested.statement,
                    owner: attested.owner,
                    expires: attested.expires,
                    reference: attested.reference,
                })
            }),
            muted: record.muted.map(|muted| {
                Arc::new(MutedBy {
                    status: muted.status,
                    justification: muted.justification,
                    owner: muted.owner,
                    expires: muted.expires,
                })
            }),
        }
    }
}

impl From<&ChainLink> for ChainLinkRecord {
    fn from(link: &ChainLink) -> Self {
        Self {
            link: link.link,
            status: link.status,
            resource: link.resource.clone(),
            account: link.account,
            region: link.region.clone(),
            detail: Arc::clone(&link.detail),
        }
    }
}

impl From<ChainLinkRecord> for ChainLink {
    fn from(record: ChainLinkRecord) -> Self {
        Self {
            link: record.link,
            status: record.status,
            resource: record.resource,
            account: record.account,
            region: record.region,
            detail: record.detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn words(name: &str) -> Vec<String> {
        let schema = serde_json::to_value(schema()).unwrap();
        let of = &schema["$defs"][name];
        of["enum"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn every_member_that_is_always_written_is_required() {
        let schema = serde_json::to_value(schema()).unwrap();
        for (record, member) in [
            ("FindingRecord", "broken_link"),
            ("FindingRecord", "witness"),
            ("AccountRecord", "ou_path"),
            ("ControlRecord", "number"),
            ("ChainLinkRecord", "resource"),
        ] {
            let required = schema["$defs"][record]["required"].as_array().unwrap();
            assert!(
                required.iter().any(|name| name == member),
                "{record}.{member}"
            );
        }
    }

    #[test]
    fn the_schema_has_the_domains_words() {
        assert_eq!(words("LinkStatusName").len(), 4);
        assert_eq!(words("SeverityWord").len(), 5);
        let statuses: BTreeSet<String> = Status::ALL.map(|status| status.to_string()).into();
        assert_eq!(statuses, words("StatusName").into_iter().collect());
        let links: Vec<String> = [LinkName::Account]
            .into_iter()
            .chain(LinkName::CHAIN)
            .map(|link| link.to_string())
            .collect();
        assert_eq!(words("LinkWord"), links);
    }
}
