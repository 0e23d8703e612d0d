//! The diagnosis for people: twenty lines at most.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::Operation;
use trailproof_scanner::NetworkSetting;
use trailproof_scanner::doctor::{DelegatedService, Delegation, Diagnosis, Listing};

use super::advice;
use crate::progress::{Clock, role_name};
use crate::untrusted::visible;

/// How many lines there are at most.
const LINES: usize = 20;

/// The lines.
pub(super) fn of(diagnosis: &Diagnosis) -> String {
    let mut lines = facts(diagnosis);
    let advice = advice::of(diagnosis);
    let mut mend: Vec<String> = advice
        .iter()
        .enumerate()
        .map(|(place, advice)| match place {
            0 => line("mend first", advice),
            _ => line("then", advice),
        })
        .collect();
    if mend.is_empty() {
        mend.push(line("mend", "nothing: a scan sees everything it asks for"));
    }
    lines.truncate(LINES.saturating_sub(mend.len()));
    lines.append(&mut mend);
    lines.truncate(LINES);
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

fn line(name: &str, value: &str) -> String {
    format!("{name:13} {}", visible(value))
}

fn facts(diagnosis: &Diagnosis) -> Vec<String> {
    let Diagnosis {
        caller,
        hubs,
        network,
        clock_skew,
        organization,
        listing,
        delegation,
        sampled,
        regions,
        expectation,
    } = diagnosis;
    let mut lines = vec![line(
        "identity",
        &format!(
            "{} (partition {}, asked in {})",
            caller.arn, caller.partition, caller.region
        ),
    )];
    if !hubs.is_empty() {
        lines.push(line("by way of", &hubs.join(", ")));
    }
    lines.push(line(
        "organization",
        &match organization {
            Some(known) => format!(
                "{} of management account {}",
                known.id.as_deref().unwrap_or("one"),
                known.management
            ),
            None => "not seen".to_owned(),
        },
    ));
    lines.push(line(
        "accounts",
        &match listing {
            Listing::Listed {
                active,
                closing,
                units_unnamed,
            } => {
                let unnamed = units_unnamed.as_ref();
                let unnamed = unnamed.map(|error| {
                    format!(
                        "; their units are shown by id, organizations:\
                         ListOrganizationalUnitsForParent failed: {}",
                        error.code
                    )
                });
                format!(
                    "{active} listed, {closing} suspended or closing{}",
                    unnamed.unwrap_or_default()
                )
            }
            Listing::Refused(error) => format!("cannot be listed: {error}"),
        },
    ));
    lines.push(line(
        "delegated",
        &match delegation {
            Delegation::Management => "this is the management account".to_owned(),
            Delegation::Member(services) => delegated_for(services),
            Delegation::Refused(error) => format!("unknown: {}: {}", error.code, error.message),
            Delegation::NotAsked => "not asked".to_owned(),
        },
    ));
    if network.is_empty() {
        lines.push(line("network", "no proxy, bundle or endpoint is set"));
    } else {
        let settings = settings(network);
        // Three lines are for them, however many there are.
        let per_line = settings.len().div_ceil(3);
        for (place, some) in settings.chunks(per_line).enumerate() {
            let name = if place == 0 { "network" } else { "" };
            lines.push(line(name, &some.join("; ")));
        }
    }
    lines.push(line(
        "clock",
        &match clock_skew {
            Some(skew) => format!("{} s off", skew.as_secs()),
            None => "AWS did not say the time".to_owned(),
        },
    ));
    let entered = sampled
        .accounts
        .iter()
        .filter(|account| account.entered.is_ok());
    lines.push(line(
        "entered",
        &format!("{} of {} accounts", entered.count(), sampled.accounts.len()),
    ));
    for used in sampled.sessions.iter().take(3) {
        lines.push(line(
            "",
            &format!(
                "{} by {}, session limited by: {}",
                used.accounts,
                role_name(&used.role),
                used.session_policy.as_str()
            ),
        ));
    }
    for (code, accounts) in advice::refused(diagnosis).into_iter().take(2) {
        lines.push(line("refused", &format!("{code}: {}", some(&accounts))));
    }
    lines.extend(calls("missing", &advice::missing(diagnosis)));
    lines.extend(calls("denied", &advice::denied(diagnosis)));
    if let Some(seen) = regions {
        let mut text = format!("{} enabled, {} not", seen.enabled, seen.disabled);
        if !seen.listed {
            text.push_str(" (the account may not list them)");
        }
        if !seen.denied.is_empty() {
            let names: Vec<&str> = seen.denied.iter().map(Region::as_str).collect();
            // Writing to a String cannot fail.
            let _ = write!(text, ", denied by policy: {}", names.join(", "));
        }
        lines.push(line("regions", &text));
    }
    lines.push(line(
        "a scan",
        &format!(
            "about {} calls in {}",
            expectation.calls,
            Clock(expectation.duration)
        ),
    ));
    lines
}

/// What a member is a delegated administrator of, and what follows for organization trails.
fn delegated_for(services: &[DelegatedService]) -> String {
    let mut texts: Vec<&str> = services
        .iter()
        .map(|service| match service {
            DelegatedService::CloudTrail => {
                "for CloudTrail: reads organization trails as their owner"
            }
            DelegatedService::Telemetry => "for telemetry rules of the organization",
            DelegatedService::StackSets => "for stack sets: can deploy the members' role",
        })
        .collect();
    if !services.contains(&DelegatedService::CloudTrail) {
        texts.push("not for CloudTrail: organization trails are read by their owner's role");
    }
    texts.join("; ")
}

/// The settings, each with its origin; endpoints that are the same are one.
fn settings(network: &[NetworkSetting]) -> Vec<String> {
    const ENDPOINT: &str = "endpoint of ";
    let mut texts: Vec<String> = Vec::new();
    let mut endpoints: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for NetworkSetting {
        name,
        value,
        origin,
    } in network
    {
        match name.strip_prefix(ENDPOINT) {
            Some(service) => {
                let services = endpoints.entry(format!("{value} ({origin})")).or_default();
                services.push(service);
            }
            None => texts.push(format!("{name} {value} ({origin})")),
        }
    }
    for (endpoint, services) in endpoints {
        texts.push(format!("{ENDPOINT}{} {endpoint}", services.join(", ")));
    }
    texts
}

/// One line for all calls: each with the number of accounts.
fn calls(name: &str, calls: &BTreeMap<Operation, BTreeSet<AccountId>>) -> Option<String> {
    if calls.is_empty() {
        return None;
    }
    let texts: Vec<String> = calls
        .iter()
        .map(|(operation, accounts)| format!("{operation} in {}", accounts.len()))
        .collect();
    Some(line(name, &texts.join(", ")))
}

/// The first of many.
fn some(accounts: &BTreeSet<AccountId>) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = accounts
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    match accounts.len().checked_sub(SHOWN) {
        None | Some(0) => shown.join(", "),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}
