//! Events of CloudTrail that reach CloudWatch Logs without a trail, because a telemetry rule of the
//! organization or of the account has them delivered (CloudWatch Observability Admin). No list of
//! trails shows it.

use crate::account::AccountId;
use crate::evaluate::other_shapes::{Asked, Failing, Look, in_scope};
use crate::evaluate::reading::{locked, request};
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{Call, CallSite, Operation, Reader, Request, TelemetryRuleSummary};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;

pub(super) static RULE: Reason = Reason {
    code: "trail.telemetry-rule",
    status: Status::Unknown,
    meaning: "A telemetry rule has events of CloudTrail delivered to CloudWatch Logs without a trail, and whether filters and alarms there tell somebody is not decided.",
    remedy: "Create the chain of the benchmark on a trail, or look at the filters and alarms on the log group that the telemetry rule names.",
};
pub(super) static NOT_OBSERVED: Reason = Reason {
    code: "trail.telemetry-rules-not-observed",
    status: Status::Unknown,
    meaning: "A metric filter for the control's events is on a log group to which no trail writes, and whether a telemetry rule does could not be seen.",
    remedy: "Let the caller call observabilityadmin:ListTelemetryRulesForOrganization, and the audit role observabilityadmin:ListTelemetryRules, then scan again.",
};
pub(super) static UNSEEN: ObservationKind = ObservationKind {
    code: "trail.telemetry-rules-unseen",
    meaning: "Whether a telemetry rule has events of CloudTrail delivered to CloudWatch Logs without a trail was not seen; nothing looks as if one did.",
};

const OF_ORGANIZATION: Operation = Operation::ListTelemetryRulesForOrganization;
const OF_ACCOUNT: Operation = Operation::ListTelemetryRules;

/// Looks for telemetry rules for the account's events.
pub(in crate::evaluate) fn look(failing: Failing<'_, '_>) -> Look {
    let Failing {
        evidence, account, ..
    } = failing;
    let mut look = Look::default();
    let mut organization = Asked::default();
    for list in evidence.organization_telemetry_rules() {
        let rules = organization.take(
            OF_ORGANIZATION.as_str(),
            list.site,
            list.unfiltered,
            list.answer,
        );
        for rule in rules.iter().filter(|rule| rule.may_deliver_events()) {
            if look.step.is_some() {
                continue;
            }
            match is_for(evidence, list.site, rule, account) {
                Ok(Some(false)) => {}
                Ok(_) => look.step = Some(step(account, "the organization's", rule)),
                Err(wanted) => {
                    look.step = Some(step(account, "the organization's", rule));
                    look.wants.extend(wanted);
                }
            }
        }
    }
    let mut own = Asked::default();
    for list in evidence.telemetry_rules(account) {
        let rules = own.take(OF_ACCOUNT.as_str(), list.site, list.unfiltered, list.answer);
        let mut rules = rules.iter().filter(|rule| rule.may_deliver_events());
        if let Some(rule) = rules.next().filter(|_| look.step.is_none()) {
            look.step = Some(step(account, "the account's", rule));
        }
    }
    if look.step.is_some() {
        return look;
    }
    let home = evidence.partition(account).home_region();
    let mut unknown = Vec::new();
    let mut want = |account, call| {
        let site = CallSite {
            account,
            region: home.clone(),
        };
        let wanted = request(&site, call);
        if !evidence.has(&wanted) && locked(evidence, account).is_none() {
            look.wants.push(wanted);
        }
    };
    // A rule that carries the control has to be in the region where global events are recorded, be
    // it created or replicated there.
    if !organization.whole
        && let Some(reader) = evidence.organization_reader()
    {
        want(reader.account, Call::ListTelemetryRulesForOrganization);
        unknown.push(organization.why(OF_ORGANIZATION.as_str()));
    }
    if !own.whole {
        want(account, Call::ListTelemetryRules);
        unknown.push(own.why(OF_ACCOUNT.as_str()));
    }
    if unknown.is_empty() {
        return look;
    }
    let why = unknown.join("; ");
    let management = evidence.management_account();
    // Where a trail records the events, a filter on a log group that it does not write to is left
    // over, as far as anybody knows.
    let without_trail = failing.link == LinkName::Trail;
    let sign = failing.signs.filter(|_| without_trail).and_then(|signs| {
        signs.unfed(evidence, |seen| {
            seen.site.account == account || Some(seen.site.account) == management
        })
    });
    if let Some(seen) = sign {
        let cause = Cause::new(
            &NOT_OBSERVED,
            format!(
                "metric filter `{}` for the control's events is on log group `{}` in account {} in {}, to which no trail writes; whether a telemetry rule does is not known: {why}",
                seen.filter.filter_name, seen.log_group, seen.site.account, seen.site.region
            ),
        );
        look.step = Some(Step::new(LinkName::Trail).effective(Verdict::because(cause)));
    } else {
        look.unseen = Some(UNSEEN.observation(format!(
            "whether a telemetry rule has events of account {account} delivered without a trail is not known: {why}"
        )));
    }
    look
}

/// Whether a rule of the organization is for an account; `None` where that is not decided. Or else
/// the call that would show it, where that may still be made.
fn is_for(
    evidence: &Reader<'_>,
    listed_by: &CallSite,
    rule: &TelemetryRuleSummary,
    account: AccountId,
) -> Result<Option<bool>, Option<Request>> {
    let names = [&rule.rule_arn, &rule.rule_name];
    let mut identifiers = names.into_iter().flatten();
    let answer = identifiers
        .clone()
        .find_map(|name| evidence.organization_telemetry_rule(listed_by, name));
    if let Some(answer) = answer {
        let details = answer.outcome.as_ref().map_err(|_| None)?;
        let scope = details.telemetry_rule.scope.as_deref();
        return Ok(in_scope(evidence, scope, account));
    }
    let identifier = identifiers.next().ok_or(None)?;
    let call = Call::GetTelemetryRuleForOrganization {
        rule_identifier: identifier.clone(),
    };
    let may_ask = locked(evidence, listed_by.account).is_none();
    Err(may_ask.then(|| request(listed_by, call)))
}

fn step(account: AccountId, whose: &str, rule: &TelemetryRuleSummary) -> Step {
    let name = rule.rule_name.as_deref().or(rule.rule_arn.as_deref());
    let name = name.unwrap_or_default();
    let step = Step::new(LinkName::Trail).effective(Verdict::because(Cause::new(
        &RULE,
        format!(
            "{whose} telemetry rule `{name}` may have events of account {account} delivered to CloudWatch Logs without a trail; whether a filter and an alarm there tell somebody of the control's events was not decided"
        ),
    )));
    match &rule.rule_arn {
        Some(arn) => step.on(arn.as_str(), None, None),
        None => step,
    }
}
