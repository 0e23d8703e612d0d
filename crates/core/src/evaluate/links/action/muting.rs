//! Rules that mute the actions of alarms: active ones keep the message back, scheduled ones will.

use super::{Notifier, RegionalAlarms};
use crate::evaluate::reading::{Unread, locked, request};
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{Call, MuteRule, Operation, Request, ScheduledMute};
use crate::finding::Status;
use crate::observation::ObservationKind;

pub(super) static MUTED: Reason = Reason {
    code: "action.muted",
    status: Status::Fail,
    meaning: "An active mute rule keeps the alarm's actions from running.",
    remedy: "End the alarm mute rule, or wait until it expires.",
};
pub(super) static MAYBE_MUTED: Reason = Reason {
    code: "action.mute-rules-not-observed",
    status: Status::Unknown,
    meaning: "Whether a mute rule keeps the alarm's actions from running could not be seen.",
    remedy: "Let the audit role in the alarm's account call cloudwatch:ListAlarmMuteRules, then scan again.",
};
pub(super) static NO_MUTE_RULES: ObservationKind = ObservationKind {
    code: "action.no-mute-rules-there",
    meaning: "CloudWatch in that region does not know alarm mute rules, so none can be active.",
};
pub(super) static MUTE_SCHEDULED: ObservationKind = ObservationKind {
    code: "action.mute-scheduled",
    meaning: "A mute rule that is or may be about the alarm is scheduled: while it is active, nobody is told.",
};

/// Scheduled rules that are asked about: no verdict rests on them, and there may be any number.
const MAX_ASKED: usize = 10;

/// Whether a mute rule keeps an alarm's actions from running, and what is known of rules that will.
pub(super) fn judge(alarms: &RegionalAlarms<'_>, step: Step, notifier: &Notifier<'_>) -> Step {
    let RegionalAlarms { evidence, site, .. } = alarms;
    let name = notifier.name;
    let rules = evidence.active_mute_rules(site, name);
    let mut step = scheduled(alarms, step, notifier);
    let is_active = |rule: &MuteRule| rule.status.as_deref() == Some("ACTIVE");
    if let Some(rule) = rules.items.iter().find(|rule| rule.1 && is_active(&rule.0)) {
        return step
            .seen(rules.observed_at)
            .effective(Verdict::Broken(Cause::new(
                &MUTED,
                format!(
                    "the actions of {} `{name}` are muted by the active rule {}",
                    notifier.kind,
                    called(&rule.0)
                ),
            )));
    }
    step.last = true;
    let unseen = |why: String, unread: Unread, step: Step| {
        step.effective(Verdict::Unseen(Cause::new(
            &MAYBE_MUTED,
            format!(
                "whether {} `{name}` is muted is not known: {why}",
                notifier.kind
            ),
        )))
        .wanting(unread.wants)
    };
    let ask = |alarm_name: Option<String>| {
        locked(evidence, site.account).unwrap_or_else(|| {
            Unread::never_asked(request(site, Call::ListAlarmMuteRules { alarm_name }))
        })
    };
    if let Some(rule) = rules.items.first() {
        let by_name = Call::ListAlarmMuteRules {
            alarm_name: Some(name.to_owned()),
        };
        let mut unread = ask(Some(name.to_owned()));
        if evidence.has(&request(site, by_name)) {
            unread.wants.clear();
        }
        return unseen(
            format!(
                "rule {} is {}, and {} not known",
                called(&rule.0),
                rule.0
                    .status
                    .as_deref()
                    .unwrap_or("in a state that is not told"),
                if is_active(&rule.0) {
                    "its targets are"
                } else {
                    "what that means is"
                },
            ),
            unread,
            step,
        );
    }
    if rules.complete {
        step.last = false;
        return step.seen(rules.observed_at);
    }
    let unread = match &rules.failure {
        // A partition without the operation is a partition without mute rules.
        Some(error) if error.is_unknown_operation() => {
            step.last = false;
            return step.seen(rules.observed_at).observe(
                &NO_MUTE_RULES,
                format!(
                    "CloudWatch in {} does not know alarm mute rules (`{}`), so none can be active",
                    site.region, error.code
                ),
            );
        }
        Some(error) => Unread::failed(
            Operation::ListAlarmMuteRules,
            site,
            error,
            rules.observed_at,
        ),
        None => ask(None),
    };
    unseen(unread.why.clone(), unread, step)
}

fn called(rule: &MuteRule) -> &str {
    let arn = rule.alarm_mute_rule_arn.as_deref();
    arn.unwrap_or("without a name")
}

/// What is known of the rules that will mute the alarm, and the calls that tell more.
fn scheduled(alarms: &RegionalAlarms<'_>, mut step: Step, notifier: &Notifier<'_>) -> Step {
    let RegionalAlarms { evidence, site, .. } = alarms;
    let rules = evidence.scheduled_mute_rules(site, notifier.name);
    // One that is known to be about the alarm says more than one that may be.
    let first = rules.iter().find(|rule| rule.certain);
    let Some(first) = first.or_else(|| rules.first()) else {
        return step;
    };
    if locked(evidence, site.account).is_none() {
        let asked = rules.iter().take(MAX_ASKED).filter(|rule| !rule.asked);
        let calls = asked.filter_map(|scheduled| {
            let rule_name = scheduled.rule.name()?.to_owned();
            Some(request(site, Call::GetAlarmMuteRule { rule_name }))
        });
        step.worth_asking.extend(calls.collect::<Vec<Request>>());
    }
    step.observe(&MUTE_SCHEDULED, sentence(first, rules.len() - 1, notifier))
}

fn sentence(first: &ScheduledMute<'_>, others: usize, notifier: &Notifier<'_>) -> String {
    let Notifier { kind, name, .. } = notifier;
    let more = match others {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let does = if first.certain {
        format!("will mute {kind} `{name}`")
    } else {
        format!("may mute {kind} `{name}`")
    };
    let when = first.schedule.map_or_else(String::new, |schedule| {
        let said = |before: &str, text: &Option<String>, after: &str| match text {
            Some(text) => format!("{before}{text}{after}"),
            None => String::new(),
        };
        said(", by the schedule ", &schedule.expression, "")
            + &said(" in time zone ", &schedule.timezone, "")
            + &said(", for ", &schedule.duration, " each time")
    });
    format!(
        "mute rule {}{more} is scheduled and {does}{when}: while it is active, nobody is told",
        called(first.rule)
    )
}
