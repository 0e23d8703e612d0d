//! An account in a scenario file.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::{Table, Value};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::finding::{LinkName, Status};

use super::{ScenarioError, chain};
use crate::model::{Account, AccountState, Contact, Denial, Expected, Role, SecurityHub};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountEntry {
    pub(super) id: AccountId,
    name: Option<String>,
    email: Option<String>,
    security_contact: Option<Contact>,
    #[serde(default)]
    state: AccountState,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    opted_in: BTreeSet<Region>,
    /// The default is `OrganizationAccountAccessRole` in members, and none in the management
    /// account, as AWS has it.
    roles: Option<Vec<Role>>,
    #[serde(default)]
    denials: Vec<DenialEntry>,
    /// Regions in which a service control policy refuses everything.
    #[serde(default)]
    denied_regions: BTreeSet<Region>,
    chain: Option<Value>,
    #[serde(default)]
    chains: Vec<Table>,
    #[serde(default)]
    trails: Vec<Table>,
    #[serde(default)]
    log_groups: Vec<Table>,
    #[serde(default)]
    alarms: Vec<Table>,
    #[serde(default)]
    mute_rules: Vec<Table>,
    #[serde(default)]
    topics: Vec<Table>,
    #[serde(default)]
    keys: Vec<Table>,
    #[serde(default)]
    links: Vec<Table>,
    #[serde(default)]
    centralization_rules: Vec<Table>,
    #[serde(default)]
    telemetry_rules: Vec<Table>,
    #[serde(default)]
    event_rules: Vec<Table>,
    /// The regions in which Security Hub is enabled.
    #[serde(default)]
    security_hub: BTreeSet<Region>,
    expect: Option<ExpectEntry>,
    /// Verdicts of other controls.
    #[serde(default)]
    expect_controls: BTreeMap<String, ExpectEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum DenialEntry {
    Operation(String),
    Full(Denial),
}

impl From<DenialEntry> for Denial {
    fn from(entry: DenialEntry) -> Self {
        match entry {
            DenialEntry::Operation(operation) => Self {
                operations: vec![operation],
                ..Self::default()
            },
            DenialEntry::Full(denial) => denial,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ExpectEntry {
    Status(Status),
    Full(ExpectedTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedTable {
    status: Status,
    broken_link: Option<LinkName>,
    reason: Option<String>,
    cis: Option<Status>,
    effective: Option<Status>,
    #[serde(default)]
    observations: Vec<String>,
    #[serde(default)]
    no_observations: Vec<String>,
}

impl ExpectEntry {
    fn build(self, control: &str) -> Expected {
        let table = match self {
            Self::Status(status) => {
                return Expected {
                    control: control.to_owned(),
                    ..Expected::new(status)
                };
            }
            Self::Full(table) => table,
        };
        // The reason names the link: `alarm.cannot-fire`.
        let named = table
            .reason
            .as_deref()
            .and_then(|reason| reason.split_once('.'))
            .and_then(|(link, _)| LinkName::deserialize(Value::String(link.to_owned())).ok());
        Expected {
            control: control.to_owned(),
            status: table.status,
            broken_link: table.broken_link.or(named),
            reason: table.reason,
            cis: table.cis,
            effective: table.effective,
            observations: table.observations,
            no_observations: table.no_observations,
        }
    }
}

impl AccountEntry {
    /// The account, with its chains made of the healthy one and the changes of the file.
    pub(super) fn build(
        self,
        of_file: &Table,
        home: &Region,
        management: bool,
    ) -> Result<Account, ScenarioError> {
        let mut account = Account::new(self.id);
        account.name = self.name.unwrap_or(account.name);
        account.email = self.email.unwrap_or(account.email);
        account.security_contact = self.security_contact;
        account.state = self.state;
        account.unit = self.unit;
        account.tags = self.tags;
        account.opted_in = self.opted_in;
        account.roles = self.roles.unwrap_or_else(|| {
            let role = (!management).then(Role::default);
            role.into_iter().collect()
        });
        account.denials = self.denials.into_iter().map(Denial::from).collect();
        if !self.denied_regions.is_empty() {
            account.denials.push(Denial {
                operations: vec!["*".to_owned()],
                regions: self.denied_regions,
                service_control_policy: true,
            });
        }
        match self.chain {
            None | Some(Value::Boolean(false)) => {}
            Some(Value::Boolean(true)) => chain::add(&mut account, home, of_file, &Table::new())?,
            Some(Value::Table(own)) => chain::add(&mut account, home, of_file, &own)?,
            Some(_) => {
                return Err(ScenarioError::Account {
                    account: self.id,
                    place: "chain".to_owned(),
                    message: "expected true, false or a table of changes".to_owned(),
                });
            }
        }
        for own in &self.chains {
            chain::add(&mut account, home, of_file, own)?;
        }
        for (place, tables) in [
            ("trails", self.trails),
            ("log_groups", self.log_groups),
            ("alarms", self.alarms),
            ("mute_rules", self.mute_rules),
            ("topics", self.topics),
            ("keys", self.keys),
            ("links", self.links),
            ("centralization_rules", self.centralization_rules),
            ("telemetry_rules", self.telemetry_rules),
            ("event_rules", self.event_rules),
        ] {
            for mut table in tables {
                let region = match table.remove("region") {
                    Some(Value::String(region)) => Region::new(&region),
                    _ => home.clone(),
                };
                let site = account.site_mut(&region);
                match place {
                    "trails" => site.trails.push(chain::read(self.id, place, &table)?),
                    "log_groups" => site.log_groups.push(chain::read(self.id, place, &table)?),
                    "alarms" => site.alarms.push(chain::read(self.id, place, &table)?),
                    "mute_rules" => site.mute_rules.push(chain::read(self.id, place, &table)?),
                    "topics" => site.topics.push(chain::read(self.id, place, &table)?),
                    "keys" => site.keys.push(chain::read(self.id, place, &table)?),
                    "centralization_rules" => site
                        .centralization_rules
                        .push(chain::read(self.id, place, &table)?),
                    "telemetry_rules" => site
                        .telemetry_rules
                        .push(chain::read(self.id, place, &table)?),
                    "event_rules" => site.event_rules.push(chain::read(self.id, place, &table)?),
                    _ => site.links.push(chain::read(self.id, place, &table)?),
                }
            }
        }
        for region in &self.security_hub {
            account.site_mut(region).security_hub = Some(SecurityHub::default());
        }
        if let Some(expect) = self.expect {
            account
                .expected
                .push(expect.build(Expected::DEFAULT_CONTROL));
        }
        for (control, expect) in self.expect_controls {
            account.expected.push(expect.build(&control));
        }
        Ok(account)
    }
}
