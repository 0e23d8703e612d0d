//! What came of publishing, as people read it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use trailproof_core::account::{AccountId, Region};
use trailproof_report::publish::{AccountOutcome, Left};

use crate::commands::changing::count;
use crate::untrusted::visible;

/// How many accounts are named for one cause.
const NAMED: usize = 20;

/// How many findings that were refused are named.
const REFUSED: usize = 50;

/// A line for each account, and one for all.
pub(super) fn text(outcomes: &[AccountOutcome], dry_run: bool) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        let name = match &outcome.name {
            Some(name) => format!(" {}", visible(name)),
            None => String::new(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}{name}: {}", outcome.account, line(outcome));
    }
    let sum = |of: fn(&AccountOutcome) -> usize| outcomes.iter().map(of).sum::<usize>();
    let whole = outcomes.iter().filter(|outcome| outcome.is_whole()).count();
    let _ = writeln!(
        text,
        "{} {}: {} new, {} updated, {} archived; {} of {} done",
        count(sum(AccountOutcome::sent), "finding"),
        if dry_run { "would be sent" } else { "sent" },
        sum(|outcome| outcome.new),
        sum(|outcome| outcome.updated),
        sum(|outcome| outcome.archived),
        whole,
        count(outcomes.len(), "account"),
    );
    text
}

fn line(outcome: &AccountOutcome) -> String {
    let counts = [
        (outcome.new, "new"),
        (outcome.updated, "updated"),
        (outcome.archived, "archived"),
        (outcome.unchanged, "unchanged"),
        (outcome.later, "left, judged later"),
        (outcome.refused.len(), "refused"),
    ];
    let mut parts: Vec<String> = counts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    match &outcome.left {
        Some(Left::Skipped(why)) => {
            parts.push(format!("skipped: {}", visible(why.trim_end_matches('.'))));
        }
        Some(Left::SentBefore) => parts.push("sent before".to_owned()),
        Some(Left::Failed { error, .. }) => parts.push(format!("failed: {}", visible(&error.code))),
        Some(Left::Interrupted) => parts.push("not sent: interrupted".to_owned()),
        None if parts.is_empty() => parts.push("nothing to send".to_owned()),
        None => {}
    }
    parts.join(", ")
}

/// Why something is not there, one paragraph for each cause, and what to do.
pub(super) fn problems(outcomes: &[AccountOutcome], region: &Region) -> Option<String> {
    let mut causes: BTreeMap<String, Vec<AccountId>> = BTreeMap::new();
    let mut refused = Vec::new();
    for outcome in outcomes {
        let account = outcome.account;
        if let Some(Left::Failed { action, error }) = &outcome.left {
            let cause = if is_off(&error.code) {
                off(region)
            } else {
                let message = error.message.replace(&account.to_string(), "ACCOUNT");
                format!("{action}: {}: {message}", error.code)
            };
            causes.entry(cause).or_default().push(account);
        }
        for refusal in &outcome.refused {
            if is_off(&refusal.code) {
                let accounts = causes.entry(off(region)).or_default();
                if accounts.last() != Some(&account) {
                    accounts.push(account);
                }
            } else {
                refused.push(format!(
                    "{}: {}: {}",
                    refusal.id, refusal.code, refusal.message
                ));
            }
        }
    }
    let mut text = String::new();
    for (cause, accounts) in &causes {
        let named: Vec<String> = accounts
            .iter()
            .take(NAMED)
            .map(AccountId::to_string)
            .collect();
        let more = match accounts.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let _ = writeln!(
            text,
            "{}: {}\n  {}{more}",
            count(accounts.len(), "account"),
            visible(cause),
            named.join(", ")
        );
    }
    for line in refused.iter().take(REFUSED) {
        let _ = writeln!(text, "refused: {}", visible(line));
    }
    if refused.len() > REFUSED {
        let _ = writeln!(
            text,
            "and {} more, which are in the journal",
            refused.len() - REFUSED
        );
    }
    let text = text.trim_end();
    (!text.is_empty()).then(|| format!("not everything is in Security Hub\n{text}"))
}

/// What Security Hub says where it is not on: as an error, or of each finding (User Guide,
/// "`BatchImportFindings` for finding providers").
fn is_off(code: &str) -> bool {
    matches!(code, "InvalidAccessException" | "InvalidAccess")
}

fn off(region: &Region) -> String {
    format!(
        "Security Hub is not enabled in {region} (InvalidAccess): enable it there, or name another \
         region with --region"
    )
}

#[cfg(test)]
mod tests {
    use trailproof_core::evidence::{CallError, ErrorClass};
    use trailproof_report::publish::Refusal;

    use super::*;

    fn outcome(account: &str) -> AccountOutcome {
        AccountOutcome {
            account: account.parse().unwrap(),
            name: None,
            new: 0,
            updated: 0,
            archived: 0,
            unchanged: 0,
            later: 0,
            refused: Vec::new(),
            left: None,
        }
    }

    fn failed(account: &str, code: &str) -> AccountOutcome {
        AccountOutcome {
            left: Some(Left::Failed {
                action: "securityhub:GetFindings",
                error: CallError {
                    code: code.to_owned(),
                    message: format!("no, {account}"),
                    class: ErrorClass::Denied,
                },
            }),
            ..outcome(account)
        }
    }

    #[test]
    fn causes_are_grouped_and_refusals_named() {
        let mut sent = outcome("111111111111");
        sent.new = 2;
        sent.unchanged = 1;
        sent.refused = vec![Refusal {
            id: "trailproof/111111111111/root-usage".to_owned(),
            code: "InvalidInput".to_owned(),
            message: "\u{1b}[31mno".to_owned(),
        }];
        let outcomes = [
            sent,
            failed("222222222222", "AccessDenied"),
            failed("333333333333", "AccessDenied"),
            failed("444444444444", "InvalidAccessException"),
        ];
        insta::assert_snapshot!(text(&outcomes, false), @r"
        111111111111: 2 new, 1 unchanged, 1 refused
        222222222222: failed: AccessDenied
        333333333333: failed: AccessDenied
        444444444444: failed: InvalidAccessException
        2 findings sent: 2 new, 0 updated, 0 archived; 0 of 4 accounts done
        ");
        let problems = problems(&outcomes, &Region::new("eu-west-1")).unwrap();
        assert!(!problems.contains('\u{1b}'), "{problems:?}");
        let problems = problems.replace(&visible("\u{1b}[31m"), "");
        insta::assert_snapshot!(problems, @r"
        not everything is in Security Hub
        1 account: Security Hub is not enabled in eu-west-1 (InvalidAccess): enable it there, or name another region with --region
          444444444444
        2 accounts: securityhub:GetFindings: AccessDenied: no, ACCOUNT
          222222222222, 333333333333
        refused: trailproof/111111111111/root-usage: InvalidInput: no
        ");
    }

    #[test]
    fn without_problems_nothing_is_said() {
        let region = Region::new("us-east-1");
        assert_eq!(problems(&[outcome("111111111111")], &region), None);
    }
}
