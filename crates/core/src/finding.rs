//! Findings: one verdict for one account and one control, with the chain that proves it.
//!
//! Thousands of accounts rest on one organization trail and have most of their chain in common, so
//! the parts of a finding are behind shared references, and [`Pool`] keeps one copy of each.

mod pool;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::{AccountId, Region};
use crate::control::Severity;
use crate::policy::Assurance;
use crate::remedy::Command;

pub use pool::Pool;

/// The verdict of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// At least one complete chain is proved.
    Pass,
    /// No chain can be complete, whatever the unseen parts are.
    Fail,
    /// A chain may be complete, but something on it could not be observed.
    Unknown,
    /// FAIL or UNKNOWN from the log group on, where somebody attests another way for the events.
    Attested,
    /// FAIL or UNKNOWN, accepted by a dated, justified mute that has not expired.
    Muted,
    /// The account is suspended, being closed or not yet active, or the control is not about it.
    NotApplicable,
}

impl Status {
    /// Every status, in the order reports list them.
    pub const ALL: [Self; 6] = [
        Self::Fail,
        Self::Unknown,
        Self::Pass,
        Self::Attested,
        Self::Muted,
        Self::NotApplicable,
    ];

    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Unknown => "UNKNOWN",
            Self::Attested => "ATTESTED",
            Self::Muted => "MUTED",
            Self::NotApplicable => "NOT_APPLICABLE",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The links of the chain from an event to a person, in order, and the door before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkName {
    /// Not a link: the account itself could not be entered.
    Account,
    /// A multi-region trail covers the account.
    Trail,
    /// The trail is logging.
    Logging,
    /// The trail's selectors admit the control's events.
    Selectors,
    /// The trail names a log group that exists.
    LogGroup,
    /// Events arrive in the log group.
    Delivery,
    /// Metric filters of the log group match every event of the control.
    MetricFilter,
    /// The filter's transformation emits a value that counts.
    Metric,
    /// An alarm watches the metric and can fire.
    Alarm,
    /// The alarm notifies an SNS topic.
    Action,
    /// The topic exists and CloudWatch may publish to it.
    Topic,
    /// Somebody confirmed a subscription.
    Subscription,
}

impl LinkName {
    /// The eleven links of the chain, in order.
    pub const CHAIN: [Self; 11] = [
        Self::Trail,
        Self::Logging,
        Self::Selectors,
        Self::LogGroup,
        Self::Delivery,
        Self::MetricFilter,
        Self::Metric,
        Self::Alarm,
        Self::Action,
        Self::Topic,
        Self::Subscription,
    ];

    /// The word in reports and reason codes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Trail => "trail",
            Self::Logging => "logging",
            Self::Selectors => "selectors",
            Self::LogGroup => "log-group",
            Self::Delivery => "delivery",
            Self::MetricFilter => "metric-filter",
            Self::Metric => "metric",
            Self::Alarm => "alarm",
            Self::Action => "action",
            Self::Topic => "topic",
            Self::Subscription => "subscription",
        }
    }

    /// What it promises, in a few words.
    pub fn promise(self) -> &'static str {
        match self {
            Self::Account => "the account can be looked into",
            Self::Trail => "a multi-region trail covers the account",
            Self::Logging => "the trail is switched on",
            Self::Selectors => "the trail records these events",
            Self::LogGroup => "the trail writes to a log group that exists",
            Self::Delivery => "events arrive in the log group",
            Self::MetricFilter => "filters match every event of the control",
            Self::Metric => "a match yields a value that counts",
            Self::Alarm => "an alarm watches the value and can fire",
            Self::Action => "the alarm notifies a topic",
            Self::Topic => "the topic takes messages from alarms",
            Self::Subscription => "somebody confirmed a subscription",
        }
    }
}

impl fmt::Display for LinkName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// What became of one link of the chain that a finding shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LinkStatus {
    /// Proved.
    Pass,
    /// Broken.
    Fail,
    /// Could not be seen.
    Unknown,
    /// Not looked at: an earlier link is broken already.
    NotEvaluated,
}

impl LinkStatus {
    /// Every status of a link.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Fail, Self::Unknown, Self::NotEvaluated];

    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Unknown => "UNKNOWN",
            Self::NotEvaluated => "NOT_EVALUATED",
        }
    }
}

/// One link of the chain that a finding shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChainLink {
    /// Which link.
    pub link: LinkName,
    /// What became of it.
    pub status: LinkStatus,
    /// The ARN or name of the resource that stands for the link.
    pub resource: Option<Arc<str>>,
    /// The account the resource is in.
    pub account: Option<AccountId>,
    /// The region the resource is in.
    pub region: Option<Region>,
    /// What was seen, in a sentence.
    pub detail: Arc<str>,
}

/// The account a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccountSummary {
    /// Its number.
    pub id: AccountId,
    /// Its name, where the organization told it. Untrusted text.
    pub name: Option<String>,
    /// Its place in the organization: `o-.../r-.../ou-...`, where the organization told it.
    pub ou_path: Option<String>,
    /// The names of the organizational units on that path, from the root down, the root left out;
    /// one that the evidence does not name stands there by its id. Empty where it names none.
    /// Untrusted text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ou_names: Vec<String>,
}

impl AccountSummary {
    /// The names of its organizational units in one text, `Workloads / Prod`; `None` where none is
    /// known.
    pub fn unit_names(&self) -> Option<String> {
        (!self.ou_names.is_empty()).then(|| self.ou_names.join(" / "))
    }
}

/// The control a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ControlSummary {
    /// Such as `console-auth-failures`.
    pub id: String,
    /// The benchmark's title.
    pub title: String,
    /// The benchmark and its version, such as `CIS AWS Foundations Benchmark 6.0.0`.
    pub benchmark: String,
    /// The recommendation's number there, such as `5.6`; absent where that version has none.
    pub number: Option<String>,
    /// How much a failure matters.
    #[serde(default)]
    pub severity: Severity,
}

/// The two yardsticks of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssuranceResult {
    /// By the benchmark's audit steps, to the letter.
    pub cis: Status,
    /// Would the message arrive?
    pub effective: Status,
}

/// A fact worth knowing that does not change the verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Observation {
    /// A stable word, such as `alarm.needs-several-events`.
    pub code: String,
    /// A sentence.
    pub message: String,
}

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Remediation {
    /// What a person should do, in a sentence or two.
    pub summary: String,
    /// Whether `trailproof fix` can do it.
    pub automatic: bool,
    /// The commands a person would run, where they can be given.
    pub commands: Vec<Command>,
}

/// A verdict for one account and one control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable over runs: `ACCOUNT/CONTROL`.
    pub id: String,
    /// The account.
    pub account: Arc<AccountSummary>,
    /// The control.
    pub control: Arc<ControlSummary>,
    /// The verdict, by the assurance that was asked for.
    pub status: Status,
    /// The verdicts by both yardsticks.
    pub assurance: AssuranceResult,
    /// The first link that fails (FAIL) or cannot be seen (UNKNOWN).
    pub broken_link: Option<LinkName>,
    /// `LINK.what`, such as `metric-filter.misses-events`; absent for PASS.
    pub reason: Option<Arc<str>>,
    /// The verdict in a sentence a person understands.
    pub message: Arc<str>,
    /// The chain that got furthest.
    pub chain: Vec<Arc<ChainLink>>,
    /// What else is worth knowing.
    pub observations: Vec<Arc<Observation>>,
    /// An event that would not reach anybody, or should not but would.
    pub witness: Option<Arc<Value>>,
    /// What to do; absent when there is nothing to do.
    pub remediation: Option<Arc<Remediation>>,
    /// The latest observation the verdict rests on.
    pub observed_at: Option<Timestamp>,
    /// How an attestation changed the verdict, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested: Option<Arc<AttestedBy>>,
    /// How a mute changed the verdict, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<Arc<MutedBy>>,
}

impl Finding {
    /// The verdict by one yardstick, as it counts: what somebody attests or accepts is counted as
    /// that.
    pub fn counted_by(&self, assurance: Assurance) -> Status {
        let status = match assurance {
            Assurance::Cis => self.assurance.cis,
            Assurance::Effective => self.assurance.effective,
            Assurance::Both => {
                let both = [self.assurance.cis, self.assurance.effective];
                let worst = Status::ALL.into_iter().find(|status| both.contains(status));
                worst.unwrap_or(self.assurance.effective)
            }
        };
        let open = matches!(status, Status::Fail | Status::Unknown);
        match self.status {
            Status::Attested | Status::Muted if open => self.status,
            _ => status,
        }
    }
}

/// The attestation that changed a verdict to ATTESTED.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AttestedBy {
    /// The verdict without it.
    pub status: Status,
    /// Which system watches the events.
    pub system: String,
    /// What it does with them.
    pub statement: String,
    /// Who stands for it.
    pub owner: String,
    /// When the attestation ends.
    pub expires: Timestamp,
    /// Where it is written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// The mute that changed a verdict to MUTED.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MutedBy {
    /// The verdict without it.
    pub status: Status,
    /// Why it was accepted.
    pub justification: String,
    /// Who accepted it.
    pub owner: String,
    /// When the acceptance ends.
    pub expires: Timestamp,
}

/// Counts of findings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
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

/// The yardsticks of a summary, by name.
const YARDSTICKS: [(&str, Assurance); 3] = [
    ("cis", Assurance::Cis),
    ("effective", Assurance::Effective),
    ("both", Assurance::Both),
];

impl Summary {
    /// Counts findings.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut summary = Self::none();
        for finding in findings {
            summary.add(finding);
        }
        summary
    }

    /// The counts of no findings.
    pub fn none() -> Self {
        let by_status: BTreeMap<String, usize> = Status::ALL
            .map(|status| (status.as_str().to_owned(), 0))
            .into();
        let by_assurance = YARDSTICKS.map(|(name, _)| (name.to_owned(), by_status.clone()));
        Self {
            by_status,
            by_assurance: by_assurance.into(),
            ..Self::default()
        }
    }

    /// Counts one more.
    pub fn add(&mut self, finding: &Finding) {
        self.findings += 1;
        *self
            .by_status
            .entry(finding.status.as_str().to_owned())
            .or_default() += 1;
        for (name, yardstick) in YARDSTICKS {
            let counts = self.by_assurance.entry(name.to_owned()).or_default();
            let status = finding.counted_by(yardstick).as_str().to_owned();
            *counts.entry(status).or_default() += 1;
        }
        if let (Status::Fail | Status::Unknown, Some(link)) = (finding.status, finding.broken_link)
        {
            *self
                .by_broken_link
                .entry(link.as_str().to_owned())
                .or_default() += 1;
        }
    }

    /// The count of one status by a yardstick.
    pub fn count_by(&self, assurance: Assurance, status: Status) -> usize {
        YARDSTICKS
            .iter()
            .find(|(_, known)| *known == assurance)
            .and_then(|(name, _)| self.by_assurance.get(*name)?.get(status.as_str()))
            .copied()
            .unwrap_or_default()
    }

    /// The count of one status.
    pub fn count(&self, status: Status) -> usize {
        self.by_status
            .get(status.as_str())
            .copied()
            .unwrap_or_default()
    }
}
