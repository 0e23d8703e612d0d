//! What changed between two runs, finding by finding.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use trailproof_core::account::AccountId;
use trailproof_core::finding::{Finding, LinkName, LinkStatus, Status};

/// What became of a finding between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It fails now and did not before, or was not judged before.
    NewFailure,
    /// It can no longer be seen.
    NewlyUnknown,
    /// It failed or could not be seen, and passes now.
    Fixed,
    /// It was open and is accepted now.
    NewlyMuted,
    /// The same verdict by another chain, or broken elsewhere.
    ChangedChain,
    /// It was not judged before, and neither fails nor is unknown.
    Added,
    /// It is not judged any more.
    Removed,
    /// It is not known what it was before: a call that a verdict rests on was never made then.
    NotComparable,
    /// Another change of verdict, such as from unknown to not applicable.
    Other,
}

impl Change {
    /// Every change, the most urgent first.
    pub const ALL: [Self; 9] = [
        Self::NewFailure,
        Self::NewlyUnknown,
        Self::Fixed,
        Self::NewlyMuted,
        Self::ChangedChain,
        Self::Added,
        Self::Removed,
        Self::NotComparable,
        Self::Other,
    ];

    /// The name of the list in machine output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewFailure => "new_failures",
            Self::NewlyUnknown => "newly_unknown",
            Self::Fixed => "fixed",
            Self::NewlyMuted => "newly_muted",
            Self::ChangedChain => "changed_chain",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::NotComparable => "not_comparable",
            Self::Other => "other",
        }
    }
}

/// A finding on one side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// The verdict.
    pub status: Status,
    /// The first link that fails or cannot be seen.
    pub broken_link: Option<LinkName>,
    /// The reason code.
    pub reason: Option<Arc<str>>,
    /// The verdict in a sentence.
    pub message: Arc<str>,
}

/// A link of the chain that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedLink {
    /// Which link.
    pub link: LinkName,
    /// What became of it before.
    pub old_status: Option<LinkStatus>,
    /// What became of it now.
    pub new_status: Option<LinkStatus>,
    /// The resource before.
    pub old_resource: Option<Arc<str>>,
    /// The resource now.
    pub new_resource: Option<Arc<str>>,
}

/// A finding that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The finding.
    pub id: String,
    /// Its account.
    pub account: AccountId,
    /// The account's name. Untrusted text.
    pub account_name: Option<String>,
    /// The control.
    pub control: String,
    /// What happened.
    #[serde(skip)]
    pub change: Change,
    /// Before; absent when it was not judged.
    pub old: Option<Side>,
    /// Now; absent when it is not judged any more.
    pub new: Option<Side>,
    /// The links that changed.
    pub links: Vec<ChangedLink>,
}

/// Compares two runs' findings by their ids. The differences are ordered by account, then control.
/// Of the findings that are `unasked` nobody knows what they were before.
pub fn compare(old: &[Finding], new: &[Finding], unasked: &BTreeSet<String>) -> Vec<Difference> {
    let before: BTreeMap<&str, &Finding> = by_id(old);
    let after: BTreeMap<&str, &Finding> = by_id(new);
    let gone = before.iter().filter(|(id, _)| !after.contains_key(*id));
    let mut differences: Vec<Difference> = new
        .iter()
        .filter_map(|new| difference(before.get(new.id.as_str()).copied(), Some(new)))
        .chain(gone.filter_map(|(_, old)| difference(Some(old), None)))
        .collect();
    for difference in &mut differences {
        if difference.new.is_some() && unasked.contains(&difference.id) {
            difference.change = Change::NotComparable;
        }
    }
    differences
        .sort_by(|one, other| (one.account, &one.control).cmp(&(other.account, &other.control)));
    differences
}

fn by_id(findings: &[Finding]) -> BTreeMap<&str, &Finding> {
    findings
        .iter()
        .map(|finding| (finding.id.as_str(), finding))
        .collect()
}

fn difference(old: Option<&Finding>, new: Option<&Finding>) -> Option<Difference> {
    let any = new.or(old)?;
    let links = match (old, new) {
        (Some(old), Some(new)) => changed_links(old, new),
        _ => Vec::new(),
    };
    let open = |status| matches!(status, Status::Fail | Status::Unknown);
    let change = match (old.map(|old| old.status), new.map(|new| new.status)) {
        (_, None) => Change::Removed,
        (Some(before), Some(after)) if before == after => {
            let same_reason = old.map(|old| &old.reason) == new.map(|new| &new.reason);
            if same_reason && links.is_empty() {
                return None;
            }
            Change::ChangedChain
        }
        (_, Some(Status::Fail)) => Change::NewFailure,
        (_, Some(Status::Unknown)) => Change::NewlyUnknown,
        (None, Some(_)) => Change::Added,
        (Some(old), Some(Status::Pass)) if open(old) => Change::Fixed,
        (Some(old), Some(Status::Muted)) if open(old) => Change::NewlyMuted,
        (Some(_), Some(_)) => Change::Other,
    };
    Some(Difference {
        id: any.id.clone(),
        account: any.account.id,
        account_name: any.account.name.clone(),
        control: any.control.id.clone(),
        change,
        old: old.map(side),
        new: new.map(side),
        links,
    })
}

fn side(finding: &Finding) -> Side {
    Side {
        status: finding.status,
        broken_link: finding.broken_link,
        reason: finding.reason.clone(),
        message: finding.message.clone(),
    }
}

/// The links whose outcome or resource changed. What was seen in words may name times, and is not
/// compared.
fn changed_links(old: &Finding, new: &Finding) -> Vec<ChangedLink> {
    [LinkName::Account]
        .into_iter()
        .chain(LinkName::CHAIN)
        .filter_map(|link| {
            let find = |finding: &Finding| {
                let found = finding.chain.iter().find(|known| known.link == link);
                found.map(|known| (known.status, known.resource.clone()))
            };
            let (before, after) = (find(old), find(new));
            if before == after {
                return None;
            }
            let (old_status, old_resource) = before.unzip();
            let (new_status, new_resource) = after.unzip();
            Some(ChangedLink {
                link,
                old_status,
                new_status,
                old_resource: old_resource.flatten(),
                new_resource: new_resource.flatten(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::sample;

    fn changes(old: &[Finding], new: &[Finding]) -> Vec<(String, Change)> {
        compare(old, new, &BTreeSet::new())
            .into_iter()
            .map(|difference| (difference.id, difference.change))
            .collect()
    }

    #[test]
    fn every_change_of_verdict_has_its_list() {
        let of = |status| vec![sample::finding("111111111111", "root-usage", status)];
        for (old, new, expected) in [
            (Status::Pass, Status::Fail, Change::NewFailure),
            (Status::Unknown, Status::Fail, Change::NewFailure),
            (Status::Muted, Status::Fail, Change::NewFailure),
            (Status::Pass, Status::Unknown, Change::NewlyUnknown),
            (Status::Fail, Status::Unknown, Change::NewlyUnknown),
            (Status::Fail, Status::Pass, Change::Fixed),
            (Status::Unknown, Status::Pass, Change::Fixed),
            (Status::Fail, Status::Muted, Change::NewlyMuted),
            (Status::Muted, Status::Pass, Change::Other),
            (Status::Fail, Status::NotApplicable, Change::Other),
        ] {
            let found = changes(&of(old), &of(new));
            assert_eq!(
                found,
                [("111111111111/root-usage".to_owned(), expected)],
                "{old} to {new}"
            );
            assert_eq!(changes(&of(new), &of(new)), []);
        }
    }

    #[test]
    fn findings_come_and_go() {
        let one = vec![sample::finding("111111111111", "root-usage", Status::Fail)];
        let other = vec![sample::finding("222222222222", "root-usage", Status::Pass)];
        assert_eq!(
            changes(&one, &other),
            [
                ("111111111111/root-usage".to_owned(), Change::Removed),
                ("222222222222/root-usage".to_owned(), Change::Added),
            ]
        );
        assert_eq!(
            changes(&[], &one),
            [("111111111111/root-usage".to_owned(), Change::NewFailure)]
        );
    }

    #[test]
    fn another_chain_is_a_change_and_other_words_are_not() {
        let old = vec![sample::finding("111111111111", "root-usage", Status::Pass)];
        let mut new = old.clone();
        Arc::make_mut(&mut new[0].chain[3]).detail =
            "the log group was seen at another time".into();
        new[0].message = "other words".into();
        assert_eq!(changes(&old, &new), []);
        Arc::make_mut(&mut new[0].chain[9]).resource = Some("arn:aws:sns:us-east-1:1:other".into());
        let found = compare(&old, &new, &BTreeSet::new());
        assert_eq!(found[0].change, Change::ChangedChain);
        assert_eq!(found[0].links.len(), 1);
        assert_eq!(found[0].links[0].link, LinkName::Topic);
    }
}
