//! What cannot be read, in whole or in part, and what is said of it.

use serde_json::json;

use super::*;

#[test]
fn a_list_of_accounts_that_is_none_is_a_problem() {
    for (accounts, problem) in [
        (json!("none"), "`Accounts` is not a list"),
        (
            json!([{ "Id": "short" }]),
            "lists an account that cannot be read",
        ),
    ] {
        let listed = line(
            "organizations:ListAccounts",
            1,
            "us-east-1",
            json!({}),
            json!({ "Accounts": accounts }),
        );
        let evidence = read(&listed);
        let problems = evidence.reader().listing_problems();
        assert!(
            problems.iter().any(|told| told.contains(problem)),
            "{problems:?}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_the_member() {
    for (operation, parameters, response, message) in [
        (
            "cloudtrail:DescribeTrails",
            json!({}),
            json!({"trailList": [{"TrailARN": 7}]}),
            "line 1: cloudtrail:DescribeTrails as account 000000000001 in us-east-1: `response.trailList[0].TrailARN` cannot be read: invalid type: integer `7`, expected a string; remove the line or record the call again",
        ),
        (
            "cloudtrail:DescribeTrails",
            json!({}),
            json!({"trailList": [{"TrailARN": "org"}]}),
            "line 1: cloudtrail:DescribeTrails as account 000000000001 in us-east-1: `response.trailList[].TrailARN` cannot be read: `org` is not an ARN: expected arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE; remove the line or record the call again",
        ),
        (
            "cloudtrail:DescribeTrails",
            json!({}),
            json!({"TrailList": []}),
            "line 1: cloudtrail:DescribeTrails as account 000000000001 in us-east-1: `response.TrailList` cannot be read: AWS calls this member `trailList`; remove the line or record the call again",
        ),
        (
            "cloudtrail:GetTrailStatus",
            json!({}),
            json!({"IsLogging": true}),
            "line 1: cloudtrail:GetTrailStatus as account 000000000001 in us-east-1: `parameters.Name` cannot be read: it is missing; remove the line or record the call again",
        ),
        (
            "cloudtrail:GetTrailStatus",
            json!({"Name": "a"}),
            json!({"IsLogging": "yes"}),
            "line 1: cloudtrail:GetTrailStatus as account 000000000001 in us-east-1: `response.IsLogging` cannot be read: invalid type: string \"yes\", expected a boolean; remove the line or record the call again",
        ),
        (
            "cloudwatch:DescribeAlarms",
            json!({}),
            json!({"MetricAlarms": [{"AlarmName": "a", "Period": "long"}]}),
            "line 1: cloudwatch:DescribeAlarms as account 000000000001 in us-east-1: `response.MetricAlarms[0].Period` cannot be read: invalid type: string \"long\", expected u64; remove the line or record the call again",
        ),
        (
            "cloudwatch:DescribeAlarms",
            json!({}),
            json!({"MetricAlarms": [{"StateValue": 7, "AlarmName": "a"}]}),
            "line 1: cloudwatch:DescribeAlarms as account 000000000001 in us-east-1: `response.MetricAlarms[0].StateValue` cannot be read: invalid type: integer `7`, expected a string; remove the line or record the call again",
        ),
        (
            "cloudwatch:DescribeAlarms",
            json!({}),
            json!({"MetricAlarms": [{"MetricName": "M"}]}),
            "line 1: cloudwatch:DescribeAlarms as account 000000000001 in us-east-1: `response.MetricAlarms[0]` cannot be read: missing field `AlarmName`; remove the line or record the call again",
        ),
        (
            "cloudwatch:DescribeAlarms",
            json!({}),
            json!({"MetricAlarms": [7]}),
            "line 1: cloudwatch:DescribeAlarms as account 000000000001 in us-east-1: `response.MetricAlarms[0]` cannot be read: invalid type: integer `7`, expected a metric alarm; remove the line or record the call again",
        ),
        (
            "sts:AssumeRole",
            json!({"RoleArn": "Audit"}),
            json!({}),
            "line 1: sts:AssumeRole as account 000000000001 in us-east-1: `parameters.RoleArn` cannot be read: `Audit` is not an ARN: expected arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE; remove the line or record the call again",
        ),
    ] {
        let text = line(operation, 1, "us-east-1", parameters, response);
        let error = Evidence::read(text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn lines_that_are_not_records_are_errors_with_their_number() {
    let good = line(
        "cloudtrail:DescribeTrails",
        1,
        "us-east-1",
        json!({}),
        json!({"trailList": null}),
    );
    for (bad, message) in [
        (
            "hello\n".to_owned(),
            "line 2: not a record of evidence: expected value (column 1); remove the line or record the call again",
        ),
        (
            "{\"operation\":\n".to_owned(),
            "line 2: not a record of evidence: EOF while parsing a value; remove the line or record the call again",
        ),
        (
            line("RunInstances", 1, "us-east-1", json!({}), json!({})),
            "line 2: not a record of evidence: `RunInstances` is not an operation that trailproof knows; remove the line or record the call again",
        ),
        (
            line("ec2:runInstances", 1, "us-east-1", json!({}), json!({}))
                .trim_end()
                .to_owned(),
            "line 2: not a record of evidence: `ec2:runInstances` is not an operation that trailproof knows; remove the line or record the call again",
        ),
    ] {
        let error = Evidence::read(format!("{good}{bad}").as_bytes()).unwrap_err();
        let text = error.to_string();
        let text = match text.split_once(" (column ") {
            Some((before, after)) if !message.contains("column") => {
                format!("{before}{}", after.split_once(')').unwrap().1)
            }
            _ => text,
        };
        assert_eq!(text, message);
    }
}

#[test]
fn a_torn_last_line_is_ignored_and_told() {
    let good = line(
        "cloudtrail:DescribeTrails",
        1,
        "us-east-1",
        json!({}),
        json!({"trailList": []}),
    );
    let torn = &good[..good.len() / 2];
    let reading = Evidence::read(format!("\u{feff}{good}\n{torn}").as_bytes()).unwrap();
    assert_eq!((reading.records, reading.torn_line), (1, Some(3)));
    let whole = Evidence::read(good.trim_end().as_bytes()).unwrap();
    assert_eq!((whole.records, whole.torn_line), (1, None));
}

#[test]
fn operations_of_later_versions_are_counted_and_left_alone() {
    let later = line("ec2:RunInstances", 1, "us-east-1", json!({}), json!({}));
    let known = line(
        "sts:GetCallerIdentity",
        1,
        "us-east-1",
        json!({}),
        json!({"Account": account(1)}),
    );
    let evidence = read(&[later.clone(), known, later].concat());
    let unknown: Vec<_> = evidence.unknown_operations().iter().collect();
    assert_eq!(unknown, [(&"ec2:RunInstances".to_owned(), &2)]);
    assert!(evidence.reader().accounts().contains(&account(1)));
}
