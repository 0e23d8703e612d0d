//! Trails and what they deliver to: for people alone to change. What they do not have to look up
//! first is filled in; the rest are shell variables, such as `$BUCKET`.

use std::sync::Arc;

use crate::arn::Arn;
use crate::evaluate::verdict::{Cause, Step};
use crate::finding::LinkName;
use crate::remedy::{Command, Word};

/// The log group that a trail is given where it has none that will do.
const LOG_GROUP: &str = "trailproof-cloudtrail";
/// The role that CloudTrail writes to it with.
const ROLE: &str = "trailproof-cloudtrail-delivery";
/// The role's permission.
const POLICY: &str = "trailproof-delivery";

/// The trail of a chain.
struct Trail<'a> {
    arn: &'a str,
    /// Its home region.
    region: &'a str,
}

/// The commands for a link from the trail to its deliveries.
pub(super) fn commands(step: &Step, cause: &Cause, chain: &[Arc<Step>]) -> Vec<Command> {
    let code = cause.reason.code;
    if code == "trail.none" {
        return create();
    }
    if code == "log-group.missing" {
        return resource(step).map_or_else(Vec::new, |group| create_log_group(&group));
    }
    let Some(trail) = of(chain) else {
        return Vec::new();
    };
    match (step.link, code) {
        (LinkName::Trail, "trail.single-region") => {
            vec![trail.update().switch("--is-multi-region-trail")]
        }
        (LinkName::Trail, "trail.no-global-service-events") => {
            vec![trail.update().switch("--include-global-service-events")]
        }
        (LinkName::Logging, _) => vec![trail.cloudtrail("cloudtrail start-logging", "--name")],
        (LinkName::Selectors, _) => vec![
            trail
                .cloudtrail("cloudtrail put-event-selectors", "--trail-name")
                .with_fixed(
                    "--event-selectors",
                    r#"[{"ReadWriteType":"All","IncludeManagementEvents":true}]"#,
                ),
        ],
        (LinkName::LogGroup, _) => deliver(&trail),
        (LinkName::Delivery, _) => let_deliver(&trail, chain),
        _ => Vec::new(),
    }
}

fn of(chain: &[Arc<Step>]) -> Option<Trail<'_>> {
    let step = chain.iter().find(|step| step.link == LinkName::Trail)?;
    Some(Trail {
        arn: step.resource.as_deref()?,
        region: step.region.as_ref()?.as_str(),
    })
}

fn resource(step: &Step) -> Option<Arn> {
    step.resource.as_deref()?.parse().ok()
}

impl Trail<'_> {
    fn cloudtrail(&self, operation: &'static str, name: &'static str) -> Command {
        Command::aws(operation)
            .in_region(Some(self.region))
            .with(name, self.arn)
    }

    fn update(&self) -> Command {
        self.cloudtrail("cloudtrail update-trail", "--name")
    }
}

/// A multi-region trail needs nothing but a bucket that lets CloudTrail write (CloudTrail User
/// Guide, "Using create-trail").
fn create() -> Vec<Command> {
    const NAME: &str = "trailproof-management-events";
    vec![
        Command::aws("cloudtrail create-trail")
            .with_fixed("--name", NAME)
            .with_variable("--s3-bucket-name", "BUCKET")
            .switch("--is-multi-region-trail")
            .switch("--enable-log-file-validation"),
        Command::aws("cloudtrail start-logging").with_fixed("--name", NAME),
    ]
}

fn create_log_group(group: &Arn) -> Vec<Command> {
    let (Some(region), Some(name)) = (group.region(), group.log_group_name()) else {
        return Vec::new();
    };
    vec![
        Command::aws("logs create-log-group")
            .in_region(Some(region.as_str()))
            .with("--log-group-name", name),
    ]
}

/// A log group for the trail in its own account and home region, and a role to write there
/// (CloudTrail User Guide, "Sending events to CloudWatch Logs").
fn deliver(trail: &Trail<'_>) -> Vec<Command> {
    let Ok(arn) = trail.arn.parse::<Arn>() else {
        return Vec::new();
    };
    let Some(account) = arn.account() else {
        return Vec::new();
    };
    let partition = arn.partition();
    let group = format!(
        "arn:{partition}:logs:{}:{account}:log-group:{LOG_GROUP}:*",
        trail.region
    );
    let role = format!("arn:{partition}:iam::{account}:role/{ROLE}");
    let Ok(parsed) = group.parse::<Arn>() else {
        return Vec::new();
    };
    let mut commands = create_log_group(&parsed);
    commands.push(
        Command::aws("iam create-role")
            .with_fixed("--role-name", ROLE)
            .with_fixed(
                "--assume-role-policy-document",
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#,
            ),
    );
    commands.push(permit(Word::Text(ROLE.into()), &group));
    commands.push(
        trail
            .update()
            .with("--cloud-watch-logs-log-group-arn", group)
            .with("--cloud-watch-logs-role-arn", role),
    );
    commands
}

/// Lets a role write to a log group, beside what it may already.
fn permit(role: Word, group: &str) -> Command {
    // Streams are named after the account, or after the organization.
    let streams = format!("{}:log-stream:*", group.strip_suffix(":*").unwrap_or(group));
    let document = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": streams,
        }],
    });
    Command::aws("iam put-role-policy")
        .with_word("--role-name", role)
        .with_fixed("--policy-name", POLICY)
        .with("--policy-document", document.to_string())
}

/// Which role delivers, and the permission that it needs.
fn let_deliver(trail: &Trail<'_>, chain: &[Arc<Step>]) -> Vec<Command> {
    let mut commands = vec![
        trail
            .cloudtrail("cloudtrail describe-trails", "--trail-name-list")
            .with_fixed("--query", "trailList[].CloudWatchLogsRoleArn"),
    ];
    let group = chain.iter().find(|step| step.link == LinkName::LogGroup);
    if let Some(group) = group.and_then(|step| step.resource.as_deref()) {
        commands.push(permit(Word::Variable("ROLE".into()), group));
    }
    commands
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::evaluate::fixture::{MANAGEMENT, MEMBER, World, spelled};

    fn of(operation: &str, path: &str, value: Value) -> (String, String) {
        let finding = World::healthy()
            .set(operation, MANAGEMENT, path, value)
            .finding(MEMBER);
        let remediation = finding.remediation.unwrap();
        assert!(!remediation.automatic);
        (finding.reason.unwrap().to_string(), spelled(&remediation))
    }

    #[test]
    fn a_trail_that_is_stopped_or_selects_is_told_to_record() {
        let (reason, commands) = of("cloudtrail:GetTrailStatus", "/IsLogging", json!(false));
        assert_eq!(reason, "logging.stopped");
        insta::assert_snapshot!(commands, @r#"
        aws cloudtrail start-logging --region eu-west-1 --name arn:aws:cloudtrail:eu-west-1:111111111111:trail/org
        "#);
        let (reason, commands) = of(
            "cloudtrail:GetEventSelectors",
            "/EventSelectors/0/ReadWriteType",
            json!("WriteOnly"),
        );
        assert_eq!(reason, "selectors.not-all-management-events");
        insta::assert_snapshot!(commands, @r#"
        aws cloudtrail put-event-selectors --region eu-west-1 --trail-name arn:aws:cloudtrail:eu-west-1:111111111111:trail/org --event-selectors '[{"ReadWriteType":"All","IncludeManagementEvents":true}]'
        "#);
    }

    #[test]
    fn a_trail_without_a_log_group_is_given_one_and_a_role() {
        let (reason, commands) = of(
            "cloudtrail:DescribeTrails",
            "/trailList/0/CloudWatchLogsLogGroupArn",
            Value::Null,
        );
        assert_eq!(reason, "log-group.none");
        insta::assert_snapshot!(commands, @r#"
        aws logs create-log-group --region eu-west-1 --log-group-name trailproof-cloudtrail
        aws iam create-role --role-name trailproof-cloudtrail-delivery --assume-role-policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
        aws iam put-role-policy --role-name trailproof-cloudtrail-delivery --policy-name trailproof-delivery --policy-document '{"Statement":[{"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Effect":"Allow","Resource":"arn:aws:logs:eu-west-1:111111111111:log-group:trailproof-cloudtrail:log-stream:*"}],"Version":"2012-10-17"}'
        aws cloudtrail update-trail --region eu-west-1 --name arn:aws:cloudtrail:eu-west-1:111111111111:trail/org --cloud-watch-logs-log-group-arn 'arn:aws:logs:eu-west-1:111111111111:log-group:trailproof-cloudtrail:*' --cloud-watch-logs-role-arn arn:aws:iam::111111111111:role/trailproof-cloudtrail-delivery
        "#);
        let (reason, of_class) = of(
            "logs:DescribeLogGroups",
            "/logGroups/0/logGroupClass",
            json!("INFREQUENT_ACCESS"),
        );
        assert_eq!(reason, "log-group.class-without-metric-filters");
        assert_eq!(of_class, commands);
    }

    #[test]
    fn a_log_group_that_is_gone_is_made_again() {
        let (reason, commands) = of("logs:DescribeLogGroups", "/logGroups", json!([]));
        assert_eq!(reason, "log-group.missing");
        insta::assert_snapshot!(commands, @r#"
        aws logs create-log-group --region eu-west-1 --log-group-name trail
        "#);
    }

    #[test]
    fn a_role_that_may_not_write_is_let() {
        let (reason, commands) = of(
            "cloudtrail:GetTrailStatus",
            "/LatestCloudWatchLogsDeliveryError",
            json!("Access denied"),
        );
        assert_eq!(reason, "delivery.error");
        insta::assert_snapshot!(commands, @r#"
        aws cloudtrail describe-trails --region eu-west-1 --trail-name-list arn:aws:cloudtrail:eu-west-1:111111111111:trail/org --query 'trailList[].CloudWatchLogsRoleArn'
        aws iam put-role-policy --role-name "$ROLE" --policy-name trailproof-delivery --policy-document '{"Statement":[{"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Effect":"Allow","Resource":"arn:aws:logs:eu-west-1:111111111111:log-group:trail:log-stream:*"}],"Version":"2012-10-17"}'
        "#);
    }

    #[test]
    fn an_account_without_a_trail_is_given_one() {
        let finding = World::healthy()
            .set("cloudtrail:DescribeTrails", MEMBER, "/trailList", json!([]))
            .finding(MEMBER);
        assert_eq!(finding.reason.as_deref(), Some("trail.none"));
        insta::assert_snapshot!(spelled(&finding.remediation.unwrap()), @r#"
        aws cloudtrail create-trail --name trailproof-management-events --s3-bucket-name "$BUCKET" --is-multi-region-trail --enable-log-file-validation
        aws cloudtrail start-logging --name trailproof-management-events
        "#);
    }
}
