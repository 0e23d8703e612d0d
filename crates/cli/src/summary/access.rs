//! What the summary says of the way into accounts: as whom, what could not be entered, what was
//! refused, and what to do about it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use trailproof_core::account::AccountId;
use trailproof_core::evidence::{Entry, Evidence, Operation};
use trailproof_core::finding::{LinkName, Status};
use trailproof_report::findings::Outline;
use trailproof_report::format::Report;
use trailproof_report::run::{NeverAsked, OwnAccount};

use super::accounts;
use crate::progress::{identity, role_name, words};
use crate::untrusted::visible;

/// What roles there usually are where nobody made one for the audit: AWS Control Tower's for the
/// management account and for its audit account (AWS Control Tower User Guide, "How AWS Control
/// Tower works with roles"), and that of the landing zones before it.
const USUAL_ROLES: &str = "Accounts of AWS Control Tower have AWSControlTowerExecution, which lets \
the management account in, and aws-controltower-ReadOnlyExecutionRole, which lets \
aws-controltower-AuditReadOnlyRole of the audit account in (--hub-role); accounts of older landing \
zones have AWSLandingZoneReadOnlyExecutionRole. Name further roles with --role: they are tried in \
order.";

/// How many accounts of a cause are named: `show` names all, and the verdicts have to stay in view.
const NAMED: usize = 3;

/// As whom, by which roles, about which organization.
pub(super) fn who(report: &Report<'_>) -> String {
    let (scope, access) = (&report.run.scope, &report.run.access);
    let Some(arn) = &access.identity else {
        return String::new();
    };
    let first = scope.role.as_slice();
    let roles = if scope.roles.is_empty() {
        first
    } else {
        scope.roles.as_slice()
    };
    let organization = scope
        .organization
        .as_ref()
        .map(|known| (known.id.as_deref(), known.management_account));
    let roles = words(roles.iter().map(String::as_str));
    let mut text = format!("{}\n", identity(arn, &roles, organization));
    for hub in &access.hub_roles {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "Entered by way of {}", visible(hub));
    }
    if access.own_account == Some(OwnAccount::OwnCredentials)
        && let Some(caller) = scope.caller
    {
        let _ = writeln!(
            text,
            "Account {caller} was read with own credentials, not restricted"
        );
    }
    let form = |form: &str| {
        let of_form = access.sessions.iter();
        let counts = of_form.filter(|used| used.session_policy == form);
        counts.map(|used| used.accounts).sum::<usize>()
    };
    let (read_only, none) = (form("ReadOnlyAccess"), form("none"));
    if read_only > 0 {
        let _ = writeln!(
            text,
            "{} entered with AWS's ReadOnlyAccess as session policy: one of the operations is too \
             large beside the session's tags",
            accounts(read_only)
        );
    }
    if none > 0 {
        let _ = writeln!(
            text,
            "{} entered without a session policy (--no-session-policy)",
            accounts(none)
        );
    }
    text
}

/// The accounts that could not be entered, by cause.
pub(super) fn not_entered(report: &Report<'_>) -> String {
    let mut denied: Vec<&Outline> = report
        .findings
        .outlines()
        .iter()
        .filter(|finding| finding.broken_link == Some(LinkName::Account))
        .collect();
    denied.dedup_by_key(|finding| finding.account.id);
    if denied.is_empty() {
        return String::new();
    }
    let mut causes: BTreeMap<String, Vec<&Outline>> = BTreeMap::new();
    for finding in &denied {
        let cause = cause(report.evidence, finding);
        causes.entry(cause).or_default().push(finding);
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, findings)| std::cmp::Reverse(findings.len()));
    let mut text = format!("Could not be entered: {}\n", accounts(denied.len()));
    for (cause, findings) in causes {
        let _ = writeln!(text, "  {}: {}", accounts(findings.len()), visible(&cause));
        for finding in findings.iter().take(NAMED) {
            let name = finding.account.name.as_deref().map(visible);
            let name = name.map(|name| format!(" {name}")).unwrap_or_default();
            let _ = writeln!(text, "    {}{name}", finding.account.id);
        }
        if findings.len() > NAMED {
            let _ = writeln!(text, "    and {} more", findings.len() - NAMED);
        }
    }
    let judged: BTreeSet<AccountId> = report
        .findings
        .outlines()
        .iter()
        .filter(|finding| finding.status != Status::NotApplicable)
        .map(|finding| finding.account.id)
        .filter(|account| Some(*account) != report.run.scope.caller)
        .collect();
    if denied.len() * 2 > judged.len() {
        let _ = writeln!(text, "  {USUAL_ROLES}");
    }
    text
}

/// Why an account could not be entered, without what is the account's alone.
fn cause(evidence: &Evidence, finding: &Outline) -> String {
    match evidence.reader().entry(finding.account.id) {
        Entry::Failed {
            role_arn, error, ..
        } => {
            let why = without_names(&error.message);
            format!(
                "role {}: `{}`{}{why}",
                role_name(&role_arn),
                error.code,
                if why.is_empty() { "" } else { ": " }
            )
        }
        Entry::Entered | Entry::NotTried => {
            finding.unseen.as_deref().unwrap_or_default().to_owned()
        }
    }
}

/// A message with its ARNs left out: they are different for each account.
fn without_names(message: &str) -> String {
    let words = message.split(' ').map(|word| {
        if word.starts_with("arn:") {
            "..."
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The accounts that are UNKNOWN, by the call that was not answered.
pub(super) fn missing(report: &Report<'_>) -> String {
    let mut missing: BTreeMap<&str, BTreeSet<AccountId>> = BTreeMap::new();
    for finding in report.findings.outlines() {
        if finding.status == Status::Unknown
            && finding.broken_link != Some(LinkName::Account)
            && let Some(operation) = finding.unseen.as_deref().and_then(named_operation)
        {
            let accounts = missing.entry(operation).or_default();
            accounts.insert(finding.account.id);
        }
    }
    if missing.is_empty() {
        return String::new();
    }
    let mut missing: Vec<_> = missing.into_iter().collect();
    missing.sort_by_key(|(_, accounts)| std::cmp::Reverse(accounts.len()));
    let mut text = "UNKNOWN for want of an answer to\n".to_owned();
    for (operation, of) in missing {
        let _ = writeln!(text, "  {operation}: {}", accounts(of.len()));
    }
    text
}

/// Why organizational units are shown by their ids, where somebody asked for their names.
pub(super) fn units_unnamed(report: &Report<'_>) -> String {
    let operation = Operation::ListOrganizationalUnitsForParent;
    let failure = report.evidence.reader().units_failure();
    failure.map_or_else(String::new, |error| {
        format!(
            "Organizational units are shown by id: {operation} failed with {}: {}\n",
            visible(&error.code),
            visible(&error.message)
        )
    })
}

/// The call that a message names first.
fn named_operation(message: &str) -> Option<&'static str> {
    let names = Operation::ALL.iter().map(|operation| operation.as_str());
    names
        .filter_map(|name| Some((message.find(name)?, std::cmp::Reverse(name.len()), name)))
        .min()
        .map(|(.., name)| name)
}

/// What was refused wherever it was asked, and then not asked any more.
pub(super) fn never_asked(report: &Report<'_>) -> String {
    let never_asked = &report.run.access.never_asked;
    if never_asked.is_empty() {
        return String::new();
    }
    let mut text = "Not asked any more, because it was refused wherever it was asked\n".to_owned();
    for never in never_asked {
        let NeverAsked {
            role,
            operation,
            region,
            refused_in,
            error,
            questions,
        } = never;
        let what = match (operation, region) {
            (Some(operation), _) => operation.clone(),
            (None, Some(region)) => format!("region {region} (--regions asks it all the same)"),
            (None, None) => continue,
        };
        let _ = writeln!(
            text,
            "  {} to role {}: {} refused it, {questions} questions were not asked\n    {}",
            visible(&what),
            visible(role_name(role)),
            accounts(refused_in.len()),
            visible(&without_names(error))
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_of_a_call_counts() {
        assert_eq!(
            named_operation("cloudwatch:ListAlarmMuteRules was never called"),
            Some("cloudwatch:ListAlarmMuteRules")
        );
        assert_eq!(
            named_operation(
                "logs:DescribeLogGroups as account 1 failed, cloudtrail:DescribeTrails"
            ),
            Some("logs:DescribeLogGroups")
        );
        assert_eq!(named_operation("nothing"), None);
    }

    #[test]
    fn causes_of_two_accounts_are_one() {
        let message = |account: &str| {
            without_names(&format!(
                "User: arn:aws:iam::1:user/a is not authorized to perform: sts:AssumeRole on \
                 resource: arn:aws:iam::{account}:role/A"
            ))
        };
        assert_eq!(message("1"), message("2"));
    }
}
