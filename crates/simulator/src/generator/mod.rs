//! Organizations of any size, made by chance that repeats. What every account must be found to be
//! follows from how it was made.

mod case;
mod demo;

use fastrand::Rng;
use trailproof_core::account::{AccountId, Partition, Region};
use trailproof_core::finding::{LinkName, Status};

use crate::model::{Account, Expected, Organization, Role, Site, Trail};
use crate::scenario::{self, ScenarioError};
use case::Case;

/// What an organization is to be like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Generator {
    /// How many accounts it has, the management account included.
    pub accounts: usize,
    /// How many regions every account has.
    pub regions: usize,
    /// What chance depends on.
    pub seed: u64,
    /// What the accounts are like.
    pub mix: Mix,
    /// The share of accounts that cannot be entered; `None` leaves it to the mix.
    pub denied: Option<f64>,
}

/// What the accounts are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// An organization trail that only archives, and trails of the accounts' own: most complete,
    /// the others broken at every link.
    Realistic,
    /// The same, with the names of a company and every kind of account early on.
    Demo,
    /// An organization trail that is complete and covers everybody.
    Covered,
    /// A complete chain of its own in every account.
    Healthy,
}

/// An organization that cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GeneratorError {
    /// The number of accounts.
    #[error("an organization has between 1 and 60000 accounts, not {0}")]
    Accounts(usize),
    /// The number of regions.
    #[error("an account has between 1 and 34 regions, not {0}")]
    Regions(usize),
    /// The share of denied accounts.
    #[error("`{0}` is not a share of accounts: it is from 0 to 1")]
    Denied(f64),
    /// The built-in chain.
    #[error(transparent)]
    Chain(#[from] ScenarioError),
}

/// The most accounts: ids are this far apart.
const MOST_ACCOUNTS: usize = 60_000;
const FIRST_ID: u64 = 111_111_111_111;
const ID_STEP: u64 = 13_000_007;

impl Generator {
    /// Makes the organization.
    pub fn organization(&self) -> Result<Organization, GeneratorError> {
        if !(1..=MOST_ACCOUNTS).contains(&self.accounts) {
            return Err(GeneratorError::Accounts(self.accounts));
        }
        if self
            .denied
            .is_some_and(|share| !(0.0..=1.0).contains(&share))
        {
            return Err(GeneratorError::Denied(self.denied.unwrap_or_default()));
        }
        let management = id(0);
        let mut organization = Organization::new(management, Partition::Aws);
        organization.regions = self.region_names(&organization)?;
        organization.opt_in_regions = Vec::new();
        organization.now = scenario::DEFAULT_NOW;
        let healthy = scenario::healthy_site()?;
        let mut rng = Rng::with_seed(self.seed);
        for number in 0..self.accounts {
            let mut account = Account::new(id(number));
            let case = self.case(number, &mut rng);
            demo::name(&mut account, number, case, self.mix);
            if number > 0 {
                account.roles.push(Role::default());
            }
            let region = region(&organization, number, case);
            case.furnish(&mut account, &region, &healthy, &organization.regions);
            if self.mix == Mix::Demo {
                demo::watch_more(account.site_mut(&region), number);
            }
            if number == 0 {
                self.organization_trail(&mut account, &organization, &healthy);
            }
            account.expected.push(self.expected(case));
            organization.insert(account);
        }
        organization.units = scenario::units(&organization);
        Ok(organization)
    }

    /// The home region first, then the others by name.
    fn region_names(&self, organization: &Organization) -> Result<Vec<Region>, GeneratorError> {
        let home = organization.partition().home_region();
        let all: Vec<Region> = std::iter::once(home.clone())
            .chain(
                organization
                    .regions
                    .iter()
                    .chain(&organization.opt_in_regions)
                    .filter(|region| **region != home)
                    .cloned(),
            )
            .collect();
        if !(1..=all.len()).contains(&self.regions) {
            return Err(GeneratorError::Regions(self.regions));
        }
        Ok(all.into_iter().take(self.regions).collect())
    }

    fn case(&self, number: usize, rng: &mut Rng) -> Case {
        if number == 0 {
            return Case::NoTrail;
        }
        let (denied, drawn) = (rng.f64(), rng.u32(0..1000));
        if self.denied.is_some_and(|share| denied < share) {
            return Case::NoRole;
        }
        let case = match self.mix {
            Mix::Healthy => Case::Healthy,
            Mix::Covered => Case::covered(drawn),
            Mix::Realistic => Case::realistic(drawn),
            Mix::Demo => demo::case(number).unwrap_or_else(|| Case::realistic(drawn)),
        };
        // With a share of its own, nothing else makes an account inaccessible.
        match case {
            Case::NoRole if self.denied.is_some() => Case::Healthy,
            case => case,
        }
    }

    fn organization_trail(
        &self,
        account: &mut Account,
        organization: &Organization,
        healthy: &Site,
    ) {
        let home = organization.partition().home_region();
        match self.mix {
            Mix::Covered => {
                *account.site_mut(&home) = healthy.clone();
                for trail in &mut account.site_mut(&home).trails {
                    "organization".clone_into(&mut trail.name);
                    trail.organization = true;
                }
            }
            Mix::Realistic | Mix::Demo => account.site_mut(&home).trails.push(Trail {
                name: "organization-archive".to_owned(),
                organization: true,
                ..Trail::default()
            }),
            Mix::Healthy => *account.site_mut(&home) = healthy.clone(),
        }
    }

    /// The verdict of a case, given what else covers the account.
    fn expected(&self, case: Case) -> Expected {
        let (status, link) = case.verdict();
        let (status, link) = match (self.mix, status) {
            (Mix::Covered | Mix::Healthy, Status::Fail) => (Status::Pass, None),
            // The organization's archive trail gets as far as the missing log group: a chain of
            // the account's own that breaks earlier is not the one that got furthest.
            (Mix::Realistic | Mix::Demo, Status::Fail) => {
                (status, link.map(|link| link.max(LinkName::LogGroup)))
            }
            (_, status) => (status, link),
        };
        Expected {
            broken_link: link,
            ..Expected::new(status)
        }
    }
}

/// Where the chain of an account is: one in five does not use the home region.
fn region(organization: &Organization, number: usize, case: Case) -> Region {
    let home = organization.partition().home_region();
    let elsewhere = number % 5 == 3 && case != Case::RegionsDenied;
    let other = Region::new("eu-west-1");
    if elsewhere && organization.regions.contains(&other) {
        other
    } else {
        home
    }
}

/// The id of an account: twelve digits, ascending.
fn id(number: usize) -> AccountId {
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    let id = FIRST_ID.saturating_add(number.saturating_mul(ID_STEP));
    // `MOST_ACCOUNTS` keeps it within twelve digits.
    #[allow(clippy::expect_used, reason = "twelve digits by construction")]
    format!("{id:012}").parse().expect("twelve digits")
}

#[cfg(test)]
mod tests;
