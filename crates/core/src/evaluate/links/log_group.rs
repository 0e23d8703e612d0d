//! The trail names a log group that exists.

use std::sync::Arc;

use crate::account::AccountId;
use crate::arn::Arn;
use crate::evaluate::reading::{Reading, Unread, locked, request};
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{Call, CallSite, LogGroupAnswer, Operation, Reader, Trail};
use crate::finding::{LinkName, Status};

static NONE: Reason = Reason {
    code: "log-group.none",
    status: Status::Fail,
    meaning: "The trail does not deliver to CloudWatch Logs.",
    remedy: "Create a log group and a role that CloudTrail can write with, and set both on the trail.",
};
static MISSING: Reason = Reason {
    code: "log-group.missing",
    status: Status::Fail,
    meaning: "The log group that the trail names does not exist.",
    remedy: "Create the log group that the trail names, or set another one on the trail.",
};
static CLASS: Reason = Reason {
    code: "log-group.class-without-metric-filters",
    status: Status::Fail,
    meaning: "Metric filters do not work on log groups of this class.",
    remedy: "Create a log group of the standard class and set it on the trail; a log group's class cannot be changed.",
};
static UNKNOWN_CLASS: Reason = Reason {
    code: "log-group.unknown-class",
    status: Status::Unknown,
    meaning: "Whether metric filters work on log groups of this class is not known.",
    remedy: "Look up the class in the CloudWatch Logs documentation.",
};
static NOT_OBSERVED: Reason = Reason {
    code: "log-group.not-observed",
    status: Status::Unknown,
    meaning: "The trail's log group could not be seen.",
    remedy: "Let the audit role in the log group's account call logs:DescribeLogGroups, and in the trail's account cloudtrail:DescribeTrails, then scan again.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] =
    &[&NONE, &MISSING, &CLASS, &UNKNOWN_CLASS, &NOT_OBSERVED];

/// Where the chain goes on: a log group, by account, region and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::evaluate) struct Place {
    pub(in crate::evaluate) site: CallSite,
    pub(in crate::evaluate) name: String,
    pub(in crate::evaluate) arn: Arc<str>,
}

/// Judges the log group of a trail; also where it is, when that could be read.
pub(in crate::evaluate) fn judge(
    evidence: &Reader<'_>,
    seen: &Arc<Trail>,
    owners_copy: &Reading<Trail>,
) -> (Step, Option<Place>) {
    let name = seen.name.as_deref().unwrap_or(&seen.trail_arn);
    let step = Step::new(LinkName::LogGroup);
    let (trail, by_owner, observed_at) = match owners_copy {
        Reading::Read {
            value,
            by,
            observed_at,
        } => (value, value.owner() == Some(by.account), Some(*observed_at)),
        // Members may be told the log group of an organization trail; nothing promises it.
        Reading::Unread(_) if seen.log_group_arn().is_some() => (seen, false, None),
        Reading::Unread(unread) => {
            let step = step
                .seen(unread.observed_at)
                .wanting(unread.wants.iter().cloned())
                .because(Cause::new(
                    &NOT_OBSERVED,
                    format!(
                        "the log group of trail `{name}` is not known: {}",
                        unread.why
                    ),
                ));
            return (step, None);
        }
    };
    let step = step.seen(observed_at);
    let Some(text) = trail.log_group_arn() else {
        let step = step.on(Arc::clone(&trail.trail_arn), trail.owner(), trail.home());
        if !by_owner {
            // Others than the owner may not be told.
            let step = step.because(Cause::new(
                &NOT_OBSERVED,
                format!("the log group of trail `{name}` is told to nobody but its owner"),
            ));
            return (step, None);
        }
        let step = step.because(Cause::new(
            &NONE,
            format!("trail `{name}` does not deliver to CloudWatch Logs"),
        ));
        return (step, None);
    };
    let Some(place) = place(text) else {
        let step = step.because(Cause::new(
            &NOT_OBSERVED,
            format!("trail `{name}` names `{text}`, which is not the ARN of a log group"),
        ));
        return (step, None);
    };
    let step = step.on(
        Arc::clone(text),
        Some(place.site.account),
        Some(place.site.region.clone()),
    );
    (exists(evidence, step, &place), Some(place))
}

fn place(text: &Arc<str>) -> Option<Place> {
    let arn: Arn = text.parse().ok()?;
    let account: AccountId = arn.account()?;
    Some(Place {
        site: CallSite {
            account,
            region: arn.region()?,
        },
        name: arn.log_group_name()?.to_owned(),
        arn: Arc::clone(text),
    })
}

fn exists(evidence: &Reader<'_>, step: Step, place: &Place) -> Step {
    let Place { site, name, .. } = place;
    let unseen = |step: Step, unread: Unread| {
        step.seen(unread.observed_at)
            .because(Cause::new(
                &NOT_OBSERVED,
                format!(
                    "whether log group `{name}` exists is not known: {}",
                    unread.why
                ),
            ))
            .wanting(unread.wants)
    };
    match evidence.log_group(site, name) {
        LogGroupAnswer::Exists(group, at) => {
            let step = step.seen(Some(at));
            match group.log_group_class.as_deref() {
                None | Some("STANDARD") => step.detail(format!("log group `{name}` exists")),
                Some(class @ ("INFREQUENT_ACCESS" | "DELIVERY")) => step
                    .detail(format!("log group `{name}` exists"))
                    .effective(Verdict::Broken(Cause::new(
                        &CLASS,
                        format!(
                            "log group `{name}` is of class {class}, which has no metric filters"
                        ),
                    ))),
                Some(class) => {
                    step.detail(format!("log group `{name}` exists"))
                        .effective(Verdict::Unseen(Cause::new(
                            &UNKNOWN_CLASS,
                            format!("log group `{name}` is of class `{class}`"),
                        )))
                }
            }
        }
        LogGroupAnswer::Missing(at) => step.seen(Some(at)).because(Cause::new(
            &MISSING,
            format!(
                "log group `{name}` does not exist in account {} in {}",
                site.account, site.region
            ),
        )),
        LogGroupAnswer::Failed(error, at) => unseen(
            step,
            Unread::failed(Operation::DescribeLogGroups, site, &error, Some(at)),
        ),
        LogGroupAnswer::NotAsked => {
            let unread = locked(evidence, site.account).unwrap_or_else(|| {
                Unread::never_asked(request(
                    site,
                    Call::DescribeLogGroups {
                        log_group_name: name.clone(),
                    },
                ))
            });
            unseen(step, unread)
        }
    }
}

#[cfg(test)]
pub(in crate::evaluate) mod tests {
    use serde_json::{Value, json};

    use crate::evaluate::fixture::{Case, MANAGEMENT, MEMBER, World, check, denied, table};
    use crate::finding::Status::{Fail, Pass, Unknown};

    /// What is changed by itself.
    pub(in crate::evaluate) fn cases() -> Vec<Case> {
        vec![
            Case(
                "cloudtrail:DescribeTrails",
                MANAGEMENT,
                "/trailList/0/CloudWatchLogsLogGroupArn",
                Value::Null,
                Fail,
                Fail,
                Some("log-group.none"),
            ),
            Case(
                "cloudtrail:DescribeTrails",
                MANAGEMENT,
                "/trailList/0/CloudWatchLogsLogGroupArn",
                json!("log-group"),
                Unknown,
                Unknown,
                Some("log-group.not-observed"),
            ),
            Case(
                "logs:DescribeLogGroups",
                MANAGEMENT,
                "/logGroups",
                json!([{"logGroupName": "trail-old"}]),
                Fail,
                Fail,
                Some("log-group.missing"),
            ),
            Case(
                "logs:DescribeLogGroups",
                MANAGEMENT,
                "/logGroups/0/logGroupClass",
                json!("INFREQUENT_ACCESS"),
                Pass,
                Fail,
                Some("log-group.class-without-metric-filters"),
            ),
            Case(
                "logs:DescribeLogGroups",
                MANAGEMENT,
                "/logGroups/0/logGroupClass",
                json!("NEWER"),
                Pass,
                Unknown,
                Some("log-group.unknown-class"),
            ),
        ]
    }

    #[test]
    fn one_thing_is_not_as_it_should_be() {
        table(&cases());
    }

    #[test]
    fn where_the_owner_does_not_tell_a_member_may() {
        let trails = "cloudtrail:DescribeTrails";
        let world = || World::healthy().fail(trails, MANAGEMENT, &denied(trails));
        let told = |group: Value| {
            let member = "/trailList/0/CloudWatchLogsLogGroupArn";
            world().set(trails, MEMBER, member, group)
        };
        let group = "arn:aws:logs:eu-west-1:111111111111:log-group:trail:*";
        check(&told(json!(group)), Pass, Pass, None);
        let unseen = Some("log-group.not-observed");
        check(&told(Value::Null), Unknown, Unknown, unseen);
        // It is the owner's answer that is missing, and that is what to mend.
        let message = told(Value::Null).finding(MEMBER).message;
        assert!(message.contains("AccessDenied"), "{message}");
    }
}
