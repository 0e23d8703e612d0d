//! A landing zone of 500 accounts as organizations build them: topics that are forwarded to a
//! central one, alarms that notify it directly, customer keys, log groups of Control Tower, and a
//! monitoring account. Every account gets the verdict that is known by how it was made; what can be
//! repaired is planned and repaired, and nothing else is touched.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fmt::Write;

use serde_json::Value;
use trailproof_simulator::Scenario;
use trailproof_tests::repair::{Bench, PHONE};
use trailproof_tests::scenario;

const ACCOUNTS: usize = 500;
const AUDIT: &str = "510000000001";
const MONITORING: &str = "510000000002";

/// The kinds of members: which share it, what is in one, and what a scan finds.
const KINDS: [Kind; 9] = [
    Kind {
        of: Share::Often(3),
        name: "forwarded by Control Tower",
        entry: r#"
            chain = { log_group = { name = "aws-controltower/CloudTrailLogs" }, trail = { name = "aws-controltower-BaselineCloudTrail", log_group = "aws-controltower/CloudTrailLogs" }, alarm = { alarm_actions = ["aws-controltower-SecurityNotifications"] }, topic = { name = "aws-controltower-SecurityNotifications" }, subscription = { protocol = "lambda", endpoint = "arn:aws:lambda:us-east-1:{id}:function:aws-controltower-NotificationForwarder" } }
        "#,
        expect: r#"{ status = "PASS", observations = ["subscription.forwarded"] }"#,
    },
    Kind {
        of: Share::Often(4),
        name: "notifies the central topic",
        entry: r#"
            chain = { topic = false, alarm = { alarm_actions = ["arn:aws:sns:us-east-1:510000000001:central"] } }
        "#,
        expect: r#""PASS""#,
    },
    Kind {
        of: Share::Often(1),
        name: "a topic with a customer key",
        entry: r#"
            chain = { topic = { kms_key = "alias/alarms" } }
            keys = [{ id = "1234abcd", aliases = ["alias/alarms"], policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*"}]}' }]
        "#,
        expect: r#""PASS""#,
    },
    Kind {
        of: Share::Rarely(30),
        name: "watched by the monitoring account",
        entry: r#"
            chain = { alarm = false, topic = false }
            links = [{ sink = "510000000002", metric_filter = "Namespace NOT LIKE 'AWS/%'" }]
        "#,
        expect: r#"{ status = "FAIL", reason = "alarm.none", cis = "FAIL", effective = "PASS" }"#,
    },
    Kind {
        of: Share::Rarely(0),
        name: "a key that lets nobody but the account in",
        entry: r#"
            chain = { topic = { kms_key = "1234abcd" } }
            keys = [{ id = "1234abcd" }]
        "#,
        expect: r#"{ status = "FAIL", reason = "topic.key-policy-denies", cis = "PASS", effective = "FAIL" }"#,
    },
    Kind {
        of: Share::Rarely(10),
        name: "linked, and nobody watches",
        entry: r#"
            chain = { alarm = false, topic = false }
            links = [{ sink = "510000000002" }]
        "#,
        expect: r#"{ status = "FAIL", reason = "alarm.none", cis = "FAIL", effective = "FAIL" }"#,
    },
    Kind {
        of: Share::Often(1),
        name: "forwarded by a machine that nobody describes",
        entry: r#"
            chain = { subscription = { protocol = "lambda", endpoint = "arn:aws:lambda:us-east-1:{id}:function:mystery" } }
        "#,
        expect: r#"{ status = "UNKNOWN", reason = "subscription.machines-only", cis = "PASS", effective = "UNKNOWN" }"#,
    },
    Kind {
        of: Share::Rarely(20),
        name: "no filter",
        entry: r"
            chain = { filter = false, alarm = false }
        ",
        expect: r#"{ status = "FAIL", reason = "metric-filter.none", cis = "FAIL", effective = "FAIL" }"#,
    },
    Kind {
        of: Share::Often(1),
        name: "cannot be entered",
        entry: r"
            chain = true
            roles = []
        ",
        expect: r#"{ status = "UNKNOWN", broken_link = "account", cis = "UNKNOWN", effective = "UNKNOWN" }"#,
    },
];

/// How many members are of a kind.
enum Share {
    /// So many of ten.
    Often(usize),
    /// One of fifty: the one of that number.
    Rarely(usize),
}

struct Kind {
    of: Share,
    name: &'static str,
    entry: &'static str,
    expect: &'static str,
}

const CONFIGURATION: &str = r#"
[[forwarder]]
topic = "arn:aws:sns:*:*:aws-controltower-SecurityNotifications"
endpoint = "arn:aws:lambda:*:*:function:aws-controltower-NotificationForwarder"
target = "arn:aws:sns:{region}:510000000001:aws-controltower-AggregateSecurityNotifications"

[[monitoring-account]]
account = "510000000002"
justification = "The monitoring account of the platform team"
"#;

/// The kind of a member.
fn kind_of(member: usize) -> &'static Kind {
    let rare = |kind: &&Kind| matches!(kind.of, Share::Rarely(number) if number == member % 50);
    if let Some(kind) = KINDS.iter().find(rare) {
        return kind;
    }
    let mut place = member % 10;
    for kind in &KINDS {
        if let Share::Often(share) = kind.of {
            match place.checked_sub(share) {
                Some(rest) => place = rest,
                None => return kind,
            }
        }
    }
    panic!("the shares add up to ten")
}

fn id_of(member: usize) -> String {
    format!("52{member:010}")
}

fn members() -> impl Iterator<Item = (String, &'static Kind)> {
    (0..ACCOUNTS - 3).map(|member| (id_of(member), kind_of(member)))
}

/// The landing zone as a scenario.
fn landing_zone() -> Scenario {
    let mut text = String::from(
        r#"
        title = "A landing zone"
        [organization]
        regions = ["us-east-1", "eu-west-1"]
        opt_in_regions = []
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = true
        expect = "PASS"
        "#,
    );
    let watched = |text: &mut String| {
        for (id, kind) in members() {
            if kind.name == "watched by the monitoring account" {
                let _ = write!(
                    text,
                    r#"
                    {{ name = "signins-{id}", metrics = [{{ id = "m", account_id = "{id}", return_data = true, metric = {{ namespace = "CISBenchmark", metric_name = "console-auth-failures", period = 300, statistic = "Sum" }} }}], evaluation_periods = 1, threshold = 1.0, comparison_operator = "GreaterThanOrEqualToThreshold", alarm_actions = ["monitoring"] }},"#
                );
            }
        }
    };
    let _ = write!(
        text,
        r#"
        [[accounts]]
        id = "{AUDIT}"
        name = "audit"
        chain = true
        expect = "PASS"
        topics = [
            {{ name = "central", policy = '{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"cloudwatch.amazonaws.com"}},"Action":"sns:Publish","Resource":"*"}}]}}', subscriptions = [{{ endpoint = "soc@example.com" }}] }},
            {{ name = "aws-controltower-AggregateSecurityNotifications", subscriptions = [{{ endpoint = "audit@example.com" }}] }},
        ]
        [[accounts]]
        id = "{MONITORING}"
        name = "monitoring"
        chain = true
        expect = "PASS"
        topics = [{{ name = "monitoring", subscriptions = [{{ endpoint = "soc@example.com" }}] }}]
        alarms = ["#
    );
    watched(&mut text);
    text += "]\n";
    for (id, kind) in members() {
        let entry = kind.entry.replace("{id}", &id);
        let _ = write!(
            text,
            "\n[[accounts]]\nid = \"{id}\"\nname = \"{}\"\n{entry}\nexpect = {}\n",
            kind.name, kind.expect
        );
    }
    Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn findings(bench: &Bench, run: &str) -> Value {
    let text = std::fs::read(bench.file(&format!("{run}/findings.json")));
    serde_json::from_slice(&text.expect("there are findings")).expect("findings are JSON")
}

#[test]
fn a_landing_zone_of_500_accounts_is_judged_and_repaired() {
    let zone = landing_zone();
    let expected = zone.clone();
    let bench = Bench::of(zone.organization);
    std::fs::write(bench.file("trailproof.toml"), CONFIGURATION).expect("it can be written");
    let scan = ["scan", "--out", "run", "--sweep", "adaptive", "--quiet"];
    let _ = bench.trailproof.run(scan).exits(1);
    let document = findings(&bench, "run");
    let verdicts = scenario::verdicts_of_document(&document);
    assert_eq!(verdicts.len(), ACCOUNTS);
    let differences = scenario::differences(scenario::expectations(&expected), &verdicts);
    assert!(differences.is_empty(), "{differences}");

    // The alarms of the monitoring account are read once for all whom it watches.
    let asked = |operation: &str| {
        let text = std::fs::read_to_string(bench.file("run/evidence.ndjson")).expect("evidence");
        let name = format!("\"operation\":\"{operation}\"");
        text.lines().filter(|line| line.contains(&name)).count()
    };
    let of_kind = |name: &str| members().filter(|(_, kind)| kind.name == name).count();
    let watched = of_kind("watched by the monitoring account");
    let unwatched = of_kind("linked, and nobody watches");
    let keys = of_kind("a key that lets nobody but the account in");
    assert_eq!(asked("oam:ListLinks"), watched + unwatched + keys);
    assert_eq!(asked("oam:GetLink"), watched);
    assert_eq!(asked("oam:ListAttachedLinks"), 0);

    let plan = [
        "fix",
        "plan",
        "--overwrite",
        "run",
        "--out",
        "plan.json",
        "--subscribe",
        PHONE,
    ];
    let _ = bench.trailproof.run(plan).exits(0);
    let planned = bench.read_plan();
    let sites = planned["sites"].as_array().expect("a plan has sites").len();
    let repairable = [
        "no filter",
        "linked, and nobody watches",
        "watched by the monitoring account",
        "a key that lets nobody but the account in",
    ];
    let count: usize = repairable.iter().map(|name| of_kind(name)).sum();
    assert_eq!(sites, count);
    // All that is left is what nobody could see; the accounts of the plan are scanned again.
    let apply = ["fix", "apply", "plan.json", "--yes", "--out", "after"];
    let _ = bench.trailproof.run(apply).exits(0);
    let after = scenario::verdicts_of_document(&findings(&bench, "after"));
    assert_eq!(after.len(), count);
    for ((account, _), verdict) in after {
        assert_eq!(verdict.status, "PASS", "{account}: {}", verdict.message);
    }
}
