//! Evidence as somebody would make it by hand: four accounts, one of each verdict, with names
//! that no program should trust.

use serde_json::{Value, json};

/// PASS: a trail of its own, and everything behind it.
pub(crate) const COMPLETE: &str = "111111111111";
/// FAIL: no trail.
pub(crate) const BARE: &str = "222222222222";
/// UNKNOWN: cannot be entered.
pub(crate) const CLOSED: &str = "333333333333";
/// `NOT_APPLICABLE`: suspended.
pub(crate) const SUSPENDED: &str = "444444444444";

/// The names of the four accounts.
pub(crate) const NAMES: [(&str, &str); 4] = [
    (COMPLETE, "=HYPERLINK(\"https://evil.example\",\"x\")"),
    (BARE, "a,\"b\"\r\nc"),
    (CLOSED, "\u{1b}[2Jgone\u{202e}txt.exe"),
    (SUSPENDED, " \t@SUM(1+1)"),
];

/// The whole evidence, one record per line.
pub(crate) fn evidence() -> String {
    let accounts: Vec<Value> = NAMES
        .iter()
        .map(|(id, name)| {
            let state = if *id == SUSPENDED {
                "SUSPENDED"
            } else {
                "ACTIVE"
            };
            json!({"Id": id, "Name": name, "State": state, "Paths": ["o-a1/r-b2/ou-c3-d4/"]})
        })
        .collect();
    let mut lines = vec![
        answered(
            COMPLETE,
            "sts:GetCallerIdentity",
            json!({}),
            json!({"Account": COMPLETE}),
        ),
        answered(
            COMPLETE,
            "organizations:DescribeOrganization",
            json!({}),
            json!({"Organization": {"Id": "o-a1", "MasterAccountId": COMPLETE}}),
        ),
        answered(
            COMPLETE,
            "organizations:ListAccounts",
            json!({}),
            json!({"Accounts": accounts}),
        ),
        entered(BARE, None),
        entered(CLOSED, Some("AccessDenied")),
    ];
    let regions =
        json!({"Regions": [{"RegionName": "us-east-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"}]});
    for account in [BARE, CLOSED] {
        lines.push(answered(
            COMPLETE,
            "account:ListRegions",
            json!({"AccountId": account}),
            regions.clone(),
        ));
    }
    lines.push(answered(
        COMPLETE,
        "account:ListRegions",
        json!({}),
        regions,
    ));
    lines.push(answered(
        BARE,
        "cloudtrail:DescribeTrails",
        json!({"includeShadowTrails": true}),
        json!({"trailList": []}),
    ));
    lines.extend(chain());
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    lines.join("\n") + "\n"
}

/// A complete chain in one account and region.
fn chain() -> Vec<Value> {
    let arn = |service: &str, resource: &str| {
        format!("arn:aws:{service}:us-east-1:{COMPLETE}:{resource}")
    };
    let trail = arn("cloudtrail", "trail/main");
    let topic = arn("sns", "security");
    let topic_policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish", "Resource": topic,
    }]});
    vec![
        answered(
            COMPLETE,
            "cloudtrail:DescribeTrails",
            json!({"includeShadowTrails": true}),
            json!({"trailList": [{
                "Name": "main", "TrailARN": trail, "HomeRegion": "us-east-1",
                "IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": true,
                "IsOrganizationTrail": false,
                "CloudWatchLogsLogGroupArn": arn("logs", "log-group:trail:*"),
            }]}),
        ),
        answered(
            COMPLETE,
            "cloudtrail:GetTrailStatus",
            json!({"Name": trail}),
            json!({"IsLogging": true, "LatestCloudWatchLogsDeliveryTime": "2026-11-22T21:55:00Z"}),
        ),
        answered(
            COMPLETE,
            "cloudtrail:GetEventSelectors",
            json!({"TrailName": trail}),
            json!({"TrailARN": trail, "EventSelectors": [
                {"ReadWriteType": "All", "IncludeManagementEvents": true}
            ]}),
        ),
        answered(
            COMPLETE,
            "logs:DescribeLogGroups",
            json!({"logGroupNamePrefix": "trail"}),
            json!({"logGroups": [{
                "logGroupName": "trail", "arn": arn("logs", "log-group:trail:*"),
                "logGroupClass": "STANDARD",
            }]}),
        ),
        answered(
            COMPLETE,
            "logs:DescribeMetricFilters",
            json!({"logGroupName": "trail"}),
            json!({"metricFilters": [{
                "filterName": "failures", "logGroupName": "trail",
                "filterPattern":
                    "{ ($.eventName = ConsoleLogin) && ($.errorMessage = \"Failed authentication\") }",
                "metricTransformations": [{
                    "metricName": "Failures", "metricNamespace": "CISBenchmark", "metricValue": "1",
                }],
            }]}),
        ),
        answered(
            COMPLETE,
            "cloudwatch:DescribeAlarms",
            json!({"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}),
            json!({"CompositeAlarms": [], "MetricAlarms": [{
                "AlarmName": "failures", "AlarmArn": arn("cloudwatch", "alarm:failures"),
                "ActionsEnabled": true, "AlarmActions": [topic],
                "Namespace": "CISBenchmark", "MetricName": "Failures", "Dimensions": [],
                "Statistic": "Sum", "Period": 300, "EvaluationPeriods": 1, "Threshold": 1.0,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold", "StateValue": "OK",
                "OKActions": [], "InsufficientDataActions": [],
            }]}),
        ),
        answered(
            COMPLETE,
            "cloudwatch:ListAlarmMuteRules",
            json!({}),
            json!({"AlarmMuteRuleSummaries": []}),
        ),
        answered(
            COMPLETE,
            "sns:GetTopicAttributes",
            json!({"TopicArn": topic}),
            json!({"Attributes": {
                "TopicArn": topic, "Owner": COMPLETE, "Policy": topic_policy.to_string(),
                "SubscriptionsConfirmed": "1", "SubscriptionsPending": "0",
                "SubscriptionsDeleted": "0",
            }}),
        ),
        answered(
            COMPLETE,
            "sns:ListSubscriptionsByTopic",
            json!({"TopicArn": topic}),
            json!({"Subscriptions": [{
                "SubscriptionArn": format!("{topic}:1"), "TopicArn": topic, "Owner": COMPLETE,
                "Protocol": "email", "Endpoint": "security@example.com",
            }]}),
        ),
        answered(
            COMPLETE,
            "sns:GetSubscriptionAttributes",
            json!({"SubscriptionArn": format!("{topic}:1")}),
            json!({"Attributes": {
                "SubscriptionArn": format!("{topic}:1"), "PendingConfirmation": "false",
                "ConfirmationWasAuthenticated": "true",
            }}),
        ),
    ]
}

fn entered(account: &str, error: Option<&str>) -> Value {
    let mut record = record(
        COMPLETE,
        "sts:AssumeRole",
        json!({"RoleArn": format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole")}),
    );
    match error {
        None => record["response"] = json!({}),
        Some(code) => {
            record["error"] = json!({
                "code": code, "class": "denied",
                "message": "User: arn:aws:iam::111111111111:user/\u{1b}[31mme is not authorized",
            });
        }
    }
    record
}

fn answered(account: &str, operation: &str, parameters: Value, response: Value) -> Value {
    let mut record = record(account, operation, parameters);
    record["response"] = response;
    record
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "the callers make it in place"
)]
fn record(account: &str, operation: &str, parameters: Value) -> Value {
    json!({
        "operation": operation, "account": account, "region": "us-east-1",
        "parameters": parameters, "observed_at": "2026-11-22T22:00:00Z",
    })
}
