//! The alarm notifies an SNS topic.

use std::sync::Arc;

use crate::arn::Arn;
use crate::evaluate::alarm_rule::{Drive, drives};
use crate::evaluate::reading::{Unread, locked, request};
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{Call, CompositeAlarm, Evidence, MetricAlarm, Operation, Site, View};
use crate::finding::{LinkName, Status};

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
static DISABLED: Reason = Reason {
    code: "action.disabled",
    status: Status::Fail,
    meaning: "The alarm's actions are disabled.",
    remedy: "Enable the alarm's actions, or create an alarm beside it.",
};
static MUTED: Reason = Reason {
    code: "action.muted",
    status: Status::Fail,
    meaning: "An active mute rule keeps the alarm's actions from running.",
    remedy: "End the alarm mute rule, or wait until it expires.",
};
static SUPPRESSED: Reason = Reason {
    code: "action.suppressed",
    status: Status::Fail,
    meaning: "The composite alarm's actions are suppressed by another alarm.",
    remedy: "Look at the suppressing alarm.",
};
static MAYBE_MUTED: Reason = Reason {
    code: "action.mute-rules-not-observed",
    status: Status::Unknown,
    meaning: "Whether a mute rule keeps the alarm's actions from running could not be seen.",
    remedy: "Let the audit role in the alarm's account call cloudwatch:ListAlarmMuteRules, then scan again.",
};
static COMPOSITES: Reason = Reason {
    code: "action.composite-alarms-not-observed",
    status: Status::Unknown,
    meaning: "The alarm itself notifies nobody, and whether a composite alarm over it does could not be seen.",
    remedy: "Let the audit role in the alarm's account call cloudwatch:DescribeAlarms on every alarm, composite alarms included, then scan again.",
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
    &DISABLED,
    &MUTED,
    &SUPPRESSED,
    &MAYBE_MUTED,
    &COMPOSITES,
    &NOT_DECIDED,
];

/// A way from an alarm to a topic; no topic where the way ends here.
pub(in crate::evaluate) struct Way {
    pub(in crate::evaluate) step: Step,
    pub(in crate::evaluate) topic: Option<String>,
    /// The ARN of the alarm that notifies, as far as it is known.
    pub(in crate::evaluate) notifier: String,
}

/// Alarms of one account and region, as far as they were seen.
pub(in crate::evaluate) struct Neighbourhood<'a> {
    pub(in crate::evaluate) evidence: &'a Evidence,
    pub(in crate::evaluate) site: &'a Site,
    pub(in crate::evaluate) metric: &'a View<MetricAlarm>,
    pub(in crate::evaluate) composite: &'a View<CompositeAlarm>,
    pub(in crate::evaluate) rules: &'a [CompositeAlarm],
}

/// One alarm that may notify.
struct Notifier<'a> {
    name: &'a str,
    arn: Option<&'a str>,
    kind: &'static str,
    actions: &'a [String],
    enabled: Option<bool>,
}

/// Every way from an alarm to a topic: its own actions, and those of composite alarms over it.
pub(in crate::evaluate) fn judge(around: &Neighbourhood<'_>, alarm: &Arc<MetricAlarm>) -> Vec<Way> {
    let own = Notifier {
        name: &alarm.alarm_name,
        arn: alarm.alarm_arn.as_deref(),
        kind: "alarm",
        actions: &alarm.alarm_actions,
        enabled: alarm.actions_enabled,
    };
    let mut ways = ways(around, &own, None);
    for composite in &around.composite.items {
        let driven = match drives(alarm, composite, around.rules) {
            Drive::No => continue,
            Drive::Yes => None,
            Drive::Undecided(why) => {
                if !composite.alarm_rule.contains(alarm.alarm_name.as_str()) && !nested(around) {
                    continue;
                }
                Some(Cause::new(
                    &NOT_DECIDED,
                    format!(
                        "whether alarm `{}` alone drives composite alarm `{}` was not decided: {why}",
                        alarm.alarm_name, composite.alarm_name
                    ),
                ))
            }
        };
        let over = Notifier {
            name: &composite.alarm_name,
            arn: composite.alarm_arn.as_deref(),
            kind: "composite alarm",
            actions: &composite.alarm_actions,
            enabled: composite.actions_enabled,
        };
        let suppressed = suppression(around, alarm, composite);
        for mut way in self::ways(around, &over, suppressed.as_ref()) {
            if way.topic.is_none() {
                continue;
            }
            if let Some(cause) = &driven {
                way.step.cis = worse(way.step.cis, Verdict::Unseen(cause.clone()));
                way.step.effective = worse(way.step.effective, Verdict::Unseen(cause.clone()));
            }
            ways.push(way);
        }
    }
    if !around.composite.complete {
        ways.push(unseen_composites(around, alarm));
    }
    ways
}

/// Whether composite alarms are built on composite alarms, so that a rule need not name the alarm.
fn nested(around: &Neighbourhood<'_>) -> bool {
    around.rules.iter().any(|one| {
        around
            .rules
            .iter()
            .any(|other| one.alarm_rule.contains(other.alarm_name.as_str()))
    })
}

fn worse(one: Verdict, other: Verdict) -> Verdict {
    if other.standing() < one.standing() {
        other
    } else {
        one
    }
}

fn unseen_composites(around: &Neighbourhood<'_>, alarm: &MetricAlarm) -> Way {
    let site = around.site;
    let unread = match &around.composite.failure {
        Some(error) => Unread::failed(
            Operation::DescribeAlarms,
            site,
            error,
            around.composite.observed_at,
        ),
        None => locked(around.evidence, site.account).unwrap_or_else(|| Unread {
            why: format!(
                "composite alarms of account {} in {} were never asked for",
                site.account, site.region
            ),
            ..Unread::never_asked(request(site, Call::DescribeAlarms))
        }),
    };
    let arn = alarm.alarm_arn.clone();
    let step = Step::new(LinkName::Action)
        .on(
            arn.as_deref().unwrap_or(&alarm.alarm_name),
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
    Way {
        step,
        topic: None,
        notifier: arn.unwrap_or_default(),
    }
}

fn ways(
    around: &Neighbourhood<'_>,
    notifier: &Notifier<'_>,
    suppressed: Option<&Verdict>,
) -> Vec<Way> {
    let site = around.site;
    let name = notifier.name;
    let kind = notifier.kind;
    let base = || {
        Step::new(LinkName::Action)
            .on(
                notifier.arn.unwrap_or(name),
                Some(site.account),
                Some(site.region.clone()),
            )
            .seen(around.metric.observed_at)
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
    let topics: Vec<&String> = notifier
        .actions
        .iter()
        .filter(|action| {
            action
                .parse::<Arn>()
                .is_ok_and(|arn| arn.service() == "sns")
        })
        .collect();
    if topics.is_empty() {
        let cause = if notifier.actions.is_empty() {
            Cause::new(&NONE, format!("{kind} `{name}` has no action for ALARM"))
        } else {
            Cause::new(
                &NOT_SNS,
                format!("{kind} `{name}` has actions for ALARM, but none is an SNS topic"),
            )
        };
        return vec![Way {
            step: base().because(cause),
            topic: None,
            notifier: arn,
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
                muted(around, step, notifier)
            };
            Way {
                step,
                topic: Some(topic.clone()),
                notifier: arn.clone(),
            }
        })
        .collect()
}

/// Whether a composite alarm's suppressor is at work, or will be as soon as the alarm fires.
fn suppression(
    around: &Neighbourhood<'_>,
    alarm: &MetricAlarm,
    composite: &CompositeAlarm,
) -> Option<Verdict> {
    let broken = |why: String| {
        Some(Verdict::Broken(Cause::new(
            &SUPPRESSED,
            format!(
                "the actions of composite alarm `{}` are suppressed {why}",
                composite.alarm_name
            ),
        )))
    };
    if let Some(by) = &composite.actions_suppressed_by {
        return broken(format!("by `{by}`"));
    }
    let suppressor = composite.actions_suppressor.as_deref()?;
    let is_it = |name: &str, arn: Option<&str>| {
        name == suppressor
            || arn == Some(suppressor)
            || suppressor.ends_with(&format!(":alarm:{name}"))
    };
    let metric = around
        .metric
        .items
        .iter()
        .find(|other| is_it(&other.alarm_name, other.alarm_arn.as_deref()));
    let over = around
        .composite
        .items
        .iter()
        .find(|other| is_it(&other.alarm_name, other.alarm_arn.as_deref()));
    let itself = match (metric, over) {
        (Some(metric), _) => metric.alarm_name == alarm.alarm_name,
        (None, Some(over)) => drives(alarm, over, around.rules) == Drive::Yes,
        (None, None) => false,
    };
    if itself {
        return broken(format!(
            "while `{suppressor}` is in ALARM, and it is whenever alarm `{}` fires",
            alarm.alarm_name
        ));
    }
    let state = metric
        .map(|metric| metric.state_value.as_deref())
        .or_else(|| over.map(|over| over.state_value.as_deref()));
    match state {
        Some(Some("ALARM")) => broken(format!("while `{suppressor}` is in ALARM, as it is now")),
        _ => None,
    }
}

fn muted(around: &Neighbourhood<'_>, mut step: Step, notifier: &Notifier<'_>) -> Step {
    let Neighbourhood { evidence, site, .. } = around;
    let name = notifier.name;
    let rules = evidence.active_mute_rules(site, name);
    let called =
        |rule: &Option<String>| rule.clone().unwrap_or_else(|| "without a name".to_owned());
    if let Some(rule) = rules.items.iter().find(|rule| rule.1) {
        return step
            .seen(rules.observed_at)
            .effective(Verdict::Broken(Cause::new(
                &MUTED,
                format!(
                    "the actions of {} `{name}` are muted by the active rule {}",
                    notifier.kind,
                    called(&rule.0.alarm_mute_rule_arn)
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
                "rule {} is active, and its targets are not known",
                called(&rule.0.alarm_mute_rule_arn)
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
                "action.no-mute-rules-there",
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::evaluate::fixture::{Case, MANAGEMENT, table};
    use crate::finding::Status::{Fail, Pass};

    #[test]
    fn one_thing_is_not_as_it_should_be() {
        table(&[
            Case(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/AlarmActions",
                json!([]),
                Fail,
                Fail,
                Some("action.none"),
            ),
            Case(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/AlarmActions",
                json!(["arn:aws:lambda:eu-west-1:111111111111:function:f"]),
                Fail,
                Fail,
                Some("action.not-sns"),
            ),
            Case(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/ActionsEnabled",
                json!(false),
                Pass,
                Fail,
                Some("action.disabled"),
            ),
        ]);
    }
}
