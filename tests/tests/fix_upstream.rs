//! Chains that break before the metric filter: their owners get the commands and the Terraform, once
//! for each trail, with what that would do. trailproof changes no trail.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use serde_json::{Value, json};
use trailproof_simulator::generator::Mix;
use trailproof_tests::repair::{Bench, PHONE, forty, generated};
use trailproof_tests::{findings, owner};

const HERE: &str = "111111111111";
const MEMBERS: [&str; 2] = ["222222222222", "333333333333"];

/// An organization trail on which everybody depends, broken in a way of its own.
fn bench(trail: &str) -> Bench {
    let members = MEMBERS.iter().fold(String::new(), |text, member| {
        text + &format!("[[accounts]]\nid = \"{member}\"\nname = \"member\"\n")
    });
    Bench::of_scenario(&format!(
        r#"
        title = "an organization trail that is broken"
        [[accounts]]
        id = "{HERE}"
        name = "management"
        chain.trail.organization = true
        {trail}
        {members}
        "#
    ))
}

fn task(plan: &Value) -> Value {
    assert_eq!(plan["summary"]["changes"], 0, "{plan:#}");
    let tasks = plan["for_owners"].as_array().expect("there are tasks");
    assert_eq!(tasks.len(), 1, "{plan:#}");
    assert_eq!(tasks[0]["account"], HERE);
    assert_eq!(
        tasks[0]["resource"],
        "arn:aws:cloudtrail:us-east-1:111111111111:trail/management-events"
    );
    assert_eq!(
        tasks[0]["findings"].as_array().map(Vec::len),
        Some(3),
        "{plan:#}"
    );
    tasks[0].clone()
}

#[test]
fn what_a_trail_would_repair_is_tried_out_and_told_once() {
    for (trail, reason, command, terraform) in [
        (
            "chain.trail.logging = false",
            "logging.stopped",
            "cloudtrail start-logging",
            "enable_logging = true",
        ),
        (
            "chain.trail.delivery_error = \"Access denied.\"",
            "delivery.error",
            "iam put-role-policy",
            "aws_iam_role_policy",
        ),
    ] {
        let bench = bench(trail);
        let plan = bench.plan(&["--subscribe", PHONE]);
        let task = task(&plan);
        assert_eq!(task["reasons"], json!([reason]), "{plan:#}");
        let green = task["turns_green"].as_array().map(Vec::len);
        assert_eq!(green, Some(3), "{plan:#}");
        assert!(task["commands"].to_string().contains(command), "{plan:#}");
        assert!(
            task["terraform"]
                .as_str()
                .is_some_and(|text| text.contains(terraform)),
            "{plan:#}"
        );
        let shown = bench.trailproof.run(["fix", "show", "plan.json"]).exits(0);
        assert!(
            shown.stdout.contains("3 findings of 3 would be PASS"),
            "{shown:?}"
        );
        assert_eq!(shown.stdout.matches(command).count(), 1, "{shown:?}");
        // The owner does it, and the forecast comes true.
        bench.change(HERE, |site| {
            site.trails[0].logging = true;
            site.trails[0].delivery_error.clear();
        });
        let _ = bench.scan().exits(0);
    }
}

#[test]
fn what_a_new_plan_then_does_is_part_of_the_forecast() {
    let bench = bench("chain.trail.logging = false\nchain.filter = false");
    let plan = bench.plan(&["--subscribe", PHONE]);
    let task = task(&plan);
    assert_eq!(
        task["turns_green"].as_array().map(Vec::len),
        Some(3),
        "{plan:#}"
    );
    let _ = bench.apply().exits(1);
    bench.change(HERE, |site| site.trails[0].logging = true);
    let plan = bench.plan(&["--subscribe", PHONE]);
    assert_eq!(plan["summary"]["turns_green"], 3, "{plan:#}");
}

#[test]
fn other_trails_and_log_groups_are_tried_out_too() {
    for (trail, reason, commands) in [
        (
            "chain.trail.multi_region = false",
            "trail.single-region",
            &["--is-multi-region-trail"][..],
        ),
        (
            "chain.trail.global_events = false",
            "trail.no-global-service-events",
            &["--include-global-service-events"],
        ),
        (
            "chain.trail.log_group = \"\"",
            "log-group.none",
            &["create-log-group", "--cloud-watch-logs-log-group-arn"],
        ),
        (
            "chain.log_group = false",
            "log-group.missing",
            &["create-log-group"],
        ),
        // What is broken behind the first break is the same owner's to do.
        (
            "chain.trail.multi_region = false\nchain.trail.logging = false\nchain.trail.log_group = \"\"",
            "trail.single-region",
            &[
                "--is-multi-region-trail",
                "start-logging",
                "create-log-group",
            ],
        ),
    ] {
        let bench = bench(trail);
        let plan = bench.plan(&["--subscribe", PHONE]);
        let tasks = plan["for_owners"].as_array().expect("there are tasks");
        let of_trail = tasks
            .iter()
            .find(|task| task["reasons"].to_string().contains(reason))
            .unwrap_or_else(|| panic!("the trail's owner has a task: {plan:#}"));
        for command in commands {
            let given = of_trail["commands"].to_string();
            assert!(given.contains(command), "{trail}: {given}");
        }
        assert_eq!(of_trail.get("not_tried"), None, "{trail}: {plan:#}");
        let forecast = of_trail["turns_green"].as_array().map(Vec::len);
        assert_eq!(forecast, Some(3), "{trail}: {plan:#}");
        // The owner does it, a new plan what it then can, and the forecast comes true.
        bench
            .running
            .change(|organization| owner::does(organization, of_trail));
        let _ = bench.plan(&["--subscribe", PHONE]);
        let _ = bench.apply().exits(0);
        let _ = bench.scan().exits(0);
    }
}

#[test]
fn what_another_account_has_to_do_is_its_own_task() {
    let group = format!("arn:aws:logs:us-east-1:{}:log-group:central:*", MEMBERS[0]);
    let bench = bench(&format!("chain.trail.log_group = \"{group}\""));
    let plan = bench.plan(&["--subscribe", PHONE]);
    let tasks = plan["for_owners"].as_array().expect("there are tasks");
    assert_eq!(tasks.len(), 1, "{plan:#}");
    assert_eq!(tasks[0]["account"], MEMBERS[0], "{plan:#}");
    let green = tasks[0]["turns_green"].as_array().map(Vec::len);
    assert_eq!(green, Some(3), "{plan:#}");
    bench
        .running
        .change(|organization| owner::does(organization, &tasks[0]));
    let _ = bench.plan(&["--subscribe", PHONE]);
    let _ = bench.apply().exits(0);
    let _ = bench.scan().exits(0);

    // What is behind it in another account is nothing for the trail's owner to run.
    bench.change(HERE, |site| site.trails[0].logging = false);
    bench.change(MEMBERS[0], |site| site.log_groups.clear());
    let plan = bench.plan(&["--subscribe", PHONE]);
    let tasks = plan["for_owners"].as_array().expect("there are tasks");
    assert_eq!(tasks[0]["account"], HERE, "{plan:#}");
    let commands = tasks[0]["commands"].to_string();
    assert!(commands.contains("start-logging"), "{commands}");
    assert!(!commands.contains("create-log-group"), "{commands}");
}

#[test]
fn a_trail_that_nobody_has_is_created_and_tried_out() {
    let bench = Bench::of_scenario(&format!(
        r#"
        title = "no trail"
        [[accounts]]
        id = "{HERE}"
        name = "management"
        "#
    ));
    let plan = bench.plan(&["--subscribe", PHONE]);
    let tasks = plan["for_owners"].as_array().expect("there are tasks");
    assert_eq!(tasks.len(), 1, "{plan:#}");
    let commands = tasks[0]["commands"].to_string();
    for command in [
        "create-trail",
        "start-logging",
        "create-log-group",
        "update-trail",
    ] {
        assert!(commands.contains(command), "{commands}");
    }
    assert_eq!(tasks[0]["turns_green"].as_array().map(Vec::len), Some(1));
    bench
        .running
        .change(|organization| owner::does(organization, &tasks[0]));
    let _ = bench.plan(&["--subscribe", PHONE]);
    let _ = bench.apply().exits(0);
    let _ = bench.scan().exits(0);
    let shown = ["fix", "show", "plan.json", "--format", "markdown"];
    let shown = bench.trailproof.run(shown).exits(0).stdout;
    assert!(!shown.contains("## For their owners to do"), "{shown}");
}

#[test]
fn what_owners_are_told_comes_true_in_generated_organizations() {
    let (mut tasks, mut findings) = (0, 0);
    for (seed, mix) in [(3, Mix::Demo), (31, Mix::Realistic)] {
        let (more, of_them) = tasks_come_true(seed, mix);
        tasks += more;
        findings += of_them;
    }
    assert!(
        tasks > 3 && findings > 4,
        "{tasks} tasks, {findings} findings"
    );
}

#[test]
#[ignore = "takes minutes: `cargo test --test fix_upstream -- --ignored`"]
fn what_owners_are_told_comes_true_in_forty_organizations() {
    for (seed, mix) in forty() {
        let _ = tasks_come_true(seed, mix);
    }
}

/// Does what each owner is told, and nothing of the others', then plans and applies anew: how many
/// tasks and findings there were.
fn tasks_come_true(seed: u64, mix: Mix) -> (usize, usize) {
    let organization = generated(seed, mix);
    let bench = Bench::of(organization.clone());
    let plan = bench.plan(&["--subscribe", PHONE]);
    let tasks = plan["for_owners"].as_array().expect("there are tasks");
    let mut counted = 0;
    for task in tasks {
        let mut changed = organization.clone();
        owner::does(&mut changed, task);
        bench.running.change(|organization| *organization = changed);
        let again = bench.plan(&["--subscribe", PHONE]);
        let applied = bench.apply();
        assert!(applied.code.is_some_and(|code| code < 2), "{applied:?}");
        let scanned = bench.scan();
        assert!(scanned.code.is_some_and(|code| code != 4), "{scanned:?}");
        let found = findings::by_id(&findings::read(&bench.file("run")));
        let list = |member: &str| task[member].as_array().cloned().unwrap_or_default();
        let forecast = list("turns_green");
        for finding in list("findings") {
            let id = finding.as_str().expect("an id");
            assert_eq!(
                found[id]["status"] == "PASS",
                forecast.contains(&finding),
                "{id} of seed {seed}: {task:#} {:#} {again:#}",
                found[id]
            );
            counted += 1;
        }
    }
    (tasks.len(), counted)
}
