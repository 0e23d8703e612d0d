//! An alarm watches the metric and can fire.

mod log_alarm;
mod monitoring;
mod reliability;

use std::sync::Arc;

pub(in crate::evaluate) use log_alarm::over as log_alarm_over;
pub(in crate::evaluate) use monitoring::{doubted, unlisted, watched_by};
pub(in crate::evaluate) use reliability::{Carrier, Limits, carried};
use reliability::{observed, reliable, too_slow};

use crate::account::{AccountId, Region};
use crate::evaluate::firing::{self, Firing, Restriction, Signal};
use crate::evaluate::reading::{Unread, locked, request};
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{Call, CallSite, MetricAlarm, Operation, Reader, Request, View};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;

static NONE: Reason = Reason {
    code: "alarm.none",
    status: Status::Fail,
    meaning: "No alarm in the log group's account and region watches the metric, nor one of a monitoring account that was found.",
    remedy: "Create an alarm on the metric.",
};
static CANNOT_FIRE: Reason = Reason {
    code: "alarm.cannot-fire",
    status: Status::Fail,
    meaning: "No number of matching events moves the alarm from quiet into ALARM.",
    remedy: "Create an alarm beside it: Sum over 300 seconds, at least 1, in 1 evaluation period.",
};
static NOT_DECIDED: Reason = Reason {
    code: "alarm.not-decided",
    status: Status::Unknown,
    meaning: "Whether the alarm can fire could not be decided.",
    remedy: "Create an alarm beside it: Sum over 300 seconds, at least 1, in 1 evaluation period.",
};
static LOG_ALARM: Reason = Reason {
    code: "alarm.log-alarm",
    status: Status::Unknown,
    meaning: "A log alarm watches the log group with a query, and whether it fires on the control's events is not decided.",
    remedy: "Create a metric filter with the control's pattern and an alarm on its metric beside the log alarm.",
};
static NOT_OBSERVED: Reason = Reason {
    code: "alarm.not-observed",
    status: Status::Unknown,
    meaning: "The alarms could not be listed.",
    remedy: "Let the audit role in the log group's account call cloudwatch:DescribeAlarms, then scan again.",
};

static TOO_SLOW: Reason = Reason {
    code: "alarm.too-slow",
    status: Status::Fail,
    meaning: "The alarm fires only on more matching events than the control allows (`max-events`), or only if they keep coming for longer than the policy allows (`max-window`).",
    remedy: "Create an alarm beside it: Sum over 300 seconds, at least 1, in 1 evaluation period.",
};
static STUCK: Reason = Reason {
    code: "alarm.stuck",
    status: Status::Fail,
    meaning: "The alarm had been in ALARM for longer than the policy allows (`max-alarm-age`) when it was observed. It notifies when it changes into ALARM, so further events change nothing.",
    remedy: "Find out what keeps the alarm in ALARM: events that happen all the time, its threshold, or its treatment of missing data.",
};
static WARMING_UP: Reason = Reason {
    code: "alarm.warming-up",
    status: Status::Fail,
    meaning: "The alarm is not evaluated until its warm-up ends.",
    remedy: "Wait until the warm-up ends and scan again; use a shorter warm-up, or none, for alarms on rare events.",
};
static WARM_UP_NOT_OBSERVED: Reason = Reason {
    code: "alarm.warm-up-not-observed",
    status: Status::Unknown,
    meaning: "Whether the alarm's warm-up has ended could not be seen.",
    remedy: "Look at the alarm in the CloudWatch console, or scan again when the warm-up must have ended.",
};
static NOT_EVALUATED: Reason = Reason {
    code: "alarm.not-evaluated",
    status: Status::Unknown,
    meaning: "CloudWatch reports that it could not evaluate the alarm, or only in part.",
    remedy: "Look at the reason that CloudWatch gives for the alarm's state, and mend the alarm's configuration.",
};
static STATE_NOT_KNOWN: Reason = Reason {
    code: "alarm.state-not-known",
    status: Status::Unknown,
    meaning: "The state of the alarm is not told, or one that trailproof does not know.",
    remedy: "Look at the alarm in the CloudWatch console.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] = &[
    &NONE,
    &monitoring::NOT_SHARED,
    &CANNOT_FIRE,
    &TOO_SLOW,
    &WARMING_UP,
    &STUCK,
    &NOT_DECIDED,
    &NOT_EVALUATED,
    &LOG_ALARM,
    &WARM_UP_NOT_OBSERVED,
    &STATE_NOT_KNOWN,
    &monitoring::SHARING_NOT_OBSERVED,
    &monitoring::NOT_OBSERVED,
    &NOT_OBSERVED,
];

pub(in crate::evaluate) const OBSERVATIONS: &[&ObservationKind] = &[
    &reliability::NEEDS_SEVERAL,
    &reliability::WALL_CLOCK,
    &reliability::FIRES_LATE,
    &reliability::IN_ALARM,
    &firing::LATCHES,
    &firing::MISSING_DATA_BREACHES,
    &firing::WRONG_WAY,
    &firing::BELOW_A_MINUTE,
    &monitoring::ELSEWHERE,
    &monitoring::NO_LINKS,
];

/// An alarm that names the metric, as judged.
pub(in crate::evaluate) struct Watching {
    pub(in crate::evaluate) alarm: Arc<MetricAlarm>,
    pub(in crate::evaluate) step: Step,
    /// The events the alarm is confined to.
    pub(in crate::evaluate) restrictions: Vec<Restriction>,
    /// Whether it may go into ALARM on the filter's events.
    pub(in crate::evaluate) can_fire: bool,
    /// How it fires on one event, where it does so at once.
    pub(in crate::evaluate) prompt: Option<Prompt>,
}

/// How an alarm fires at once, on one event. Two alarms that do so alike are in ALARM together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluate) struct Prompt {
    period: u64,
    wall_clock: bool,
    restrictions: Vec<Restriction>,
}

impl Prompt {
    fn of(fires: &firing::Fires) -> Option<Self> {
        let at_once = fires.each == 1 && fires.periods == 1 && fires.delay == 0;
        at_once.then(|| Self {
            period: fires.period,
            wall_clock: fires.wall_clock,
            restrictions: fires.restrictions.clone(),
        })
    }
}

/// Every alarm that names the metric, and a step for those that may be missing or are.
pub(in crate::evaluate) fn judge(
    evidence: &Reader<'_>,
    site: &CallSite,
    alarms: &View<MetricAlarm>,
    signal: &Signal<'_>,
    limits: Limits,
) -> (Vec<Watching>, Option<Step>) {
    let transformation = signal.transformation();
    let metric = format!(
        "{}/{}",
        transformation.metric_namespace, transformation.metric_name
    );
    let watching: Vec<Watching> = alarms
        .items
        .iter()
        .flat_map(|alarm| {
            firing::analyse(alarm, signal)
                .into_iter()
                .map(move |firing| (alarm, firing))
        })
        .filter_map(|(alarm, firing)| {
            let named = firing::reads(alarm, signal);
            if !named && firing == Firing::Unrelated {
                return None;
            }
            let mut watching = one(alarm, site, firing, &metric, limits);
            let reliable = reliable(alarm, alarms.observed_at);
            watching.step.effective = watching.step.effective.or_worse(reliable);
            watching.step = watching.step.seen(alarms.observed_at);
            if !named {
                // The benchmark's audit looks for the metric's name and finds none.
                let cis = if alarm.promql().is_some() {
                    Verdict::because(Cause::new(
                        &NONE,
                        none(evidence, alarms, signal, site, &metric),
                    ))
                } else {
                    watching.step.effective.clone()
                };
                watching.step = watching.step.cis(cis);
            }
            Some(watching)
        })
        .collect();
    let rest = Step::new(LinkName::Alarm)
        .on(&*metric, Some(site.account), Some(site.region.clone()))
        .seen(alarms.observed_at);
    if alarms.complete {
        let absent = watching.is_empty().then(|| {
            rest.because(Cause::new(
                &NONE,
                none(evidence, alarms, signal, site, &metric),
            ))
        });
        return (watching, absent);
    }
    let unread = match &alarms.failure {
        Some(error) => Unread::failed(Operation::DescribeAlarms, site, error, alarms.observed_at),
        None => locked(evidence, site.account)
            .unwrap_or_else(|| Unread::never_asked(request(site, Call::DescribeAlarms))),
    };
    let unseen = rest
        .because(Cause::new(
            &NOT_OBSERVED,
            format!(
                "whether an alarm watches `{metric}` is not known: {}",
                unread.why
            ),
        ))
        .wanting(unread.wants);
    (watching, Some(unseen))
}

/// The call for the alarms of an account and region, where it was never made.
pub(in crate::evaluate) fn unasked(
    evidence: &Reader<'_>,
    site: &CallSite,
    alarms: &View<MetricAlarm>,
) -> Option<Request> {
    let asked = alarms.observed_at.is_some() || alarms.failure.is_some();
    (!asked && locked(evidence, site.account).is_none())
        .then(|| request(site, Call::DescribeAlarms))
}

/// What the benchmark says where no alarm beside the filter watches the metric.
pub(in crate::evaluate) fn none_beside(
    evidence: &Reader<'_>,
    alarms: &View<MetricAlarm>,
    signal: &Signal<'_>,
    site: &CallSite,
) -> Cause {
    let transformation = signal.transformation();
    let metric = format!(
        "{}/{}",
        transformation.metric_namespace, transformation.metric_name
    );
    Cause::new(&NONE, none(evidence, alarms, signal, site, &metric))
}

fn none(
    evidence: &Reader<'_>,
    alarms: &View<MetricAlarm>,
    signal: &Signal<'_>,
    site: &CallSite,
    metric: &str,
) -> String {
    let transformation = signal.transformation();
    let elsewhere = alarms
        .items
        .iter()
        .find(|alarm| alarm.metric_name.as_deref() == Some(&*transformation.metric_name));
    // Names that look alike are not alike: blanks around them, or another case.
    let alike = |one: Option<&str>, other: &str| {
        one.is_some_and(|one| one.trim().eq_ignore_ascii_case(other.trim()))
    };
    let nearly = alarms.items.iter().find(|alarm| {
        alike(alarm.metric_name.as_deref(), &transformation.metric_name)
            && alike(alarm.namespace.as_deref(), &transformation.metric_namespace)
    });
    let hint = match (nearly, elsewhere) {
        (Some(alarm), _) => format!(
            "; alarm `{}` watches `{}/{}`, whose name differs by blanks or case alone",
            alarm.alarm_name,
            alarm.namespace.as_deref().unwrap_or_default(),
            alarm.metric_name.as_deref().unwrap_or_default()
        ),
        (None, Some(alarm)) => format!(
            "; alarm `{}` watches a metric of that name in namespace `{}`",
            alarm.alarm_name,
            alarm.namespace.as_deref().unwrap_or_default()
        ),
        (None, None) => match in_another_region(evidence, site, signal) {
            Some((region, alarm)) => format!(
                "; alarm `{}` in {region} watches a metric of that name there, and an alarm sees \
                 the metrics of its own region only",
                alarm.alarm_name
            ),
            None => String::new(),
        },
    };
    format!(
        "no alarm in account {} and {} watches metric `{metric}`{hint}; alarms that reach it over CloudWatch-CrossAccountSharingRole leave no trace there and were not looked for",
        site.account, site.region
    )
}

/// An alarm of the account in another region that names the metric, among those that were seen:
/// nobody asks for the alarms of all regions to find it.
fn in_another_region(
    evidence: &Reader<'_>,
    site: &CallSite,
    signal: &Signal<'_>,
) -> Option<(Region, Arc<MetricAlarm>)> {
    let regions = site.region.partition().default_regions().iter();
    let others = regions.map(|name| Region::new(name));
    others
        .filter(|region| *region != site.region)
        .find_map(|region| {
            let there = CallSite {
                account: site.account,
                region,
            };
            let alarms = evidence.metric_alarms(&there).items;
            let found = alarms
                .into_iter()
                .find(|alarm| firing::reads(alarm, signal))?;
            Some((there.region, found))
        })
}

fn one(
    alarm: &Arc<MetricAlarm>,
    site: &CallSite,
    firing: Firing,
    metric: &str,
    limits: Limits,
) -> Watching {
    let name = &alarm.alarm_name;
    let step = Step::new(LinkName::Alarm)
        .on(
            alarm.alarm_arn.as_deref().unwrap_or(name),
            Some(site.account),
            Some(site.region.clone()),
        )
        .detail(format!("alarm `{name}` watches `{metric}`"));
    let can_fire = matches!(firing, Firing::Fires(_) | Firing::Undecided { .. });
    let prompt = match &firing {
        Firing::Fires(fires) => Prompt::of(fires),
        _ => None,
    };
    let (step, restrictions) = match firing {
        Firing::Fires(fires) => {
            let verb = if fires.events() == 1 { "moves" } else { "move" };
            let mut step = step.detail(format!(
                "{} {verb} alarm `{name}` into ALARM",
                fires.rhythm()
            ));
            if let Some(verdict) = too_slow(&fires, limits, name) {
                step.effective = verdict;
            }
            let restrictions = fires.restrictions.clone();
            (observed(step, name, fires, limits), restrictions)
        }
        Firing::Cannot { why } => (
            step.effective(Verdict::Broken(Cause::new(
                &CANNOT_FIRE,
                format!("alarm `{name}` cannot fire: it {why}"),
            ))),
            Vec::new(),
        ),
        Firing::Undecided { why } => (
            step.effective(Verdict::Unseen(Cause::new(
                &NOT_DECIDED,
                format!("whether alarm `{name}` can fire was not decided: it {why}"),
            ))),
            Vec::new(),
        ),
        Firing::Unrelated => (
            step.effective(Verdict::Broken(Cause::new(
                &CANNOT_FIRE,
                format!("alarm `{name}` does not watch the metric that the filter writes"),
            ))),
            Vec::new(),
        ),
    };
    Watching {
        alarm: Arc::clone(alarm),
        step,
        restrictions,
        can_fire,
        prompt,
    }
}

/// The step of an alarm that watches the metric by a dimension that no event of the account has.
pub(in crate::evaluate) fn watches_others(
    step: Step,
    alarm: &MetricAlarm,
    account: AccountId,
) -> Step {
    if step.effective != Verdict::Proved {
        return step;
    }
    step.effective(Verdict::Broken(Cause::new(
        &CANNOT_FIRE,
        format!(
            "alarm `{}` does not fire on events of account {account}: the dimensions it watches \
             are those of other events",
            alarm.alarm_name
        ),
    )))
}

#[cfg(test)]
pub(in crate::evaluate) mod tests;
