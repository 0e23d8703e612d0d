//! Whether an alarm can be relied on: that CloudWatch evaluates it, that it is not in ALARM for
//! good, and that it fires in time.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{
    NOT_DECIDED, NOT_EVALUATED, STATE_NOT_KNOWN, STUCK, TOO_SLOW, WARM_UP_NOT_OBSERVED, WARMING_UP,
};
use crate::control::Control;
use crate::evaluate::alarm_message::AlarmMessage;
use crate::evaluate::firing::{self, Fires};
use crate::evaluate::verdict::{Cause, Standing, Step, Verdict};
use crate::evidence::{CompositeAlarm, MetricAlarm};
use crate::observation::ObservationKind;
use crate::policy::Policy;

pub(super) static NEEDS_SEVERAL: ObservationKind = ObservationKind {
    code: "alarm.needs-several-events",
    meaning: "The alarm goes into ALARM only after several matching events, not after the first.",
};
pub(super) static WALL_CLOCK: ObservationKind = ObservationKind {
    code: "alarm.wall-clock-window",
    meaning: "The alarm evaluates periods that begin and end by the clock, each when it has ended.",
};
pub(super) static FIRES_LATE: ObservationKind = ObservationKind {
    code: "alarm.fires-late",
    meaning: "The alarm goes into ALARM later than `max-window` after the event, because so many periods have to pass.",
};
pub(super) static IN_ALARM: ObservationKind = ObservationKind {
    code: "alarm.in-alarm",
    meaning: "The alarm was in ALARM when it was observed: until it is back, further events notify nobody.",
};

/// How slow an alarm may be, and how long it may have been in ALARM.
#[derive(Debug, Clone, Copy)]
pub(in crate::evaluate) struct Limits {
    /// The greatest number of events.
    events: u64,
    /// The longest time over which they may have to keep coming.
    window: SignedDuration,
    /// The longest time in ALARM.
    age: SignedDuration,
}

impl Limits {
    pub(in crate::evaluate) fn of(policy: &Policy, control: &Control) -> Self {
        Self {
            events: u64::from(control.max_events.get()),
            window: policy.max_window,
            age: policy.max_alarm_age,
        }
    }
}

/// The alarm whose action carries the message, in the state in which it was seen.
#[derive(Debug)]
pub(in crate::evaluate) struct Carrier {
    /// `alarm` or `composite alarm`, and its name.
    pub(in crate::evaluate) called: String,
    /// Whether it is the alarm that watches the metric.
    pub(in crate::evaluate) watches: bool,
    pub(in crate::evaluate) state: Option<Arc<str>>,
    pub(in crate::evaluate) since: Since,
    pub(in crate::evaluate) observed_at: Option<Timestamp>,
    pub(in crate::evaluate) message: AlarmMessage,
}

/// When an alarm's state changed last, as far as it is told.
#[derive(Debug, Clone, Copy)]
pub(in crate::evaluate) struct Since {
    pub(in crate::evaluate) transitioned: Option<Timestamp>,
    pub(in crate::evaluate) updated: Option<Timestamp>,
}

impl Since {
    /// The time, and whether the state may be older.
    fn time(self) -> Option<(Timestamp, bool)> {
        let exact = self.transitioned.map(|at| (at, false));
        exact.or_else(|| self.updated.map(|at| (at, true)))
    }

    fn in_words(self) -> String {
        match self.time() {
            Some((at, false)) => format!("since {at}"),
            Some((at, true)) => format!("at least since {at}"),
            None => "since a time that is not told".to_owned(),
        }
    }

    fn is_older(self, than: SignedDuration, at: Option<Timestamp>) -> bool {
        let since = self.time().map(|(since, _)| since);
        let age = since.zip(at).map(|(since, at)| at.duration_since(since));
        age.is_some_and(|age| age > than)
    }
}

/// Whether CloudWatch evaluates an alarm at all.
pub(super) fn reliable(alarm: &MetricAlarm, at: Option<Timestamp>) -> Verdict {
    let name = &alarm.alarm_name;
    let because = |reason, message| Verdict::because(Cause::new(reason, message));
    let warming = warming_up(alarm, at);
    if warming.standing() == Standing::Broken {
        return warming;
    }
    match alarm.evaluation_state.as_deref() {
        None | Some("IN_WARM_UP") => {}
        Some(state) => {
            let why = alarm
                .state_reason
                .as_deref()
                .map_or_else(String::new, |why| {
                    format!(", and gives as the reason of the alarm's state: {why}")
                });
            return because(
                &NOT_EVALUATED,
                format!("CloudWatch reports {state} for the evaluation of alarm `{name}`{why}"),
            );
        }
    }
    if let Some(unknown) = unknown_state(&format!("alarm `{name}`"), alarm.state_value.as_deref()) {
        return unknown;
    }
    warming
}

fn unknown_state(called: &str, state: Option<&str>) -> Option<Verdict> {
    let message = match state {
        Some("OK" | "ALARM" | "INSUFFICIENT_DATA") => return None,
        Some(state) => {
            format!("{called} is in the state `{state}`, which trailproof does not know")
        }
        None => format!("the evidence does not tell the state of {called}"),
    };
    Some(Verdict::because(Cause::new(&STATE_NOT_KNOWN, message)))
}

/// An alarm that warms up stays in `INSUFFICIENT_DATA` and runs no actions: until the end, or
/// until its window is full of data (CloudWatch API Reference, `WarmUpConfiguration`).
fn warming_up(alarm: &MetricAlarm, at: Option<Timestamp>) -> Verdict {
    let name = &alarm.alarm_name;
    let now = alarm.evaluation_state.as_deref() == Some("IN_WARM_UP");
    let configured = alarm.warm_up_configuration;
    let minutes = configured.and_then(|warm_up| warm_up.warm_up_period_duration_in_minutes);
    let duration = minutes.map(|minutes| SignedDuration::from_mins(i64::from(minutes)));
    let end = alarm
        .alarm_configuration_updated_timestamp
        .zip(duration)
        .and_then(|(start, duration)| start.checked_add(duration).ok());
    let until = match end {
        Some(end) => format!("until {end}"),
        None => "until a time that the evidence does not tell".to_owned(),
    };
    let broken = || {
        Verdict::because(Cause::new(
            &WARMING_UP,
            format!("alarm `{name}` is warming up {until} and is not evaluated before"),
        ))
    };
    if now {
        return broken();
    }
    let Some(warm_up) = configured else {
        return Verdict::Proved;
    };
    if end.zip(at).is_some_and(|(end, at)| at >= end) {
        return Verdict::Proved;
    }
    let waits = warm_up.only_start_evaluating_after_warm_up_period_ends == Some(true);
    let evaluated = matches!(alarm.state_value.as_deref(), Some("OK" | "ALARM"));
    match (waits, end) {
        (true, Some(_)) => broken(),
        (false, _) if evaluated => Verdict::Proved,
        _ => Verdict::because(Cause::new(
            &WARM_UP_NOT_OBSERVED,
            format!("alarm `{name}` may be warming up {until} and is not evaluated then"),
        )),
    }
}

/// The step of an alarm on the way through the action that carries the message: its own, or that
/// of a composite alarm.
pub(in crate::evaluate) fn carried(
    step: &Arc<Step>,
    alarm: &MetricAlarm,
    carrier: &Carrier,
    limits: Limits,
) -> Arc<Step> {
    let Carrier {
        called,
        watches,
        since,
        observed_at,
        ..
    } = carrier;
    let broken = |cause| {
        let step = step.as_ref().clone();
        let effective = step.effective.clone().or_worse(Verdict::because(cause));
        Arc::new(step.effective(effective))
    };
    let is_old = |since: Since| since.is_older(limits.age, *observed_at);
    if carrier.state.as_deref() == Some("ALARM") {
        let sentence = format!("{called} is in ALARM {}", since.in_words());
        if is_old(*since) {
            return broken(Cause::new(
                &STUCK,
                format!("{sentence}; it notifies when it changes into ALARM, and not again"),
            ));
        }
        let step = step.as_ref().clone();
        return Arc::new(step.observe(
            &IN_ALARM,
            format!("{sentence}: until it is back, further events notify nobody"),
        ));
    }
    if *watches {
        return Arc::clone(step);
    }
    if let Some(Verdict::Unseen(cause)) = unknown_state(called, carrier.state.as_deref()) {
        return broken(cause);
    }
    let own = Since::of(alarm);
    if alarm.state_value.as_deref() == Some("ALARM") && is_old(own) {
        return broken(Cause::new(
            &NOT_DECIDED,
            format!(
                "alarm `{}` is in ALARM {}, and {called} is not: whether it ever goes into ALARM \
                 with it was not decided",
                alarm.alarm_name,
                own.in_words()
            ),
        ));
    }
    Arc::clone(step)
}

impl Since {
    fn of(alarm: &MetricAlarm) -> Self {
        Self {
            transitioned: alarm.state_transitioned_timestamp,
            updated: alarm.state_updated_timestamp,
        }
    }
}

impl Carrier {
    /// An alarm that notifies by itself.
    pub(in crate::evaluate) fn alarm(alarm: &MetricAlarm, at: Option<Timestamp>) -> Self {
        Self {
            called: format!("alarm `{}`", alarm.alarm_name),
            watches: true,
            state: alarm.state_value.clone(),
            since: Since::of(alarm),
            observed_at: at,
            message: AlarmMessage::of_metric_alarm(alarm),
        }
    }

    /// A composite alarm that notifies.
    pub(in crate::evaluate) fn composite(alarm: &CompositeAlarm, at: Option<Timestamp>) -> Self {
        Self {
            called: format!("composite alarm `{}`", alarm.alarm_name),
            watches: false,
            state: alarm.state_value.clone(),
            since: Since {
                transitioned: alarm.state_transitioned_timestamp,
                updated: alarm.state_updated_timestamp,
            },
            observed_at: at,
            message: AlarmMessage::of_composite_alarm(alarm),
        }
    }
}

/// What an alarm comes to that fires too late for a person to act.
pub(super) fn too_slow(fires: &Fires, limits: Limits, name: &str) -> Option<Verdict> {
    let slow = |why: String| {
        let cause = Cause::new(&TOO_SLOW, format!("alarm `{name}` {why}"));
        Some(Verdict::because(cause))
    };
    if fires.events() > limits.events {
        let allowed = match limits.events {
            1 => "one is allowed".to_owned(),
            many => format!("{many} are allowed"),
        };
        return slow(format!(
            "goes into ALARM only after {}, and {allowed} (`max-events` of the control)",
            fires.rhythm()
        ));
    }
    let span = fires.span();
    let spans = SignedDuration::from_secs(i64::try_from(span).unwrap_or(i64::MAX));
    if spans <= limits.window {
        return None;
    }
    let limit = firing::seconds(limits.window.as_secs().unsigned_abs());
    let span = firing::seconds(span);
    slow(if fires.wall_clock {
        format!(
            "counts periods of {span} by the clock, each when it has ended, and {limit} is \
             allowed (`max-window`)"
        )
    } else {
        format!(
            "goes into ALARM only after {}: events have to keep coming for {span}, and {limit} \
             is allowed (`max-window`)",
            fires.rhythm()
        )
    })
}

/// What is worth knowing about how an alarm fires.
pub(super) fn observed(mut step: Step, name: &str, fires: Fires, limits: Limits) -> Step {
    if fires.events() > 1 {
        step = step.observe(
            &NEEDS_SEVERAL,
            format!(
                "the alarm `{name}` goes into ALARM only after {}, not after the first event",
                fires.rhythm()
            ),
        );
    }
    if fires.wall_clock {
        step = step.observe(
            &WALL_CLOCK,
            format!(
                "the alarm `{name}` evaluates periods of {} by the clock, each when it has ended",
                firing::seconds(fires.period)
            ),
        );
    }
    let late = i64::try_from(fires.delay).unwrap_or(i64::MAX);
    if SignedDuration::from_secs(late) > limits.window {
        step = step.observe(
            &FIRES_LATE,
            format!(
                "the alarm `{name}` goes into ALARM {} after the event, because so many periods \
                 have to pass",
                firing::seconds(fires.delay)
            ),
        );
    }
    step.observations
        .extend(fires.observations.into_iter().map(Arc::new));
    step.observations.sort();
    step
}

#[cfg(test)]
mod tests;
