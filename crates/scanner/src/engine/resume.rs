//! What an earlier run already knows: read from its records while they are loaded.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::arn::Arn;
use trailproof_core::evidence::{ErrorClass, Evidence, Operation, Outcome, Record};

use super::key::Key;
use crate::calls::{Failure, Remedy};

/// Everything a resumed run starts with.
#[derive(Debug, Default)]
pub(crate) struct Resumed {
    pub(crate) evidence: Evidence,
    pub(crate) known: HashSet<Key>,
    /// Whose credentials made the first run.
    pub(crate) caller: Option<AccountId>,
    pub(crate) management: Option<AccountId>,
    /// The whole list of the organization's accounts.
    pub(crate) accounts: Option<Vec<ListedAccount>>,
    /// The enabled regions of accounts.
    pub(crate) regions: HashMap<AccountId, Vec<Region>>,
    /// Accounts whose role was refused.
    pub(crate) refused: HashMap<AccountId, Failure>,
}

impl Resumed {
    /// Adds a record of the earlier run.
    pub(crate) fn add(&mut self, record: Record) -> Result<(), String> {
        let key = Key::of_record(&record);
        match &record.outcome {
            // What failed for the moment deserves another try.
            Outcome::Error(error)
                if matches!(error.class, ErrorClass::Throttled | ErrorClass::Unavailable) =>
            {
                self.known.remove(&key);
            }
            Outcome::Error(error) => {
                self.known.insert(key);
                if record.operation == Operation::AssumeRole
                    && let Some(account) = role_account(&record)
                {
                    let failure = Failure {
                        error: error.clone(),
                        remedy: Remedy::None,
                        request_id: record.request_id.clone(),
                    };
                    self.refused.insert(account, failure);
                }
            }
            Outcome::Response(response) => {
                self.known.insert(key);
                self.learn(&record, response);
            }
        }
        self.evidence
            .insert(record)
            .map_err(|unreadable| unreadable.to_string())
    }

    fn learn(&mut self, record: &Record, response: &Value) {
        match record.operation {
            Operation::GetCallerIdentity => {
                self.caller.get_or_insert(record.account);
            }
            Operation::DescribeOrganization => self.management = management_account(response),
            Operation::ListAccounts => self.accounts = Some(listed_accounts(response)),
            Operation::ListRegions => {
                let account = record
                    .parameters
                    .get("AccountId")
                    .and_then(Value::as_str)
                    .and_then(|account| account.parse().ok())
                    .unwrap_or(record.account);
                self.regions.insert(account, enabled_regions(response));
            }
            Operation::AssumeRole => {
                if let Some(account) = role_account(record) {
                    self.refused.remove(&account);
                }
            }
            _ => {}
        }
    }
}

fn role_account(record: &Record) -> Option<AccountId> {
    let arn: Arn = record.parameters.get("RoleArn")?.as_str()?.parse().ok()?;
    arn.account()
}

/// The management account in an answer of `organizations:DescribeOrganization`.
pub(crate) fn management_account(response: &Value) -> Option<AccountId> {
    let organization = response.get("Organization")?;
    let id = organization
        .get("ManagementAccountId")
        .or_else(|| organization.get("MasterAccountId"))?;
    id.as_str()?.parse().ok()
}

/// An account as Organizations lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedAccount {
    pub(crate) id: AccountId,
    pub(crate) name: Option<String>,
    pub(crate) active: bool,
    /// Where it is in the tree, such as `o-1/r-1/ou-1/`; empty where Organizations does not say.
    pub(crate) paths: Vec<String>,
}

/// The accounts in an answer of `organizations:ListAccounts`, or in one page of it.
pub(crate) fn listed_accounts(response: &Value) -> Vec<ListedAccount> {
    let accounts = response.get("Accounts").and_then(Value::as_array);
    accounts.into_iter().flatten().filter_map(listed).collect()
}

fn listed(account: &Value) -> Option<ListedAccount> {
    let text = |member: &str| account.get(member).and_then(Value::as_str);
    let Some(id) = text("Id").and_then(|id| id.parse().ok()) else {
        tracing::warn!(%account, "an account without an account id is listed");
        return None;
    };
    // Status is being retired in favour of State.
    let state = text("State").or_else(|| text("Status"));
    let paths = account.get("Paths").and_then(Value::as_array);
    Some(ListedAccount {
        id,
        name: text("Name").map(str::to_owned),
        active: !matches!(state, Some("SUSPENDED" | "PENDING_CLOSURE" | "CLOSED")),
        paths: paths
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    })
}

/// The enabled regions in an answer of `account:ListRegions`, ordered by name.
pub(crate) fn enabled_regions(response: &Value) -> Vec<Region> {
    let regions = region_states(response);
    regions
        .into_iter()
        .filter(|(_, state)| matches!(state.as_str(), "ENABLED" | "ENABLED_BY_DEFAULT"))
        .map(|(region, _)| region)
        .collect()
}

/// Every region in an answer of `account:ListRegions`, and whether it is enabled.
pub(crate) fn region_states(response: &Value) -> BTreeMap<Region, String> {
    let regions = response.get("Regions").and_then(Value::as_array);
    regions
        .into_iter()
        .flatten()
        .filter_map(|region| {
            let name = region.get("RegionName")?.as_str()?;
            let state = region.get("RegionOptStatus")?.as_str()?;
            Some((Region::new(name), state.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn state_goes_before_status() {
        let accounts = listed_accounts(&json!({"Accounts": [
            {"Id": "000000000001", "Name": "a", "State": "SUSPENDED", "Status": "ACTIVE"},
            {"Id": "000000000002", "Status": "PENDING_CLOSURE"},
            {"Id": "000000000003", "Status": "ACTIVE", "Paths": ["o-1/r-1/ou-1/"]},
            {"Id": "000000000004", "State": "PENDING_ACTIVATION"},
            {"Id": "not an id"},
        ]}));
        let active: Vec<bool> = accounts.iter().map(|account| account.active).collect();
        assert_eq!(active, [false, false, true, true]);
        assert_eq!(accounts[2].paths, ["o-1/r-1/ou-1/"]);
    }

    #[test]
    fn only_enabled_regions_count() {
        let regions = enabled_regions(&json!({"Regions": [
            {"RegionName": "us-east-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"},
            {"RegionName": "af-south-1", "RegionOptStatus": "DISABLED"},
            {"RegionName": "eu-south-1", "RegionOptStatus": "ENABLED"},
            {"RegionName": "me-south-1", "RegionOptStatus": "ENABLING"},
        ]}));
        assert_eq!(
            regions,
            [Region::new("eu-south-1"), Region::new("us-east-1")]
        );
    }

    fn record(operation: &str, parameters: &Value, outcome: &Value) -> Record {
        let mut record = json!({
            "operation": operation, "account": "111111111111", "region": "us-east-1",
            "parameters": parameters, "observed_at": "2026-11-22T22:00:00Z",
        });
        let members = record.as_object_mut().unwrap();
        members.extend(outcome.as_object().unwrap().clone());
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn passing_failures_are_tried_again_and_final_ones_are_not() {
        let mut resumed = Resumed::default();
        let error = |class: &str| json!({"error": {"code": "X", "class": class}});
        let parameters = json!({"includeShadowTrails": true});
        for (class, known) in [
            ("denied", true),
            ("unavailable", false),
            ("region-disabled", true),
            ("throttled", false),
        ] {
            let record = record("cloudtrail:DescribeTrails", &parameters, &error(class));
            let key = Key::of_record(&record);
            resumed.add(record).unwrap();
            assert_eq!(resumed.known.contains(&key), known, "{class}");
        }
    }

    #[test]
    fn learns_what_the_run_needs_again() {
        let mut resumed = Resumed::default();
        let role = |account: &str| json!({"RoleArn": format!("arn:aws:iam::{account}:role/Audit")});
        resumed
            .add(record(
                "sts:AssumeRole",
                &role("222222222222"),
                &json!({"error": {"code": "AccessDenied", "class": "denied"}}),
            ))
            .unwrap();
        resumed
            .add(record(
                "account:ListRegions",
                &json!({"AccountId": "333333333333"}),
                &json!({"response": {"Regions": [
                    {"RegionName": "us-east-1", "RegionOptStatus": "ENABLED"},
                ]}}),
            ))
            .unwrap();
        resumed
            .add(record(
                "organizations:DescribeOrganization",
                &json!({}),
                &json!({"response": {"Organization": {"MasterAccountId": "111111111111"}}}),
            ))
            .unwrap();
        let account = |text: &str| text.parse::<AccountId>().unwrap();
        assert!(resumed.refused.contains_key(&account("222222222222")));
        assert_eq!(
            resumed.regions[&account("333333333333")],
            [Region::new("us-east-1")]
        );
        assert_eq!(resumed.management, Some(account("111111111111")));
        assert_eq!(resumed.accounts, None);
    }
}
