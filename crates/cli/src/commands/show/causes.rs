//! Findings for people, by cause, within 80 columns.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use trailproof_core::account::AccountId;
use trailproof_core::finding::{Finding, LinkName, Status};
use trailproof_report::run::Run;

use crate::links;
use crate::untrusted::visible;

/// How wide a line may be.
const WIDTH: usize = 80;

/// How much of a line an account's name may take.
const NAME: usize = 24;

/// What is left of a line beside an account's number and name.
const BESIDE_NAME: usize = WIDTH - (4 + 12 + 2 + NAME + 2);

/// What findings have in common.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    /// The place of the status among those of a list.
    rank: usize,
    link: Option<LinkName>,
    reason: String,
    /// What tells causes with one reason apart.
    why: String,
}

/// What is most urgent comes first.
const ORDER: [Status; 6] = [
    Status::Fail,
    Status::Unknown,
    Status::Attested,
    Status::Muted,
    Status::Pass,
    Status::NotApplicable,
];

/// The findings of a run, in a folder. Those that need nobody are counted, unless `all` are wanted.
pub(super) fn render(past: &Run, judged: &[Finding], folder: &Path, all: bool) -> String {
    let mut text = String::new();
    let mut groups: BTreeMap<Cause, Vec<&Finding>> = BTreeMap::new();
    let mut counted: BTreeMap<usize, usize> = BTreeMap::new();
    for finding in judged {
        let rank = ORDER.iter().position(|status| *status == finding.status);
        let rank = rank.unwrap_or_default();
        if all || matches!(finding.status, Status::Fail | Status::Unknown) {
            groups
                .entry(cause(rank, finding))
                .or_default()
                .push(finding);
        } else {
            *counted.entry(rank).or_default() += 1;
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    // Within a status, what concerns most comes first.
    groups.sort_by_key(|(cause, findings)| (cause.rank, std::cmp::Reverse(findings.len())));
    let several = past.policy.controls.len() > 1;
    for (cause, findings) in &groups {
        group(&mut text, cause, findings, several);
        text.push('\n');
    }
    for (rank, count) in counted {
        if let Some(status) = ORDER.get(rank) {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{}  {count} {} (--status {})",
                painted(*status),
                findings(count),
                status.as_str().to_lowercase()
            );
        }
    }
    if judged.is_empty() {
        text.push_str("No finding matches.\n");
    }
    if !past.complete {
        text.push_str("INCOMPLETE: there may be accounts that nobody judged.\n");
    }
    if let Some((_, [first, ..])) = groups.first().map(|(cause, all)| (cause, all.as_slice())) {
        let run = visible(&folder.display().to_string());
        let _ = writeln!(
            text,
            "Next: trailproof explain {run} {}",
            visible(&first.id)
        );
    }
    text
}

fn findings(count: usize) -> &'static str {
    if count == 1 { "finding" } else { "findings" }
}

fn cause(rank: usize, finding: &Finding) -> Cause {
    let why = if let Some(muted) = &finding.muted {
        format!("Accepted by {}: {}", muted.owner, muted.justification)
    } else if let Some(attested) = &finding.attested {
        format!("Attested by {}: {}", attested.owner, attested.system)
    } else if finding.broken_link == Some(LinkName::Account) {
        general(&finding.message, finding.account.id)
    } else {
        String::new()
    };
    Cause {
        rank,
        link: finding.broken_link,
        reason: finding.reason.as_deref().unwrap_or_default().to_owned(),
        why,
    }
}

/// A message without what is the account's alone.
fn general(message: &str, account: AccountId) -> String {
    let account = account.to_string();
    let words = message.split(' ').map(|word| {
        if word.contains(&account) {
            word.replace(&account, "ACCOUNT")
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// One cause: what it is, what to do, and whom it concerns.
fn group(text: &mut String, cause: &Cause, of: &[&Finding], several: bool) {
    let Some(first) = of.first() else {
        return;
    };
    let mut accounts: BTreeMap<AccountId, Vec<&Finding>> = BTreeMap::new();
    for finding in of {
        accounts
            .entry(finding.account.id)
            .or_default()
            .push(finding);
    }
    let number = match accounts.len() {
        1 => "1 account".to_owned(),
        many => format!("{many} accounts"),
    };
    let count = if of.len() == accounts.len() {
        number
    } else {
        format!("{} {} in {number}", of.len(), findings(of.len()))
    };
    let reason = match cause.reason.as_str() {
        "" => String::new(),
        reason => format!("  {}", visible(reason)),
    };
    let _ = writeln!(text, "{}{reason}  {count}", painted(first.status));
    let known = links::reason(&cause.reason);
    let same = of.iter().all(|finding| finding.message == first.message);
    let what = match known {
        _ if !cause.why.is_empty() => cause.why.clone(),
        Some(reason) if !same => reason.meaning.to_owned(),
        _ if same => first.message.to_string(),
        _ => String::new(),
    };
    wrap(text, &visible(&what), "  ");
    let open = matches!(first.status, Status::Fail | Status::Unknown);
    if let Some(reason) = known.filter(|_| open) {
        wrap(text, &format!("To do: {}", reason.remedy), "  ");
    }
    for (account, findings) in &accounts {
        let name = findings.first().and_then(|one| one.account.name.as_deref());
        let name = cut(&visible(name.unwrap_or_default()), NAME);
        if several {
            let names: Vec<String> = findings.iter().map(|one| control(one)).collect();
            let names = shortened(&names, BESIDE_NAME);
            let _ = writeln!(text, "    {account}  {name:<NAME$}  {names}");
        } else {
            let units = findings.first().and_then(|one| one.account.unit_names());
            let units = cut(&visible(&units.unwrap_or_default()), BESIDE_NAME);
            let line = format!("{account}  {name:<NAME$}  {units}");
            let _ = writeln!(text, "    {}", line.trim_end());
        }
    }
}

/// What a control is called in a list.
fn control(finding: &Finding) -> String {
    match &finding.control.number {
        Some(number) => visible(number),
        None => visible(&finding.control.id),
    }
}

/// As many names as a line has room for, and how many more there are.
fn shortened(names: &[String], room: usize) -> String {
    let whole = names.join(", ");
    if whole.chars().count() <= room {
        return whole;
    }
    for kept in (1..names.len()).rev() {
        let some = names.get(..kept).unwrap_or_default().join(", ");
        let some = format!("{some} and {} more", names.len() - kept);
        if some.chars().count() <= room {
            return some;
        }
    }
    cut(&format!("{} controls", names.len()), room)
}

/// A text that is no longer than it may be.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let kept: String = text.chars().take(room.saturating_sub(3)).collect();
    format!("{kept}...")
}

/// Writes a text in lines that are no wider than a terminal, unless a word is.
fn wrap(text: &mut String, paragraph: &str, indent: &str) {
    let mut line = String::new();
    for word in paragraph.split_whitespace() {
        let wider = indent.len() + line.chars().count() + 1 + word.chars().count() > WIDTH;
        if wider && !line.is_empty() {
            let _ = writeln!(text, "{indent}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        let _ = writeln!(text, "{indent}{line}");
    }
}

fn painted(status: Status) -> String {
    let style = match status {
        Status::Pass => AnsiColor::Green.on_default().bold(),
        Status::Fail => AnsiColor::Red.on_default().bold(),
        Status::Unknown => AnsiColor::Yellow.on_default().bold(),
        Status::Attested | Status::Muted | Status::NotApplicable => Style::new().bold(),
    };
    format!("{style}{status}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_wider_than_a_terminal() {
        let mut text = String::new();
        wrap(&mut text, &"word ".repeat(60), "  ");
        assert!(text.lines().count() > 3);
        for line in text.lines() {
            assert!(line.len() <= WIDTH && line.starts_with("  word"), "{line}");
        }
    }

    #[test]
    fn long_lists_say_how_much_is_left_out() {
        let names: Vec<String> = (1..=15).map(|number| format!("5.{number}")).collect();
        assert_eq!(shortened(&names[..2], 20), "5.1, 5.2");
        assert_eq!(shortened(&names, 24), "5.1, 5.2 and 13 more");
        assert_eq!(cut("abcdef", 5), "ab...");
        assert_eq!(cut("abcde", 5), "abcde");
    }
}
