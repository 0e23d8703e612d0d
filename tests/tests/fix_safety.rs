//! What a repair must never do: anything twice, anything to what is not its own, anything that
//! nobody said yes to. On the real binary, with the organization's whole state compared.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;
use trailproof_simulator::model::{Alarm, MetricFilter, Subscription, SubscriptionState, Topic};
use trailproof_simulator::server::Faults;
use trailproof_tests::binary::Outcome;
use trailproof_tests::cutting::{Cutting, Moment};
use trailproof_tests::repair::{Bench, LOG_GROUP, PHONE, Way, difference};

const HERE: &str = "111111111111";
const NAME: &str = "trailproof-console-auth-failures";

/// Two accounts with trails and nothing behind them.
fn bench() -> Bench {
    Bench::of_scenario(
        r#"
        title = "trails without filters"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = { filter = false, alarm = false, topic = false }
        [[accounts]]
        id = "222222222222"
        name = "member"
        chain = { filter = false, alarm = false, topic = false }
        "#,
    )
}

/// One account with a trail and nothing behind it.
fn small_bench() -> Bench {
    Bench::of_scenario(
        r#"
        title = "a trail without a filter"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = { filter = false, alarm = false, topic = false }
        "#,
    )
}

/// A state without the random ends of ARNs.
fn resources(bench: &Bench, account: &str) -> (Vec<String>, Vec<String>, Vec<(String, usize)>) {
    let site = bench.site(account);
    let group = site.log_groups.iter().find(|group| group.name == LOG_GROUP);
    (
        group
            .expect("it is there")
            .filters
            .iter()
            .map(|filter| filter.name.clone())
            .collect(),
        site.alarms.iter().map(|alarm| alarm.name.clone()).collect(),
        site.topics
            .iter()
            .map(|topic| (topic.name.clone(), topic.subscriptions.len()))
            .collect(),
    )
}

fn other_filter(name: &str, pattern: &str) -> MetricFilter {
    MetricFilter {
        name: name.to_owned(),
        pattern: pattern.to_owned(),
        metric_name: "other".to_owned(),
        namespace: "Other".to_owned(),
        value: "1".to_owned(),
        ..MetricFilter::default()
    }
}

fn other_alarm(name: &str) -> Alarm {
    Alarm {
        name: name.to_owned(),
        metric_name: "other".to_owned(),
        namespace: "Other".to_owned(),
        statistic: "Sum".to_owned(),
        period: Some(60),
        evaluation_periods: Some(1),
        threshold: Some(9.0),
        comparison_operator: "GreaterThanThreshold".to_owned(),
        ..Alarm::default()
    }
}

#[test]
fn killed_before_or_after_any_change_it_converges_and_can_be_taken_back() {
    for way in Way::ALL {
        let bench = way.bench();
        let _ = bench.plan(way.arguments);
        let before = bench.state();
        let mut changes = 0;
        for moment in (0..4).flat_map(|number| [Moment::Before(number), Moment::After(number)]) {
            let cut = Cutting::to(bench.running.address(), moment);
            let mut command = bench
                .trailproof
                .command(["fix", "apply", "plan.json", "--yes"]);
            command.env("AWS_ENDPOINT_URL", cut.url());
            let status = cut.end(command.spawn().expect("the binary starts"));
            let name = way.name;
            assert_eq!(status.code(), None, "{name}, {moment:?}: it was killed");
            changes = changes.max(cut.changes());
            let applied = bench.apply().exits(0);
            assert!(
                applied.stdout.contains("1 of 1 site done"),
                "{name}, {moment:?}: {applied:?}"
            );
            way.was_made_once(&bench);
            bench.undo_restores(&before);
            std::fs::remove_file(bench.file("journal.ndjson")).expect("there is a journal");
        }
        assert_eq!(changes, 4, "every change was a moment to die at");
    }
}

#[test]
fn an_undo_that_was_killed_is_finished_by_the_next_one() {
    for way in Way::ALL {
        let bench = way.bench();
        let _ = bench.plan(way.arguments);
        let before = bench.state();
        for moment in (0..4).flat_map(|number| [Moment::Before(number), Moment::After(number)]) {
            let _ = bench.apply().exits(0);
            let cut = Cutting::to(bench.running.address(), moment);
            let undo = ["fix", "undo", "journal.ndjson", "--yes", "--shared-topics"];
            let mut command = bench.trailproof.command(undo);
            command.env("AWS_ENDPOINT_URL", cut.url());
            let status = cut.end(command.spawn().expect("the binary starts"));
            let name = way.name;
            assert_eq!(status.code(), None, "{name}, {moment:?}: it was killed");
            let undone = bench.undo().exits(0);
            assert!(
                bench.state() == before,
                "{name}, {moment:?}: {undone:?} {}",
                difference(&before, &bench.state())
            );
        }
    }
}

#[test]
fn two_applies_at_once_are_one() {
    for way in Way::ALL {
        let bench = way.bench();
        let _ = bench.plan(way.arguments);
        let before = bench.state();
        let arguments = ["fix", "apply", "plan.json", "--yes"];
        let children: Vec<_> = (0..3).map(|_| bench.trailproof.start(arguments)).collect();
        let mut codes: Vec<_> = children
            .into_iter()
            .map(|child| child.wait_with_output().expect("it ends").status.code())
            .collect();
        codes.sort_unstable();
        assert!(codes.contains(&Some(0)), "{codes:?}");
        assert!(
            codes.iter().all(|code| matches!(code, Some(0 | 4))),
            "{codes:?}"
        );
        way.was_made_once(&bench);
        // What is there is not made a second time, also by another journal.
        for more in [&[][..], &["--journal", "other.ndjson"]] {
            let apply = ["fix", "apply", "plan.json", "--yes"];
            let again = bench.trailproof.run(apply.iter().chain(more)).exits(0);
            assert!(
                again.stdout.starts_with("0 changes made, 4 there already"),
                "{}: {again:?}",
                way.name
            );
        }
        bench.undo_restores(&before);
    }
}

/// Every name that the plan's steps at the account have stands in the commands of its finding.
#[track_caller]
fn the_finding_names_what_the_plan_names(bench: &Bench, plan: &Value) {
    let finding = bench.finding(HERE, "console-auth-failures");
    let commands: Vec<&str> = finding["remediation"]["commands"]
        .as_array()
        .expect("it advises commands")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let words: Vec<&str> = commands
        .iter()
        .flat_map(|command| command.split_whitespace())
        .collect();
    let steps = plan["sites"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|site| site["account"] == HERE)
        .flat_map(|site| site["steps"].as_array().into_iter().flatten());
    let mut named = 0;
    for step in steps {
        let option = match step["operation"].as_str() {
            Some("put-metric-filter") => "--filter-name",
            Some("create-topic") => "--name",
            Some("put-metric-alarm") => "--alarm-name",
            _ => continue,
        };
        let name = step["creates"]["name"].as_str().expect("it has a name");
        assert!(
            words.windows(2).any(|pair| *pair == [option, name]),
            "{option} {name} in {commands:#?}"
        );
        named += 1;
    }
    assert_eq!(named, 3, "a filter, a topic and an alarm");
}

#[test]
fn names_that_are_taken_get_a_number_and_their_owners_are_left_alone() {
    let bench = bench();
    bench.change_log_group(HERE, |group| {
        group
            .filters
            .push(other_filter(NAME, "{ $.eventName = StopLogging }"));
    });
    bench.change(HERE, |site| {
        site.alarms.push(other_alarm(NAME));
        site.topics.push(Topic {
            name: "trailproof-alarms".to_owned(),
            ..Topic::default()
        });
    });
    // On the run alone, a plan knows as much as its findings.
    let plan = bench.plan(&["--offline", "--subscribe", PHONE]);
    the_finding_names_what_the_plan_names(&bench, &plan);
    let _ = bench.plan(&["--subscribe", PHONE]);
    let before = bench.state();
    let _ = bench.apply().exits(0);
    let second = format!("{NAME}-2");
    assert_eq!(
        resources(&bench, HERE),
        (
            vec![NAME.to_owned(), second.clone()],
            vec![NAME.to_owned(), second],
            vec![
                ("trailproof-alarms".to_owned(), 0),
                ("trailproof-alarms-2".to_owned(), 1)
            ]
        )
    );
    let again = bench.apply().exits(0);
    assert!(again.stdout.starts_with("0 changes made"), "{again:?}");
    bench.undo_restores(&before);
}

type Drift = fn(&Bench);

#[test]
fn a_site_that_drifted_is_left_alone_and_others_are_not() {
    let covering =
        r#"{ ($.errorMessage = "Failed authentication") && ($.eventName = "ConsoleLogin") }"#;
    let drifts: [(&str, Drift); 4] = [
        ("came since the plan was made", |bench| {
            bench.change_log_group(HERE, |group| {
                group
                    .filters
                    .push(other_filter(NAME, "{ $.eventName = StopLogging }"));
            });
        }),
        ("does not exist any more", |bench| {
            bench.change(HERE, |site| site.log_groups.clear());
        }),
        ("100 is the most that AWS allows", |bench| {
            bench.change_log_group(HERE, |group| {
                for number in 0..100 {
                    let name = format!("filter-{number}");
                    group
                        .filters
                        .push(other_filter(&name, "{ $.eventName = StopLogging }"));
                }
            });
        }),
        ("scan and plan again", |_| ()),
    ];
    for (reason, drift) in drifts {
        let bench = bench();
        let _ = bench.plan(&["--subscribe", PHONE]);
        drift(&bench);
        if reason == "scan and plan again" {
            bench.change_log_group(HERE, |group| {
                group.filters.push(other_filter("theirs", covering));
            });
        }
        let before = bench.state();
        let applied = bench.apply().exits(1);
        assert!(applied.stdout.contains(reason), "{reason}: {applied:?}");
        assert!(
            applied.stdout.contains("1 of 2 sites done"),
            "{reason}: {applied:?}"
        );
        bench.undo_restores(&before);
    }
}

#[test]
fn what_a_repair_builds_on_must_still_be_what_it_was() {
    let bench = Bench::of_scenario(
        r#"
        title = "no alarm"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain.alarm = false
        chain.topic = false
        "#,
    );
    let plan = bench.plan(&["--subscribe", PHONE]);
    assert_eq!(plan["summary"]["changes"], 3);
    bench.change_log_group(HERE, |group| group.filters[0].value = "0".to_owned());
    let before = bench.state();
    let applied = bench.apply().exits(1);
    assert!(
        applied
            .stdout
            .contains("was changed since the plan was made"),
        "{applied:?}"
    );
    assert!(bench.state() == before);
}

#[test]
fn a_full_log_group_is_not_planned_for() {
    let bench = small_bench();
    bench.change_log_group(HERE, |group| {
        for number in 0..100 {
            let name = format!("filter-{number}");
            group
                .filters
                .push(other_filter(&name, "{ $.eventName = StopLogging }"));
        }
    });
    let plan = bench.plan(&["--subscribe", PHONE]);
    assert_eq!(plan["summary"]["changes"], 0);
    let why = plan["unrepairable"][0]["why"].as_str().expect("a sentence");
    assert!(why.contains("100 metric filters"), "{why}");
}

/// A refusal in the account of the topic or of the site, and how many changes are made before it.
fn refusals(way: Way) -> Vec<(&'static str, &'static str, usize)> {
    let (site, owner) = (Way::SITE, way.account);
    match (owner == site, way.is_there) {
        (true, _) => vec![
            (site, "logs:PutMetricFilter", 0),
            (site, "sns:CreateTopic", 1),
            (site, "sns:Subscribe", 2),
            (site, "cloudwatch:PutMetricAlarm", 3),
        ],
        (false, there) => vec![
            // Without its topic nothing is done at the site.
            (
                owner,
                if there {
                    "sns:SetTopicAttributes"
                } else {
                    "sns:CreateTopic"
                },
                0,
            ),
            (owner, "sns:Subscribe", 1),
            (site, "logs:PutMetricFilter", 2),
            (site, "cloudwatch:PutMetricAlarm", 3),
        ],
    }
}

#[test]
fn a_refusal_at_any_step_stops_only_its_site_and_a_later_apply_goes_on() {
    // Where each account has a topic, the other one is repaired all the same.
    let other = "[[accounts]]\nid = \"333333333333\"\nname = \"member\"\nchain = { filter = false, alarm = false, topic = false }\n";
    for way in Way::ALL {
        let of_its_own = way.account == Way::SITE;
        let (more, sites, elsewhere) = if of_its_own {
            (other, 2, 4)
        } else {
            ("", 1, 0)
        };
        for (account, action, made) in refusals(way) {
            let bench = way.bench_with(more);
            let _ = bench.plan(way.arguments);
            let before = bench.state();
            bench.deny(account, &[action]);
            let applied = bench.apply().exits(1);
            let noun = if elsewhere + made == 1 {
                "change"
            } else {
                "changes"
            };
            let expected = format!(
                "{} {noun} made, 0 there already; {} of {sites} site",
                elsewhere + made,
                sites - 1
            );
            let name = way.name;
            assert!(
                applied.stdout.contains(&expected),
                "{name}, {action}: {applied:?}"
            );
            assert!(
                applied.stdout.contains(&format!("{action} failed: ")),
                "{name}, {action}: {applied:?}"
            );
            bench.deny(account, &[]);
            let applied = bench.apply().exits(0);
            let noun = if made == 3 { "change" } else { "changes" };
            let expected = format!(
                "{} {noun} made, {} there already",
                4 - made,
                elsewhere + made
            );
            assert!(
                applied.stdout.contains(&expected),
                "{name}, {action}: {applied:?}"
            );
            bench.undo_restores(&before);
        }
    }
}

#[test]
fn throttling_and_lost_answers_are_outlasted() {
    for way in Way::ALL {
        let bench = way.bench();
        let _ = bench.plan(way.arguments);
        let before = bench.state();
        let faults = Faults {
            errors: 0.1,
            throttles: 0.1,
            resets: 0.1,
            limit: 2,
            ..Faults::default()
        };
        bench.running.set_faults(faults.clone());
        let _ = bench.apply().exits(0);
        bench.running.set_faults(Faults::default());
        way.was_made_once(&bench);
        bench.running.set_faults(faults);
        let _ = bench.undo().exits(0);
        bench.running.set_faults(Faults::default());
        bench.undo_restores(&before);
    }
}

#[test]
fn a_topic_in_another_account_is_used_and_never_touched() {
    let bench = bench();
    bench.change("222222222222", |site| {
        site.topics.push(Topic {
            name: "central".to_owned(),
            policy: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}]}"#.to_owned(),
            subscriptions: vec![Subscription {
                protocol: "https".to_owned(),
                endpoint: "https://pager.example.com/".to_owned(),
                state: SubscriptionState::Confirmed,
                ..Subscription::default()
            }],
            ..Topic::default()
        });
    });
    let central = "arn:aws:sns:us-east-1:222222222222:central";
    let plan = bench.plan(&["--topic", central]);
    assert_eq!(plan["summary"]["changes"], 4, "{plan:#}");
    let before = bench.state();
    let _ = bench.apply().exits(0);
    assert_eq!(bench.site(HERE).alarms[0].alarm_actions, [central]);
    assert!(bench.site(HERE).topics.is_empty());
    bench.undo_restores(&before);

    // A topic that is not there: the site is left alone.
    let _ = bench.plan(&["--topic", "arn:aws:sns:us-east-1:222222222222:nothing"]);
    std::fs::remove_file(bench.file("journal.ndjson")).expect("there is a journal");
    let applied = bench.apply().exits(1);
    assert!(
        applied
            .stdout
            .contains("222222222222:nothing` does not exist"),
        "{applied:?}"
    );
    assert!(bench.state() == before);
}

#[test]
fn undo_leaves_what_others_changed_or_came_to_use() {
    let bench = small_bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    let _ = bench.apply().exits(0);
    bench.change(HERE, |site| {
        site.alarms[0].threshold = Some(3.0);
    });
    bench.stranger_subscribes(HERE);
    let undone = bench.undo().exits(4);
    assert!(
        undone
            .stdout
            .contains("it was changed after trailproof created it"),
        "{undone:?}"
    );
    assert!(
        undone
            .stdout
            .contains("somebody else subscribed sms:+4915112345678"),
        "{undone:?}"
    );
    // Whoever changed the alarm uses it: its filter and our subscriber stay as well.
    let (filters, alarms, topics) = resources(&bench, HERE);
    assert_eq!(filters, [NAME]);
    assert_eq!(alarms, [NAME]);
    assert_eq!(topics, [("trailproof-alarms".to_owned(), 2)]);
}

#[test]
fn nothing_happens_without_a_yes() {
    let bench = small_bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    let before = bench.state();
    // Nobody answers.
    let silent = bench.trailproof.run(["fix", "apply", "plan.json"]).exits(2);
    assert!(
        silent.stderr.contains("type 4 to make 4 changes"),
        "{silent:?}"
    );
    assert!(
        silent.stderr.contains("nobody is there to be asked"),
        "{silent:?}"
    );
    // Somebody answers with something else.
    let mut child = bench
        .trailproof
        .command(["fix", "apply", "plan.json"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut answer = child.stdin.take().expect("it listens");
    answer.write_all(b"yes\n").expect("it reads");
    let answered = Outcome::from(child.wait_with_output().expect("it ends")).exits(2);
    assert!(
        answered.stderr.contains("the answer that confirms is 4"),
        "{answered:?}"
    );
    let most = ["fix", "apply", "plan.json", "--yes", "--max-changes", "3"];
    let refused = bench.trailproof.run(most).exits(2);
    assert!(
        refused.stderr.contains("more than --max-changes 3"),
        "{refused:?}"
    );
    // A plan somebody has changed was verified by nobody.
    let text = std::fs::read_to_string(bench.file("plan.json")).expect("there is a plan");
    std::fs::write(
        bench.file("plan.json"),
        text.replace("CISBenchmark", "Elsewhere"),
    )
    .expect("the home is writable");
    let refused = bench.apply().exits(2);
    assert!(
        refused.stderr.contains("was changed after it was made"),
        "{refused:?}"
    );
    assert!(bench.state() == before);
    assert!(bench.journal().is_empty());
}

#[cfg(unix)]
#[test]
fn plans_and_journals_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = small_bench();
    let plan = bench.plan(&["--subscribe", "email:somebody@example.com"]);
    let _ = bench.apply().exits(1);
    for name in ["plan.json", "journal.ndjson"] {
        let mode = std::fs::metadata(bench.file(name))
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let marker = format!("trailproof:plan={}", plan["id"].as_str().expect("an id"));
    let alarm = &bench.site(HERE).alarms[0];
    assert!(
        alarm.description.ends_with(&marker),
        "{}",
        alarm.description
    );
    let opened: &Value = &bench.journal()[0];
    assert_eq!(opened["entry"], "opened");
}
