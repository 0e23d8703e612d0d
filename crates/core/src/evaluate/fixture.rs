//! Evidence for tests: an organization of a management account, a log archive and two members, in
//! which everything is as it should be until a test changes something.

use serde_json::{Value, json};

use crate::account::AccountId;
use crate::control;
use crate::evidence::{Evidence, Request};
use crate::finding::{Finding, LinkName, Remediation, Status};
use crate::policy::Policy;
use crate::remedy::Word;

pub(super) const MANAGEMENT: u64 = 111_111_111_111;
pub(super) const MEMBER: u64 = 222_222_222_222;
pub(super) const OTHER: u64 = 333_333_333_333;
pub(super) const TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:111111111111:trail/org";
pub(super) const TOPIC: &str = "arn:aws:sns:eu-west-1:111111111111:alerts";
pub(super) const SUBSCRIPTION: &str = "arn:aws:sns:eu-west-1:111111111111:alerts:1";
pub(super) const PATTERN: &str =
    r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }"#;

pub(super) fn id(number: u64) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

/// Records that can be changed before they are judged.
#[derive(Clone)]
pub(super) struct World {
    pub(super) records: Vec<Value>,
    pub(super) policy: Policy,
}

pub(super) fn record(
    operation: &str,
    account: u64,
    region: &str,
    parameters: &Value,
    response: &Value,
) -> Value {
    json!({
        "operation": operation, "account": id(account), "region": region,
        "parameters": parameters, "observed_at": "2026-11-22T22:00:00Z", "response": response,
    })
}

pub(super) fn denied(operation: &str) -> Value {
    json!({"code": "AccessDenied", "message": format!("not authorized to perform {operation}"), "class": "denied"})
}

/// Sets members of an object: those of another.
pub(super) fn change_members(object: &mut Value, change: &Value) {
    for (member, value) in change.as_object().unwrap() {
        object[member] = value.clone();
    }
}

impl World {
    /// The organization with one organization trail; its log group is the management account's.
    pub(super) fn healthy() -> Self {
        let control = control::builtin()
            .iter()
            .find(|control| control.id == "console-auth-failures")
            .unwrap();
        let mut policy = Policy::new(vec![control.clone()]);
        policy.accounts = None;
        let trail = json!({
            "Name": "org", "TrailARN": TRAIL, "HomeRegion": "eu-west-1",
            "S3BucketName": "logs", "IncludeGlobalServiceEvents": true,
            "IsMultiRegionTrail": true, "IsOrganizationTrail": true,
            "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:111111111111:log-group:trail:*",
        });
        let mut shadow = trail.clone();
        shadow
            .as_object_mut()
            .unwrap()
            .remove("CloudWatchLogsLogGroupArn");
        let site = |operation: &str, parameters: Value, response: Value| {
            record(operation, MANAGEMENT, "eu-west-1", &parameters, &response)
        };
        let role = |account: u64| {
            record(
                "sts:AssumeRole",
                MANAGEMENT,
                "eu-west-1",
                &json!({"RoleArn": format!("arn:aws:iam::{}:role/OrganizationAccountAccessRole", id(account))}),
                &json!({"AssumedRoleUser": {}}),
            )
        };
        let trails = |account: u64, trail: &Value| {
            record(
                "cloudtrail:DescribeTrails",
                account,
                "us-east-1",
                &json!({"includeShadowTrails": true}),
                &json!({"trailList": [trail]}),
            )
        };
        let policy_text = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "*"},
            "Action": ["SNS:GetTopicAttributes", "SNS:Publish"], "Resource": TOPIC,
            "Condition": {"StringEquals": {"AWS:SourceOwner": "111111111111"}},
        }]})
        .to_string();
        let records = vec![
            site(
                "organizations:DescribeOrganization",
                json!({}),
                json!({"Organization": {"Id": "o-a", "MasterAccountId": "111111111111"}}),
            ),
            site(
                "organizations:ListAccounts",
                json!({}),
                json!({"Accounts": [
                    {"Id": "111111111111", "Name": "management", "State": "ACTIVE"},
                    {"Id": "222222222222", "Name": "member", "State": "ACTIVE"},
                    {"Id": "333333333333", "Name": "other", "State": "ACTIVE"},
                ]}),
            ),
            role(MEMBER),
            role(OTHER),
            trails(MANAGEMENT, &trail),
            trails(MEMBER, &shadow),
            trails(OTHER, &shadow),
            site(
                "cloudtrail:GetTrailStatus",
                json!({"Name": TRAIL}),
                json!({
                "IsLogging": true, "LatestCloudWatchLogsDeliveryTime": "2026-11-22T21:55:00Z"}),
            ),
            site(
                "cloudtrail:GetEventSelectors",
                json!({"TrailName": TRAIL}),
                json!({
                "TrailARN": TRAIL, "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": [], "ExcludeManagementEventSources": []}]}),
            ),
            site(
                "logs:DescribeLogGroups",
                json!({"logGroupNamePrefix": "trail"}),
                json!({
                "logGroups": [{"logGroupName": "trail", "logGroupClass": "STANDARD", "arn": "arn:aws:logs:eu-west-1:111111111111:log-group:trail:*"}]}),
            ),
            site(
                "logs:DescribeMetricFilters",
                json!({"logGroupName": "trail"}),
                json!({"metricFilters": [{
                "filterName": "failures", "filterPattern": PATTERN, "logGroupName": "trail",
                "metricTransformations": [{"metricName": "Failures", "metricNamespace": "CISBenchmark", "metricValue": "1"}]}]}),
            ),
            site(
                "cloudwatch:DescribeAlarms",
                json!({"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}),
                json!({
                "MetricAlarms": [{
                    "AlarmName": "failures", "AlarmArn": "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:failures",
                    "ActionsEnabled": true, "AlarmActions": [TOPIC], "StateValue": "INSUFFICIENT_DATA",
                    "Namespace": "CISBenchmark", "MetricName": "Failures", "Statistic": "Sum", "Period": 300,
                    "Threshold": 1.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                    "EvaluationPeriods": 1, "Dimensions": []}],
                "CompositeAlarms": []}),
            ),
            site(
                "cloudwatch:ListAlarmMuteRules",
                json!({}),
                json!({"AlarmMuteRuleSummaries": []}),
            ),
            site(
                "sns:GetTopicAttributes",
                json!({"TopicArn": TOPIC}),
                json!({"Attributes": {
                "TopicArn": TOPIC, "Owner": "111111111111", "Policy": policy_text,
                "SubscriptionsConfirmed": "1", "SubscriptionsPending": "0", "SubscriptionsDeleted": "0"}}),
            ),
            site(
                "sns:ListSubscriptionsByTopic",
                json!({"TopicArn": TOPIC}),
                json!({"Subscriptions": [{
                "SubscriptionArn": SUBSCRIPTION, "Owner": "111111111111", "Protocol": "email",
                "Endpoint": "security@example.com", "TopicArn": TOPIC}]}),
            ),
            site(
                "sns:GetSubscriptionAttributes",
                json!({"SubscriptionArn": SUBSCRIPTION}),
                json!({"Attributes": {
                "SubscriptionArn": SUBSCRIPTION, "PendingConfirmation": "false",
                "ConfirmationWasAuthenticated": "true"}}),
            ),
        ];
        Self { records, policy }
    }

    /// The record of an operation by an account.
    pub(super) fn record_mut(&mut self, operation: &str, account: u64) -> &mut Value {
        self.records
            .iter_mut()
            .find(|record| {
                record["operation"] == operation && record["account"] == id(account).to_string()
            })
            .unwrap_or_else(|| panic!("no {operation} as {account}"))
    }

    /// Changes a member of a response.
    pub(super) fn set(
        mut self,
        operation: &str,
        account: u64,
        pointer: &str,
        value: Value,
    ) -> Self {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        let record = self.record_mut(operation, account);
        let parent = record["response"]
            .pointer_mut(parent)
            .unwrap_or_else(|| panic!("{pointer}"));
        if let Some(list) = parent.as_array_mut() {
            let index: usize = member.parse().unwrap();
            if index < list.len() {
                list[index] = value;
            } else {
                list.push(value);
            }
        } else {
            parent[member] = value;
        }
        self
    }

    /// Replaces every answer to an operation by an error.
    pub(super) fn fail(mut self, operation: &str, account: u64, error: &Value) -> Self {
        let record = self.record_mut(operation, account).as_object_mut().unwrap();
        record.remove("response");
        record.insert("error".to_owned(), error.clone());
        self
    }

    /// Turns the record that was added last into an error.
    pub(super) fn fail_last(mut self, error: &Value) -> Self {
        let record = self.records.last_mut().unwrap().as_object_mut().unwrap();
        record.remove("response");
        record.insert("error".to_owned(), error.clone());
        self
    }

    /// Takes records away.
    pub(super) fn without(mut self, operation: &str, account: u64) -> Self {
        self.records.retain(|record| {
            record["operation"] != operation || record["account"] != id(account).to_string()
        });
        self
    }

    pub(super) fn with(
        mut self,
        operation: &str,
        account: u64,
        region: &str,
        parameters: &Value,
        response: &Value,
    ) -> Self {
        self.records
            .push(record(operation, account, region, parameters, response));
        self
    }

    /// What an account is told of a topic: its attributes, these among them, and its subscriptions.
    pub(super) fn with_topic(
        self,
        account: u64,
        arn: &str,
        more: &Value,
        subscriptions: &Value,
    ) -> Self {
        let parameters = json!({ "TopicArn": arn });
        let mut attributes = parameters.clone();
        change_members(&mut attributes, more);
        let attributes = json!({ "Attributes": attributes });
        let subscriptions = json!({ "Subscriptions": subscriptions });
        let at = "eu-west-1";
        self.with(
            "sns:GetTopicAttributes",
            account,
            at,
            &parameters,
            &attributes,
        )
        .with(
            "sns:ListSubscriptionsByTopic",
            account,
            at,
            &parameters,
            &subscriptions,
        )
    }

    /// What an account is told of a subscription, these attributes among it.
    pub(super) fn with_subscription(self, account: u64, arn: &str, more: &Value) -> Self {
        let parameters = json!({ "SubscriptionArn": arn });
        let mut attributes = parameters.clone();
        change_members(&mut attributes, more);
        let attributes = json!({ "Attributes": attributes });
        let operation = "sns:GetSubscriptionAttributes";
        self.with(operation, account, "eu-west-1", &parameters, &attributes)
    }

    pub(super) fn evidence(&self) -> Evidence {
        let mut evidence = Evidence::default();
        for record in &self.records {
            evidence
                .insert(serde_json::from_value(record.clone()).unwrap())
                .unwrap_or_else(|error| panic!("{error}"));
        }
        evidence
    }

    /// The same, where somebody looked for other ways to a person than the chain of the member, and
    /// found none.
    pub(super) fn without_other_shapes(self) -> Self {
        let none = json!({});
        let rules = |list: &str| json!({ list: [] });
        self.with(
            "observabilityadmin:ListCentralizationRulesForOrganization",
            MANAGEMENT,
            "us-east-1",
            &json!({"AllRegions": true}),
            &rules("CentralizationRuleSummaries"),
        )
        .with(
            "observabilityadmin:ListTelemetryRulesForOrganization",
            MANAGEMENT,
            "us-east-1",
            &none,
            &rules("TelemetryRuleSummaries"),
        )
        .with(
            "observabilityadmin:ListTelemetryRules",
            MEMBER,
            "us-east-1",
            &none,
            &rules("TelemetryRuleSummaries"),
        )
        .with(
            "events:ListRules",
            MANAGEMENT,
            "eu-west-1",
            &none,
            &rules("Rules"),
        )
    }

    /// What is judged of it. Whatever is observed is in the table of its link or its policy.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let findings = super::evaluate(&self.evidence(), &self.policy);
        for seen in findings.iter().flat_map(|finding| &finding.observations) {
            let known = super::observations().any(|kind| kind.code == seen.code);
            assert!(known, "{} is in no table", seen.code);
        }
        findings
    }

    pub(super) fn finding(&self, account: u64) -> Finding {
        self.findings()
            .into_iter()
            .find(|finding| finding.account.id == id(account))
            .unwrap_or_else(|| panic!("no finding of {account}"))
    }

    pub(super) fn wanted(&self, account: u64) -> Vec<Request> {
        super::wanted(&self.evidence(), &self.policy, id(account))
    }
}

/// The operations wanted, as text.
pub(super) fn names(requests: &[Request]) -> Vec<String> {
    requests
        .iter()
        .map(|request| {
            format!(
                "{} {} {}",
                request.call.operation(),
                request.account,
                request.region
            )
        })
        .collect()
}

/// What a finding says, in short.
pub(super) fn verdict(finding: &Finding) -> (Status, Status, Option<&str>) {
    (
        finding.assurance.cis,
        finding.assurance.effective,
        finding.reason.as_deref(),
    )
}

/// Checks the verdict of the member, by both yardsticks, and that link and reason fit together.
#[track_caller]
pub(super) fn check(world: &World, cis: Status, effective: Status, reason: Option<&str>) {
    check_case("", world, cis, effective, reason);
}

#[track_caller]
fn check_case(case: &str, world: &World, cis: Status, effective: Status, reason: Option<&str>) {
    let finding = world.finding(MEMBER);
    assert_eq!(
        verdict(&finding),
        (cis, effective, reason),
        "{case}\n{}\n{:#?}",
        finding.message,
        finding.chain
    );
    let link = reason
        .and_then(|reason| reason.split_once('.'))
        .map(|(link, _)| link);
    assert_eq!(finding.broken_link.map(LinkName::as_str), link);
    if let Some(reason) = reason {
        assert!(
            super::reasons().any(|known| known.code == reason),
            "{reason}"
        );
        assert!(finding.remediation.is_some());
    }
}

/// The commands of a remediation, one per line, with quotes where a text is more than a word.
pub(super) fn spelled(remediation: &Remediation) -> String {
    let spelled = |word: &Word| match word {
        Word::Text(text) if text.contains([' ', '*', '{', '[']) => format!("'{text}'"),
        Word::Text(text) => text.to_string(),
        Word::Variable(name) => format!("\"${name}\""),
    };
    let lines = remediation.commands.iter().map(|command| {
        let words: Vec<String> = command.words.iter().map(spelled).collect();
        words.join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// One change to the healthy organization: operation, account, member of the response, its value;
/// and the member's verdict then: by the benchmark, effectively, and why.
pub(super) struct Case(
    pub(super) &'static str,
    pub(super) u64,
    pub(super) &'static str,
    pub(super) Value,
    pub(super) Status,
    pub(super) Status,
    pub(super) Option<&'static str>,
);

/// Checks each change by itself.
#[track_caller]
pub(super) fn table(cases: &[Case]) {
    for Case(operation, account, pointer, value, cis, effective, reason) in cases {
        let world = World::healthy().set(operation, *account, pointer, value.clone());
        let case = format!("{operation} {pointer} {value}");
        check_case(&case, &world, *cis, *effective, *reason);
    }
}
