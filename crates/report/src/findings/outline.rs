//! What is at hand of every finding of a report, however many there are.

use std::collections::HashSet;
use std::sync::Arc;

use trailproof_core::finding::{
    AccountSummary, AssuranceResult, ControlSummary, Finding, LinkName, LinkStatus, Status,
};

/// What reports count of a finding and list it by. It takes some sixty bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
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
    /// `LINK.what`; absent for PASS.
    pub reason: Option<Arc<str>>,
    /// The verdict in a sentence, where something could not be seen.
    pub unseen: Option<Arc<str>>,
    /// The links that are proved, each as the bit of its place.
    proved: u16,
}

/// Takes outlines of findings, which share what they have in common.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    account: Option<Arc<AccountSummary>>,
    controls: Vec<Arc<ControlSummary>>,
    texts: HashSet<Arc<str>>,
}

impl Sharing {
    /// The outline of a finding. Findings come account by account.
    pub(super) fn outline(&mut self, finding: &Finding) -> Outline {
        let account = self
            .account
            .take()
            .filter(|known| *known == finding.account)
            .unwrap_or_else(|| Arc::clone(&finding.account));
        self.account = Some(Arc::clone(&account));
        let proved = finding
            .chain
            .iter()
            .filter(|link| link.status == LinkStatus::Pass)
            .fold(0, |proved, link| proved | bit(link.link));
        let AssuranceResult { cis, effective } = finding.assurance;
        let unseen = cis == Status::Unknown
            || effective == Status::Unknown
            || finding.broken_link == Some(LinkName::Account);
        Outline {
            account,
            control: self.control(&finding.control),
            status: finding.status,
            assurance: finding.assurance,
            broken_link: finding.broken_link,
            reason: finding.reason.as_ref().map(|reason| self.text(reason)),
            unseen: unseen.then(|| self.text(&finding.message)),
            proved,
        }
    }

    fn control(&mut self, control: &Arc<ControlSummary>) -> Arc<ControlSummary> {
        // There are some fifteen.
        if let Some(known) = self.controls.iter().find(|known| *known == control) {
            return Arc::clone(known);
        }
        self.controls.push(Arc::clone(control));
        Arc::clone(control)
    }

    fn text(&mut self, text: &Arc<str>) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        self.texts.insert(Arc::clone(text));
        Arc::clone(text)
    }
}

impl Outline {
    /// Its id, stable over runs: `ACCOUNT/CONTROL`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.account.id, self.control.id)
    }

    /// Whether its chain proves a link.
    pub fn proves(&self, link: LinkName) -> bool {
        self.proved & bit(link) != 0
    }
}

fn bit(link: LinkName) -> u16 {
    1 << link as u16
}
