//! The diagnosis for programs.

use serde::Serialize;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::CallError;
use trailproof_scanner::doctor::{
    DelegatedService, Delegation, Diagnosis, Listing, SampledAccount,
};
use trailproof_scanner::{Caller, SessionUse};

use super::{advice, exit};

/// Raised when a reader of the old layout would misunderstand the new one.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    /// The exit code.
    exit_code: u8,
    caller: &'a Caller,
    hub_roles: &'a [String],
    network: Vec<Setting<'a>>,
    clock_skew_seconds: Option<i64>,
    organization: Option<Organization<'a>>,
    accounts: Accounts,
    delegated: &'static str,
    /// The service principals of what this account is a delegated administrator of, among those
    /// that matter to an audit.
    delegated_for: Vec<&'static str>,
    sample: Vec<Sample<'a>>,
    sessions: &'a [SessionUse],
    regions: Option<Regions<'a>>,
    expected: Expected,
    /// What to mend, first what stands in the way of everything else.
    mend: Vec<String>,
}

#[derive(Serialize)]
struct Setting<'a> {
    name: &'a str,
    value: &'a str,
    origin: String,
}

#[derive(Serialize)]
struct Organization<'a> {
    id: Option<&'a str>,
    management_account: AccountId,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Accounts {
    Listed {
        active: usize,
        closing: usize,
        /// Why their organizational units cannot be named.
        #[serde(skip_serializing_if = "Option::is_none")]
        units_unnamed: Option<CallError>,
    },
    Refused {
        error: String,
    },
}

#[derive(Serialize)]
struct Sample<'a> {
    account: AccountId,
    name: Option<&'a str>,
    entered: bool,
    error: Option<&'a CallError>,
    missing: Vec<&'static str>,
    denied: Vec<&'static str>,
}

#[derive(Serialize)]
struct Regions<'a> {
    account: AccountId,
    enabled: usize,
    disabled: usize,
    listed: bool,
    denied: &'a [Region],
}

#[derive(Serialize)]
struct Expected {
    calls: usize,
    seconds: u64,
}

/// The document.
pub(super) fn of(diagnosis: &Diagnosis) -> Result<String, serde_json::Error> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        exit_code: exit(diagnosis).code(),
        caller: &diagnosis.caller,
        hub_roles: &diagnosis.hubs,
        network: diagnosis
            .network
            .iter()
            .map(|setting| Setting {
                name: &setting.name,
                value: &setting.value,
                origin: setting.origin.to_string(),
            })
            .collect(),
        clock_skew_seconds: diagnosis.clock_skew.map(|skew| skew.as_secs()),
        organization: diagnosis.organization.as_ref().map(|known| Organization {
            id: known.id.as_deref(),
            management_account: known.management,
        }),
        accounts: match &diagnosis.listing {
            Listing::Listed {
                active,
                closing,
                units_unnamed,
            } => Accounts::Listed {
                active: *active,
                closing: *closing,
                units_unnamed: units_unnamed.clone(),
            },
            Listing::Refused(error) => Accounts::Refused {
                error: error.to_string(),
            },
        },
        delegated: match &diagnosis.delegation {
            Delegation::Management => "management-account",
            Delegation::Member(services) if services.contains(&DelegatedService::CloudTrail) => {
                "cloudtrail"
            }
            Delegation::Member(_) => "not-for-cloudtrail",
            Delegation::Refused(_) => "refused",
            Delegation::NotAsked => "not-asked",
        },
        delegated_for: match &diagnosis.delegation {
            Delegation::Member(services) => {
                services.iter().map(|service| service.principal()).collect()
            }
            _ => Vec::new(),
        },
        sample: diagnosis.sampled.accounts.iter().map(account).collect(),
        sessions: &diagnosis.sampled.sessions,
        regions: diagnosis.regions.as_ref().map(|seen| Regions {
            account: seen.account,
            enabled: seen.enabled,
            disabled: seen.disabled,
            listed: seen.listed,
            denied: &seen.denied,
        }),
        expected: Expected {
            calls: diagnosis.expectation.calls,
            seconds: diagnosis.expectation.duration.as_secs(),
        },
        mend: advice::of(diagnosis),
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

fn account(sampled: &SampledAccount) -> Sample<'_> {
    let names = |calls: &[(trailproof_core::evidence::Operation, CallError)]| {
        calls
            .iter()
            .map(|(operation, _)| operation.as_str())
            .collect()
    };
    Sample {
        account: sampled.account,
        name: sampled.name.as_deref(),
        entered: sampled.entered.is_ok(),
        error: sampled.entered.as_ref().err(),
        missing: names(&sampled.missing),
        denied: names(&sampled.denied),
    }
}
