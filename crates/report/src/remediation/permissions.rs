//! What a repair calls beside reading: by kind of change, for sessions that may do no more than one
//! plan says, and altogether, for policies.

use super::plan::{Plan, Step};
use super::resources::Change;

/// What a kind of change takes.
struct Actions {
    /// To create it. Tags given on creation need the permission to tag.
    create: &'static [&'static str],
    /// To look at it and to take it back.
    undo: &'static [&'static str],
}

const METRIC_FILTER: Actions = Actions {
    create: &["logs:PutMetricFilter", "logs:TestMetricFilter"],
    undo: &["logs:DeleteMetricFilter"],
};
const TOPIC: Actions = Actions {
    create: &[
        "sns:CreateTopic",
        "sns:ListTagsForResource",
        "sns:TagResource",
    ],
    undo: &["sns:DeleteTopic", "sns:ListTagsForResource"],
};
const SUBSCRIPTION: Actions = Actions {
    create: &["sns:ListTagsForResource", "sns:Subscribe"],
    undo: &["sns:GetSubscriptionAttributes", "sns:Unsubscribe"],
};
const TOPIC_STATEMENT: Actions = Actions {
    create: &["sns:SetTopicAttributes"],
    undo: &["sns:SetTopicAttributes"],
};
const ALARM: Actions = Actions {
    create: &["cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"],
    undo: &["cloudwatch:DeleteAlarms"],
};
/// To set an alarm to ALARM and back.
const DRILL: &[&str] = &["cloudwatch:SetAlarmState"];

fn of(change: &Change) -> &'static Actions {
    match change {
        Change::PutMetricFilter(_) => &METRIC_FILTER,
        Change::CreateTopic(_) => &TOPIC,
        Change::Subscribe(_) => &SUBSCRIPTION,
        Change::PutMetricAlarm(_) => &ALARM,
        Change::AddTopicStatement(_) => &TOPIC_STATEMENT,
    }
}

/// The actions of applying a plan, beside reading.
pub fn of_plan(plan: &Plan) -> Vec<&'static str> {
    sorted(plan.steps().flat_map(|step| of(&step.change).create))
}

/// The actions of taking back steps of a journal, beside reading.
pub fn of_undo<'s>(steps: impl Iterator<Item = &'s Step>) -> Vec<&'static str> {
    sorted(steps.flat_map(|step| of(&step.change).undo))
}

/// The actions of a drill, beside reading.
pub fn of_drill() -> Vec<&'static str> {
    DRILL.to_vec()
}

/// The actions of every repair, beside reading.
pub fn all() -> Vec<&'static str> {
    let kinds = [METRIC_FILTER, TOPIC, TOPIC_STATEMENT, SUBSCRIPTION, ALARM];
    let of_kinds = kinds
        .iter()
        .flat_map(|kind| kind.create.iter().chain(kind.undo));
    sorted(of_kinds.chain(DRILL))
}

fn sorted<'a>(actions: impl Iterator<Item = &'a &'static str>) -> Vec<&'static str> {
    let mut actions: Vec<&'static str> = actions.copied().collect();
    actions.sort_unstable();
    actions.dedup();
    actions
}
