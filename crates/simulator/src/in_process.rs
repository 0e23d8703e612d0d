//! A scan without a network: what evaluation wants, asked of the organization one after the other,
//! by the same rules as the scanner's but without its machinery. Nothing is judged here.

use std::collections::{BTreeMap, BTreeSet};

use trailproof_core::account::{AccountId, Region};
use trailproof_core::evaluate::Evaluator;
use trailproof_core::evaluate::inquiry::Inquiry;
use trailproof_core::evidence::{
    Call, Evidence, Operation, Outcome, Record, Request, UnreadableRecord,
};
use trailproof_core::policy::Policy;

use crate::model::{AccountState, Organization, Role};

/// How the trails of an account are looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sweep {
    /// In every enabled region.
    #[default]
    Full,
    /// In one region after the other until one answers.
    Adaptive,
}

/// Everything that was asked.
#[derive(Debug, Default)]
pub struct Scan {
    /// The evidence.
    pub evidence: Evidence,
    /// The records, in the order they were made.
    pub records: Vec<Record>,
    /// What was asked for each account, one step after the other.
    pub(crate) steps: BTreeMap<AccountId, Vec<Step>>,
}

/// Questions that are asked at the same time. For each, where it is asked and what has to be asked
/// before, which is whether the account can be entered.
pub(crate) type Step = Vec<Vec<Host>>;

/// Who answers: a service in a region.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    pub(crate) service: &'static str,
    pub(crate) region: Region,
}

impl Host {
    pub(crate) fn of(operation: Operation, region: Region) -> Self {
        let name = operation.as_str();
        let service = name.split_once(':').map_or(name, |(service, _)| service);
        Self { service, region }
    }
}

/// The way into accounts, each tried once.
struct Doors<'a> {
    organization: &'a Organization,
    /// The accounts that were tried, and whether they could be entered.
    entered: BTreeMap<AccountId, bool>,
}

impl Organization {
    /// Asks everything that the verdicts of a policy need, each question once.
    ///
    /// # Errors
    ///
    /// Where an answer is not what the API of its call documents.
    pub fn scan(&self, policy: &Policy, sweep: Sweep) -> Result<Scan, UnreadableRecord> {
        let mut scan = Scan::default();
        let mut doors = Doors {
            organization: self,
            entered: BTreeMap::from([(self.caller, true)]),
        };
        for call in [
            Call::GetCallerIdentity,
            Call::DescribeOrganization,
            Call::ListAccounts,
        ] {
            scan.add([self.record(&doors.as_caller(call))])?;
        }
        for parent in unit_parents(&scan.evidence) {
            let call = Call::ListOrganizationalUnitsForParent { parent };
            let record = self.record(&doors.as_caller(call));
            let answered = matches!(record.outcome, Outcome::Response(_));
            scan.add([record])?;
            // Who is refused once is refused always.
            if !answered {
                break;
            }
        }
        let members = || {
            self.accounts()
                .iter()
                .filter(|account| account.state == AccountState::Active)
                .filter(|account| self.exists || account.id == self.caller)
                .map(|account| account.id)
        };
        for account in members() {
            doors.sweep(account, sweep, &mut scan)?;
        }
        let evaluator = Evaluator::new(policy.clone());
        for account in members() {
            let mut inquiry = Inquiry::about(account);
            loop {
                let wanted = inquiry.next(&mut evaluator.on(&scan.evidence));
                if wanted.is_empty() {
                    break;
                }
                let answers: Vec<_> = wanted.iter().map(|request| doors.answer(request)).collect();
                scan.step(account, answers)?;
            }
            evaluator.on(&scan.evidence).forget(account);
        }
        Ok(scan)
    }
}

/// The roots and units whose lists of units name those that accounts are in.
fn unit_parents(evidence: &Evidence) -> BTreeSet<String> {
    let reader = evidence.reader();
    let listed = reader.listed_accounts().values();
    let parents = listed.flat_map(|account| account.unit_parents().map(str::to_owned));
    parents.collect()
}

impl Scan {
    /// Adds what was asked for an account at the same time: the answers to each question.
    fn step(
        &mut self,
        account: AccountId,
        answers: Vec<Vec<Record>>,
    ) -> Result<(), UnreadableRecord> {
        let hosts = |records: &Vec<Record>| {
            let hosts = records.iter();
            hosts
                .map(|record| Host::of(record.operation, record.region.clone()))
                .collect()
        };
        let step = answers.iter().map(hosts).collect();
        self.steps.entry(account).or_default().push(step);
        self.add(answers.into_iter().flatten())
    }

    fn add(&mut self, records: impl IntoIterator<Item = Record>) -> Result<(), UnreadableRecord> {
        for record in records {
            self.evidence.insert(record.clone())?;
            self.records.push(record);
        }
        Ok(())
    }
}

impl Doors<'_> {
    fn home(&self) -> Region {
        self.organization.partition().home_region()
    }

    fn as_caller(&self, call: Call) -> Request {
        Request {
            account: self.organization.caller,
            region: self.home(),
            call,
        }
    }

    /// The attempt to enter an account, if it is the first one.
    fn enter(&mut self, account: AccountId) -> Option<Record> {
        if self.entered.contains_key(&account) {
            return None;
        }
        let partition = self.organization.partition();
        let role = Role::ORGANIZATION_ACCESS;
        let record = self.organization.record(&self.as_caller(Call::AssumeRole {
            role_arn: format!("arn:{partition}:iam::{account}:role/{role}"),
        }));
        let entered = matches!(record.outcome, Outcome::Response(_));
        self.entered.insert(account, entered);
        Some(record)
    }

    /// The answer to a question, after the attempt to enter the account. Where that fails, the
    /// question is never asked.
    fn answer(&mut self, request: &Request) -> Vec<Record> {
        let mut records: Vec<Record> = self.enter(request.account).into_iter().collect();
        if self.entered.get(&request.account) == Some(&true) {
            records.push(self.organization.record(request));
        }
        records
    }

    fn sweep(
        &mut self,
        account: AccountId,
        sweep: Sweep,
        scan: &mut Scan,
    ) -> Result<(), UnreadableRecord> {
        let entered = self.enter(account).into_iter().collect();
        scan.step(account, vec![entered])?;
        if self.entered.get(&account) != Some(&true) {
            return Ok(());
        }
        if sweep == Sweep::Full {
            let caller = self.organization.caller;
            let regions = self.as_caller(Call::ListRegions {
                account: (account != caller).then_some(account),
            });
            scan.step(account, vec![vec![self.organization.record(&regions)]])?;
        }
        let mut together = Vec::new();
        for region in self.enabled(account) {
            let record = self.organization.record(&Request {
                account,
                region,
                call: Call::DescribeTrails {
                    include_shadow_trails: true,
                },
            });
            let answered = matches!(record.outcome, Outcome::Response(_));
            match sweep {
                Sweep::Full => together.push(vec![record]),
                Sweep::Adaptive => scan.step(account, vec![vec![record]])?,
            }
            if answered && sweep == Sweep::Adaptive {
                break;
            }
        }
        scan.step(account, together)
    }

    /// The enabled regions, the home region first.
    fn enabled(&self, id: AccountId) -> Vec<Region> {
        let home = self.home();
        let organization = self.organization;
        let mut regions: Vec<Region> = organization
            .account(id)
            .into_iter()
            .flat_map(|account| {
                organization
                    .regions
                    .iter()
                    .chain(&organization.opt_in_regions)
                    .filter(|region| organization.is_enabled(account, region))
            })
            .cloned()
            .collect();
        regions.sort_by_key(|region| *region != home);
        regions
    }
}
