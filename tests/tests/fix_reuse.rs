//! The fewest changes: what an earlier plan left is used again, and one repair for everybody is
//! preferred to one for each.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trailproof_simulator::generator::Mix;
use trailproof_tests::findings;
use trailproof_tests::repair::{Bench, PHONE, difference, forty, generated};

const HERE: &str = "111111111111";
const LAST: &str = "999999999999";

fn small_bench() -> Bench {
    Bench::of_scenario(
        r#"
        title = "no filter"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = { filter = false, alarm = false, topic = false }
        "#,
    )
}

#[test]
fn an_alarm_of_an_earlier_plan_is_not_made_a_second_time() {
    let bench = small_bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    let _ = bench.apply().exits(0);
    let whole = bench.state();
    bench.change_log_group(HERE, |group| group.filters.clear());
    let without = bench.state();

    // A scan does not look at topics where no filter is, but the plan asks.
    let plan = bench.plan(&["--subscribe", PHONE]);
    assert_eq!(plan["summary"]["changes"], 1, "{plan:#}");
    // A plan that asks nobody says what it did not look at, and apply finds it.
    let plan = bench.plan(&["--offline", "--subscribe", PHONE]);
    assert_eq!(plan["summary"]["changes"], 4);
    let unseen = plan["sites"][0]["not_looked_at"].as_array();
    assert!(
        unseen.is_some_and(|calls| calls.contains(&"sns:GetTopicAttributes".into())),
        "{plan:#}"
    );
    let again = [
        "fix",
        "apply",
        "plan.json",
        "--yes",
        "--journal",
        "second.ndjson",
    ];
    let applied = bench.trailproof.run(again).exits(0);
    assert!(
        applied.stdout.contains("1 change made, 3 there already"),
        "{applied:?}"
    );
    assert!(
        bench.state() == whole,
        "{}",
        difference(&whole, &bench.state())
    );
    let undo = ["fix", "undo", "second.ndjson", "--yes"];
    let _ = bench.trailproof.run(undo).exits(0);
    assert!(
        bench.state() == without,
        "{}",
        difference(&without, &bench.state())
    );
}

#[test]
fn an_alarm_that_watches_something_else_is_no_reason_to_leave_one_out() {
    let bench = small_bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    let _ = bench.apply().exits(0);
    bench.change_log_group(HERE, |group| group.filters.clear());
    bench.change(HERE, |site| site.alarms[0].actions_enabled = false);
    let plan = bench.plan(&["--subscribe", PHONE]);
    assert_eq!(plan["summary"]["changes"], 2, "{plan:#}");
    let _ = bench.plan(&["--offline", "--subscribe", PHONE]);
    let before = bench.state();
    let again = [
        "fix",
        "apply",
        "plan.json",
        "--yes",
        "--journal",
        "second.ndjson",
    ];
    let applied = bench.trailproof.run(again).exits(0);
    assert!(
        applied.stdout.contains("2 changes made, 2 there already"),
        "{applied:?}"
    );
    assert_eq!(bench.site(HERE).alarms.len(), 2);
    let undo = ["fix", "undo", "second.ndjson", "--yes"];
    let _ = bench.trailproof.run(undo).exits(0);
    assert!(bench.state() == before);
}

#[test]
fn an_alarm_that_the_scan_saw_needs_only_its_filter() {
    let bench = small_bench();
    let controls = ["--control", "console-auth-failures,root-usage"];
    let scan = ["scan", "--out", "run", "--overwrite", "--quiet"];
    let plan = || {
        let _ = bench.trailproof.run(scan.iter().chain(&controls)).exits(1);
        let arguments = ["fix", "plan", "run", "--overwrite", "--subscribe", PHONE];
        let _ = bench.trailproof.run(arguments).exits(0);
        bench.read_plan()
    };
    let _ = plan();
    let _ = bench.apply().exits(0);
    // The alarms were read for the other control.
    bench.change_log_group(HERE, |group| {
        group
            .filters
            .retain(|filter| !filter.name.contains("console"));
    });
    let made = plan();
    assert_eq!(made["summary"]["changes"], 1, "{made:#}");
    let again = [
        "fix",
        "apply",
        "plan.json",
        "--yes",
        "--journal",
        "second.ndjson",
    ];
    let applied = bench.trailproof.run(again).exits(0);
    assert!(applied.stdout.contains("1 change made"), "{applied:?}");
    let site = bench.site(HERE);
    assert_eq!(
        (site.log_groups[0].filters.len(), site.alarms.len()),
        (2, 2)
    );
}

#[test]
fn a_topic_that_an_earlier_plan_left_is_used_again_by_the_same_people() {
    let bench = small_bench();
    let before = bench.state();
    let people = ["--subscribe", PHONE, "--subscribe", "email:a@example.com"];
    // Somebody plans again instead of going on.
    let _ = bench.plan(&people);
    bench.deny(HERE, &["cloudwatch:PutMetricAlarm"]);
    let _ = bench.apply().exits(1);
    bench.deny(HERE, &[]);
    let plan = bench.plan(&people);
    assert_eq!(plan["summary"]["changes"], 1, "{plan:#}");
    let _ = bench.plan(&[&people[..], &["--offline"]].concat());
    let applied = bench.apply().exits(0);
    assert!(
        applied.stdout.starts_with("1 change made, 3 there already"),
        "{applied:?}"
    );
    assert_eq!(bench.site(HERE).topics.len(), 1);
    // The topic is the first plan's, and the second one uses it.
    let undone = bench.undo().exits(4);
    assert!(
        undone.stdout.contains(
            "alarm `trailproof-console-auth-failures`, which somebody else made, notifies it"
        ),
        "{undone:?}"
    );
    let second = std::fs::read_dir(bench.trailproof.home())
        .expect("the home is there")
        .map(|entry| entry.expect("it can be read").path())
        .find(|path| path.display().to_string().contains("journal-"))
        .expect("the second plan has a journal of its own");
    let undo = ["fix", "undo", "--yes"].map(std::ffi::OsStr::new);
    let undo = undo.into_iter().chain([second.as_os_str()]);
    let _ = bench.trailproof.run(undo).exits(0);
    bench.undo_restores(&before);
}

#[test]
fn a_topic_that_tells_others_is_not_used_again() {
    let bench = small_bench();
    let _ = bench.plan(&[
        "--subscribe",
        PHONE,
        "--subscribe",
        "email:wrong@example.com",
    ]);
    let _ = bench.apply().exits(0);
    bench.change(HERE, |site| site.alarms.clear());
    bench.change_log_group(HERE, |group| group.filters.clear());
    let _ = bench.plan(&["--subscribe", PHONE]);
    let applied = bench.apply().exits(0);
    assert!(applied.stdout.starts_with("4 changes made"), "{applied:?}");
    assert_eq!(bench.site(HERE).topics.len(), 2);
}

/// The accounts of a plan whose findings are to be PASS, as `ACCOUNT/CONTROL`.
fn forecast(plan: &Value) -> BTreeSet<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let repairs = list(&plan["sites"])
        .into_iter()
        .flat_map(|site| list(&site["repairs"]));
    let green = repairs.flat_map(|repair| {
        let control = repair["control"].as_str().unwrap_or_default().to_owned();
        let accounts = list(&repair["turns_green"]).into_iter();
        accounts.map(move |account| format!("{}/{control}", account.as_str().unwrap_or_default()))
    });
    green.collect()
}

/// Ids of findings by whether they are PASS.
fn passing(bench: &Bench, folder: &str) -> BTreeMap<String, bool> {
    let found = findings::by_id(&findings::read(&bench.file(folder)));
    let found = found.into_iter();
    found
        .map(|(id, finding)| (id, finding["status"] == "PASS"))
        .collect()
}

#[test]
fn what_a_plan_forecasts_comes_true() {
    let mut tried = 0;
    let mail = "email:security@example.com";
    for (seed, mix, who) in [
        (3, Mix::Demo, mail),
        (31, Mix::Realistic, PHONE),
        (11, Mix::Demo, mail),
    ] {
        tried += forecast_comes_true(seed, mix, false, mail);
        tried += forecast_comes_true(seed, mix, true, who);
    }
    assert!(tried > 20, "{tried}");
}

#[test]
#[ignore = "takes minutes: `cargo test --test fix_reuse -- --ignored`"]
fn what_plans_forecast_comes_true_in_forty_organizations() {
    let mail = "email:security@example.com";
    for (seed, mix) in forty() {
        let _ = forecast_comes_true(seed, mix, false, mail);
        let _ = forecast_comes_true(seed, mix, true, mail);
        let _ = forecast_comes_true(seed, mix, true, PHONE);
    }
}

/// Plans, applies and compares every finding; everything is taken back in the end.
fn forecast_comes_true(seed: u64, mix: Mix, central: bool, who: &str) -> usize {
    let organization = generated(seed, mix);
    // The topics of the management account, which is always there.
    let management = organization.management.to_string();
    let mut arguments = vec!["--subscribe", who];
    if central {
        arguments.extend(["--central", &management]);
    }
    let bench = Bench::of(organization);
    let plan = bench.plan(&arguments);
    let forecast = forecast(&plan);
    if plan["summary"]["changes"] == 0 {
        assert!(forecast.is_empty(), "{plan:#}");
        return 0;
    }
    let before = passing(&bench, "run");
    let state = bench.state();
    let applied = ["fix", "apply", "plan.json", "--yes", "--out", "after"];
    let applied = bench.trailproof.run(applied);
    assert!(applied.code.is_some_and(|code| code < 2), "{applied:?}");
    let mut tried = 0;
    for (finding, pass) in passing(&bench, "after") {
        let expected = before[&finding] || forecast.contains(&finding);
        assert_eq!(
            pass, expected,
            "{finding} of seed {seed}, {arguments:?}: {plan:#}"
        );
        tried += 1;
    }
    if central {
        bench.undo_restores(&state);
    }
    tried
}

/// Members whose own chains get further than the organization's.
fn organization() -> Bench {
    let members = (1..=6).fold(String::new(), |text, number| {
        text + &format!(
            "[[accounts]]\nid = \"2{number:011}\"\nname = \"member {number}\"\nchain = {{ alarm = false, topic = false }}\n"
        )
    });
    Bench::of_scenario(&format!(
        r#"
        title = "an organization trail without a filter, and members with broken chains of their own"
        [organization]
        management = "{LAST}"
        [[accounts]]
        id = "{LAST}"
        name = "management"
        chain.trail.organization = true
        chain.filter = false
        chain.alarm = false
        chain.topic = false
        [[accounts]]
        id = "300000000001"
        name = "healthy"
        chain = true
        {members}
        "#
    ))
}

#[test]
fn the_organizations_log_group_comes_first_whatever_its_accounts_number() {
    let bench = organization();
    let plan = bench.plan(&["--subscribe", PHONE]);
    assert_eq!(plan["summary"]["changes"], 4, "{plan:#}");
    assert_eq!(plan["summary"]["turns_green"], 7);
    assert_eq!(plan["sites"][0]["account"], LAST);
}

#[test]
fn an_organization_trail_on_nobodys_chain_is_repaired_where_that_takes_fewer_changes() {
    let bench = organization();
    // The management account is told by a chain of its own, so no finding is about the
    // organization's.
    let healthy = bench.site("300000000001");
    bench.change(LAST, |site| {
        let mut trail = healthy.trails[0].clone();
        trail.name = "own".to_owned();
        trail.log_group = "own".to_owned();
        site.trails.push(trail);
        let mut group = healthy.log_groups[0].clone();
        group.name = "own".to_owned();
        site.log_groups.push(group);
        site.alarms.extend(healthy.alarms.clone());
        site.topics.extend(healthy.topics.clone());
    });
    let plan = bench.plan(&["--subscribe", PHONE]);
    assert_eq!(plan["summary"]["turns_green"], 6, "{plan:#}");
    assert_eq!(plan["sites"].as_array().map(Vec::len), Some(1), "{plan:#}");
    assert_eq!(plan["sites"][0]["account"], LAST);
    assert_eq!(plan["summary"]["changes"], 4);
    let before = bench.state();
    let _ = bench.apply().exits(0);
    let _ = bench.scan().exits(0);
    bench.undo_restores(&before);

    // Not where it was not asked for, and not for one account alone.
    let members = "200000000001,200000000002";
    let plan = bench.plan(&["--subscribe", PHONE, "--accounts", members]);
    assert_eq!(plan["sites"].as_array().map(Vec::len), Some(2), "{plan:#}");
    let excluded = "200000000002,200000000003,200000000004,200000000005,200000000006";
    let plan = bench.plan(&["--subscribe", PHONE, "--exclude-accounts", excluded]);
    assert_eq!(plan["sites"][0]["account"], "200000000001", "{plan:#}");
}
