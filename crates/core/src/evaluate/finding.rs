//! From judged chains to findings: which chain is shown, in which words.

use std::sync::Arc;

use crate::account::AccountId;
use crate::control::Control;
use crate::evidence::{OrganizationAccount, Reader};
use crate::finding::{
    AccountSummary, AssuranceResult, ChainLink, Finding, LinkName, LinkStatus, Observation, Status,
};
use crate::policy::{Assurance, Policy};

use super::candidate_chain::Outcome;
use super::coverage::Required;
use super::remediation;
use super::verdict::{Standing, Step, Verdict, Yardstick, decisive, rank, standing};

fn summary(
    account: AccountId,
    listed: Option<&OrganizationAccount>,
    evidence: &Reader<'_>,
) -> Arc<AccountSummary> {
    let ou_path = listed.and_then(OrganizationAccount::ou_path);
    let ou_names = ou_path.as_deref().map(|path| evidence.unit_names(path));
    Arc::new(AccountSummary {
        id: account,
        name: listed.and_then(|listed| listed.name.clone()),
        ou_path,
        ou_names: ou_names.unwrap_or_default(),
    })
}

/// Why nobody can use an account.
pub(super) fn unusable(listed: &OrganizationAccount) -> String {
    format!(
        "the account is {}: nobody can sign in to it",
        listed.effective_state().unwrap_or("closed")
    )
}

/// The finding of a control that is not about an account, or of an account that nobody can use.
pub(super) fn not_applicable(
    account: AccountId,
    listed: Option<&OrganizationAccount>,
    control: &Control,
    policy: &Policy,
    why: String,
    observation: Option<Observation>,
    evidence: &Reader<'_>,
) -> Finding {
    Finding {
        id: format!("{account}/{}", control.id),
        account: summary(account, listed, evidence),
        control: Arc::new(control.summary(&policy.benchmark)),
        status: Status::NotApplicable,
        assurance: AssuranceResult {
            cis: Status::NotApplicable,
            effective: Status::NotApplicable,
        },
        broken_link: None,
        reason: None,
        message: why.into(),
        chain: Vec::new(),
        observations: observation.map(Arc::new).into_iter().collect(),
        witness: None,
        remediation: None,
        observed_at: None,
        attested: None,
        muted: None,
    }
}

/// The status of a finding, by the yardsticks that the policy holds it against.
pub(super) fn status(policy: &Policy, outcome: &Outcome) -> Status {
    let shown = shown(policy.assurance, outcome);
    status_of(standing(outcome.by(shown), shown))
}

fn status_of(standing: Standing) -> Status {
    match standing {
        Standing::Broken => Status::Fail,
        Standing::Possible => Status::Unknown,
        Standing::Proved => Status::Pass,
    }
}

/// The finding of an account, from its best chain by each yardstick.
pub(super) fn of(
    account: AccountId,
    listed: Option<&OrganizationAccount>,
    required: Required<'_>,
    policy: &Policy,
    outcome: &Outcome,
    evidence: &Reader<'_>,
) -> Finding {
    let control = required.control;
    let by = |yardstick| standing(outcome.by(yardstick), yardstick);
    let shown = shown(policy.assurance, outcome);
    let chain = outcome.by(shown);
    let verdict = by(shown);
    let decisive = decisive(chain, shown);
    let cause = decisive.and_then(|step| step.verdict(shown).cause());
    let mut observations: Vec<Arc<Observation>> = chain
        .iter()
        .flat_map(|step| step.observations.iter().cloned())
        .chain(control.observation(&policy.benchmark).map(Arc::new))
        .collect();
    observations.sort();
    observations.dedup();
    Finding {
        id: format!("{account}/{}", control.id),
        account: summary(account, listed, evidence),
        control: Arc::new(control.summary(&policy.benchmark)),
        status: status_of(verdict),
        assurance: AssuranceResult {
            cis: status_of(by(Yardstick::Cis)),
            effective: status_of(by(Yardstick::Effective)),
        },
        broken_link: decisive.map(|step| step.link),
        reason: cause.map(|cause| cause.reason.code.into()),
        message: cause.map_or_else(
            || reaches(chain, shown).into(),
            |cause| Arc::clone(&cause.message),
        ),
        chain: links(chain, shown, decisive.map(|step| step.link)),
        observations,
        witness: cause.and_then(|cause| cause.witness.clone()),
        remediation: decisive
            .zip(cause)
            .map(|(step, cause)| Arc::new(remediation::of(step, cause, chain, required, evidence))),
        observed_at: chain.iter().filter_map(|step| step.observed_at).max(),
        attested: None,
        muted: None,
    }
}

/// The yardstick whose chain is shown: the one that the status follows; of two that agree, the one
/// whose chain breaks earlier, else the effective one, which looks at more.
fn shown(assurance: Assurance, outcome: &Outcome) -> Yardstick {
    match assurance {
        Assurance::Cis => Yardstick::Cis,
        Assurance::Effective => Yardstick::Effective,
        Assurance::Both => {
            let value = |yardstick| rank(outcome.by(yardstick), yardstick);
            if value(Yardstick::Cis) < value(Yardstick::Effective) {
                Yardstick::Cis
            } else {
                Yardstick::Effective
            }
        }
    }
}

fn links(
    chain: &[Arc<Step>],
    yardstick: Yardstick,
    decisive: Option<LinkName>,
) -> Vec<Arc<ChainLink>> {
    let broken = standing(chain, yardstick) == Standing::Broken;
    let mut links = Vec::with_capacity(LinkName::CHAIN.len());
    if decisive == Some(LinkName::Account) {
        links.extend(
            chain
                .iter()
                .filter(|step| step.link == LinkName::Account)
                .map(|step| Arc::new(link(step, yardstick))),
        );
    }
    for name in LinkName::CHAIN {
        let behind = broken && decisive.is_some_and(|decisive| name > decisive);
        let step = chain.iter().find(|step| step.link == name);
        links.push(Arc::new(match step {
            // A question that was saved, because no answer could have mended the chain.
            Some(step)
                if !behind && broken && decisive != Some(name) && unasked(step, yardstick) =>
            {
                ChainLink {
                    detail: format!(
                        "not asked: {} is broken, whatever the answer",
                        decisive.map_or("the chain", LinkName::as_str)
                    )
                    .into(),
                    ..link(step, yardstick)
                }
            }
            Some(step) if !behind => link(step, yardstick),
            _ => ChainLink {
                link: name,
                status: LinkStatus::NotEvaluated,
                resource: None,
                account: None,
                region: None,
                detail: match decisive {
                    Some(decisive) if broken => {
                        format!("not looked at: {decisive} is broken").into()
                    }
                    Some(decisive) => format!("not looked at: {decisive} could not be seen").into(),
                    None => "not looked at".into(),
                },
            },
        }));
    }
    links
}

/// Whether nothing is known of a step because nobody asked.
fn unasked(step: &Step, yardstick: Yardstick) -> bool {
    matches!(step.verdict(yardstick), Verdict::Unseen(_))
        && step.observed_at.is_none()
        && !step.wants.is_empty()
}

fn link(step: &Step, yardstick: Yardstick) -> ChainLink {
    let (status, detail) = match step.verdict(yardstick) {
        Verdict::NotAsked => (
            LinkStatus::NotEvaluated,
            "the benchmark does not ask for this link".into(),
        ),
        Verdict::Proved => (LinkStatus::Pass, Arc::clone(&step.detail)),
        Verdict::Unseen(cause) => (LinkStatus::Unknown, Arc::clone(&cause.message)),
        Verdict::Broken(cause) => (LinkStatus::Fail, Arc::clone(&cause.message)),
    };
    ChainLink {
        link: step.link,
        status,
        resource: step.resource.clone(),
        account: step.account,
        region: step.region.clone(),
        detail,
    }
}

/// What a proved chain says in a sentence.
fn reaches(chain: &[Arc<Step>], yardstick: Yardstick) -> String {
    let detail = |name: LinkName| {
        chain
            .iter()
            .find(|step| step.link == name && *step.verdict(yardstick) == Verdict::Proved)
            .map(|step| step.detail.as_ref())
            .filter(|detail| !detail.is_empty())
    };
    let parts: Vec<&str> = [
        LinkName::Trail,
        LinkName::Alarm,
        LinkName::Action,
        LinkName::Subscription,
    ]
    .into_iter()
    .filter_map(detail)
    .collect();
    format!("events of the control reach a person: {}", parts.join("; "))
}
