//! Log groups that a rule of the organization copies to another account or region, where filters
//! may be (CloudWatch Observability Admin, centralization rules).

use crate::evaluate::filter_expression;
use crate::evaluate::links::log_group::Place;
use crate::evaluate::other_shapes::{Asked, Failing, Look, in_scope};
use crate::evaluate::reading::{locked, request};
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{
    Call, CallSite, CentralizationRuleDetails, CentralizationRuleSummary, Operation, Reader,
    Request,
};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;

pub(super) static CENTRALIZED: Reason = Reason {
    code: "metric-filter.centralized",
    status: Status::Unknown,
    meaning: "A centralization rule copies the log group to another account or region, and whether the filters and alarms there tell somebody is not decided.",
    remedy: "Create a metric filter with the control's pattern and an alarm on the trail's log group, or look at those on the central log group.",
};
pub(super) static NOT_OBSERVED: Reason = Reason {
    code: "metric-filter.centralization-not-observed",
    status: Status::Unknown,
    meaning: "A log group of the same name elsewhere has a metric filter for the control's events although no trail writes to it, and whether a centralization rule does could not be seen.",
    remedy: "Let the caller call observabilityadmin:ListCentralizationRulesForOrganization, then scan again.",
};
pub(super) static UNSEEN: ObservationKind = ObservationKind {
    code: "metric-filter.central-copies-unseen",
    meaning: "Whether a rule of the organization copies the log group to another account or region, where filters may be, was not seen; nothing looks as if one did.",
};

const LIST: Operation = Operation::ListCentralizationRulesForOrganization;

/// Looks for rules that copy the log group.
pub(in crate::evaluate) fn look(failing: Failing<'_, '_>, place: &Place) -> Look {
    let evidence = failing.evidence;
    let mut asked = Asked::default();
    let mut look = Look::default();
    for list in evidence.centralization_rules() {
        // A list of one region is taken for whole where the log group is: rules are listed where
        // they were created.
        let unfiltered =
            list.unfiltered && (list.all_regions || list.site.region == place.site.region);
        for rule in asked.take(LIST.as_str(), list.site, unfiltered, list.answer) {
            if look.step.is_some() || rule.rule_health.as_deref() == Some("Unhealthy") {
                continue;
            }
            let details = details(evidence, list.site, rule);
            if let Ok(details) = &details
                && copies(evidence, details, place) == Some(false)
            {
                continue;
            }
            look.step = Some(step(place, rule));
            look.wants.extend(details.err().flatten());
        }
    }
    if look.step.is_some() || asked.whole {
        return look;
    }
    let Some(mut site) = evidence.organization_reader() else {
        // Without an organization there are no such rules.
        return look;
    };
    site.region = site.region.partition().home_region();
    let wanted = request(&site, Call::ListCentralizationRulesForOrganization);
    if !evidence.has(&wanted) && locked(evidence, site.account).is_none() {
        look.wants.push(wanted);
    }
    let why = asked.why(LIST.as_str());
    let sign = failing.signs.and_then(|signs| {
        signs.unfed(evidence, |seen| {
            *seen.site != place.site && seen.log_group == place.name
        })
    });
    if let Some(seen) = sign {
        let cause = Cause::new(
            &NOT_OBSERVED,
            format!(
                "metric filter `{}` for the control's events is on log group `{}` in account {} in {}, to which no trail writes; whether a centralization rule copies log group `{}` there is not known: {why}",
                seen.filter.filter_name,
                seen.log_group,
                seen.site.account,
                seen.site.region,
                place.name
            ),
        );
        look.step = Some(at(place).effective(Verdict::because(cause)));
    } else {
        look.unseen = Some(UNSEEN.observation(format!(
            "whether a centralization rule copies log group `{}` to another account or region is not known: {why}",
            place.name
        )));
    }
    look
}

/// All of a rule; or else the call that would show it, where that may still be made.
fn details<'e>(
    evidence: &Reader<'e>,
    listed_by: &CallSite,
    rule: &CentralizationRuleSummary,
) -> Result<&'e CentralizationRuleDetails, Option<Request>> {
    let Some(identifier) = rule.rule_arn.as_ref().or(rule.rule_name.as_ref()) else {
        return Err(None);
    };
    let region = rule.created_region.as_ref().unwrap_or(&listed_by.region);
    let site = CallSite {
        account: listed_by.account,
        region: region.clone(),
    };
    let names = [&rule.rule_arn, &rule.rule_name];
    let mut answers = names
        .into_iter()
        .flatten()
        .filter_map(|name| evidence.centralization_rule(&site, name))
        .peekable();
    let was_asked = answers.peek().is_some();
    let read = answers.find_map(|answer| answer.outcome.as_deref().ok());
    if let Some(details) = read {
        return Ok(details);
    }
    let call = Call::GetCentralizationRuleForOrganization {
        rule_identifier: identifier.clone(),
    };
    let may_ask = !was_asked && locked(evidence, site.account).is_none();
    Err(may_ask.then(|| request(&site, call)))
}

/// Whether a rule copies a log group; `None` where that is not decided.
fn copies(
    evidence: &Reader<'_>,
    details: &CentralizationRuleDetails,
    place: &Place,
) -> Option<bool> {
    let source = &details.centralization_rule.source;
    let regions = source.regions.as_ref();
    let of_region = regions.map(|regions| {
        let region = place.site.region.as_str();
        regions.iter().any(|known| known == region)
    });
    let of_account = in_scope(evidence, source.scope.as_deref(), place.site.account);
    let criteria = &source
        .source_logs_configuration
        .log_group_selection_criteria;
    let of_group = criteria.as_deref().map_or(Some(true), |criteria| {
        filter_expression::holds(criteria, |field| {
            (field == "LogGroupName").then(|| place.name.clone())
        })
    });
    [of_region, of_account, of_group]
        .into_iter()
        .fold(Some(true), crate::evaluate::undecided::and)
}

fn at(place: &Place) -> Step {
    Step::new(LinkName::MetricFilter).on(
        place.arn.clone(),
        Some(place.site.account),
        Some(place.site.region.clone()),
    )
}

fn step(place: &Place, rule: &CentralizationRuleSummary) -> Step {
    let unnamed = || "another account or region".to_owned();
    let to = match (&rule.destination_account_id, &rule.destination_region) {
        (Some(account), Some(region)) => format!("account {account} in {region}"),
        (Some(account), None) => format!("account {account}"),
        (None, Some(region)) => region.clone(),
        (None, None) => unnamed(),
    };
    let name = rule.rule_name.as_deref().or(rule.rule_arn.as_deref());
    let name = name.unwrap_or_default();
    at(place).effective(Verdict::because(Cause::new(
        &CENTRALIZED,
        format!(
            "centralization rule `{name}` copies log group `{}` to {to}; whether a filter and an alarm there tell somebody of the control's events was not decided",
            place.name
        ),
    )))
}
