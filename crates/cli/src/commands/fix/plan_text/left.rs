//! What a plan leaves to people: findings that it does not repair, once for each kind, and what the
//! owners of trails, accounts and topics would run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use trailproof_report::remediation::{OwnerTask, Unrepairable};

use super::{EXAMPLES, Shown};
use crate::commands::changing::count;
use crate::commands::fix::display::stays;
use crate::untrusted::visible;

impl Shown<'_> {
    /// What is left to people, once for each kind: the commands differ in names and numbers.
    pub(super) fn unrepaired(&self) -> String {
        let mut groups: Vec<Vec<&Unrepairable>> = Vec::new();
        let mut known = BTreeMap::new();
        let tasks = self.plan.for_owners.iter();
        let told: BTreeSet<&String> = tasks.flat_map(|task| &task.findings).collect();
        let others = self.plan.unrepairable.iter();
        for finding in others.filter(|left| !told.contains(&left.finding)) {
            let commands: Vec<String> = finding
                .commands
                .iter()
                .map(|command| without_numbers(finding, command))
                .collect();
            let why = without_numbers(finding, &finding.why);
            let group = *known
                .entry((&finding.reason, why, commands))
                .or_insert_with(|| {
                    groups.push(Vec::new());
                    groups.len() - 1
                });
            if let Some(members) = groups.get_mut(group) {
                members.push(finding);
            }
        }
        let mut text = String::new();
        for members in groups {
            self.push_kind(&members, &mut text);
        }
        text
    }

    fn push_kind(&self, members: &[&Unrepairable], text: &mut String) {
        let Some(first) = members.first() else {
            return;
        };
        let reason = first.reason.as_deref().unwrap_or("no reason");
        let one_place = members.iter().all(|member| member.run_in == first.run_in);
        let same = members
            .iter()
            .all(|member| member.commands == first.commands);
        let shown = |line: &str| {
            let line = if same {
                line.to_owned()
            } else {
                without_numbers(first, line)
            };
            visible(&line)
        };
        let _ = writeln!(
            text,
            "  {}: {} ({})",
            visible(reason),
            visible(&if same {
                first.why.clone()
            } else {
                without_numbers(first, &first.why)
            }),
            count(members.len(), "finding")
        );
        match first.run_in {
            Some(account) if one_place => {
                let _ = writeln!(text, "      in account {}", self.account(account));
            }
            Some(_) => text.push_str("      in each of the accounts\n"),
            None => {}
        }
        for command in &first.commands {
            let _ = writeln!(text, "      $ {}", shown(command));
        }
        let named = if self.list_sites {
            usize::MAX
        } else {
            EXAMPLES
        };
        for finding in members.iter().take(named) {
            let known = self.known(&finding.account.to_string());
            let known = known.map(|known| format!("  {known}"));
            let _ = writeln!(
                text,
                "      {}{}",
                visible(&finding.finding),
                known.unwrap_or_default()
            );
        }
        if members.len() > named {
            let _ = writeln!(text, "      and {} more", members.len() - named);
        }
    }

    /// What the owners of trails and topics would have to run, and what that would do: equal tasks
    /// of several owners stand there once.
    pub(super) fn for_owners(&self) -> String {
        let mut groups: Vec<Vec<&OwnerTask>> = Vec::new();
        let mut known = BTreeMap::new();
        for task in &self.plan.for_owners {
            let commands: Vec<String> = task
                .commands
                .iter()
                .map(|command| without_account(task, command))
                .collect();
            let group = *known.entry((&task.reasons, commands)).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(tasks) = groups.get_mut(group) {
                tasks.push(task);
            }
        }
        groups.sort_by_key(|tasks| Reverse(held_up(tasks)));
        let mut text = String::new();
        for tasks in groups {
            self.push_tasks(&tasks, &mut text);
        }
        text
    }

    fn push_tasks(&self, tasks: &[&OwnerTask], text: &mut String) {
        let Some(first) = tasks.first() else {
            return;
        };
        let alone = tasks.len() == 1;
        let shown = |line: &str| {
            visible(&if alone {
                line.to_owned()
            } else {
                without_account(first, line)
            })
        };
        let _ = writeln!(
            text,
            "  {} ({})",
            outcome(tasks),
            visible(&first.reasons.join(", "))
        );
        if alone {
            let _ = writeln!(
                text,
                "      in account {}, for {}",
                self.account(first.account),
                visible(&first.resource)
            );
        } else {
            let _ = writeln!(text, "      in each of {}", count(tasks.len(), "account"));
        }
        for line in &first.summary {
            let _ = writeln!(text, "      {}", shown(line));
        }
        for command in &first.commands {
            let _ = writeln!(text, "      $ {}", shown(command));
        }
        let named = if self.list_sites {
            usize::MAX
        } else {
            EXAMPLES
        };
        if self.list_sites {
            for line in first.terraform.lines() {
                let _ = writeln!(text, "      | {}", shown(line));
            }
        }
        if !alone {
            for task in tasks.iter().take(named) {
                let _ = writeln!(text, "      account {}", self.account(task.account));
            }
            if tasks.len() > named {
                let _ = writeln!(
                    text,
                    "      and {} more (`--list-sites` lists them)",
                    tasks.len() - named
                );
            }
        }
    }
}

/// How many findings wait for some tasks.
fn held_up(tasks: &[&OwnerTask]) -> usize {
    tasks.iter().map(|task| task.findings.len()).sum()
}

/// What some tasks come to.
fn outcome(tasks: &[&OwnerTask]) -> String {
    let all = held_up(tasks);
    if tasks.iter().any(|task| task.not_tried) {
        return format!(
            "up to {} would be PASS: what else is missing shows in a scan afterwards",
            count(all, "finding")
        );
    }
    let green: usize = tasks.iter().map(|task| task.turns_green.len()).sum();
    let waiting: usize = tasks
        .iter()
        .map(|task| task.waits_for_confirmation.len())
        .sum();
    let mut text = format!("{} of {all} would be PASS", count(green, "finding"));
    if waiting > 0 {
        let _ = write!(
            text,
            ", {} FAIL (subscription.pending) until somebody confirms",
            stays(waiting)
        );
    }
    text.push_str(", with what a new plan then does");
    text
}

fn without_account(task: &OwnerTask, text: &str) -> String {
    text.replace(&task.account.to_string(), "{account}")
}

fn without_numbers(finding: &Unrepairable, text: &str) -> String {
    let mut text = text.replace(&finding.account.to_string(), "{account}");
    if let Some(account) = finding.run_in {
        text = text.replace(&account.to_string(), "{account}");
    }
    text
}
