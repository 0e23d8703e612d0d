//! How long it takes to read and judge recorded evidence, and in how much memory: accounts that all
//! have a chain of their own, and members that share one log group whose account has thousands of
//! alarms. `cargo xtask bench evaluate`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark talks to a developer and stops at the first surprise"
)]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};
use trailproof_core::control;
use trailproof_core::evaluate::Evaluator;
use trailproof_core::evidence::Evidence;
use trailproof_core::finding::Status;
use trailproof_core::policy::Policy;

const REGION: &str = "us-east-1";
const MANAGEMENT: u64 = 100_000_000_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [file, controls] = arguments.as_slice() {
        return judge(Path::new(file), controls);
    }
    let sizes: Vec<u64> = match arguments.first() {
        Some(sizes) => sizes.split(',').map(|size| size.parse().unwrap()).collect(),
        None => vec![10_000, 50_000],
    };
    let folder = tempfile::tempdir().unwrap();
    println!("| evidence | controls | records | read | judge | memory | PASS of findings |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    for size in sizes {
        let file = folder.path().join("own.ndjson");
        own_chains(&file, size);
        row(
            &format!("{size} accounts, a chain each"),
            &file,
            "console-auth-failures",
        );
        row(&format!("{size} accounts, a chain each"), &file, "all");
        fs::remove_file(&file).unwrap();
    }
    let file = folder.path().join("shared.ndjson");
    shared_log_group(&file, 10_000, 5_000);
    let name = "10000 members, one log group, 5000 alarms";
    row(name, &file, "console-auth-failures");
    row(name, &file, "all");
    fs::remove_file(&file).unwrap();
    let file = folder.path().join("crowded.ndjson");
    crowded(&file);
    let name =
        "1 account, 10 filters on one metric, 500 alarms on it, 100 composite alarms over them";
    row(name, &file, "console-auth-failures");
    row(name, &file, "all");
}

/// Judges in a process of its own: only then is the most memory it had that of this evidence.
fn row(name: &str, file: &Path, controls: &str) {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .arg(file)
        .arg(controls)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let cells = String::from_utf8(output.stdout).unwrap();
    println!("| {name} | {controls} | {} |", cells.trim());
}

fn judge(file: &Path, controls: &str) {
    let catalogue = control::builtin();
    let controls = match controls {
        "all" => catalogue.to_vec(),
        id => control::select(catalogue, &[id.to_owned()]).unwrap(),
    };
    let started = Instant::now();
    let input = BufReader::with_capacity(1 << 18, File::open(file).unwrap());
    let reading = Evidence::read(input).unwrap();
    let read = started.elapsed();
    let started = Instant::now();
    let (mut findings, mut passed) = (0, 0);
    let evaluator = Evaluator::new(Policy::new(controls));
    evaluator.on(&reading.evidence).for_each(|finding| {
        findings += 1;
        passed += usize::from(finding.status == Status::Pass);
    });
    let judged = started.elapsed();
    println!(
        "{} | {:.2} s | {:.2} s | {} MiB | {passed} of {findings}",
        reading.records,
        read.as_secs_f64(),
        judged.as_secs_f64(),
        most_memory()
    );
}

/// The most memory that this process had at once, in MiB.
fn most_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let digits: String = line
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse::<u64>().unwrap_or_default() / 1024
}

/// As much as AWS allows to depend on one metric, and a little more: composite alarms have up to a
/// hundred children, and here half of them are over the other half. No alarm notifies by itself.
fn crowded(file: &Path) {
    let mut recording = Recording::new(file);
    recording.organization(0);
    let (arn, trail) = trail(MANAGEMENT, false);
    recording.trails(MANAGEMENT, &trail);
    recording.chain(MANAGEMENT, &arn, 0);
    let filters: Vec<Value> = (0..10)
        .map(|number| {
            // Each is enough for the control, and no two are the same.
            let pattern = SIGN_INS.replace(" }", &format!(" || ($.eventName = Other{number}) }}"));
            filter(&format!("sign-ins-{number}"), &pattern)
        })
        .collect();
    recording.record(
        "logs:DescribeMetricFilters",
        MANAGEMENT,
        &json!({"logGroupName": "trail"}),
        &json!({ "metricFilters": filters }),
    );
    let name = |number: usize| format!("sign-ins-{number}");
    let alarms: Vec<Value> = (0..500)
        .map(|number| {
            let mut alarm = alarm(MANAGEMENT, &name(number), "sign-ins", &[]);
            alarm["Threshold"] = json!(1 + number % 3);
            alarm
        })
        .collect();
    let topic = format!("arn:aws:sns:{REGION}:{MANAGEMENT}:alarms");
    let over = |names: Vec<String>, join: &str| {
        let each = names.iter().map(|name| format!("ALARM(\"{name}\")"));
        each.collect::<Vec<_>>().join(join)
    };
    let composites: Vec<Value> = (0..100_usize)
        .map(|number| {
            let rule = if number < 50 {
                let first = number * 10;
                let children = (first..first + 100).map(|child| name(child % 500));
                over(children.collect(), " OR ")
            } else {
                let children = (0..50).map(|child| format!("over-{child}"));
                let join = if number % 2 == 0 { " OR " } else { " AND NOT " };
                over(children.collect(), join)
            };
            json!({"AlarmName": format!("over-{number}"), "AlarmRule": rule, "StateValue": "OK",
                "ActionsEnabled": true, "AlarmActions": [topic],
                "AlarmArn": format!("arn:aws:cloudwatch:{REGION}:{MANAGEMENT}:alarm:over-{number}")})
        })
        .collect();
    recording.alarms(MANAGEMENT, &alarms, &composites);
}

/// Writes records to a file.
struct Recording(BufWriter<File>);

impl Recording {
    fn new(file: &Path) -> Self {
        Self(BufWriter::new(File::create(file).unwrap()))
    }

    fn record(&mut self, operation: &str, account: u64, parameters: &Value, response: &Value) {
        let record = json!({
            "operation": operation, "account": account.to_string(), "region": REGION,
            "parameters": parameters, "observed_at": "2026-11-22T22:00:00Z", "response": response,
        });
        writeln!(self.0, "{record}").unwrap();
    }

    /// The organization, its accounts, and that each was entered.
    fn organization(&mut self, members: u64) {
        let organization = json!({"Organization": {"Id": "o-bench",
            "MasterAccountId": MANAGEMENT.to_string()}});
        self.record(
            "organizations:DescribeOrganization",
            MANAGEMENT,
            &json!({}),
            &organization,
        );
        let accounts: Vec<Value> = (0..=members)
            .map(|member| {
                json!({"Id": (MANAGEMENT + member).to_string(),
                "Name": format!("account {member}"), "State": "ACTIVE"})
            })
            .collect();
        let accounts = json!({"Accounts": accounts});
        self.record(
            "organizations:ListAccounts",
            MANAGEMENT,
            &json!({}),
            &accounts,
        );
        let service = json!({"ServicePrincipal": "cloudtrail.amazonaws.com"});
        let nobody = json!({"DelegatedAdministrators": []});
        self.record(
            "organizations:ListDelegatedAdministrators",
            MANAGEMENT,
            &service,
            &nobody,
        );
        for member in 1..=members {
            let role = json!({"RoleArn":
                format!("arn:aws:iam::{}:role/OrganizationAccountAccessRole", MANAGEMENT + member)});
            let entered = json!({"AssumedRoleUser": {}});
            self.record("sts:AssumeRole", MANAGEMENT, &role, &entered);
        }
    }

    fn trails(&mut self, account: u64, trail: &Value) {
        let shadows = json!({"includeShadowTrails": true});
        self.record(
            "cloudtrail:DescribeTrails",
            account,
            &shadows,
            &json!({"trailList": [trail]}),
        );
    }

    fn alarms(&mut self, account: u64, metric: &[Value], composite: &[Value]) {
        self.record(
            "cloudwatch:DescribeAlarms",
            account,
            &json!({"AlarmTypes": ["MetricAlarm", "CompositeAlarm", "LogAlarm"]}),
            &json!({"MetricAlarms": metric, "CompositeAlarms": composite, "LogAlarms": []}),
        );
    }

    /// What is known of a trail and its log group, with alarms of which one watches the metric.
    fn chain(&mut self, account: u64, trail: &str, alarms: usize) {
        let topic = format!("arn:aws:sns:{REGION}:{account}:alarms");
        let now = "2026-11-22T21:55:00Z";
        self.record(
            "cloudtrail:GetTrailStatus",
            account,
            &json!({"Name": trail}),
            &json!({"IsLogging": true, "LatestCloudWatchLogsDeliveryTime": now}),
        );
        self.record(
            "cloudtrail:GetEventSelectors",
            account,
            &json!({"TrailName": trail}),
            &json!({"TrailARN": trail, "EventSelectors": [{"ReadWriteType": "All",
                "IncludeManagementEvents": true, "ExcludeManagementEventSources": []}]}),
        );
        self.record(
            "logs:DescribeLogGroups",
            account,
            &json!({"logGroupNamePrefix": "trail"}),
            &json!({"logGroups": [{"logGroupName": "trail", "logGroupClass": "STANDARD",
                "arn": format!("arn:aws:logs:{REGION}:{account}:log-group:trail:*")}]}),
        );
        self.record(
            "logs:DescribeMetricFilters",
            account,
            &json!({"logGroupName": "trail"}),
            &json!({"metricFilters": [filter("sign-ins", SIGN_INS)]}),
        );
        let alarms: Vec<Value> = (0..alarms)
            .map(|number| {
                let mut name = "sign-ins".to_owned();
                if number > 0 {
                    write!(name, "-{number}").unwrap();
                }
                alarm(account, &name, &name, &[&topic])
            })
            .collect();
        self.alarms(account, &alarms, &[]);
        self.record(
            "cloudwatch:ListAlarmMuteRules",
            account,
            &json!({}),
            &json!({"AlarmMuteRuleSummaries": []}),
        );
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish",
            "Resource": topic}]});
        let topic_arn = json!({"TopicArn": topic});
        self.record(
            "sns:GetTopicAttributes",
            account,
            &topic_arn,
            &json!({"Attributes": {"TopicArn": topic, "Owner": account.to_string(),
                "Policy": policy.to_string(), "SubscriptionsConfirmed": "1",
                "SubscriptionsPending": "0", "SubscriptionsDeleted": "0"}}),
        );
        let subscription = format!("{topic}:0");
        self.record(
            "sns:ListSubscriptionsByTopic",
            account,
            &topic_arn,
            &json!({"Subscriptions": [{"SubscriptionArn": subscription, "Protocol": "email",
                "Endpoint": "security@example.com", "Owner": account.to_string(),
                "TopicArn": topic}]}),
        );
        self.record(
            "sns:GetSubscriptionAttributes",
            account,
            &json!({"SubscriptionArn": subscription}),
            &json!({"Attributes": {"SubscriptionArn": subscription, "TopicArn": topic,
                "Protocol": "email", "Owner": account.to_string(),
                "PendingConfirmation": "false"}}),
        );
    }
}

const SIGN_INS: &str =
    r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }"#;

fn filter(name: &str, pattern: &str) -> Value {
    json!({"filterName": name, "filterPattern": pattern, "logGroupName": "trail",
        "metricTransformations": [{"metricName": "sign-ins", "metricNamespace": "CISBenchmark",
        "metricValue": "1"}]})
}

fn alarm(account: u64, name: &str, metric: &str, actions: &[&str]) -> Value {
    json!({"AlarmName": name, "ActionsEnabled": true, "AlarmActions": actions,
        "AlarmArn": format!("arn:aws:cloudwatch:{REGION}:{account}:alarm:{name}"),
        "StateValue": "OK", "MetricName": metric, "Namespace": "CISBenchmark",
        "Statistic": "Sum", "Dimensions": [], "Period": 300, "EvaluationPeriods": 1,
        "Threshold": 1.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching"})
}

fn trail(owner: u64, of_organization: bool) -> (String, Value) {
    let arn = format!("arn:aws:cloudtrail:{REGION}:{owner}:trail/trail");
    let trail = json!({"Name": "trail", "TrailARN": arn, "HomeRegion": REGION,
        "IncludeGlobalServiceEvents": true, "IsMultiRegionTrail": true,
        "IsOrganizationTrail": of_organization, "HasCustomEventSelectors": false,
        "CloudWatchLogsLogGroupArn": format!("arn:aws:logs:{REGION}:{owner}:log-group:trail:*")});
    (arn, trail)
}

fn own_chains(file: &Path, accounts: u64) {
    let mut recording = Recording::new(file);
    recording.organization(accounts - 1);
    for account in MANAGEMENT..MANAGEMENT + accounts {
        let (arn, trail) = trail(account, false);
        recording.trails(account, &trail);
        recording.chain(account, &arn, 1);
    }
}

fn shared_log_group(file: &Path, members: u64, alarms: usize) {
    let mut recording = Recording::new(file);
    recording.organization(members);
    let (arn, trail) = trail(MANAGEMENT, true);
    for account in MANAGEMENT..=MANAGEMENT + members {
        recording.trails(account, &trail);
    }
    recording.chain(MANAGEMENT, &arn, alarms);
}
