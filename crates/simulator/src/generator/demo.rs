//! The accounts of a company, for a first look: small, and with something to learn in each.

use trailproof_core::control;

use super::Mix;
use super::case::Case;
use crate::model::{Account, Alarm, Contact, MetricFilter, Site};

/// Accounts in the order they are made: their unit, their name, and what they are like.
const ACCOUNTS: [(&str, &str, Case); 24] = [
    ("", "management", Case::NoTrail),
    ("Security", "log-archive", Case::Healthy),
    ("Security", "security-tooling", Case::Healthy),
    ("Infrastructure", "network", Case::RegionsDenied),
    (
        "Infrastructure",
        "shared-services",
        Case::SubscriptionPending,
    ),
    ("Workloads/Production", "payments", Case::FilterNarrowed),
    ("Workloads/Production", "web-shop", Case::Healthy),
    ("Workloads/Production", "customer-data", Case::DeliveryFails),
    (
        "Workloads/Production",
        "mobile-backend",
        Case::OtherNamespace,
    ),
    ("Workloads/Production", "warehouse", Case::Healthy),
    ("Workloads/Production", "legacy-erp", Case::NoTrail),
    ("Workloads/Production", "search", Case::ActionsDisabled),
    (
        "Workloads/Staging",
        "payments-staging",
        Case::TopicEncrypted,
    ),
    ("Workloads/Staging", "web-shop-staging", Case::TopicMissing),
    (
        "Workloads/Staging",
        "mobile-staging",
        Case::ThresholdInverted,
    ),
    ("Workloads/Staging", "search-staging", Case::Healthy),
    ("Data", "analytics", Case::FiltersDenied),
    ("Data", "machine-learning", Case::ReadEventsOnly),
    ("Data", "reporting", Case::NoSubscription),
    ("Partners", "logistics-partner", Case::NoRole),
    ("Sandbox", "sandbox-anna", Case::ValueZero),
    ("Sandbox", "sandbox-jonas", Case::NotLogging),
    ("Sandbox", "sandbox-mira", Case::FilterMissing),
    ("Suspended", "acquired-startup", Case::Suspended),
];

/// Units of the accounts that have no name of their own.
const UNITS: [(&str, &str, &str); 6] = [
    ("Workloads/Production", "production", "payments"),
    ("Workloads/Production", "production", "shop"),
    ("Workloads/Staging", "staging", "payments"),
    ("Workloads/Staging", "staging", "shop"),
    ("Data", "production", "analytics"),
    ("Sandbox", "sandbox", "platform"),
];

/// What the demo's account at a place is like.
pub(super) fn case(number: usize) -> Option<Case> {
    ACCOUNTS.get(number).map(|(_, _, case)| *case)
}

/// How many of the other controls an account at a place watches, too: those of security and of
/// networks all, one shop all and its staging none, the others some.
fn watched(number: usize, others: usize) -> usize {
    match number {
        1..=3 | 9 => others,
        15 => 0,
        _ => number * 5 % others,
    }
}

/// Adds what the account at a place watches besides failed sign-ins, beside its filter and alarm and
/// as they are.
pub(super) fn watch_more(site: &mut Site, number: usize) {
    if number >= ACCOUNTS.len() {
        return;
    }
    let others = control::builtin().iter().filter(|control| {
        let watched = |alarm: &Alarm| alarm.metric_name == control.id.as_str();
        !site.alarms.iter().any(watched)
    });
    let others: Vec<_> = others.collect();
    for control in others.iter().take(watched(number, others.len().max(1))) {
        let name = control.id.clone();
        for group in &mut site.log_groups {
            let Some(filter) = group.filters.first() else {
                continue;
            };
            let more = MetricFilter {
                name: name.clone(),
                pattern: control.pattern.clone(),
                metric_name: name.clone(),
                ..filter.clone()
            };
            group.filters.push(more);
        }
        let more = site.alarms.first().map(|alarm| Alarm {
            name: name.clone(),
            metric_name: name.clone(),
            ..alarm.clone()
        });
        site.alarms.extend(more);
    }
}

/// Gives an account its name, address, unit and tags.
pub(super) fn name(account: &mut Account, number: usize, case: Case, mix: Mix) {
    let listed = ACCOUNTS
        .get(number)
        .filter(|_| mix == Mix::Demo || number == 0);
    let general = UNITS.get(number % UNITS.len());
    if let Some((unit, name, _)) = listed {
        (*unit).clone_into(&mut account.unit);
        (*name).clone_into(&mut account.name);
    } else if let Some((unit, environment, team)) = general {
        account.name = format!("{team}-{environment}-{number:05}");
        let unit = if case == Case::Suspended {
            "Suspended"
        } else {
            unit
        };
        unit.clone_into(&mut account.unit);
        account
            .tags
            .insert("environment".to_owned(), (*environment).to_owned());
        account.tags.insert("team".to_owned(), (*team).to_owned());
    }
    account.email = format!("aws+{}@example.com", account.name);
    // Not everybody names somebody.
    account.security_contact = account.tags.get("team").map(|team| Contact {
        name: format!("{team} on call"),
        title: "Security".to_owned(),
        email: format!("{team}-security@example.com"),
        phone: format!("+1 555 {number:07}"),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_shows_every_kind_of_verdict() {
        use trailproof_core::finding::Status;
        for status in [
            Status::Pass,
            Status::Fail,
            Status::Unknown,
            Status::NotApplicable,
        ] {
            assert!(
                ACCOUNTS
                    .iter()
                    .any(|(_, _, case)| case.verdict().0 == status)
            );
        }
    }
}
