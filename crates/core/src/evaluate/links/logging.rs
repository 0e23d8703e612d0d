//! The trail is logging.

use std::sync::Arc;

use crate::evaluate::reading::{Reading, ask, ask_informants};
use crate::evaluate::verdict::{Cause, Reason, Step};
use crate::evidence::{Call, Reader, Trail, TrailStatus};
use crate::finding::{LinkName, Status};

static STOPPED: Reason = Reason {
    code: "logging.stopped",
    status: Status::Fail,
    meaning: "The trail exists and records nothing.",
    remedy: "Start logging on the trail, and find out who stopped it.",
};
static NOT_OBSERVED: Reason = Reason {
    code: "logging.not-observed",
    status: Status::Unknown,
    meaning: "The trail's status could not be read.",
    remedy: "Let the audit role in the trail's account call cloudtrail:GetTrailStatus, then scan again.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] = &[&STOPPED, &NOT_OBSERVED];

/// The trail's status, in its home region: as its owner, a delegated administrator, or whoever
/// was told it. CloudTrail tells members the status of an organization trail by its ARN.
pub(in crate::evaluate) fn status(
    evidence: &Reader<'_>,
    trail: &Trail,
) -> Option<Reading<TrailStatus>> {
    let (owner, home) = (trail.owner()?, trail.home()?);
    let arn = &trail.trail_arn;
    let told = ask_informants(evidence, owner, &home, |site| {
        ask(
            evidence,
            site,
            || Call::GetTrailStatus {
                trail_arn: arn.to_string(),
            },
            |site| evidence.trail_status(arn, site),
        )
    });
    if matches!(told, Reading::Read { .. }) {
        return Some(told);
    }
    let member = evidence
        .trail_statuses(arn)
        .into_iter()
        .filter(|(site, answer)| site.region == home && answer.outcome.is_ok())
        .max_by_key(|(_, answer)| answer.observed_at)
        .and_then(|(site, answer)| {
            let value = answer.outcome.as_ref().ok()?;
            Some(Reading::Read {
                value: std::sync::Arc::clone(value),
                by: site.clone(),
                observed_at: answer.observed_at,
            })
        });
    Some(member.unwrap_or(told))
}

/// Judges a trail by its status.
pub(in crate::evaluate) fn judge(trail: &Trail, status: Option<&Reading<TrailStatus>>) -> Step {
    let name = trail.name.as_deref().unwrap_or(&trail.trail_arn);
    let step =
        Step::new(LinkName::Logging).on(Arc::clone(&trail.trail_arn), trail.owner(), trail.home());
    match status {
        None => step.because(Cause::new(
            &NOT_OBSERVED,
            format!(
                "`{}` does not tell where the trail's status can be asked for",
                trail.trail_arn
            ),
        )),
        Some(Reading::Unread(unread)) => step
            .seen(unread.observed_at)
            .wanting(unread.wants.iter().cloned())
            .because(Cause::new(
                &NOT_OBSERVED,
                format!(
                    "whether trail `{name}` is logging is not known: {}",
                    unread.why
                ),
            )),
        Some(Reading::Read {
            value, observed_at, ..
        }) => {
            let step = step.seen(Some(*observed_at));
            match value.is_logging {
                Some(true) => step.detail(format!("trail `{name}` is logging")),
                Some(false) => step.because(Cause::new(
                    &STOPPED,
                    format!("logging is stopped on trail `{name}`"),
                )),
                None => step.because(Cause::new(
                    &NOT_OBSERVED,
                    format!("cloudtrail:GetTrailStatus does not tell IsLogging of trail `{name}`"),
                )),
            }
        }
    }
}

#[cfg(test)]
pub(in crate::evaluate) mod tests {
    use serde_json::{Value, json};

    use crate::evaluate::fixture::{
        Case, MANAGEMENT, MEMBER, OTHER, TRAIL, World, check, denied, table,
    };
    use crate::finding::Status::{Fail, Unknown};

    #[test]
    fn of_what_members_were_told_the_latest_counts() {
        let told = |world: World, account, at: &str, logging: bool| {
            let mut world = world.with(
                "cloudtrail:GetTrailStatus",
                account,
                "eu-west-1",
                &json!({"Name": TRAIL}),
                &json!({"IsLogging": logging}),
            );
            world.records.last_mut().unwrap()["observed_at"] = json!(at);
            world
        };
        let world = World::healthy().fail(
            "cloudtrail:GetTrailStatus",
            MANAGEMENT,
            &denied("cloudtrail:GetTrailStatus"),
        );
        // What it was told elsewhere than in the trail's home region does not count.
        let elsewhere = world.clone().with(
            "cloudtrail:GetTrailStatus",
            MEMBER,
            "us-east-1",
            &json!({"Name": TRAIL}),
            &json!({"IsLogging": true}),
        );
        check(&elsewhere, Unknown, Unknown, Some("logging.not-observed"));
        let world = told(world, MEMBER, "2026-11-22T22:00:00Z", true);
        let world = told(world, OTHER, "2026-11-22T22:00:09Z", false);
        check(&world, Fail, Fail, Some("logging.stopped"));
    }

    /// What is changed by itself.
    pub(in crate::evaluate) fn cases() -> Vec<Case> {
        vec![
            Case(
                "cloudtrail:GetTrailStatus",
                MANAGEMENT,
                "/IsLogging",
                json!(false),
                Fail,
                Fail,
                Some("logging.stopped"),
            ),
            Case(
                "cloudtrail:GetTrailStatus",
                MANAGEMENT,
                "/IsLogging",
                Value::Null,
                Unknown,
                Unknown,
                Some("logging.not-observed"),
            ),
        ]
    }

    #[test]
    fn one_thing_is_not_as_it_should_be() {
        table(&cases());
    }
}
