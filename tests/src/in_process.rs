//! A scan without a network: the questions that evaluation wants, asked one after the other of
//! the simulated organization, by the same rules as the scanner's but without its machinery.

use std::collections::BTreeSet;

use trailproof_core::account::{AccountId, Region};
use trailproof_core::evaluate::wanted;
use trailproof_core::evidence::{Call, Evidence, Outcome, Record, Request};
use trailproof_core::policy::Policy;
use trailproof_simulator::model::{AccountState, Organization};

/// How the trails of an account are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// In every enabled region.
    Full,
    /// In one region, and in further ones while the verdict is open.
    Adaptive,
}

/// Everything that was asked, in order, and what it says.
#[derive(Debug, Default)]
pub struct Scan {
    /// The evidence.
    pub evidence: Evidence,
    /// The records, in the order they were made.
    pub records: Vec<Record>,
    asked: BTreeSet<Request>,
    entered: BTreeSet<AccountId>,
    refused: BTreeSet<AccountId>,
}

/// Asks an organization everything that a policy's verdicts need.
///
/// # Panics
///
/// When evaluation never stops asking, or asks the same question twice.
pub fn scan(organization: &Organization, policy: &Policy, sweep: Sweep) -> Scan {
    let mut scan = Scan::default();
    let home = organization.partition().home_region();
    let caller = organization.caller;
    scan.entered.insert(caller);
    let as_caller = |call: Call| Request {
        account: caller,
        region: home.clone(),
        call,
    };
    scan.ask(organization, as_caller(Call::GetCallerIdentity));
    scan.ask(organization, as_caller(Call::DescribeOrganization));
    scan.ask(organization, as_caller(Call::ListAccounts));
    for account in organization.accounts() {
        if account.state != AccountState::Active || !scan.enter(organization, account.id) {
            continue;
        }
        let regions = match sweep {
            Sweep::Full => enabled(organization, account.id),
            Sweep::Adaptive => vec![home.clone()],
        };
        for region in regions {
            let request = Request {
                account: account.id,
                region,
                call: Call::DescribeTrails {
                    include_shadow_trails: true,
                },
            };
            scan.ask(organization, request);
        }
    }
    for account in organization.accounts() {
        for round in 0.. {
            let requests = wanted(&scan.evidence, policy, account.id);
            if requests.is_empty() {
                break;
            }
            assert!(round < 200, "account {}: {requests:#?}", account.id);
            let mut progress = false;
            for request in requests {
                let fresh = !scan.asked.contains(&request);
                if fresh && scan.enter(organization, request.account) {
                    scan.ask(organization, request);
                    progress = true;
                } else {
                    // The account was just found to be closed: the next round knows.
                    progress |= fresh;
                }
            }
            assert!(
                progress,
                "account {}: asked again: {:#?}",
                account.id,
                wanted(&scan.evidence, policy, account.id)
            );
        }
    }
    scan
}

fn enabled(organization: &Organization, id: AccountId) -> Vec<Region> {
    let account = organization.account(id).expect("the account is there");
    organization
        .regions
        .iter()
        .chain(&organization.opt_in_regions)
        .filter(|region| organization.is_enabled(account, region))
        .cloned()
        .collect()
}

impl Scan {
    fn ask(&mut self, organization: &Organization, request: Request) -> bool {
        let record = organization.record(&request);
        let answered = matches!(record.outcome, Outcome::Response(_));
        self.evidence
            .insert(record.clone())
            .unwrap_or_else(|error| panic!("{error}"));
        self.records.push(record);
        self.asked.insert(request);
        answered
    }

    /// Whether the account's credentials can be had; they are asked for once.
    fn enter(&mut self, organization: &Organization, account: AccountId) -> bool {
        if self.entered.contains(&account) || self.refused.contains(&account) {
            return self.entered.contains(&account);
        }
        let partition = organization.partition();
        let request = Request {
            account: organization.caller,
            region: partition.home_region(),
            call: Call::AssumeRole {
                role_arn: format!(
                    "arn:{partition}:iam::{account}:role/OrganizationAccountAccessRole"
                ),
            },
        };
        let entered = self.ask(organization, request);
        if entered {
            self.entered.insert(account);
        } else {
            self.refused.insert(account);
        }
        entered
    }
}
