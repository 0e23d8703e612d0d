//! Exports of plans, checked by the tools whose languages they are in, and the script run for real
//! with the AWS CLI against a simulated organization.
#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why; tools are found on the search path"
)]

use std::process::{Command, Output};

use trailproof_tests::repair::{Bench, PHONE};

fn bench() -> Bench {
    let bench = Bench::of_scenario(
        r#"
        title = "trails with different things missing"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = { filter = false, alarm = false, topic = false }
        [[accounts]]
        id = "222222222222"
        name = "no alarm"
        chain.alarm = false
        [[accounts]]
        id = "333333333333"
        name = "nobody listens"
        chain.subscription = false
        "#,
    );
    let plan = bench.plan(&[
        "--subscribe",
        PHONE,
        "--tag",
        "team=security eu/1",
        "--alarm-name",
        "it's \"our\" $(alarm) `for` {control}",
    ]);
    assert_eq!(plan["summary"]["turns_green"], 3, "{plan:#}");
    for format in ["script", "cloudformation", "stackset", "terraform"] {
        let _ = bench
            .trailproof
            .run([
                "fix",
                "export",
                "plan.json",
                "--format",
                format,
                "--out",
                format,
            ])
            .exits(0);
    }
    bench
}

#[track_caller]
fn succeeds(mut command: Command) -> Output {
    let output = command.output().expect("the tool starts");
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Whether a tool that is no part of the tests' environment is on this machine.
fn is_there(tool: &str) -> bool {
    Command::new(tool)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

mod with_python {
    use std::fs::File;
    use std::path::Path;
    use std::process::Command;

    use serde_json::{Value, json};
    use trailproof_tests::repair::{Bench, PHONE};
    use trailproof_tests::server::script;
    use xtask::python;

    use super::{bench, is_there, succeeds};

    /// The exported script, which finds the AWS CLI of the tests.
    fn exported_script(bench: &Bench) -> Command {
        let python = python::environment().expect("the tests' Python is there");
        let folder = python.parent().unwrap_or(Path::new(""));
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .arg(bench.file("script/fix.sh"))
            .env_clear()
            .env("PATH", format!("{}:{path}", folder.display()))
            .env("HOME", bench.trailproof.home())
            .envs(bench.running.environment());
        command
    }

    #[test]
    fn the_script_repairs_what_apply_would_and_can_be_run_again() {
        let bench = bench();
        let script = || exported_script(&bench);
        let _ = succeeds(script());
        let _ = bench.scan().exits(0);
        let after = bench.state();
        let _ = succeeds(script());
        assert!(bench.state() == after, "the second run changed something");
        // Apply finds everything there.
        let applied = bench.apply().exits(0);
        assert!(applied.stdout.starts_with("0 changes made"), "{applied:?}");

        if is_there("shellcheck") {
            let mut check = Command::new("shellcheck");
            check
                .arg(bench.file("script/fix.sh"))
                .arg(bench.file("stackset/stack-sets.sh"));
            let _ = succeeds(check);
        }
    }

    #[test]
    fn the_script_ends_where_it_cannot_look() {
        let bench = bench();
        let script = || exported_script(&bench);
        for operation in [
            "logs:DescribeMetricFilters",
            "sns:ListSubscriptionsByTopic",
            "cloudwatch:DescribeAlarms",
        ] {
            bench.deny("111111111111", &[operation]);
            let output = script().output().expect("the shell starts");
            assert!(!output.status.success(), "{operation}");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                said.ends_with("cannot see what is there: nothing more was changed\n"),
                "{said}"
            );
        }
        assert!(bench.site("111111111111").alarms.is_empty());
        assert!(bench.site("333333333333").alarms.len() == 1);
        bench.deny("111111111111", &[]);
        let _ = succeeds(script());
        let _ = bench.scan().exits(0);
    }

    #[test]
    fn log_groups_of_like_names_and_several_topics_are_told_apart() {
        let bench = Bench::of_scenario(
            r#"
            title = "log groups whose names differ in nothing but their separators"
            [[accounts]]
            id = "111111111111"
            name = "management"
            trails = [{ name = "one", log_group = "trail/logs" }, { name = "two", log_group = "trail-logs" }]
            log_groups = [
                { name = "trail/logs", filters = [
                    { name = "sign-ins", pattern = '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }', metric_name = "sign-ins", namespace = "N", value = "1" },
                    { name = "root", pattern = '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }', metric_name = "root", namespace = "N", value = "1" },
                ] },
                { name = "trail-logs", filters = [
                    { name = "keys", pattern = '{ ($.eventSource = kms.amazonaws.com) && (($.eventName=DisableKey)||($.eventName=ScheduleKeyDeletion)) }', metric_name = "keys", namespace = "N", value = "1" },
                ] },
            ]
            "#,
        );
        let python = python::environment().expect("the tests' Python is there");
        let controls = "console-auth-failures,root-usage,cmk-disable-or-delete";
        let scan = ["scan", "--out", "run", "--quiet", "--control", controls];
        let _ = bench.trailproof.run(scan).exits(1);
        for topic in ["trailproof", "trailproof-{control}"] {
            let plan = [
                "fix",
                "plan",
                "run",
                "--overwrite",
                "--subscribe",
                PHONE,
                "--topic",
                topic,
            ];
            let _ = bench.trailproof.run(plan).exits(0);
            assert_eq!(bench.read_plan()["summary"]["sites"], 2);
            let mut lint = Command::new(python.with_file_name("cfn-lint"));
            let mut templates = Vec::new();
            for format in ["cloudformation", "stackset", "terraform"] {
                let folder = format!("{format}-{topic}");
                let export = ["fix", "export", "plan.json", "--format", format, "--out"];
                let export = export.into_iter().chain([folder.as_str()]);
                let _ = bench.trailproof.run(export).exits(0);
                let files = std::fs::read_dir(bench.file(&folder)).expect("the folder is there");
                let files = files.map(|entry| entry.expect("it can be read").path());
                templates.extend(
                    files.filter(|path| path.extension().is_some_and(|ending| ending == "json")),
                );
            }
            assert_eq!(templates.len(), 3, "{templates:?}");
            lint.args(&templates);
            let _ = succeeds(lint);
        }
    }

    #[test]
    fn templates_pass_the_linter_and_terraform_its_formatter() {
        let bench = bench();
        let python = python::environment().expect("the tests' Python is there");
        for folder in ["cloudformation", "stackset"] {
            let templates: Vec<_> = std::fs::read_dir(bench.file(folder))
                .expect("the folder was written")
                .map(|entry| entry.expect("it can be read").path())
                .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
                .collect();
            assert_eq!(templates.len(), if folder == "stackset" { 1 } else { 3 });
            let mut lint = Command::new(python.with_file_name("cfn-lint"));
            lint.args(&templates);
            let _ = succeeds(lint);
        }
        if is_there("terraform") {
            let mut format = Command::new("terraform");
            format
                .args(["fmt", "-check", "-diff"])
                .arg(bench.file("terraform"));
            let _ = succeeds(format);
        }
    }

    /// What Terraform would be told to make for a step of the plan.
    fn expected(step: &Value) -> (&'static str, Value) {
        let made = &step["creates"];
        match step["operation"].as_str().expect("a word") {
            "put-metric-filter" => (
                "aws_cloudwatch_log_metric_filter",
                json!({
                    "name": made["name"], "log_group_name": made["log_group"],
                    "pattern": made["pattern"],
                    "metric_transformation": [{
                        "namespace": made["namespace"], "name": made["metric"],
                        "value": made["value"],
                    }],
                }),
            ),
            "create-topic" => (
                "aws_sns_topic",
                json!({ "name": made["name"], "tags": made["tags"] }),
            ),
            "subscribe" => (
                "aws_sns_topic_subscription",
                json!({ "protocol": made["protocol"], "endpoint": made["endpoint"] }),
            ),
            _ => (
                "aws_cloudwatch_metric_alarm",
                json!({
                    "alarm_name": made["name"], "alarm_description": made["description"],
                    "namespace": made["namespace"], "metric_name": made["metric"],
                    "statistic": "Sum", "period": made["period"], "evaluation_periods": 1,
                    "comparison_operator": "GreaterThanOrEqualToThreshold",
                    "treat_missing_data": "notBreaching", "tags": made["tags"],
                }),
            ),
        }
    }

    #[test]
    fn terraform_is_read_as_it_was_meant_by_a_parser_that_is_not_ours() {
        let bench = bench();
        let main = File::open(bench.file("terraform/main.tf")).expect("it was written");
        let read = succeeds({
            let mut command = script("hcl.py", bench.trailproof.home());
            command.stdin(main);
            command
        });
        let resources: Vec<Value> = serde_json::from_slice(&read.stdout).expect("a list");
        let plan = bench.read_plan();
        let steps: Vec<&Value> = plan["sites"]
            .as_array()
            .expect("a list")
            .iter()
            .flat_map(|site| site["steps"].as_array().expect("a list"))
            .collect();
        assert_eq!(resources.len(), steps.len());
        for (resource, step) in resources.iter().zip(steps) {
            let (kind, expected) = expected(step);
            assert_eq!(resource["type"], kind);
            let attributes = &resource["attributes"];
            for (name, value) in expected.as_object().expect("an object") {
                assert_eq!(attributes[name], *value, "{kind} {name}");
            }
            let provider = attributes["provider"].as_str().expect("a reference");
            let account = step["account"].as_str().expect("an account");
            assert!(provider.contains(&format!("aws.a{account}_")), "{provider}");
            // A topic of the same plan is referred to, so that Terraform makes it first.
            let topic = step["creates"]["topic_arn"].as_str();
            let told = attributes
                .get("topic_arn")
                .or(attributes["alarm_actions"].get(0));
            if let (Some(topic), Some(told)) = (topic, told) {
                let reference = told.as_str().expect("an ARN or a reference");
                let created = resources.iter().find(|other| {
                    reference
                        == format!(
                            "${{aws_sns_topic.{}.arn}}",
                            other["name"].as_str().unwrap_or_default()
                        )
                });
                match created {
                    Some(created) => {
                        let name = created["attributes"]["name"].as_str().expect("a name");
                        assert!(topic.ends_with(&format!(":{name}")), "{topic} {name}");
                    }
                    None => assert_eq!(reference, topic),
                }
            }
        }
    }
}
