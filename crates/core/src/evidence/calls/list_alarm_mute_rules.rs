//! `cloudwatch:ListAlarmMuteRules`: the rules that mute alarm actions in an account and region.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Pages, Parameters, Permission, Quota, Reader, Subject};
use crate::evidence::shapes::{MuteRule, MuteRulesResponse, MuteSchedule, MuteTargets};
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

    /// Whether rules with a status have to be in the answer.
    fn shows(&self, status: &str) -> bool {
        self.rest.is_none() && (self.statuses.is_empty() || self.statuses.contains(status))
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
    let subject = subject(&site, selection.alarm.as_deref());
    answers.file(site, selection, answer);
    Ok(subject)
}

pub(super) fn is_answered(
    reader: &Reader<'_>,
    site: &CallSite,
    alarm_name: &Option<String>,
) -> bool {
    reader.looks_up(|| subject(site, alarm_name.as_deref()));
    let mut answers = reader.selected(|tables| &tables.list_alarm_mute_rules, site);
    let answer =
        answers.find(|(selection, _)| selection.shows("ACTIVE") && selection.alarm == *alarm_name);
    answer.map(|(_, answer)| reader.uses(answer)).is_some()
}

fn subject(site: &CallSite, alarm: Option<&str>) -> Subject {
    match alarm {
        Some(alarm) => Subject::named(Operation::ListAlarmMuteRules, site, alarm),
        None => Subject::site(Operation::ListAlarmMuteRules, site),
    }
}

impl<'e> Reader<'e> {
    /// The active mute rules that may target an alarm, and whether each is known to.
    pub fn active_mute_rules(&self, site: &CallSite, alarm: &str) -> View<(MuteRule, bool)> {
        self.looks_up(|| subject(site, None));
        self.looks_up(|| subject(site, Some(alarm)));
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
                    let whole = selection.shows("ACTIVE") && listing.complete;
                    view.complete |= whole;
                    named |= whole && targets.is_some();
                    for rule in &listing.items {
                        if matches!(rule.status.as_deref(), Some("SCHEDULED" | "EXPIRED")) {
                            continue;
                        }
                        let answer = match &rule.mute_targets {
                            Some(_) => None,
                            None => rule.name().and_then(|name| self.mute_rule(site, name)),
                        };
                        let told = answer.and_then(|answer| answer.outcome.as_deref().ok());
                        let told = told.and_then(|told| told.mute_targets.as_ref());
                        match rule.mute_targets.as_ref().or(told) {
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

    /// The mute rules that are scheduled to become active and may target an alarm, in the order of
    /// their ARNs.
    pub fn scheduled_mute_rules(&self, site: &CallSite, alarm: &str) -> Vec<ScheduledMute<'e>> {
        self.looks_up(|| subject(site, None));
        self.looks_up(|| subject(site, Some(alarm)));
        let has = |targets: &MuteTargets| targets.alarm_names.iter().any(|name| name == alarm);
        let mut found: BTreeMap<Option<&str>, ScheduledMute<'e>> = BTreeMap::new();
        let mut named = false;
        for (selection, answer) in self.selected(|tables| &tables.list_alarm_mute_rules, site) {
            let by_name = selection.alarm.is_some();
            if by_name && selection.alarm.as_deref() != Some(alarm) {
                continue;
            }
            let Ok(listing) = &self.uses(answer).outcome else {
                continue;
            };
            named |= by_name && selection.shows("SCHEDULED") && listing.complete;
            for rule in &listing.items {
                if rule.status.as_deref() != Some("SCHEDULED") {
                    continue;
                }
                let answer = rule.name().and_then(|name| self.mute_rule(site, name));
                let details = answer.and_then(|answer| answer.outcome.as_deref().ok());
                let told = details.and_then(|details| details.mute_targets.as_ref());
                let certain = match rule.mute_targets.as_ref().or(told) {
                    Some(targets) if !has(targets) => continue,
                    Some(_) => true,
                    None => by_name,
                };
                let scheduled = ScheduledMute {
                    rule,
                    certain,
                    asked: answer.is_some(),
                    schedule: details.and_then(|details| details.rule.as_ref()?.schedule.as_ref()),
                };
                let known = found
                    .entry(rule.alarm_mute_rule_arn.as_deref())
                    .or_insert(scheduled);
                known.certain |= certain;
            }
        }
        // Once somebody asked for this alarm's rules, rules of unknown targets are other alarms'.
        found.retain(|_, scheduled| scheduled.certain || !named);
        found.into_values().collect()
    }
}

/// A mute rule that is to become active.
#[derive(Debug, Clone, Copy)]
pub struct ScheduledMute<'e> {
    /// The rule as it was listed.
    pub rule: &'e MuteRule,
    /// Whether it is known to target the alarm.
    pub certain: bool,
    /// Whether somebody asked for its targets and schedule.
    pub asked: bool,
    /// When it is active, as far as that was told.
    pub schedule: Option<&'e MuteSchedule>,
}
