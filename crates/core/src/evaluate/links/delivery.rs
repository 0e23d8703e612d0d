//! Events arrive in the log group.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::evaluate::reading::Reading;
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{Trail, TrailStatus};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;

/// How far the clock of the computer that recorded an answer may be behind that of AWS: requests
/// that are signed with a time further off are refused (IAM User Guide, "Why requests are signed").
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

static ERROR: Reason = Reason {
    code: "delivery.error",
    status: Status::Fail,
    meaning: "CloudTrail could not deliver to the log group the last time it tried.",
    remedy: "Let the trail's CloudWatch Logs role write to the log group: logs:CreateLogStream and logs:PutLogEvents.",
};
static STALE: Reason = Reason {
    code: "delivery.stale",
    status: Status::Fail,
    meaning: "The last delivery to the log group is too long ago.",
    remedy: "Find out why CloudTrail stopped delivering: the trail's CloudWatch Logs role, the log group, and the trail's own status.",
};
static NOT_OBSERVED: Reason = Reason {
    code: "delivery.not-observed",
    status: Status::Unknown,
    meaning: "Whether events arrive in the log group could not be seen.",
    remedy: "Let the audit role in the trail's account call cloudtrail:GetTrailStatus, then scan again.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] = &[&ERROR, &STALE, &NOT_OBSERVED];

static STILL_TO_COME: ObservationKind = ObservationKind {
    code: "delivery.still-to-come",
    meaning: "The last delivery to the log group is later than the answer that tells of it. The clock of the computer that recorded the answer is wrong, or somebody changed the evidence; how old the delivery was is not known.",
};

pub(in crate::evaluate) const OBSERVATIONS: &[&ObservationKind] = &[&STILL_TO_COME];

/// Judges a trail by what its status says of deliveries.
pub(in crate::evaluate) fn judge(
    trail: &Trail,
    status: Option<&Reading<TrailStatus>>,
    max_age: SignedDuration,
) -> Step {
    let name = trail.name.as_deref().unwrap_or(&trail.trail_arn);
    let step = Step::new(LinkName::Delivery)
        .on(Arc::clone(&trail.trail_arn), trail.owner(), trail.home())
        .cis(Verdict::NotAsked);
    let unseen =
        |step: Step, why: String| step.effective(Verdict::Unseen(Cause::new(&NOT_OBSERVED, why)));
    let (value, by, observed_at) = match status {
        None => return unseen(step, format!("the status of trail `{name}` is not known")),
        Some(Reading::Unread(unread)) => {
            return unseen(
                step.seen(unread.observed_at)
                    .wanting(unread.wants.iter().cloned()),
                format!(
                    "whether trail `{name}` delivers is not known: {}",
                    unread.why
                ),
            );
        }
        Some(Reading::Read {
            value,
            by,
            observed_at,
        }) => (value, by, *observed_at),
    };
    let step = step.seen(Some(observed_at));
    if let Some(error) = &value.latest_cloud_watch_logs_delivery_error {
        return step.effective(Verdict::Broken(Cause::new(
            &ERROR,
            format!("trail `{name}` cannot deliver to its log group: {error}"),
        )));
    }
    match value.latest_cloud_watch_logs_delivery_time {
        Some(delivered) => {
            let age = observed_at.duration_since(delivered);
            if age < -CLOCK_SKEW {
                step.observe(
                    &STILL_TO_COME,
                    format!(
                        "the last delivery of trail `{name}` to its log group is told to be at {delivered:.0}, and the answer that tells so is of {observed_at:.0}"
                    ),
                )
                .detail(format!("last delivery to the log group at {delivered:.0}"))
            } else if age > max_age {
                step.effective(Verdict::Broken(Cause::new(
                    &STALE,
                    format!(
                        "trail `{name}` delivered to its log group {} hours before it was observed, at {delivered:.0}",
                        age.as_hours()
                    ),
                )))
            } else {
                step.detail(format!("last delivery to the log group at {delivered:.0}"))
            }
        }
        // Whether members are told about deliveries is not documented, so their silence says
        // nothing.
        None if trail.owner() != Some(by.account) && trail.is_organization_trail == Some(true) => {
            unseen(
                step,
                format!(
                    "account {} was told the status of trail `{name}` without its deliveries",
                    by.account
                ),
            )
        }
        // A trail that was started lately has not delivered yet.
        None => match value.start_logging_time {
            Some(start) if observed_at.duration_since(start) <= max_age => step.detail(format!(
                "no delivery error; trail `{name}` logs since {start:.0}"
            )),
            start => unseen(
                step,
                format!(
                    "trail `{name}` logs {}, and nothing tells of a delivery to its log group",
                    start.map_or_else(
                        || "since a time that is not told".to_owned(),
                        |start| format!("since {start:.0}")
                    )
                ),
            ),
        },
    }
}

#[cfg(test)]
pub(in crate::evaluate) mod tests {
    use serde_json::{Value, json};

    use crate::evaluate::fixture::{Case, MANAGEMENT, MEMBER, TRAIL, World, check, denied, table};
    use crate::finding::Status::{Fail, Pass, Unknown};

    /// What is changed by itself.
    pub(in crate::evaluate) fn cases() -> Vec<Case> {
        vec![
            Case(
                "cloudtrail:GetTrailStatus",
                MANAGEMENT,
                "/LatestCloudWatchLogsDeliveryError",
                json!("AccessDenied"),
                Pass,
                Fail,
                Some("delivery.error"),
            ),
            Case(
                "cloudtrail:GetTrailStatus",
                MANAGEMENT,
                "/LatestCloudWatchLogsDeliveryTime",
                json!("2026-11-21T21:59:59Z"),
                Pass,
                Fail,
                Some("delivery.stale"),
            ),
            Case(
                "cloudtrail:GetTrailStatus",
                MANAGEMENT,
                "/LatestCloudWatchLogsDeliveryTime",
                json!("2026-11-21T22:00:00Z"),
                Pass,
                Pass,
                None,
            ),
            Case(
                "cloudtrail:GetTrailStatus",
                MANAGEMENT,
                "/LatestCloudWatchLogsDeliveryTime",
                Value::Null,
                Pass,
                Unknown,
                Some("delivery.not-observed"),
            ),
        ]
    }

    #[test]
    fn one_thing_is_not_as_it_should_be() {
        table(&cases());
    }

    fn delivered_at(time: &str) -> World {
        World::healthy().set(
            "cloudtrail:GetTrailStatus",
            MANAGEMENT,
            "/LatestCloudWatchLogsDeliveryTime",
            json!(time),
        )
    }

    pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
        vec![(
            super::STILL_TO_COME.code,
            delivered_at("2026-11-22T22:05:01Z"),
        )]
    }

    #[test]
    fn a_delivery_that_is_still_to_come_is_named() {
        for (time, named) in [
            ("2026-11-22T22:05:00Z", false),
            ("2026-11-22T22:05:01Z", true),
            ("2036-11-22T22:00:00Z", true),
        ] {
            let world = delivered_at(time);
            check(&world, Pass, Pass, None);
            let finding = world.finding(MEMBER);
            let code = super::STILL_TO_COME.code;
            let mut observations = finding.observations.iter();
            assert_eq!(observations.any(|seen| seen.code == code), named, "{time}");
        }
    }

    #[test]
    fn what_a_member_is_not_told_of_deliveries_proves_none() {
        let status = "cloudtrail:GetTrailStatus";
        let started = json!("2026-11-22T21:00:00Z");
        let world = World::healthy()
            .fail(status, MANAGEMENT, &denied(status))
            .with(
                status,
                MEMBER,
                "eu-west-1",
                &json!({"Name": TRAIL}),
                &json!({"IsLogging": true, "StartLoggingTime": started}),
            );
        check(&world, Pass, Unknown, Some("delivery.not-observed"));
    }

    #[test]
    fn a_trail_that_was_started_lately_need_not_have_delivered() {
        for (start, effective, reason) in [
            ("2026-11-21T22:00:00Z", Pass, None),
            (
                "2026-11-21T21:59:59Z",
                Unknown,
                Some("delivery.not-observed"),
            ),
        ] {
            let status = "cloudtrail:GetTrailStatus";
            let delivered = "/LatestCloudWatchLogsDeliveryTime";
            let world = World::healthy()
                .set(status, MANAGEMENT, delivered, Value::Null)
                .set(status, MANAGEMENT, "/StartLoggingTime", json!(start));
            check(&world, Pass, effective, reason);
        }
    }
}
