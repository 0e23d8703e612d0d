//! The search over every chain of an account, for verdicts and for the calls that are still
//! missing.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::applicability::{self, Applicability};
use super::cache::Cache;
use super::candidate_chain::{CandidateChain, Outcome, best, next_calls, observing, only, proved};
use super::coverage::Required;
use super::covering_trails::CoveringTrails;
use super::finding;
use super::gathered::Alarms;
use super::links::log_group::Place;
use super::links::selectors::{self, Recorded};
use super::log_group_verdict::{self, LogGroupVerdict};
use super::origin::Origin;
use super::other_shapes::{self, Failing, Signs};
use super::reading::Reading;
use super::routine::Routine;
use super::together::{self, Part, Passed, Together};
use super::trail_verdict::{Admitted, TrailVerdict};
use super::verdict::{Chain, Standing, Step, Yardstick, decisive, open_standing, standing, wants};
use crate::account::{AccountId, Region};
use crate::evidence::{
    Basis, CallSite, Evidence, Note, OrganizationAccount, Reader, RecordId, Request,
};
use crate::finding::{Finding, LinkName, Observation, Pool, Status};
use crate::forwarder::Forwarder;
use crate::policy::Policy;

/// Judges evidence by one policy, from any thread. What it worked out it keeps: decisions about
/// patterns for good, since they depend on texts alone, and judgements of trails and log groups
/// for as long as the evidence about them stays the same. A scan that asks again and again what is
/// wanted pays for each once.
#[derive(Debug)]
pub struct Evaluator {
    policy: Policy,
    cache: Mutex<Cache>,
}

impl Evaluator {
    /// An evaluator that has decided nothing yet.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            cache: Mutex::default(),
        }
    }

    /// The policy it judges by.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Judges one state of the evidence. What accounts share is judged once. Only one state can be
    /// under judgement at a time; others wait.
    pub fn on<'e>(&'e self, evidence: &'e Evidence) -> Evaluation<'e> {
        self.reading(evidence.reader())
    }

    /// Judges what a reader reads: evidence with something laid over it, or with a note of the
    /// records that verdicts rest on.
    pub fn reading<'e>(&'e self, evidence: Reader<'e>) -> Evaluation<'e> {
        Evaluation {
            evidence,
            policy: &self.policy,
            cache: self.cache.lock().unwrap_or_else(PoisonError::into_inner),
            regions: HashMap::new(),
            signs: HashMap::new(),
        }
    }
}

/// One state of the evidence under judgement.
pub struct Evaluation<'e> {
    evidence: Reader<'e>,
    policy: &'e Policy,
    cache: MutexGuard<'e, Cache>,
    regions: HashMap<AccountId, (Basis, Arc<[Region]>)>,
    /// By control.
    signs: HashMap<usize, Rc<Signs<'e>>>,
}

/// The steps of a trail from itself to its delivery, and what comes after its delivery passes on.
struct Head {
    steps: Chain,
    admitted: Arc<Admitted>,
    passed: Passed,
}

/// How far a chain is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// To its end, and to what is only seen by looking at every account.
    Whole,
    /// To its end.
    Chain,
    /// As far as decides which calls are wanted next.
    Next,
}

/// What one control of an account is judged by.
pub(super) enum Judged {
    /// The control is not about the account, or nobody can use the account: why, and what else a
    /// reader should know.
    NotApplicable(String, Option<Observation>),
    /// The best chains.
    Applies(Outcome),
}

impl<'e> Evaluation<'e> {
    /// The accounts to judge: those of the policy, or all that the evidence speaks of.
    pub fn accounts(&self) -> BTreeSet<AccountId> {
        match &self.policy.accounts {
            Some(accounts) => accounts.clone(),
            None => self.evidence.accounts(),
        }
    }

    /// The findings of one account, in the policy's order of controls.
    pub fn findings(&mut self, account: AccountId) -> Vec<Finding> {
        let findings = self.noted_findings(account).into_iter();
        findings.map(|(finding, _)| finding).collect()
    }

    /// The statuses of one account's findings, in the policy's order of controls, without the
    /// findings, and without what is only seen by looking at every account.
    pub fn statuses(&mut self, account: AccountId) -> Vec<Status> {
        let policy = self.policy;
        let statuses = self.judged(account, Depth::Chain, |_, _, judged, _| match judged {
            Judged::NotApplicable(..) => Status::NotApplicable,
            Judged::Applies(outcome) => finding::status(policy, &outcome),
        });
        statuses.into_iter().map(|(status, _)| status).collect()
    }

    /// The findings of one account, each with the records that it rests on, in their order: judged
    /// on nothing but these, it is the same. The reader has to note records.
    pub fn findings_with_records(&mut self, account: AccountId) -> Vec<(Finding, Vec<RecordId>)> {
        let findings = self.noted_findings(account).into_iter();
        findings
            .map(|(finding, note)| (finding, note.records().collect()))
            .collect()
    }

    fn noted_findings(&mut self, account: AccountId) -> Vec<(Finding, Note)> {
        let policy = self.policy;
        self.judged(
            account,
            Depth::Whole,
            |required, listed, judged, evidence| match judged {
                Judged::NotApplicable(why, observation) => {
                    let control = required.control;
                    finding::not_applicable(
                        account,
                        listed,
                        control,
                        policy,
                        why,
                        observation,
                        evidence,
                    )
                }
                Judged::Applies(outcome) => {
                    finding::of(account, listed, required, policy, &outcome, evidence)
                }
            },
        )
    }

    /// What is made of each judgement of an account, in the policy's order of controls, with what
    /// was looked up for it.
    pub(super) fn judged<T>(
        &mut self,
        account: AccountId,
        depth: Depth,
        make: impl Fn(Required<'_>, Option<&OrganizationAccount>, Judged, &Reader<'_>) -> T,
    ) -> Vec<(T, Note)> {
        let policy = self.policy;
        let outer = self.evidence.begin_records();
        let listed = self.evidence.listed_accounts().get(&account);
        let listed = listed.map(AsRef::as_ref);
        // The finding has the names of the account's units, so they are in its note.
        if outer.is_some()
            && let Some(path) = listed.and_then(OrganizationAccount::ou_path)
        {
            let _ = self.evidence.unit_names(&path);
        }
        let unusable = listed.filter(|listed| listed.is_unusable());
        let covering = match unusable {
            Some(listed) => Err(finding::unusable(listed)),
            None => Ok(self.covering_trails(account)),
        };
        let shared = self.evidence.end_records(outer);
        let mut results = Vec::with_capacity(policy.controls.len());
        for (index, control) in policy.controls.iter().enumerate() {
            let required = Required::of(control, policy);
            let outer = self.evidence.begin_records();
            let judged = match &covering {
                Err(why) => Judged::NotApplicable(why.clone(), None),
                Ok(covering) => match self.candidates(account, covering, index, required, depth) {
                    Ok(candidates) => Judged::Applies(best(&candidates)),
                    Err(why) => Judged::NotApplicable(why, control.elsewhere_observation()),
                },
            };
            let mut note = self.evidence.end_records(outer);
            note.extend(&shared);
            // The names that a finding's commands use decide no verdict, so they are in no note.
            results.push((make(required, listed, judged, &self.evidence), note));
        }
        results
    }

    /// Every finding, one account after the other, handed over as it is made. Findings share what
    /// they have in common.
    pub fn for_each(&mut self, mut take: impl FnMut(Finding)) {
        let mut pool = Pool::default();
        let all = self.try_for_each_account(self.accounts(), |findings| {
            for mut finding in findings {
                pool.share(&mut finding);
                take(finding);
            }
            Ok::<(), Infallible>(())
        });
        let Ok(()) = all;
    }

    /// The findings of one of these accounts after the other, until they cannot be taken. They share
    /// nothing with those of other accounts: for who keeps none of them.
    pub fn try_for_each_account<E>(
        &mut self,
        accounts: impl IntoIterator<Item = AccountId>,
        mut take: impl FnMut(Vec<Finding>) -> Result<(), E>,
    ) -> Result<(), E> {
        for account in accounts {
            take(self.findings(account))?;
            self.forget(account);
        }
        Ok(())
    }

    /// Drops what was kept for one account only. Whoever is done with an account says so, lest
    /// memory grow with their number; an account that comes up again only costs its judgement
    /// again.
    pub fn forget(&mut self, account: AccountId) {
        self.cache.forget(account);
        self.regions.remove(&account);
    }

    /// How much is kept.
    #[cfg(test)]
    pub(super) fn remembers(&self) -> usize {
        self.cache.len()
    }

    /// The calls that were never made and on which an account's verdicts still rest. They may all
    /// be made at once.
    pub fn wanted(&mut self, account: AccountId) -> Vec<Request> {
        self.wanted_by(account, Depth::Next)
    }

    /// The same calls, whatever the depth: looking further only takes longer.
    pub(super) fn wanted_by(&mut self, account: AccountId, depth: Depth) -> Vec<Request> {
        let policy = self.policy;
        let closing = self
            .evidence
            .listed_accounts()
            .get(&account)
            .is_some_and(|listed| listed.is_unusable());
        if closing {
            return Vec::new();
        }
        let covering = self.covering_trails(account);
        let mut wanted = BTreeSet::new();
        for (index, control) in policy.controls.iter().enumerate() {
            let required = Required::of(control, policy);
            let Ok(candidates) = self.candidates(account, &covering, index, required, depth) else {
                continue;
            };
            for yardstick in Yardstick::ALL {
                wanted.extend(next_calls(&candidates, yardstick));
            }
        }
        wanted.into_iter().collect()
    }

    /// Every chain that an account's events may take, for one control; why the control is not about
    /// the account, where it is not.
    fn candidates(
        &mut self,
        account: AccountId,
        covering: &CoveringTrails,
        index: usize,
        required: Required<'_>,
        depth: Depth,
    ) -> Result<Vec<[CandidateChain; 2]>, String> {
        let mut candidates = Vec::with_capacity(covering.trails.len() + 2);
        match applicability::of(&self.evidence, account, required.control) {
            Applicability::Applies => {}
            Applicability::Not(why) => return Err(why),
            Applicability::Unknown(step) => candidates.push(only(*step)),
        }
        let mut heads = self.heads(covering, index, required);
        for (head, (_, verdict)) in heads.iter_mut().zip(&covering.trails) {
            let (candidate, passed) =
                self.follow(account, &head.steps, verdict, index, required, depth);
            head.passed = passed;
            candidates.push(candidate);
        }
        if heads.len() > 1 && !proved(&candidates, Yardstick::Effective) {
            let parts: Vec<Part<'_>> = heads
                .iter()
                .map(|head| Part {
                    head: &head.steps,
                    recorded: &head.admitted.recorded,
                    passed: head.passed.clone(),
                })
                .collect();
            let decisions = &mut self.cache.decisions;
            let joined = match together::join(account, &parts, required, decisions) {
                Together::Proved(chain) => Some((chain, Vec::new())),
                Together::Possible(chain, wants) => Some((chain, wants)),
                Together::No => None,
            };
            if let (Some((chain, wants)), Some([cis, _])) = (joined, candidates.last()) {
                candidates.push([cis.clone(), CandidateChain { chain, wants }]);
            }
        }
        candidates.extend(covering.otherwise.clone().map(only));
        self.other_shapes(
            account,
            covering,
            (&heads, index),
            required,
            depth,
            &mut candidates,
        );
        Ok(candidates)
    }

    /// Looks for other ways to a person where every chain fails: adds those that there may be, and
    /// the calls that would show them where nothing is left to ask about the chains.
    fn other_shapes(
        &mut self,
        account: AccountId,
        covering: &CoveringTrails,
        (heads, index): (&[Head], usize),
        required: Required<'_>,
        depth: Depth,
        candidates: &mut Vec<[CandidateChain; 2]>,
    ) {
        let by = Yardstick::Effective;
        let effective = || candidates.iter().map(|[_, effective]| effective);
        if effective().any(|candidate| standing(&candidate.chain, by) != Standing::Broken) {
            return;
        }
        let open = effective().any(|candidate| !candidate.wants.is_empty());
        if open && depth == Depth::Next {
            return;
        }
        let signs = (depth == Depth::Whole).then(|| self.signs(index, required));
        let mut looks = Vec::new();
        let mut seen = BTreeSet::new();
        for (number, [_, effective]) in candidates.iter().enumerate() {
            let Some(step) = decisive(&effective.chain, by) else {
                continue;
            };
            let trail = heads.get(number).zip(covering.trails.get(number));
            let place = trail.and_then(|(_, (_, verdict))| verdict.place.as_deref());
            let failing = Failing {
                evidence: &self.evidence,
                account,
                required,
                link: step.link,
                place,
                signs: signs.as_deref(),
            };
            // Several trails may lead to one log group.
            if seen.insert((failing.is_late(), place)) {
                let head = trail.map(|(head, _)| &head.steps);
                let found = other_shapes::look(failing).into_iter();
                looks.extend(found.map(|look| (head, look)));
            }
        }
        let mut possible = Vec::new();
        let mut wants = Vec::new();
        let mut unseen = Vec::new();
        for (head, look) in looks {
            if let Some(step) = look.step {
                let late = step.link >= LinkName::MetricFilter;
                let mut chain: Chain = head.filter(|_| late).cloned().unwrap_or_default();
                chain.push(Arc::new(step));
                possible.push(chain);
            }
            wants.extend(look.wants);
            unseen.extend(look.unseen.map(Arc::new));
        }
        if let Some([_, first]) = candidates.first_mut().filter(|_| !open) {
            wants.sort_unstable();
            wants.dedup();
            first.wants = wants;
        }
        if possible.is_empty() {
            for candidate in candidates.iter_mut().flatten() {
                candidate.chain = observing(&candidate.chain, &unseen);
            }
        }
        if let Some([cis, _]) = candidates.first().cloned() {
            candidates.extend(possible.into_iter().map(|chain| {
                let wants = Vec::new();
                [cis.clone(), CandidateChain { chain, wants }]
            }));
        }
    }

    /// What is seen of other ways to a person without looking for them.
    fn signs(&mut self, index: usize, required: Required<'_>) -> Rc<Signs<'e>> {
        if let Some(known) = self.signs.get(&index) {
            return Rc::clone(known);
        }
        let signs = Signs::of(&self.evidence, required, &mut self.cache.decisions);
        let signs = Rc::new(signs);
        self.signs.insert(index, Rc::clone(&signs));
        signs
    }

    /// The steps of every trail from itself to its delivery.
    fn heads(
        &mut self,
        covering: &CoveringTrails,
        index: usize,
        required: Required<'_>,
    ) -> Vec<Head> {
        let admitted: Vec<Arc<Admitted>> = covering
            .trails
            .iter()
            .map(|(_, verdict)| self.cache.admits(&self.evidence, verdict, index, required))
            .collect();
        let recorded: Vec<&Recorded> = admitted.iter().map(|one| &one.recorded).collect();
        let shared = recorded.len() > 1
            && together::record_everything(&recorded, required, &mut self.cache.decisions);
        admitted
            .iter()
            .zip(&covering.trails)
            .map(|(admitted, (step, verdict))| {
                let selectors = if shared && matches!(admitted.recorded, Recorded::Some(_)) {
                    Arc::new(selectors::together(&admitted.step))
                } else {
                    Arc::clone(&admitted.step)
                };
                let mut steps: Chain = vec![Arc::clone(step)];
                steps.extend(verdict.steps(selectors));
                Head {
                    steps,
                    admitted: Arc::clone(admitted),
                    passed: Passed::default(),
                }
            })
            .collect()
    }

    fn covering_trails(&mut self, account: AccountId) -> Arc<CoveringTrails> {
        self.cache
            .covering_trails(&self.evidence, self.policy, account)
    }

    /// Follows one trail as far as is asked.
    fn follow(
        &mut self,
        account: AccountId,
        head: &Chain,
        verdict: &TrailVerdict,
        index: usize,
        required: Required<'_>,
        depth: Depth,
    ) -> ([CandidateChain; 2], Passed) {
        let judgement = match &verdict.place {
            Some(place) if depth != Depth::Next || !self.is_early(head, place) => {
                Some(self.log_group(account, place, verdict.routine, index, required))
            }
            _ => None,
        };
        let candidate = |yardstick| {
            let mut chain = head.clone();
            let mut next = wants(head, yardstick);
            // What the owner's copy says may make every other call idle.
            if let Reading::Unread(unread) = &verdict.owners_copy
                && !unread.wants.is_empty()
                && open_standing(head, yardstick) != Standing::Broken
            {
                next.clone_from(&unread.wants);
            }
            if let Some(judgement) = &judgement {
                let branch = judgement.by(yardstick);
                chain.extend(branch.chain.iter().cloned());
                if next.is_empty() && open_standing(head, yardstick) != Standing::Broken {
                    next.clone_from(&branch.wants);
                }
                // A break further down that no call can mend makes every other call idle.
                if open_standing(&chain, yardstick) == Standing::Broken {
                    next.clear();
                }
            }
            CandidateChain { chain, wants: next }
        };
        let candidates = [candidate(Yardstick::Cis), candidate(Yardstick::Effective)];
        let passed = judgement.map(|judgement| judgement.passed.clone());
        (candidates, passed.unwrap_or_default())
    }

    /// Whether calls are wanted on the chain to a log group, and nobody asked for its filters yet:
    /// then nothing beyond it can make these calls idle.
    fn is_early(&mut self, head: &[Arc<Step>], place: &Place) -> bool {
        let wanting = |yardstick| !wants(head, yardstick).is_empty();
        Yardstick::ALL.into_iter().all(wanting)
            && self.cache.filters(&self.evidence, place).unasked()
    }

    fn log_group(
        &mut self,
        account: AccountId,
        place: &Place,
        routine: Routine,
        index: usize,
        required: Required<'_>,
    ) -> Arc<LogGroupVerdict> {
        let filters = self.cache.filters(&self.evidence, place);
        let particular = filters.tell_accounts_apart.then_some(account);
        let regions = self.regions(account);
        let key = (
            Arc::clone(&place.arn),
            index,
            particular.map(|account| (account, Arc::clone(&regions))),
            routine,
        );
        let evidence = &self.evidence;
        let policy = self.policy;
        self.cache.judgement(evidence, key, |cache| {
            let filters = cache.filters(evidence, place);
            let (decisions, mut alarms) = cache.parts();
            let question = log_group_verdict::LogGroupQuestion {
                evidence,
                place,
                required: Required {
                    account: particular,
                    ..required
                },
                policy,
                account,
                regions: &regions,
                routine,
                origin: Origin::Event,
            };
            log_group_verdict::judge(&question, &filters, &mut alarms, decisions)
        })
    }

    /// The alarms of an account in a region.
    pub(super) fn alarms(&mut self, site: &CallSite) -> Arc<Alarms> {
        let (_, mut alarms) = self.cache.parts();
        alarms.at(&self.evidence, site)
    }

    /// What says who is told: the evidence, and the forwarders that the policy describes.
    pub(super) fn telling(&self) -> (&Reader<'_>, &[Forwarder]) {
        (&self.evidence, &self.policy.forwarders)
    }

    /// The regions where events of an account may be recorded.
    fn regions(&mut self, account: AccountId) -> Arc<[Region]> {
        if let Some((basis, known)) = self.regions.get(&account) {
            self.evidence.reuse(basis);
            return Arc::clone(known);
        }
        let evidence = &self.evidence;
        let ((partition, enabled), basis) = evidence.with_basis(|| {
            (
                evidence.partition(account),
                evidence.enabled_regions(account),
            )
        });
        let default = self.cache.default_regions(partition);
        let mut enabled = enabled.unwrap_or_default();
        enabled.retain(|region| default.binary_search(region).is_err());
        let regions = if enabled.is_empty() {
            Arc::clone(default)
        } else {
            enabled.extend_from_slice(default);
            enabled.sort_unstable();
            enabled.dedup();
            enabled.into()
        };
        self.regions.insert(account, (basis, Arc::clone(&regions)));
        regions
    }
}
