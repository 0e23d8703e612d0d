//! Alarms of monitoring accounts on the metric of another account. The benchmark's audit knows
//! nothing of them: it looks for an alarm beside the filter.

use super::{Limits, Watching, judge};
use crate::evaluate::firing::Signal;
use crate::evaluate::monitoring_accounts::{Doubt, Monitor, Monitors, Sharing};
use crate::evaluate::verdict::{Cause, Reason, Standing, Step, Verdict, Yardstick, decisive};
use crate::evidence::{MetricAlarm, Reader, View};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;

pub(super) static NOT_SHARED: Reason = Reason {
    code: "alarm.metric-not-shared",
    status: Status::Fail,
    meaning: "An alarm of a monitoring account watches the metric, and the link to that account does not share it.",
    remedy: "Let the link share metrics of the namespace, or create an alarm in the log group's account.",
};
pub(super) static SHARING_NOT_OBSERVED: Reason = Reason {
    code: "alarm.sharing-not-observed",
    status: Status::Unknown,
    meaning: "An alarm of another account watches the metric, and whether the metric is shared with that account could not be seen.",
    remedy: "Let the audit role in the log group's account call oam:ListLinks and oam:GetLink, then scan again.",
};
pub(super) static NOT_OBSERVED: Reason = Reason {
    code: "alarm.monitoring-account-not-observed",
    status: Status::Unknown,
    meaning: "The account shares its metrics with a monitoring account, or may, and whether an alarm there watches the metric could not be seen.",
    remedy: "Let the audit role in the monitoring account call cloudwatch:DescribeAlarms and oam:ListAttachedLinks, then scan again.",
};

pub(super) static ELSEWHERE: ObservationKind = ObservationKind {
    code: "alarm.of-monitoring-account",
    meaning: "The alarm on the metric is in a monitoring account, with which the metric is shared.",
};
pub(super) static NO_LINKS: ObservationKind = ObservationKind {
    code: "alarm.links-not-observed",
    meaning: "Whether the account shares its metrics with a monitoring account could not be seen: the verdict is about the account's own alarms.",
};

/// Every alarm of a monitoring account that names the metric, and a step for those that nobody saw.
/// `none` is what the benchmark says of the account's own alarms.
pub(in crate::evaluate) fn watched_by(
    evidence: &Reader<'_>,
    monitors: &Monitors,
    monitor: &Monitor,
    alarms: &View<MetricAlarm>,
    signal: &Signal<'_>,
    limits: Limits,
    none: &Cause,
) -> (Vec<Watching>, Option<Step>) {
    let site = &monitor.site;
    let (mut watching, unseen) = judge(evidence, site, alarms, signal, limits);
    let namespace = &signal.transformation().metric_namespace;
    for one in &mut watching {
        let mut step = one.step.clone().cis(Verdict::because(none.clone()));
        if step.effective.standing() == Standing::Broken {
            one.step = step;
            continue;
        }
        let name = &one.alarm.alarm_name;
        let (verdict, wants) = match monitors.sharing(evidence, monitor, namespace) {
            Sharing::Shared => (Verdict::Proved, Vec::new()),
            Sharing::Not(why) => {
                let message = format!(
                    "alarm `{name}` of monitoring account {} watches the metric, which is not shared with it: {why}",
                    site.account
                );
                (
                    Verdict::because(Cause::new(&NOT_SHARED, message)),
                    Vec::new(),
                )
            }
            Sharing::Unknown(unread) => {
                let message = format!(
                    "alarm `{name}` of account {} watches the metric, and whether it is shared with that account is not known: {}",
                    site.account, unread.why
                );
                let cause = Cause::new(&SHARING_NOT_OBSERVED, message);
                (Verdict::because(cause), unread.wants)
            }
        };
        step.effective = verdict.or_worse(step.effective);
        one.step = step.wanting(wants).observe(
            &ELSEWHERE,
            format!("alarm `{name}` is in monitoring account {}", site.account),
        );
    }
    let unseen = unseen.filter(|_| !alarms.complete && monitor.is_told);
    let unseen = unseen.map(|step| {
        let why = step.effective.cause().map(|cause| &*cause.message);
        let message = format!(
            "monitoring account {}: {}",
            site.account,
            why.unwrap_or_default()
        );
        step.effective(Verdict::because(Cause::new(&NOT_OBSERVED, message)))
            .cis(Verdict::because(none.clone()))
    });
    (watching, unseen)
}

/// The step of alarms that may be in an account nobody knows.
pub(in crate::evaluate) fn doubted(
    monitors: &Monitors,
    doubt: &Doubt,
    signal: &Signal<'_>,
    none: &Cause,
) -> Step {
    let transformation = signal.transformation();
    let metric = format!(
        "{}/{}",
        transformation.metric_namespace, transformation.metric_name
    );
    let site = &monitors.source;
    Step::new(LinkName::Alarm)
        .on(metric, Some(site.account), Some(site.region.clone()))
        .cis(Verdict::because(none.clone()))
        .effective(Verdict::because(Cause::new(&NOT_OBSERVED, &*doubt.why)))
        .wanting(doubt.wants.iter().cloned())
}

/// A chain that fails, where nobody could see whether another account watches the metric: it is
/// the first look-up of its kind, so that the verdict stays and says so.
pub(in crate::evaluate) fn unlisted(
    monitors: &Monitors,
    mut chain: Vec<std::sync::Arc<Step>>,
) -> Vec<std::sync::Arc<Step>> {
    let Some(unread) = &monitors.unlisted else {
        return chain;
    };
    let first = decisive(&chain, Yardstick::Effective).map(|step| step.link);
    for step in &mut chain {
        if step.effective.standing() != Standing::Broken {
            continue;
        }
        let mut changed = Step::clone(step).wanting(unread.wants.iter().cloned());
        if Some(step.link) == first {
            changed = changed.observe(
                &NO_LINKS,
                format!(
                    "whether account {} shares its metrics with a monitoring account is not known: {}",
                    monitors.source.account, unread.why
                ),
            );
        }
        *step = std::sync::Arc::new(changed);
    }
    chain
}
