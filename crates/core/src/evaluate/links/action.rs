//! The alarm notifies an SNS topic.

mod event_rules;
mod muting;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

pub(in crate::evaluate) use event_rules::look as event_rules;

use crate::arn::Arn;
use crate::evaluate::alarm_rule::{Also, Composites, Drive};
use crate::evaluate::gathered::Alarms;
use crate::evaluate::links::alarm::Carrier;
use crate::evaluate::reading::{Unread, locked, request};
use crate::evaluate::verdict::{Cause, Reason, Standing, Step, Verdict};
use crate::evidence::{Call, CallSite, CompositeAlarm, MetricAlarm, Operation, Reader, View};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;

static NONE: Reason = Reason {
    code: "action.none",
    status: Status::Fail,
    meaning: "Nothing happens when the alarm goes into ALARM.",
    remedy: "Create an alarm beside it whose action is an SNS topic.",
};
static NOT_SNS: Reason = Reason {
    code: "action.not-sns",
    status: Status::Fail,
    meaning: "The alarm acts, but not through an SNS topic.",
    remedy: "Create an alarm beside it whose action is an SNS topic.",
};
static OTHER_CHANNEL: Reason = Reason {
    code: "action.other-channel",
    status: Status::Unknown,
    meaning: "The alarm acts through Incident Manager, an OpsItem or a Lambda function, and whether that tells a person is not known.",
    remedy: "Add an SNS topic to the alarm's actions, or create an alarm beside it whose action is one.",
};
static DISABLED: Reason = Reason {
    code: "action.disabled",
    status: Status::Fail,
    meaning: "The alarm's actions are disabled.",
    remedy: "Enable the alarm's actions, or create an alarm beside it.",
};
static SUPPRESSED: Reason = Reason {
    code: "action.suppressed",
    status: Status::Fail,
    meaning: "Another alarm keeps the composite alarm quiet: it suppresses its actions, or the rule does not hold while it is in ALARM.",
    remedy: "Look at the other alarm.",
};
static SUPPRESSOR: Reason = Reason {
    code: "action.suppressor-not-observed",
    status: Status::Unknown,
    meaning: "Whether another alarm suppresses the composite alarm's actions could not be seen.",
    remedy: "Let the audit role in the alarm's account call cloudwatch:DescribeAlarms on every alarm, composite alarms included, then scan again.",
};
static COMPOSITES: Reason = Reason {
    code: "action.composite-alarms-not-observed",
    status: Status::Unknown,
    meaning: "The alarm itself notifies nobody, and whether a composite alarm over it does could not be seen.",
    remedy: "Let the audit role in the alarm's account call cloudwatch:DescribeAlarms on every alarm, composite alarms included, then scan again.",
};
static HELD: Reason = Reason {
    code: "action.composite-alarm-in-alarm",
    status: Status::Unknown,
    meaning: "The composite alarm over the alarm is in ALARM already because of another alarm, so the alarm changes nothing. When that ends is not known.",
    remedy: "Look at the other alarm, or create an alarm beside this one whose own action is an SNS topic.",
};
static NOT_DECIDED: Reason = Reason {
    code: "action.composite-alarm-not-decided",
    status: Status::Unknown,
    meaning: "Whether the alarm alone drives the composite alarm over it could not be decided.",
    remedy: "Create an alarm beside it whose own action is an SNS topic.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] = &[
    &NONE,
    &NOT_SNS,
    &OTHER_CHANNEL,
    &DISABLED,
    &muting::MUTED,
    &SUPPRESSED,
    &SUPPRESSOR,
    &muting::MAYBE_MUTED,
    &COMPOSITES,
    &HELD,
    &NOT_DECIDED,
    &event_rules::RULE,
    &event_rules::NOT_OBSERVED,
];

static SUPPRESSED_FOR_A_WHILE: ObservationKind = ObservationKind {
    code: "action.suppressed-for-a-while",
    meaning: "The composite alarm performs its actions only after a period of its suppressor.",
};
static RESTS_ON_OTHERS: ObservationKind = ObservationKind {
    code: "action.rests-on-other-alarms",
    meaning: "The composite alarm goes into ALARM with the alarm only while the other alarms of its rule stay in the states they are in.",
};

pub(in crate::evaluate) const OBSERVATIONS: &[&ObservationKind] = &[
    &SUPPRESSED_FOR_A_WHILE,
    &RESTS_ON_OTHERS,
    &muting::NO_MUTE_RULES,
    &muting::MUTE_SCHEDULED,
    &event_rules::UNSEEN,
];

/// A path from an alarm to a topic; no topic where the path ends here.
#[derive(Clone)]
pub(in crate::evaluate) struct NotificationPath {
    pub(in crate::evaluate) step: Step,
    pub(in crate::evaluate) topic: Option<Arc<str>>,
    /// The ARN of the alarm that notifies, as far as it is known.
    pub(in crate::evaluate) notifier: String,
    /// The alarm whose action this is.
    pub(in crate::evaluate) carrier: Option<Arc<Carrier>>,
}

impl NotificationPath {
    /// Whether it may end as a message.
    fn leads_on(&self) -> bool {
        self.topic.is_some() || self.step.effective.standing() != Standing::Broken
    }
}

/// Alarms of one account and region, as far as they were seen.
pub(in crate::evaluate) struct RegionalAlarms<'a> {
    pub(in crate::evaluate) evidence: &'a Reader<'a>,
    pub(in crate::evaluate) site: &'a CallSite,
    pub(in crate::evaluate) metric: &'a View<MetricAlarm>,
    pub(in crate::evaluate) composite: &'a View<CompositeAlarm>,
    pub(in crate::evaluate) composites: &'a Composites,
    /// The paths from composite alarms, by their places: every alarm below takes them.
    over: RefCell<HashMap<usize, Vec<NotificationPath>>>,
}

impl<'a> RegionalAlarms<'a> {
    pub(in crate::evaluate) fn new(
        evidence: &'a Reader<'a>,
        site: &'a CallSite,
        alarms: &'a Alarms,
    ) -> Self {
        Self {
            evidence,
            site,
            metric: &alarms.metric,
            composite: &alarms.composite,
            composites: &alarms.composites,
            over: RefCell::default(),
        }
    }

    /// The paths from a composite alarm whose actions nothing suppresses.
    fn paths_over(&self, index: usize, composite: &CompositeAlarm) -> Vec<NotificationPath> {
        let mut known = self.over.borrow_mut();
        let paths = known
            .entry(index)
            .or_insert_with(|| paths_from(self, composite, None));
        paths.clone()
    }
}

/// Every path from a composite alarm to a topic.
fn paths_from(
    alarms: &RegionalAlarms<'_>,
    composite: &CompositeAlarm,
    suppressed: Option<&Verdict>,
) -> Vec<NotificationPath> {
    let over = Notifier {
        name: &composite.alarm_name,
        arn: composite.alarm_arn.as_deref(),
        kind: "composite alarm",
        actions: &composite.alarm_actions,
        enabled: composite.actions_enabled,
    };
    let mut paths = paths(alarms, &over, suppressed);
    let observed_at = alarms.composite.observed_at;
    carried_by(&mut paths, Carrier::composite(composite, observed_at));
    paths.retain(NotificationPath::leads_on);
    paths
}

/// The paths that lead on, with the alarm whose message they carry.
fn carried_by(paths: &mut [NotificationPath], carrier: Carrier) {
    let carrier = Arc::new(carrier);
    for path in paths.iter_mut().filter(|path| path.leads_on()) {
        path.carrier = Some(Arc::clone(&carrier));
    }
}

/// One alarm that may notify.
struct Notifier<'a> {
    name: &'a str,
    arn: Option<&'a str>,
    kind: &'static str,
    actions: &'a [Arc<str>],
    enabled: Option<bool>,
}

/// Every path from an alarm to a topic: its own actions, and those of composite alarms over it.
pub(in crate::evaluate) fn judge(
    alarms: &RegionalAlarms<'_>,
    alarm: &Arc<MetricAlarm>,
    also: &dyn Fn(&str) -> Also,
) -> Vec<NotificationPath> {
    let own = Notifier {
        name: &alarm.alarm_name,
        arn: alarm.alarm_arn.as_deref(),
        kind: "alarm",
        actions: &alarm.alarm_actions,
        enabled: alarm.actions_enabled,
    };
    let mut paths = paths(alarms, &own, None);
    carried_by(&mut paths, Carrier::alarm(alarm, alarms.metric.observed_at));
    let mut idle = Vec::new();
    for (index, drive) in alarms.composites.drives(alarm, also).iter() {
        let Some(composite) = alarms.composites.alarms().get(*index) else {
            continue;
        };
        if *drive == Drive::No {
            idle.push(composite);
            continue;
        }
        let suppression = suppression(alarms, alarm, composite, also);
        let suppressed = suppression.as_ref().and_then(|found| found.as_ref().err());
        let driven_paths = match suppressed {
            None => alarms.paths_over(*index, composite),
            Some(_) => paths_from(alarms, composite, suppressed),
        };
        for mut path in driven_paths {
            if let Some(Ok(soon)) = &suppression {
                path.step = path.step.observe(&SUPPRESSED_FOR_A_WHILE, soon);
            }
            path.step = driven(path.step, alarm, composite, drive);
            paths.push(path);
        }
    }
    // One that ends at a topic, broken or not, says more than one without.
    if paths.iter().any(|path| path.topic.is_some()) {
        paths.retain(NotificationPath::leads_on);
    }
    paths.sort_by_key(|path| path.topic.is_none());
    if let [path] = paths.as_mut_slice()
        && path.topic.is_none()
    {
        path.step.effective = beside_idle(&path.step.effective, &idle);
        path.step.cis = beside_idle(&path.step.cis, &idle);
    }
    if !alarms.composite.complete {
        paths.push(unseen_composites(alarms, alarm));
    }
    paths
}

/// The same verdict, with the composite alarm that notifies somebody and is not driven.
fn beside_idle(verdict: &Verdict, idle: &[&Arc<CompositeAlarm>]) -> Verdict {
    /// Rules have up to 10,240 characters.
    const SHOWN: usize = 200;
    let mut notifying = idle.iter().filter(|over| !over.alarm_actions.is_empty());
    let (Some(over), Verdict::Broken(cause)) = (notifying.next(), verdict) else {
        return verdict.clone();
    };
    let mut rule: String = over.alarm_rule.chars().take(SHOWN).collect();
    if rule.len() < over.alarm_rule.len() {
        rule.push_str("...");
    }
    Verdict::Broken(Cause {
        message: format!(
            "{}; composite alarm `{}` names it, but does not go into ALARM with it alone: its \
             rule is `{rule}`",
            cause.message, over.alarm_name
        )
        .into(),
        ..cause.clone()
    })
}

/// What it means for the notification of a composite alarm how an alarm drives it.
fn driven(mut step: Step, alarm: &MetricAlarm, composite: &CompositeAlarm, drive: &Drive) -> Step {
    let (alarm, over) = (&alarm.alarm_name, &composite.alarm_name);
    match drive {
        Drive::Yes | Drive::No => step,
        Drive::Now => step.observe(
            &RESTS_ON_OTHERS,
            format!(
                "composite alarm `{over}` goes into ALARM with alarm `{alarm}` only while the \
                 other alarms of its rule stay in the states they are in"
            ),
        ),
        Drive::Held(by) => {
            let verdict = Verdict::Unseen(Cause::new(
                &HELD,
                format!(
                    "composite alarm `{over}` is in ALARM already, because {by} is; until it is \
                     back, alarm `{alarm}` changes nothing and nobody is notified"
                ),
            ));
            step.effective = step.effective.or_worse(verdict);
            step
        }
        Drive::Blocked(by) => {
            let verdict = Verdict::Broken(Cause::new(
                &SUPPRESSED,
                format!(
                    "composite alarm `{over}` does not go into ALARM with alarm `{alarm}` while \
                     {by} is in ALARM, as it is now"
                ),
            ));
            step.effective = step.effective.or_worse(verdict);
            step
        }
        Drive::Undecided(why) => {
            let cause = Cause::new(
                &NOT_DECIDED,
                format!(
                    "whether alarm `{alarm}` alone drives composite alarm `{over}` was not \
                     decided: {why}"
                ),
            );
            step.cis = step.cis.or_worse(Verdict::Unseen(cause.clone()));
            step.effective = step.effective.or_worse(Verdict::Unseen(cause));
            step
        }
    }
}

fn unseen_composites(alarms: &RegionalAlarms<'_>, alarm: &MetricAlarm) -> NotificationPath {
    let site = alarms.site;
    let unread = match &alarms.composite.failure {
        Some(error) => Unread::failed(
            Operation::DescribeAlarms,
            site,
            error,
            alarms.composite.observed_at,
        ),
        None => locked(alarms.evidence, site.account).unwrap_or_else(|| Unread {
            why: format!(
                "composite alarms of account {} in {} were never asked for",
                site.account, site.region
            ),
            ..Unread::never_asked(request(site, Call::DescribeAlarms))
        }),
    };
    let arn = alarm.alarm_arn.as_deref();
    let step = Step::new(LinkName::Action)
        .on(
            arn.unwrap_or(&alarm.alarm_name),
            Some(site.account),
            Some(site.region.clone()),
        )
        .because(Cause::new(
            &COMPOSITES,
            format!(
                "whether a composite alarm over alarm `{}` notifies somebody is not known: {}",
                alarm.alarm_name, unread.why
            ),
        ))
        .wanting(unread.wants);
    NotificationPath {
        step,
        topic: None,
        notifier: arn.unwrap_or_default().to_owned(),
        carrier: None,
    }
}

fn paths(
    alarms: &RegionalAlarms<'_>,
    notifier: &Notifier<'_>,
    suppressed: Option<&Verdict>,
) -> Vec<NotificationPath> {
    let site = alarms.site;
    let name = notifier.name;
    let kind = notifier.kind;
    let base = || {
        Step::new(LinkName::Action)
            .on(
                notifier.arn.unwrap_or(name),
                Some(site.account),
                Some(site.region.clone()),
            )
            .seen(alarms.metric.observed_at)
    };
    let arn = notifier.arn.map_or_else(
        || {
            format!(
                "arn:{}:cloudwatch:{}:{}:alarm:{name}",
                site.region.partition(),
                site.region,
                site.account
            )
        },
        str::to_owned,
    );
    let topics: Vec<&Arc<str>> = notifier
        .actions
        .iter()
        .filter(|action| {
            action
                .parse::<Arn>()
                .is_ok_and(|arn| arn.service() == "sns")
        })
        .collect();
    if topics.is_empty() {
        return vec![NotificationPath {
            step: without_topic(base(), notifier),
            topic: None,
            notifier: arn,
            carrier: None,
        }];
    }
    topics
        .into_iter()
        .map(|topic| {
            let step = base().detail(format!("{kind} `{name}` notifies {topic}"));
            let step = if notifier.enabled == Some(false) {
                step.effective(Verdict::Broken(Cause::new(
                    &DISABLED,
                    format!("the actions of {kind} `{name}` are disabled"),
                )))
            } else if let Some(verdict) = suppressed {
                step.effective(verdict.clone())
            } else {
                muting::judge(alarms, step, notifier)
            };
            NotificationPath {
                step,
                topic: Some(topic.clone()),
                notifier: arn.clone(),
                carrier: None,
            }
        })
        .collect()
}

/// Actions that tell people, though not through a topic (CloudWatch API Reference,
/// `PutMetricAlarm`, `AlarmActions`).
fn channel(action: &str) -> Option<&'static str> {
    let arn = action.parse::<Arn>().ok()?;
    match arn.service() {
        "ssm-incidents" => Some("Incident Manager"),
        "ssm" if action.contains(":opsitem:") => Some("an OpsItem"),
        "lambda" => Some("a Lambda function"),
        _ => None,
    }
}

/// The step of an alarm none of whose actions is a topic.
fn without_topic(step: Step, notifier: &Notifier<'_>) -> Step {
    let Notifier { name, kind, .. } = notifier;
    if notifier.actions.is_empty() {
        let why = format!("{kind} `{name}` has no action for ALARM");
        return step.because(Cause::new(&NONE, why));
    }
    let step = step.because(Cause::new(
        &NOT_SNS,
        format!("{kind} `{name}` has actions for ALARM, but none is an SNS topic"),
    ));
    let channel = notifier.actions.iter().find_map(|action| channel(action));
    match channel {
        Some(channel) if notifier.enabled != Some(false) => {
            step.effective(Verdict::because(Cause::new(
                &OTHER_CHANNEL,
                format!(
                    "{kind} `{name}` acts through {channel}; whether that tells a person is not \
                     known"
                ),
            )))
        }
        _ => step,
    }
}

/// Whether a composite alarm's suppressor is at work, or will be as soon as the alarm fires; a
/// sentence where it only delays the notification.
fn suppression(
    alarms: &RegionalAlarms<'_>,
    alarm: &MetricAlarm,
    composite: &CompositeAlarm,
    also: &dyn Fn(&str) -> Also,
) -> Option<Result<String, Verdict>> {
    let broken = |why: String| {
        Some(Err(Verdict::Broken(Cause::new(
            &SUPPRESSED,
            format!(
                "the actions of composite alarm `{}` are suppressed {why}",
                composite.alarm_name
            ),
        ))))
    };
    let delayed = match composite.actions_suppressed_by.as_deref() {
        None => None,
        // After these periods the composite alarm performs its actions (CloudWatch API Reference,
        // `CompositeAlarm`).
        Some(period @ ("WaitPeriod" | "ExtensionPeriod")) => Some(Ok(format!(
            "composite alarm `{}` performs its actions only after its suppressor's {period}",
            composite.alarm_name
        ))),
        Some(by) => return broken(format!("by `{by}`")),
    };
    let Some(suppressor) = composite.actions_suppressor.as_deref() else {
        return delayed;
    };
    let is_it = |name: &str, arn: Option<&str>| {
        name == suppressor
            || arn == Some(suppressor)
            || suppressor.ends_with(&format!(":alarm:{name}"))
    };
    let metric = alarms
        .metric
        .items
        .iter()
        .find(|other| is_it(&other.alarm_name, other.alarm_arn.as_deref()));
    let over = alarms
        .composite
        .items
        .iter()
        .find(|other| is_it(&other.alarm_name, other.alarm_arn.as_deref()));
    let itself = match (metric, over) {
        (Some(metric), _) => metric.alarm_name == alarm.alarm_name,
        (None, Some(over)) => alarms
            .composites
            .drives(alarm, also)
            .iter()
            .any(|(index, drive)| {
                let driven = alarms.composites.alarms().get(*index);
                matches!(drive, Drive::Yes | Drive::Now)
                    && driven.is_some_and(|driven| Arc::ptr_eq(driven, over))
            }),
        (None, None) => false,
    };
    let listed = alarms.metric.complete && alarms.composite.complete;
    if !listed && metric.is_none() && over.is_none() {
        return Some(Err(Verdict::Unseen(Cause::new(
            &SUPPRESSOR,
            format!(
                "whether `{suppressor}` suppresses the actions of composite alarm `{}` is not \
                 known: not all alarms were listed, and it is not among those that were",
                composite.alarm_name
            ),
        ))));
    }
    if itself {
        return broken(format!(
            "while `{suppressor}` is in ALARM, and it is whenever alarm `{}` fires",
            alarm.alarm_name
        ));
    }
    if metric.is_some_and(|metric| also(&metric.alarm_name) != Also::No) {
        return Some(Err(Verdict::Unseen(Cause::new(
            &NOT_DECIDED,
            format!(
                "whether `{suppressor}` suppresses the actions of composite alarm `{}` when alarm \
                 `{}` fires was not decided: it may go into ALARM on the same events",
                composite.alarm_name, alarm.alarm_name
            ),
        ))));
    }
    let state = metric
        .map(|metric| metric.state_value.as_deref())
        .or_else(|| over.map(|over| over.state_value.as_deref()));
    match state {
        Some(Some("ALARM")) => broken(format!("while `{suppressor}` is in ALARM, as it is now")),
        _ => delayed,
    }
}

#[cfg(test)]
pub(in crate::evaluate) mod tests;
