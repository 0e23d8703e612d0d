//! The sites of a plan, those that are changed in the same way together: what is done at each, with
//! placeholders.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use trailproof_report::remediation::{Change, Repair, Reused, Site};

use super::{EXAMPLES, Shown, Styles};
use crate::commands::changing::count;
use crate::commands::fix::display::{self, stays};
use crate::untrusted::visible;

/// Sites that are changed in the same way: what is done at each, with placeholders.
#[derive(Default)]
struct Group<'a> {
    sites: Vec<&'a Site>,
}

impl Shown<'_> {
    /// The sites, equal ones together.
    pub(super) fn sites(&self, styles: Styles) -> Vec<String> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for site in &self.plan.sites {
            let group = *known.entry(pattern(site)).or_insert_with(|| {
                groups.push(Group::default());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(group) {
                group.sites.push(site);
            }
        }
        // What is done in most places comes first.
        groups.sort_by_key(|group| Reverse(group.sites.len()));
        groups
            .iter()
            .map(|group| self.group(group, styles))
            .collect()
    }

    fn group(&self, group: &Group<'_>, styles: Styles) -> String {
        let Styles { head, added } = styles;
        let mut text = String::new();
        let Some(first) = group.sites.first() else {
            return text;
        };
        let alone = group.sites.len() == 1;
        if alone {
            let _ = writeln!(text, "{head}{}{head:#}", self.place(first));
        } else {
            let _ = writeln!(
                text,
                "{head}{}: {}{head:#}",
                count(group.sites.len(), "site"),
                kinds(first)
            );
        }
        for (index, repair) in first.repairs.iter().enumerate() {
            let all = group
                .sites
                .iter()
                .filter_map(|site| site.repairs.get(index));
            push_repair(repair, all, &mut text);
            for note in &repair.notes {
                let note = if alone {
                    note.clone()
                } else {
                    general(first, note)
                };
                let _ = writeln!(text, "    note: {}", visible(&note));
            }
        }
        if !first.not_looked_at.is_empty() {
            let calls = visible(&first.not_looked_at.join(", "));
            let _ = writeln!(text, "    not looked at: {calls}");
        }
        for step in &first.steps {
            for (index, line) in display::lines(first.account, step).iter().enumerate() {
                let mark = if index == 0 { "+" } else { " " };
                let line = if alone {
                    line.clone()
                } else {
                    general(first, line)
                };
                let _ = writeln!(text, "  {added}{mark} {}{added:#}", visible(&line));
            }
        }
        if !alone {
            let named = if self.list_sites {
                usize::MAX
            } else {
                EXAMPLES
            };
            for site in group.sites.iter().take(named) {
                let _ = writeln!(text, "    {}", self.place(site));
            }
            if group.sites.len() > named {
                let _ = writeln!(
                    text,
                    "    and {} more (`--list-sites` lists them)",
                    group.sites.len() - named
                );
            }
        }
        text
    }

    fn place(&self, site: &Site) -> String {
        format!(
            "account {}  region {}  log group {}",
            self.account(site.account),
            site.region,
            visible(&site.log_group)
        )
    }
}

/// What is done at a site, in words that are the same for sites that differ only in account,
/// region and log group.
fn pattern(site: &Site) -> String {
    let mut text = kinds(site);
    let _ = write!(text, "\n{:?}", site.not_looked_at);
    // Why it was broken, and who has to confirm, is counted for all of them.
    for repair in &site.repairs {
        let _ = write!(text, "\n{}", repair.control);
        for note in &repair.notes {
            let _ = write!(text, "\n{}", general(site, note));
        }
    }
    for step in &site.steps {
        for line in display::lines(site.account, step) {
            let _ = write!(text, "\n{}", general(site, &line));
        }
        // What the lines leave out.
        let mut change = step.change.clone();
        if let Change::PutMetricFilter(filter) = &mut change {
            filter.log_group.clear();
        }
        let change = serde_json::to_string(&change).unwrap_or_default();
        let _ = write!(text, "\n{}", general(site, &change));
    }
    text
}

/// A text with placeholders for what is a site's own.
fn general(site: &Site, text: &str) -> String {
    text.replace(&site.account.to_string(), "{account}")
        .replace(site.region.as_str(), "{region}")
}

/// `+ filter, + alarm, topic central`.
fn kinds(site: &Site) -> String {
    let mut kinds: Vec<String> = Vec::new();
    let mut push = |kind: String| {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    };
    for step in &site.steps {
        push(match &step.change {
            Change::PutMetricFilter(_) => "+ filter".to_owned(),
            Change::CreateTopic(_) => "+ topic".to_owned(),
            Change::Subscribe(_) => "+ subscription".to_owned(),
            Change::PutMetricAlarm(_) => "+ alarm".to_owned(),
            Change::AddTopicStatement(_) => "+ policy".to_owned(),
        });
    }
    for reused in &site.relies_on.reused {
        if let Reused::Topic { arn, .. } = reused {
            push(format!(
                "topic {}",
                visible(&general(site, &display::short(arn)))
            ));
        }
    }
    kinds.join(", ")
}

/// What a repair comes to, at all the sites of a group.
fn push_repair<'a>(repair: &Repair, all: impl Iterator<Item = &'a Repair>, text: &mut String) {
    let (mut green, mut waiting) = (0, 0);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for repair in all {
        green += repair.turns_green.len();
        waiting += repair.waits_for_confirmation.len();
        *reasons.entry(repair.reasons.join(", ")).or_default() += 1;
    }
    let one = reasons.len() == 1;
    let mut reasons: Vec<(String, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, sites)| Reverse(*sites));
    let reasons: Vec<String> = reasons
        .into_iter()
        .map(|(reason, sites)| {
            if one {
                reason
            } else {
                format!("{reason} {sites}")
            }
        })
        .collect();
    let mut outcome = Vec::new();
    if green > 0 {
        outcome.push(format!("{} will be PASS", count(green, "account")));
    }
    if waiting > 0 {
        outcome.push(format!(
            "{} FAIL (subscription.pending) until somebody confirms",
            stays(waiting)
        ));
    }
    let _ = writeln!(
        text,
        "  {}: {} ({})",
        visible(&repair.control),
        outcome.join(", "),
        visible(&reasons.join(", "))
    );
}
