//! Rules of EventBridge that may tell somebody: of alarms that change their state, or of the
//! control's events themselves, which CloudTrail hands to EventBridge, too.

use serde_json::{Map, Value, json};

use crate::control::Control;
use crate::evaluate::event_pattern::{Known, may_match};
use crate::evaluate::links::log_group::Place;
use crate::evaluate::other_shapes::{Asked, Failing, Look};
use crate::evaluate::reading::{locked, request};
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{Call, CallSite, EventRule, Operation};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;

pub(super) static RULE: Reason = Reason {
    code: "action.event-rule",
    status: Status::Unknown,
    meaning: "A rule of EventBridge is for changes of alarms or for the control's events, and whether its targets tell a person is not known.",
    remedy: "Complete the chain of the benchmark, or look at the targets of the rule.",
};
pub(super) static NOT_OBSERVED: Reason = Reason {
    code: "action.event-rules-not-observed",
    status: Status::Unknown,
    meaning: "Rules of EventBridge elsewhere are for changes of alarms or for the control's events, and those of the log group's account and region could not be seen.",
    remedy: "Let the audit role in the log group's account call events:ListRules, then scan again.",
};
pub(super) static UNSEEN: ObservationKind = ObservationKind {
    code: "action.event-rules-unseen",
    meaning: "Whether a rule of EventBridge tells somebody of alarms or of the control's events was not seen; no such rule is known elsewhere.",
};

/// Looks for rules on the default bus of the log group's account and region.
pub(in crate::evaluate) fn look(failing: Failing<'_, '_>, place: &Place) -> Look {
    let evidence = failing.evidence;
    let control = failing.required.control;
    let site = &place.site;
    let operation = Operation::ListRules.as_str();
    let mut look = Look::default();
    let mut asked = Asked::default();
    if let Some(answer) = evidence.event_rules(site) {
        let rules = asked.take(operation, site, true, answer);
        if let Some((rule, what)) = first(rules, control) {
            let cause = Cause::new(
                &RULE,
                format!(
                    "EventBridge rule `{}` in account {} in {} may be for {what}; whether its targets tell a person was not looked for",
                    rule.name, site.account, site.region
                ),
            );
            let resource = rule.arn.as_deref().unwrap_or(&rule.name);
            look.step = Some(step(resource, site, cause).seen(Some(answer.observed_at)));
            return look;
        }
    }
    if asked.whole {
        return look;
    }
    let wanted = request(site, Call::ListRules);
    if !evidence.has(&wanted) && locked(evidence, site.account).is_none() {
        look.wants.push(wanted);
    }
    let why = asked.why(operation);
    let elsewhere = failing.signs.and_then(|_| {
        evidence.all_event_rules().find_map(|(there, answer)| {
            let listing = answer.outcome.as_ref().ok()?;
            let (rule, what) = first(&listing.items, control)?;
            evidence.uses_event_rules(answer);
            Some((there, rule, what))
        })
    });
    if let Some((there, rule, what)) = elsewhere {
        let cause = Cause::new(
            &NOT_OBSERVED,
            format!(
                "EventBridge rule `{}` in account {} in {} may be for {what}; whether account {} has one in {} is not known: {why}",
                rule.name, there.account, there.region, site.account, site.region
            ),
        );
        look.step = Some(step(place.arn.as_ref(), site, cause));
    } else {
        look.unseen = Some(UNSEEN.observation(format!(
            "whether a rule of EventBridge in account {} in {} tells somebody is not known: {why}",
            site.account, site.region
        )));
    }
    look
}

fn step(resource: &str, site: &CallSite, cause: Cause) -> Step {
    Step::new(LinkName::Action)
        .on(resource, Some(site.account), Some(site.region.clone()))
        .effective(Verdict::because(cause))
}

/// The first rule that may tell somebody, and what it may be for.
fn first<'r>(rules: &'r [EventRule], control: &Control) -> Option<(&'r EventRule, &'static str)> {
    let enabled = |rule: &&EventRule| rule.state.as_deref() != Some("DISABLED");
    let alarm = alarm();
    let event = event(control);
    rules.iter().filter(enabled).find_map(|rule| {
        let pattern = rule.event_pattern.as_deref()?;
        if may_match(pattern, Known::Members(&alarm)) {
            return Some((rule, "alarms that change their state"));
        }
        may_match(pattern, Known::Members(&event)).then_some((rule, "the control's events"))
    })
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// What is known of the event of an alarm that goes into ALARM (Amazon CloudWatch User Guide,
/// "Alarm events and EventBridge").
fn alarm() -> Map<String, Value> {
    members(json!({
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "detail": {"state": {"value": "ALARM"}},
    }))
}

/// What is known of an event of the control when it comes to EventBridge (Amazon EventBridge User
/// Guide, "AWS service events delivered via AWS CloudTrail").
fn event(control: &Control) -> Map<String, Value> {
    /// Members that a rule for the control tells its events by; those of whoever acts differ.
    const TELLING: [&str; 6] = [
        "eventName",
        "eventSource",
        "eventType",
        "errorCode",
        "errorMessage",
        "responseElements",
    ];
    let example = &control.example;
    let text = |name: &str| example.get(name).and_then(Value::as_str);
    let mut event = Map::new();
    let kind = match text("eventType") {
        Some("AwsConsoleSignIn") => "AWS Console Sign In via CloudTrail",
        Some("AwsServiceEvent") => "AWS Service Event via CloudTrail",
        Some("AwsConsoleAction") => "AWS Console Action via CloudTrail",
        _ => "AWS API Call via CloudTrail",
    };
    event.insert("detail-type".to_owned(), kind.into());
    let service = text("eventSource").and_then(|source| source.strip_suffix(".amazonaws.com"));
    if let Some(service) = service {
        event.insert("source".to_owned(), format!("aws.{service}").into());
    }
    let detail: Map<String, Value> = TELLING
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), example.get(*name)?.clone())))
        .filter(|(name, value)| name != "responseElements" || value.is_object())
        .collect();
    event.insert("detail".to_owned(), detail.into());
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control;

    #[test]
    fn events_come_to_eventbridge_in_these_envelopes() {
        let mut control = control::builtin().first().unwrap().clone();
        for (kind, envelope) in [
            ("AwsApiCall", "AWS API Call via CloudTrail"),
            ("AwsConsoleSignIn", "AWS Console Sign In via CloudTrail"),
            ("AwsServiceEvent", "AWS Service Event via CloudTrail"),
            ("AwsConsoleAction", "AWS Console Action via CloudTrail"),
        ] {
            for response in [json!(null), json!({"ConsoleLogin": "Failure"})] {
                control.example = json!({
                    "eventType": kind, "eventSource": "signin.amazonaws.com",
                    "eventName": "ConsoleLogin", "sourceIPAddress": "203.0.113.7",
                    "responseElements": response,
                });
                let mut detail = json!({
                    "eventType": kind, "eventSource": "signin.amazonaws.com",
                    "eventName": "ConsoleLogin",
                });
                // Null is not a member that a rule could tell the event by.
                if response.is_object() {
                    detail["responseElements"] = response;
                }
                let expected = json!({
                    "detail-type": envelope, "source": "aws.signin", "detail": detail,
                });
                assert_eq!(Value::Object(event(&control)), expected);
            }
        }
    }
}
