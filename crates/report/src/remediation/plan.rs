//! The plan: which changes, at which sites, for whom, and the state of things they rest on.
//!
//! A plan is a file a person reads before anything is changed and `apply` obeys afterwards. It is
//! complete in itself: neither `apply` nor `export` needs the run it came from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::arn::LogGroupAddress;
use trailproof_core::finding::{LinkName, Status};

use super::plan_check;
use super::resources::{Change, TAG, topic_policy};
use crate::document::Words;
use crate::run::PolicyRecord;

/// The version of the plan format that this trailproof writes and reads.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that would be changed, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema_version: u32,
    /// Names the plan: the same repairs of the same run have the same id. It stands in the
    /// description of every alarm and in a tag of every topic the plan creates.
    pub id: String,
    /// A digest of the whole plan. It protects against damage only: whoever edits the file can
    /// compute it again. What the steps may be is checked step by step.
    pub digest: String,
    /// The version of trailproof that made it.
    pub tool_version: String,
    /// When it was made.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// The run it came from.
    pub run: PlanRun,
    /// How the findings were judged, to judge again in the same way afterwards.
    pub policy: PolicyRecord,
    /// The counts.
    pub summary: PlanSummary,
    /// The topics of one account that alarms of all accounts notify, where the user wants such: what
    /// is done to them comes before everything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<CentralTopic>,
    /// Where something is to be changed.
    pub sites: Vec<Site>,
    /// What cannot be repaired by a plan, and what a person would do.
    pub unrepairable: Vec<Unrepairable>,
    /// What the owners of accounts, trails and topics that trailproof does not change would run, and
    /// what that would do for the findings that cannot be repaired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub for_owners: Vec<OwnerTask>,
    /// The names of the accounts that stand in the plan, by number, where the run knew them.
    /// Untrusted text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub account_names: BTreeMap<String, String>,
    /// The names of their organizational units from the root down, `Workloads / Prod`, where the run
    /// knew them. Untrusted text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub account_units: BTreeMap<String, String>,
    /// Whether the plan was made on the run alone: what a repair builds on and the run did not look
    /// at was not asked either. Then at least the forecast accounts are repaired.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
    /// Why accounts may be missing from the plan: what the run did not look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The run a plan came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanRun {
    /// The run directory, as the user named it.
    pub directory: String,
    /// The latest observation of the run: how old the picture is that the plan was made from.
    #[schemars(with = "Option<String>")]
    pub observed_at: Option<Timestamp>,
    /// The account whose credentials made the run: it is entered without a role.
    #[schemars(with = "Option<String>")]
    pub caller: Option<AccountId>,
    /// The id of the organization that the run looked at, or the number of its management account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The role the run assumed in members, where it is known: the first that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Every role that was tried, in this order, where there was more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// The counts of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanSummary {
    /// Steps, which is to say AWS calls that change something.
    pub changes: usize,
    /// Sites.
    pub sites: usize,
    /// Findings that will be PASS.
    pub turns_green: usize,
    /// Findings that will wait for somebody to confirm a subscription.
    pub waits_for_confirmation: usize,
    /// Findings that the plan does not repair.
    pub unrepairable: usize,
}

/// A topic that alarms of several accounts notify.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CentralTopic {
    /// Its ARN, as planned: it says where it is and whose.
    pub arn: String,
    /// A digest of its attributes, where it was there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The changes, in the order they are made. None, where it is as it should be.
    pub steps: Vec<Step>,
}

/// What somebody else has to do before a finding can be repaired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnerTask {
    /// The account in which it is done.
    #[schemars(with = "String")]
    pub account: AccountId,
    /// The trail or topic that it is about.
    pub resource: String,
    /// The reason codes of the findings.
    pub reasons: Vec<String>,
    /// What is to be done, in sentences.
    pub summary: Vec<String>,
    /// The commands.
    pub commands: Vec<String>,
    /// The same in Terraform; empty where that has no word for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub terraform: String,
    /// The findings that are held up: `ACCOUNT/CONTROL`.
    pub findings: Vec<String>,
    /// Those that would be PASS afterwards, together with what a new plan then does.
    pub turns_green: Vec<String>,
    /// Those that would wait for somebody to confirm a subscription.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for_confirmation: Vec<String>,
    /// Whether nobody could try out what it does: what comes after the broken link shows only when
    /// it is mended, and the findings that are held up are the most that it can repair.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_tried: bool,
}

/// A log group where something is missing. One site can serve every account of an organization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Site {
    /// `ACCOUNT/REGION/LOG_GROUP`.
    pub id: String,
    /// The log group's account: whose role makes the changes.
    #[schemars(with = "String")]
    pub account: AccountId,
    /// The log group's region.
    #[schemars(with = "String")]
    pub region: Region,
    /// The log group's name.
    pub log_group: String,
    /// The ARNs of the trails that deliver into it; `apply` asks whether one still does.
    pub trails: Vec<String>,
    /// What is repaired, one entry per control.
    pub repairs: Vec<Repair>,
    /// The changes, in the order they are made.
    pub steps: Vec<Step>,
    /// What must still be so when the plan is applied.
    pub relies_on: ReliesOn,
    /// The calls whose answers the search for the fewest changes looked for and did not have:
    /// something that is there already may make changes needless.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_looked_at: Vec<String>,
}

/// What the steps of a site do for one control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repair {
    /// The control.
    pub control: String,
    /// Why it was broken: the reason codes of the findings.
    pub reasons: Vec<String>,
    /// The ids of the steps it needs.
    pub steps: Vec<String>,
    /// The accounts that will be PASS.
    #[schemars(with = "Vec<String>")]
    pub turns_green: Vec<AccountId>,
    /// The accounts that stay FAIL (`subscription.pending`) until somebody confirms.
    #[schemars(with = "Vec<String>")]
    pub waits_for_confirmation: Vec<AccountId>,
    /// What a reader should know before saying yes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// `SITE#NUMBER`, unique in the plan.
    pub id: String,
    /// Whose role makes the change. A subscription is made by the topic's owner.
    #[schemars(with = "String")]
    pub account: AccountId,
    /// Where.
    #[schemars(with = "String")]
    pub region: Region,
    /// What.
    #[serde(flatten)]
    pub change: Change,
    /// Whether the plan saw that the name is free. Where it could not see that, `apply` looks, and
    /// takes the next free name.
    pub name_seen_free: bool,
}

/// What a site's changes take for granted. `apply` reads all of it again first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReliesOn {
    /// How many metric filters the log group has.
    pub metric_filters: usize,
    /// A digest per metric filter of the log group, by name: what is new or different since is
    /// looked at again.
    pub metric_filter_digests: BTreeMap<String, String>,
    /// The things of others that the repair builds on, exactly as they were seen.
    pub reused: Vec<Reused>,
}

impl ReliesOn {
    /// Whether a topic of others, or a central one, is among it.
    pub(crate) fn names_topic(&self, topic: &str) -> bool {
        let is = |reused: &Reused| matches!(reused, Reused::Topic { arn, .. } if arn == topic);
        self.reused.iter().any(is)
    }
}

/// Something that exists already and that a repair builds on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reused {
    /// A metric filter that is fine.
    MetricFilter {
        /// Its name.
        name: String,
        /// A digest of what it was.
        digest: String,
        /// The namespace of the metric that it feeds; absent in plans of trailproof 0.1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
        /// The name of the metric that it feeds; absent in plans of trailproof 0.1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metric: Option<String>,
    },
    /// An alarm that is fine.
    Alarm {
        /// Its name.
        name: String,
        /// A digest of what it was.
        digest: String,
    },
    /// A topic.
    Topic {
        /// Its ARN.
        arn: String,
        /// A digest of what it was; absent when it was not seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<String>,
    },
}

/// A finding that a plan cannot repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unrepairable {
    /// The finding: `ACCOUNT/CONTROL`.
    pub finding: String,
    /// The account.
    #[schemars(with = "String")]
    pub account: AccountId,
    /// The control.
    pub control: String,
    /// The link that is broken.
    #[schemars(with = "Option<Words<LinkName>>")]
    pub broken_link: Option<LinkName>,
    /// What the run found; absent in plans of trailproof 0.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Words<Status>>")]
    pub status: Option<Status>,
    /// The finding's reason code.
    pub reason: Option<String>,
    /// Why no plan repairs it, in a sentence.
    pub why: String,
    /// What a person would run.
    pub commands: Vec<String>,
    /// The account in which they are run: that of the broken link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub run_in: Option<AccountId>,
}

/// A plan that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Not the JSON of a plan.
    #[error("not a plan of trailproof: {0}")]
    Format(#[source] serde_json::Error),
    /// Another version of the format.
    #[error(
        "the plan has schema version {found}; this trailproof reads version {SCHEMA_VERSION}: make the plan again with `trailproof fix plan`"
    )]
    Version {
        /// What the plan says.
        found: u64,
    },
    /// Changed by hand.
    #[error(
        "the plan was changed after it was made, so nobody verified it: make it again with `trailproof fix plan`, which has options for names, accounts and controls"
    )]
    Changed,
    /// Something that `fix plan` never makes.
    #[error(
        "{place} is not what `trailproof fix plan` makes: {problem}; nothing was changed, make the plan again"
    )]
    NotPlanned {
        /// What is wrong: the plan, a site or a step.
        place: String,
        /// Why.
        problem: String,
    },
}

impl Site {
    /// Where its log group is.
    pub(crate) fn address(&self) -> LogGroupAddress {
        LogGroupAddress {
            account: self.account,
            region: self.region.clone(),
            log_group: self.log_group.clone(),
        }
    }
}

impl Plan {
    /// The text that marks what a plan created.
    pub fn marker(id: &str) -> String {
        format!("trailproof:plan={id}")
    }

    /// All steps: those on central topics, then those of the sites in their order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        let central = self.topics.iter().flat_map(|topic| &topic.steps);
        central.chain(self.sites.iter().flat_map(|site| &site.steps))
    }

    /// Every account that stands in the plan.
    pub(super) fn named_accounts(&self) -> std::collections::BTreeSet<AccountId> {
        let mut accounts = self.accounts();
        accounts.extend(self.sites.iter().map(|site| site.account));
        accounts.extend(self.steps().map(|step| step.account));
        for left in &self.unrepairable {
            accounts.insert(left.account);
            accounts.extend(left.run_in);
        }
        accounts.extend(self.for_owners.iter().map(|task| task.account));
        accounts
    }

    /// The accounts whose findings the plan is about to change.
    pub fn accounts(&self) -> std::collections::BTreeSet<AccountId> {
        self.sites
            .iter()
            .flat_map(|site| &site.repairs)
            .flat_map(|repair| {
                repair
                    .turns_green
                    .iter()
                    .chain(&repair.waits_for_confirmation)
            })
            .copied()
            .collect()
    }

    /// Gives the plan its id, and its mark to what it creates.
    pub(crate) fn sign(&mut self) {
        self.id = self.computed_id();
        let marker = Self::marker(&self.id);
        for step in steps_mut(&mut self.topics, &mut self.sites) {
            match &mut step.change {
                Change::CreateTopic(topic) => {
                    topic.tags.insert(TAG.to_owned(), self.id.clone());
                }
                Change::PutMetricAlarm(alarm) => {
                    alarm.description.push(' ');
                    alarm.description.push_str(&marker);
                    alarm.tags.insert(TAG.to_owned(), self.id.clone());
                }
                Change::AddTopicStatement(statement) => {
                    statement.sid = Self::statement_id(&self.id);
                }
                Change::PutMetricFilter(_) | Change::Subscribe(_) => {}
            }
        }
    }

    /// The id of these sites, changed in these roles, by this run.
    pub(super) fn computed_id(&self) -> String {
        self.short_digest(|topics, sites, run| {
            let rest = (sites, &run.observed_at, &run.role, &run.roles);
            // Without central topics it is what it was before there were any.
            if topics.is_empty() {
                serde_json::to_value(rest)
            } else {
                serde_json::to_value((topics, &run.organization, rest))
            }
        })
    }

    /// The id as trailproof 0.1 computed it.
    pub(super) fn computed_id_of_0_1(&self) -> String {
        self.short_digest(|_, sites, run| serde_json::to_value((sites, &run.observed_at)))
    }

    fn short_digest(
        &self,
        content: impl FnOnce(&[CentralTopic], &[Site], &PlanRun) -> serde_json::Result<Value>,
    ) -> String {
        let (topics, sites) = self.unmarked();
        let content = content(&topics, &sites, &self.run);
        let digest = digest(&content.unwrap_or_default());
        digest.chars().take(12).collect()
    }

    /// The `Sid` of the statements that a plan adds to policies: letters and digits alone.
    pub(super) fn statement_id(id: &str) -> String {
        format!("{}{id}", topic_policy::SID)
    }

    /// Topics and sites without the marks that name the plan.
    fn unmarked(&self) -> (Vec<CentralTopic>, Vec<Site>) {
        let marker = format!(" {}", Self::marker(&self.id));
        let (mut topics, mut sites) = (self.topics.clone(), self.sites.clone());
        for step in steps_mut(&mut topics, &mut sites) {
            match &mut step.change {
                Change::CreateTopic(topic) => {
                    topic.tags.remove(TAG);
                }
                Change::PutMetricAlarm(alarm) => {
                    if let Some(text) = alarm.description.strip_suffix(&marker) {
                        alarm.description = text.to_owned();
                    }
                    alarm.tags.remove(TAG);
                }
                Change::AddTopicStatement(statement) => statement.sid.clear(),
                Change::PutMetricFilter(_) | Change::Subscribe(_) => {}
            }
        }
        (topics, sites)
    }

    /// Checks that every step is one that `fix plan` makes for its site. The digest, which
    /// [`Self::from_json`] checks, says nothing about that.
    pub fn check(&self) -> Result<(), PlanError> {
        plan_check::check(self)
    }

    /// Counts, and seals the plan with its digest. That makes no plan a right one: [`Self::check`]
    /// says whether it has only what `fix plan` makes.
    #[must_use]
    pub fn seal(mut self) -> Self {
        self.count();
        self.digest = self.computed_digest();
        self
    }

    /// Counts what the plan has.
    fn count(&mut self) {
        let repairs = || self.sites.iter().flat_map(|site| &site.repairs);
        self.summary = PlanSummary {
            changes: self.steps().count(),
            sites: self.sites.len(),
            turns_green: repairs().map(|repair| repair.turns_green.len()).sum(),
            waits_for_confirmation: repairs()
                .map(|repair| repair.waits_for_confirmation.len())
                .sum(),
            unrepairable: self.unrepairable.len(),
        };
    }

    fn computed_digest(&self) -> String {
        let mut unsigned = self.clone();
        unsigned.digest = String::new();
        digest(&serde_json::to_value(&unsigned).unwrap_or_default())
    }

    /// The file's content.
    pub fn to_json(&self) -> Result<String, PlanError> {
        let mut text = serde_json::to_string_pretty(self).map_err(PlanError::Format)?;
        text.push('\n');
        Ok(text)
    }

    /// Reads a plan and checks that it is undamaged. Its counts are counted again.
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        let value: Value = serde_json::from_str(text).map_err(PlanError::Format)?;
        match value.get("schema_version").and_then(Value::as_u64) {
            Some(found) if found != u64::from(SCHEMA_VERSION) => {
                return Err(PlanError::Version { found });
            }
            _ => {}
        }
        let mut plan: Self = serde_json::from_value(value).map_err(PlanError::Format)?;
        if plan.digest == plan.computed_digest() {
            plan.count();
            Ok(plan)
        } else {
            Err(PlanError::Changed)
        }
    }

    /// The JSON Schema of the file.
    pub fn schema() -> Schema {
        let mut schema = schemars::schema_for!(Self);
        let title = format!("trailproof plan.json, schema_version {SCHEMA_VERSION}");
        schema.insert("title".to_owned(), Value::from(title));
        schema
    }
}

fn steps_mut<'a>(
    topics: &'a mut [CentralTopic],
    sites: &'a mut [Site],
) -> impl Iterator<Item = &'a mut Step> {
    let central = topics.iter_mut().flat_map(|topic| &mut topic.steps);
    central.chain(sites.iter_mut().flat_map(|site| &mut site.steps))
}

/// A digest of a JSON value: SHA-256 in hexadecimal, of its text with sorted members.
pub(crate) fn digest(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            for nibble in [byte >> 4, byte & 15] {
                hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
            hex
        })
}

fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            text.push('{');
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            for (name, member) in sorted {
                text.push_str(&Value::String(name.clone()).to_string());
                text.push(':');
                canonical(member, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(elements) => {
            text.push('[');
            for element in elements {
                canonical(element, text);
                text.push(',');
            }
            text.push(']');
        }
        // 1.0 and 1 are the same number, however a tool has written it.
        Value::Number(number) => match number.as_f64() {
            Some(float) => text.push_str(&float.to_string()),
            None => text.push_str(&number.to_string()),
        },
        other => text.push_str(&other.to_string()),
    }
}
