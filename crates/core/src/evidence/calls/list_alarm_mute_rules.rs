//! `cloudwatch:ListAlarmMuteRules`: the rules that mute alarm actions in an account and region.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Pages, Parameters, Permission, Quota, Reader, Subject};
use crate::evidence::shapes::{MuteRule, MuteRulesResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{BySelection, Listing};
use crate::evidence::view::View;
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "cloudwatch:ListAlarmMuteRules",
    permission: Permission::Read,
    link: LinkName::Action,
    pages: Some(Pages::of(100)),
    members: &["AlarmMuteRuleSummaries"],
    quota: Quota::own(50.0, 50.0),
};

/// Which mute rules were asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::evidence) struct Selection {
    /// Only the rules that target this alarm.
    alarm: Option<String>,
    /// Only the rules with these statuses; empty for all.
    statuses: BTreeSet<String>,
    /// Anything else that leaves rules out.
    rest: Option<String>,
}

impl Selection {
    fn of(parameters: &Parameters<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            alarm: parameters.text("AlarmName")?,
            statuses: parameters.texts("Statuses")?.into_iter().collect(),
            rest: parameters.rest(&["AlarmName", "Statuses"]),
        })
    }

    /// Whether active rules have to be in the answer.
    fn shows_active(&self) -> bool {
        self.rest.is_none() && (self.statuses.is_empty() || self.statuses.contains("ACTIVE"))
    }
}

pub(in crate::evidence) type Answers = BySelection<Selection, Listing<MuteRule>>;

pub(super) fn parameters(alarm_name: &Option<String>) -> Value {
    match alarm_name {
        None => json!({}),
        Some(name) => json!({ "AlarmName": name }),
    }
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    _pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let selection = Selection::of(&filing.parameters)?;
    let site = filing.site.clone();
    let answer = filing.listing(&DEFINITION, |response: MuteRulesResponse| response.rules)?;
    let subject = subject(&site);
    answers.file(site, selection, answer);
    Ok(subject)
}

pub(super) fn is_answered(
    reader: &Reader<'_>,
    site: &CallSite,
    alarm_name: &Option<String>,
) -> bool {
    reader.looks_up(|| subject(site));
    let mut answers = reader.selected(|tables| &tables.list_alarm_mute_rules, site);
    let answer =
        answers.find(|(selection, _)| selection.shows_active() && selection.alarm == *alarm_name);
    answer.map(|(_, answer)| reader.uses(answer)).is_some()
}

fn subject(site: &CallSite) -> Subject {
    Subject::site(Operation::ListAlarmMuteRules, site)
}

impl Reader<'_> {
    /// The active mute rules that may target an alarm, and whether each is known to.
    pub fn active_mute_rules(&self, site: &CallSite, alarm: &str) -> View<(MuteRule, bool)> {
        self.looks_up(|| subject(site));
        let mut view = View::default();
        let mut found: Vec<(MuteRule, bool)> = Vec::new();
        let mut named = false;
        for (selection, answer) in self.selected(|tables| &tables.list_alarm_mute_rules, site) {
            let targets = selection.alarm.as_deref();
            if targets.is_some_and(|target| target != alarm) {
                continue;
            }
            match &self.uses(answer).outcome {
                Err(error) => view.failed(error),
                Ok(listing) => {
                    view.saw(answer.observed_at);
                    let whole = selection.shows_active() && listing.complete;
                    view.complete |= whole;
                    named |= whole && targets.is_some();
                    for rule in &listing.items {
                        if matches!(rule.status.as_deref(), Some("SCHEDULED" | "EXPIRED")) {
                            continue;
                        }
                        match &rule.mute_targets {
                            Some(list) if !list.alarm_names.iter().any(|name| name == alarm) => {}
                            Some(_) => found.push((rule.clone(), true)),
                            None => found.push((rule.clone(), targets.is_some())),
                        }
                    }
                }
            }
        }
        // Once somebody asked for this alarm's rules, rules of unknown targets are other alarms'.
        let active = |rule: &MuteRule| rule.status.as_deref() == Some("ACTIVE");
        found.retain(|(rule, certain)| *certain || !named || !active(rule));
        found.sort_by(|left, right| {
            (&left.0.alarm_mute_rule_arn, !left.1).cmp(&(&right.0.alarm_mute_rule_arn, !right.1))
        });
        found.dedup_by(|left, right| left.0.alarm_mute_rule_arn == right.0.alarm_mute_rule_arn);
        view.items = found.into_iter().map(Arc::new).collect();
        view
    }

    /// The mute rules that are scheduled to become active and may target an alarm.
    pub fn scheduled_mute_rules(&self, site: &CallSite, alarm: &str) -> Vec<&MuteRule> {
        self.looks_up(|| subject(site));
        let mut found: BTreeMap<Option<&str>, &MuteRule> = BTreeMap::new();
        for (selection, answer) in self.selected(|tables| &tables.list_alarm_mute_rules, site) {
            let of_another = selection.alarm.as_deref().is_some_and(|name| name != alarm);
            let Ok(listing) = &self.uses(answer).outcome else {
                continue;
            };
            let rules = listing.items.iter().filter(|rule| {
                let mut names = rule
                    .mute_targets
                    .iter()
                    .flat_map(|targets| &targets.alarm_names);
                !of_another
                    && rule.status.as_deref() == Some("SCHEDULED")
                    && (rule.mute_targets.is_none() || names.any(|name| name == alarm))
            });
            found.extend(rules.map(|rule| (rule.alarm_mute_rule_arn.as_deref(), rule)));
        }
        found.into_values().collect()
    }
}
