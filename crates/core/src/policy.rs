//! What the user asked to be judged, and how strictly.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::account::AccountId;
use crate::control::Control;
use crate::forwarder::Forwarder;

/// Which yardstick a finding's status follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assurance {
    /// The benchmark's audit steps, to the letter.
    Cis,
    /// Would the message arrive?
    Effective,
    /// The worse of the two.
    #[default]
    Both,
}

/// Everything besides evidence that a verdict depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The controls to judge, in the order of findings.
    pub controls: Vec<Control>,
    /// The benchmark version whose numbers and patterns apply, such as `6.0.0`.
    pub benchmark: String,
    /// The yardstick.
    pub assurance: Assurance,
    /// How old the last delivery to CloudWatch Logs may be when it was observed.
    pub max_delivery_age: SignedDuration,
    /// The longest time over which events may have to keep coming before an alarm fires.
    pub max_window: SignedDuration,
    /// How long an alarm may have been in ALARM when it was observed.
    pub max_alarm_age: SignedDuration,
    /// How old an answer may be when it is judged; `None` where any age will do.
    pub max_evidence_age: Option<SignedDuration>,
    /// The machines that pass messages on.
    pub forwarders: Vec<Forwarder>,
    /// The accounts that are told to watch the metrics of others.
    pub monitoring_accounts: BTreeSet<AccountId>,
    /// Whether an organization trail is believed to cover members that cannot be entered.
    pub trust_organization_trail: bool,
    /// Whether the service may be asked about rules of the pattern language that AWS does not
    /// document.
    pub test_patterns: bool,
    /// The accounts to judge; `None` judges every account the evidence speaks of.
    pub accounts: Option<BTreeSet<AccountId>>,
}

impl Policy {
    /// The default age limit of the last delivery.
    pub const DEFAULT_MAX_DELIVERY_AGE: SignedDuration = SignedDuration::from_hours(24);
    /// The default limit of the time over which events may have to keep coming.
    pub const DEFAULT_MAX_WINDOW: SignedDuration = SignedDuration::from_hours(1);
    /// The default limit of the time in ALARM.
    pub const DEFAULT_MAX_ALARM_AGE: SignedDuration = SignedDuration::from_hours(7 * 24);
    /// The default benchmark version.
    pub const DEFAULT_BENCHMARK: &'static str = "7.0.0";

    /// The default policy for some controls.
    pub fn new(controls: Vec<Control>) -> Self {
        Self {
            controls,
            benchmark: Self::DEFAULT_BENCHMARK.to_owned(),
            assurance: Assurance::default(),
            max_delivery_age: Self::DEFAULT_MAX_DELIVERY_AGE,
            max_window: Self::DEFAULT_MAX_WINDOW,
            max_alarm_age: Self::DEFAULT_MAX_ALARM_AGE,
            max_evidence_age: None,
            forwarders: Vec::new(),
            monitoring_accounts: BTreeSet::new(),
            trust_organization_trail: false,
            test_patterns: true,
            accounts: None,
        }
    }
}
