//! Plan, apply, verify, undo: whole cycles of the real binary on simulated organizations, with the
//! organization's whole state compared before and after.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use serde_json::Value;
use trailproof_simulator::generator::{Generator, Mix};
use trailproof_simulator::model::SubscriptionState;
use trailproof_tests::repair::{Bench, PHONE};
use trailproof_tests::scenario;

/// The operations of a site's steps, by account.
fn operations(plan: &Value, account: &str) -> Vec<String> {
    plan["sites"]
        .as_array()
        .expect("a plan has sites")
        .iter()
        .filter(|site| site["account"] == account)
        .flat_map(|site| site["steps"].as_array().expect("a site has steps"))
        .map(|step| step["operation"].as_str().expect("a word").to_owned())
        .collect()
}

#[test]
fn every_kind_of_failure_below_the_log_group_is_repaired_with_the_fewest_changes() {
    let bench = Bench::of(scenario::named("mix").organization);
    let plan = bench.plan(&["--subscribe", PHONE]);
    let all = [
        "put-metric-filter",
        "create-topic",
        "subscribe",
        "put-metric-alarm",
    ];
    let filter_and_alarm = ["put-metric-filter", "put-metric-alarm"];
    for (account, expected) in [
        // Alarm, topic and somebody who listens are there: the plan asked.
        ("400000000010", &all[..1]),
        // An alarm watches what the old filter counts: its topic is used.
        ("400000000011", &filter_and_alarm[..]),
        ("400000000012", &filter_and_alarm[..]),
        // The filter is fine: only what hangs on it is missing.
        ("400000000013", &all[1..]),
        // The alarm cannot fire, but its topic is fine.
        ("400000000014", &all[3..]),
        ("400000000015", &all[3..]),
        ("400000000016", &all[1..]),
        ("400000000018", &all[1..]),
        ("400000000019", &all[1..]),
        ("400000000020", &all[2..3]),
        ("400000000021", &all[2..3]),
        // Links above the metric filter are for people.
        ("400000000005", &[]),
        ("400000000009", &[]),
    ] {
        assert_eq!(operations(&plan, account), expected, "{account}");
    }
    assert_eq!(plan["summary"]["turns_green"], 11);
    let unrepairable = plan["unrepairable"].as_array().expect("a list");
    assert_eq!(unrepairable.len(), 7);
    let stopped = unrepairable
        .iter()
        .find(|finding| finding["account"] == "400000000005")
        .expect("it is listed");
    let command = stopped["commands"][0].as_str().expect("a command");
    assert!(
        command.starts_with("aws cloudtrail start-logging"),
        "{command}"
    );

    let before = bench.state();
    let dry = bench
        .trailproof
        .run(["fix", "apply", "plan.json", "--dry-run"])
        .exits(0);
    assert!(dry.stdout.contains("21 changes would be made"), "{dry:?}");
    assert!(bench.state() == before);
    assert!(bench.journal().is_empty());

    let applied = bench.apply().exits(0);
    assert!(
        applied.stdout.contains("after: 11 PASS, 0 FAIL, 0 UNKNOWN"),
        "{applied:?}"
    );
    let after = bench.state();
    let again = bench.apply().exits(0);
    assert!(
        again.stdout.contains("0 changes made, 21 there already"),
        "{again:?}"
    );
    assert!(bench.state() == after, "the second apply changed something");
    bench.undo_restores(&before);
}

#[test]
fn an_email_subscription_stays_pending_until_its_owner_confirms() {
    let bench = Bench::of_scenario(
        r#"
        title = "nobody is told"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = true
        [[accounts]]
        id = "222222222222"
        name = "no filter, alarm, topic"
        chain = { filter = false, alarm = false, topic = false }
        "#,
    );
    let plan = bench.plan(&["--subscribe", "email:security@example.com"]);
    assert_eq!(plan["summary"]["turns_green"], 0);
    assert_eq!(plan["summary"]["waits_for_confirmation"], 1);
    let before = bench.state();
    let applied = bench.apply().exits(1);
    assert!(
        applied.stdout.contains("1 FAIL (subscription.pending)"),
        "{applied:?}"
    );
    assert!(applied.stdout.contains("waits for a person"), "{applied:?}");

    let confirmed = bench.running.change(|organization| {
        organization.set_subscriptions(SubscriptionState::Confirmed, |_, subscription| {
            subscription.endpoint == "security@example.com"
        })
    });
    assert!(confirmed > 0);
    let _ = bench.apply().exits(0);
    let _ = bench.scan().exits(0);
    // Confirmed meanwhile, it is taken back all the same.
    bench.undo_restores(&before);
}

#[test]
fn one_repair_at_an_organization_trails_log_group_serves_all_its_members() {
    let members = (1..=20).fold(String::new(), |text, number| {
        text + &format!("[[accounts]]\nid = \"2{number:011}\"\nname = \"member {number}\"\n")
    });
    let bench = Bench::of_scenario(&format!(
        r#"
        title = "an organization trail without a filter"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain.trail.organization = true
        chain.filter = false
        chain.alarm = false
        chain.topic = false
        {members}
        [[accounts]]
        id = "300000000001"
        name = "a broken chain of its own"
        chain.alarm = false
        "#
    ));
    let plan = bench.plan(&["--subscribe", PHONE]);
    let sites = plan["sites"].as_array().expect("a list");
    assert_eq!(
        sites.len(),
        1,
        "the organization's repair serves the last account, too: {sites:#?}"
    );
    assert_eq!(plan["summary"]["changes"], 4);
    assert_eq!(plan["summary"]["turns_green"], 22);
    let before = bench.state();
    let applied = bench.apply().exits(0);
    assert!(
        applied.stdout.contains("before 22 FAIL, after 22 PASS"),
        "{applied:?}"
    );
    let _ = bench.scan().exits(0);
    bench.undo_restores(&before);
}

#[test]
fn several_controls_share_a_topic_and_two_log_groups_share_nothing_else() {
    let bench = Bench::of_scenario(
        r#"
        title = "two trails without filters"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = { filter = false, alarm = false, topic = false }
        "#,
    );
    let controls = "console-auth-failures,root-usage,vpc-changes";
    let _ = bench
        .trailproof
        .run(["scan", "--out", "run", "--control", controls])
        .exits(1);
    let arguments = [
        "fix",
        "plan",
        "--overwrite",
        "run",
        "--out",
        "plan.json",
        "--subscribe",
        PHONE,
    ];
    let _ = bench.trailproof.run(arguments).exits(0);
    let plan = bench.read_plan();
    assert_eq!(plan["summary"]["changes"], 3 * 2 + 2, "{plan:#}");
    assert_eq!(plan["summary"]["turns_green"], 3);
    let before = bench.state();
    let _ = bench.apply().exits(0);
    let _ = bench
        .trailproof
        .run(["scan", "--out", "again", "--control", controls])
        .exits(0);
    bench.undo_restores(&before);
}

#[test]
fn names_patterns_and_tags_are_the_users() {
    let bench = Bench::of_scenario(
        r#"
        title = "no filter"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = { filter = false, alarm = false, topic = false }
        "#,
    );
    std::fs::write(
        bench.file("pattern"),
        "{ $.eventName = \"ConsoleLogin\" && $.errorMessage = \"Failed *\" }\n",
    )
    .expect("the home is writable");
    let plan = bench.plan(&[
        "--subscribe",
        PHONE,
        "--topic",
        "team-{control}",
        "--filter-name",
        "f-{account}",
        "--metric-name",
        "m",
        "--namespace",
        "Team/Security",
        "--alarm-name",
        "a {region}",
        "--period",
        "60",
        "--threshold",
        "1",
        "--pattern-text",
        "pattern",
        "--tag",
        "team=sec",
    ]);
    assert_eq!(plan["summary"]["turns_green"], 1, "{plan:#}");
    let _ = bench.apply().exits(0);
    let site = bench.site("111111111111");
    let filter = &site.log_groups[0].filters[0];
    assert_eq!(
        (
            filter.name.as_str(),
            filter.metric_name.as_str(),
            filter.namespace.as_str()
        ),
        ("f-111111111111", "m", "Team/Security")
    );
    assert_eq!(site.topics[0].name, "team-console-auth-failures");
    assert_eq!(site.topics[0].tags["team"], "sec");
    assert_eq!(site.alarms[0].name, "a us-east-1");
    assert_eq!(site.alarms[0].period, Some(60));
    assert_eq!(site.alarms[0].tags["team"], "sec");

    // A pattern that misses events repairs nothing, and the plan says so.
    std::fs::write(bench.file("pattern"), "{ $.eventName = \"x\" }").expect("writable");
    let _ = bench.undo().exits(0);
    let plan = bench.plan(&["--subscribe", PHONE, "--pattern-text", "pattern"]);
    assert_eq!(plan["summary"]["changes"], 0);
    assert_eq!(plan["summary"]["unrepairable"], 1);
}

#[test]
fn without_anybody_to_tell_there_is_nothing_to_do() {
    let bench = Bench::of_scenario(
        r#"
        title = "no filter"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = { filter = false, alarm = false, topic = false }
        "#,
    );
    let plan = bench.plan(&[]);
    assert_eq!(plan["summary"]["changes"], 0);
    let why = plan["unrepairable"][0]["why"].as_str().expect("a sentence");
    assert!(why.contains("--subscribe"), "{why}");
    // Nothing is changed, so the exit code is that of the findings.
    let _ = bench.apply().exits(1);
}

#[test]
fn a_drill_sets_an_alarm_of_ours_and_puts_it_back() {
    let bench = Bench::of_scenario(
        r#"
        title = "no alarm"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain.alarm = false
        "#,
    );
    let _ = bench.plan(&["--subscribe", PHONE]);
    let _ = bench.apply().exits(0);
    let site = "111111111111/us-east-1/cloudtrail";
    let drill = |site: &str| {
        bench
            .trailproof
            .run(["fix", "drill", "journal.ndjson", "--site", site, "--yes"])
    };
    let _ = drill(site).exits(0);
    assert_eq!(bench.site("111111111111").alarms[0].state, "OK");
    let lines: Vec<_> = bench
        .journal()
        .into_iter()
        .filter(|line| line["entry"] == "drill")
        .map(|line| (line["state"].clone(), line["done"].clone()))
        .collect();
    assert_eq!(
        lines.len(),
        4,
        "before and after, for ALARM and for OK: {lines:?}"
    );
    assert_eq!(lines[0], (Value::from("ALARM"), Value::from(false)));
    let _ = drill("999999999999/us-east-1/cloudtrail").exits(2);
    // Somebody changes it: it is no longer ours to play with.
    bench.change("111111111111", |site| site.alarms[0].threshold = Some(7.0));
    let _ = drill(site).exits(4);
}

#[test]
fn five_hundred_accounts_are_repaired_and_put_back() {
    let organization = Generator {
        accounts: 500,
        regions: 17,
        seed: 7,
        mix: Mix::Realistic,
        denied: None,
    }
    .organization()
    .expect("the numbers are within the limits");
    let bench = Bench::of(organization);
    let _ = bench
        .trailproof
        .run(["scan", "--out", "run", "--quiet", "--sweep", "adaptive"])
        .exits(1);
    let arguments = [
        "fix",
        "plan",
        "--overwrite",
        "run",
        "--out",
        "plan.json",
        "--quiet",
        "--subscribe",
        PHONE,
    ];
    let _ = bench.trailproof.run(arguments).exits(0);
    let plan = bench.read_plan();
    let number = |name: &str| plan["summary"][name].as_u64().expect("a number");
    let (repaired, left) = (number("turns_green"), number("unrepairable"));
    assert!(
        repaired + left >= 120,
        "only {repaired} + {left} are broken"
    );
    assert!(repaired >= 80, "only {repaired} can be repaired");
    let findings = std::fs::read(bench.file("run/findings.json")).expect("a report");
    let findings: Value = serde_json::from_slice(&findings).expect("JSON");
    let repairable = [
        "metric-filter",
        "metric",
        "alarm",
        "action",
        "topic",
        "subscription",
    ];
    let broken = findings["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|finding| finding["status"] == "FAIL")
        .filter(|finding| repairable.contains(&finding["broken_link"].as_str().unwrap_or_default()))
        .count();
    assert_eq!(
        u64::try_from(broken).expect("few"),
        repaired,
        "every repairable one is repaired"
    );

    let before = bench.state();
    let applied = bench.apply().exits(0);
    let expected = format!("after: {repaired} PASS, 0 FAIL, 0 UNKNOWN");
    assert!(applied.stdout.contains(&expected), "{}", applied.stdout);
    bench.undo_restores(&before);
}
