//! What a repair calls beside reading.

/// The actions of creating, verifying, and taking back what was created. Tags given on creation
/// need the permission to tag.
pub const ACTIONS: [&str; 14] = [
    "cloudwatch:DeleteAlarms",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:SetAlarmState",
    "cloudwatch:TagResource",
    "logs:DeleteMetricFilter",
    "logs:PutMetricFilter",
    "logs:TestMetricFilter",
    "sns:CreateTopic",
    "sns:DeleteTopic",
    "sns:GetSubscriptionAttributes",
    "sns:ListTagsForResource",
    "sns:Subscribe",
    "sns:TagResource",
    "sns:Unsubscribe",
];
