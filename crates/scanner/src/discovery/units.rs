//! Organizational units: what they are called, which are meant, and who is below them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use trailproof_core::account::AccountId;
use trailproof_core::evidence::{Call, CallError, Operation, OrganizationAccount, Request};
use trailproof_core::units::{Meant, Units as KnownUnits, is_id};

use super::{Discovery, DiscoveryEnd, on_page};
use crate::calls::Ask;
use crate::engine::{End, Engine};
use crate::error::ScanError;
use crate::event::{Warning, WarningCode};
use crate::outcome::Caller;

/// What is known of the units that filters name.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// The accounts below each, where accounts do not name their path.
    walked: BTreeMap<String, BTreeSet<AccountId>>,
    /// The ones that were on the path of an account.
    met: BTreeSet<String>,
    /// Whether an account did not name its path.
    pathless: bool,
    /// Ids or paths of those that go by other names.
    pub(super) called: BTreeMap<String, String>,
}

impl Units {
    /// The id or path of a unit that a filter names.
    fn id_of(&self, unit: &str) -> String {
        let named = self.called.get(unit).map_or(unit, String::as_str);
        named.trim().trim_matches('/').to_owned()
    }
}

const UNITS: Operation = Operation::ListOrganizationalUnitsForParent;

/// The question what the units right below a parent are.
pub(super) fn units_of(parent: String) -> Call {
    Call::ListOrganizationalUnitsForParent { parent }
}

/// The parents whose units name every unit that accounts are below.
pub(super) fn unit_parents(accounts: &[OrganizationAccount]) -> BTreeSet<String> {
    let parents = accounts.iter().flat_map(OrganizationAccount::unit_parents);
    parents.map(str::to_owned).collect()
}

/// Asks what the units right below each parent that arrives are called, one parent after the other:
/// together they would wait for the same quota. No verdict needs a name, so where one question
/// fails, which evidence then says, no other is asked.
pub(crate) async fn name_units(
    engine: Arc<Engine>,
    caller: Caller,
    mut parents: UnboundedReceiver<String>,
) {
    let mut asked = BTreeSet::new();
    while let Some(parent) = parents.recv().await {
        let is_new = !asked.contains(&parent);
        if is_new && ask_units(&engine, &caller, &parent).await.is_err() {
            return;
        }
        asked.insert(parent);
    }
}

/// Why nobody knows the units below a parent.
enum Untold {
    Failed(CallError),
    Stopped,
}

/// Sees to it that evidence holds the units right below a parent, or why it does not. Where one
/// question failed, no other is asked.
async fn ask_units(engine: &Engine, caller: &Caller, parent: &str) -> Result<(), Untold> {
    {
        // A listing may have been made by others of the organization.
        let evidence = engine.transport.recorder.evidence();
        let reader = evidence.reader();
        if reader.units_below(parent).is_some() {
            return Ok(());
        }
        if let Some(error) = reader.units_failure() {
            return Err(Untold::Failed((*error).clone()));
        }
    }
    let request = Request {
        account: caller.account,
        region: caller.region.clone(),
        call: units_of(parent.to_owned()),
    };
    match engine.fetch(&request, &mut |_| ()).await {
        Ok(()) => Ok(()),
        Err(End::Failed(failure)) => Err(Untold::Failed(failure.error)),
        Err(End::Stopped | End::NeverAsked) => Err(Untold::Stopped),
    }
}

impl Discovery {
    /// Sees to it that evidence holds the units right below a parent, or says why it does not.
    async fn units_told(&self, parent: &str) -> Result<(), DiscoveryEnd> {
        let asked = ask_units(&self.engine, &self.caller, parent).await;
        asked.map_err(|untold| match untold {
            Untold::Failed(error) => self.failed(UNITS.as_str(), error, None).into(),
            Untold::Stopped => DiscoveryEnd::Stopped,
        })
    }

    /// What the units are, by id or path, that filters and member roles name in another way. A name
    /// that no unit has, or that several have, is an error.
    pub(super) async fn units_called(
        &self,
        accounts: &[OrganizationAccount],
    ) -> Result<BTreeMap<String, String>, DiscoveryEnd> {
        for parent in unit_parents(accounts) {
            self.units_told(&parent).await?;
        }
        let evidence = self.engine.transport.recorder.evidence();
        let known = KnownUnits::listed(&evidence.reader());
        let mut called = BTreeMap::new();
        for wanted in self.wanted_units().into_iter().filter(|unit| !is_id(unit)) {
            match known.find(wanted) {
                Ok(Some(unit)) => drop(called.insert(wanted.clone(), unit)),
                // What is written like an id is one that nobody is below. Where accounts do not say
                // where they are, AWS is asked as for an id.
                Ok(None) if wanted.starts_with("ou-") || wanted.starts_with("r-") => {}
                Ok(None) if accounts.iter().any(|account| account.paths.is_empty()) => {}
                Ok(None) => {
                    return Err(ScanError::UnknownOrganizationalUnit {
                        unit: wanted.clone(),
                    }
                    .into());
                }
                Err(several) => return Err(ScanError::AmbiguousUnit(several).into()),
            }
        }
        Ok(called)
    }

    pub(super) async fn is_in(
        &self,
        account: &OrganizationAccount,
        wanted: &BTreeSet<String>,
        units: &mut Units,
    ) -> Result<bool, DiscoveryEnd> {
        if !account.paths.is_empty() {
            let meant: Meant = wanted.iter().map(|unit| units.id_of(unit)).collect();
            let mut paths = account.paths.iter();
            return Ok(paths.any(|path| meant.contain(Some(path))));
        }
        for unit in wanted {
            if !units.walked.contains_key(unit) {
                let accounts = self.walk(unit).await?;
                units.walked.insert(unit.clone(), accounts);
            }
            if units
                .walked
                .get(unit)
                .is_some_and(|accounts| accounts.contains(&account.id))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Every account below a unit or root.
    async fn walk(&self, unit: &str) -> Result<BTreeSet<AccountId>, DiscoveryEnd> {
        let mut accounts = BTreeSet::new();
        let mut units = vec![unit.to_owned()];
        while let Some(unit) = units.pop() {
            let listed = self.look_up(&Ask::AccountsForParent(unit.clone())).await?;
            accounts.extend(on_page(&listed).iter().map(|account| account.id));
            self.units_told(&unit).await?;
            let evidence = self.engine.transport.recorder.evidence();
            units.extend(evidence.reader().units_below(&unit).unwrap_or_default());
        }
        Ok(accounts)
    }

    /// The units that filters and member roles name.
    pub(super) fn wanted_units(&self) -> BTreeSet<&String> {
        let filter = &self.filter;
        let members = self.engine.sessions.roles.members();
        filter
            .organizational_units
            .union(&filter.exclude_organizational_units)
            .chain(members.flat_map(|(_, member)| &member.units))
            .collect()
    }

    pub(super) fn note_units(&self, account: &OrganizationAccount, units: &mut Units) {
        units.pathless |= account.paths.is_empty();
        let on_path = |unit: &&String| {
            let meant = Meant::from_iter([units.id_of(unit)]);
            let mut paths = account.paths.iter();
            paths.any(|path| meant.contain(Some(path)))
        };
        let met: Vec<String> = self
            .wanted_units()
            .into_iter()
            .filter(on_path)
            .cloned()
            .collect();
        units.met.extend(met);
    }

    /// A misspelt unit selects nothing, which would look like a unit without accounts. Units that
    /// had to be asked for are known to exist.
    pub(super) fn warn_of_empty_units(&self, units: &Units) {
        if units.pathless {
            return;
        }
        for unit in self
            .wanted_units()
            .into_iter()
            .filter(|unit| !units.met.contains(*unit))
        {
            let _ = self.warnings.send(Warning {
                code: WarningCode::FilterWithoutEffect,
                message: format!("no account is in organizational unit or root `{unit}`"),
            });
        }
    }
}
