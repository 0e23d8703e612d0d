//! Undo takes back a subscription only as it was created.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fmt::Write as _;

use serde_json::{Value, json};
use trailproof_simulator::model::{Subscription, SubscriptionState};
use trailproof_tests::repair::{Bench, PHONE, difference};

const HERE: &str = "111111111111";

fn bench() -> Bench {
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

fn change_subscription(bench: &Bench, change: impl FnOnce(&mut Subscription)) {
    bench.change(HERE, |site| {
        let topic = site.topics.last_mut().expect("there is a topic");
        change(topic.subscriptions.last_mut().expect("somebody is told"));
    });
}

#[test]
fn a_subscription_that_was_given_a_filter_policy_is_left_and_so_is_its_topic() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    let before = bench.state();
    let _ = bench.apply().exits(0);
    change_subscription(&bench, |subscription| {
        subscription.filter_policy = r#"{"NewStateValue":["ALARM"]}"#.to_owned();
    });
    let undone = bench.undo().exits(4);
    let reason = "somebody gave it a FilterPolicy after trailproof created it";
    assert!(undone.stdout.contains(reason), "{undone:?}");
    assert!(
        undone.stdout.contains("its subscription is left"),
        "{undone:?}"
    );
    assert!(
        undone
            .stdout
            .contains("2 changes taken back, 0 gone already, 2 left"),
        "{undone:?}"
    );
    let site = bench.site(HERE);
    assert_eq!(site.topics.len(), 1);
    assert_eq!(site.topics[0].subscriptions.len(), 1);

    // Taken away again, it is as it was created.
    change_subscription(&bench, |subscription| subscription.filter_policy.clear());
    bench.undo_restores(&before);
}

#[test]
fn a_subscription_that_cannot_be_looked_at_is_left() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    let before = bench.state();
    let _ = bench.apply().exits(0);
    bench.deny(HERE, &["sns:GetSubscriptionAttributes"]);
    let undone = bench.undo().exits(4);
    assert!(
        undone.stdout.contains("its attributes could not be read: "),
        "{undone:?}"
    );
    bench.deny(HERE, &[]);
    bench.undo_restores(&before);
}

#[test]
fn a_subscription_that_somebody_made_anew_is_theirs() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    let _ = bench.apply().exits(0);
    change_subscription(&bench, |subscription| {
        subscription.id = "11111111-2222-4333-8444-555555555555".to_owned();
    });
    let undone = bench.undo().exits(4);
    assert!(
        undone
            .stdout
            .contains("somebody subscribed the same endpoint again"),
        "{undone:?}"
    );
    let site = bench.site(HERE);
    assert_eq!(site.topics.len(), 1);
    assert_eq!(site.topics[0].subscriptions.len(), 1);
}

#[test]
fn an_alarm_that_is_left_keeps_what_it_needs() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", PHONE, "--subscribe", "email:a@example.com"]);
    let before = bench.state();
    let _ = bench.apply().exits(0);
    let made = bench.site(HERE);
    bench.change(HERE, |site| site.alarms[0].threshold = Some(3.0));
    let theirs = bench.state();
    let undone = bench.undo().exits(4);
    assert!(
        undone
            .stdout
            .contains("0 changes taken back, 0 gone already, 5 left"),
        "{undone:?}"
    );
    for reason in [
        "it was changed after trailproof created it",
        "alarm `trailproof-console-auth-failures`, which is left, watches its metric",
        "alarm `trailproof-console-auth-failures`, which is left, notifies it",
        "alarm `trailproof-console-auth-failures`, which is left, notifies its topic",
    ] {
        assert!(undone.stdout.contains(reason), "{reason}: {undone:?}");
    }
    assert!(
        bench.state() == theirs,
        "{}",
        difference(&theirs, &bench.state())
    );

    // Once it is as it was created, everything goes.
    bench.change(HERE, |site| site.alarms = made.alarms);
    bench.undo_restores(&before);
}

#[test]
fn an_alarm_that_cannot_be_deleted_is_not_cut_off() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    let before = bench.state();
    let _ = bench.apply().exits(0);
    let made = bench.state();
    bench.deny(HERE, &["cloudwatch:DeleteAlarms"]);
    let undone = bench.undo().exits(4);
    assert!(
        undone.stdout.contains("cloudwatch:DeleteAlarms failed: "),
        "{undone:?}"
    );
    bench.deny(HERE, &[]);
    assert!(
        bench.state() == made,
        "{}",
        difference(&made, &bench.state())
    );
    bench.undo_restores(&before);
}

#[test]
fn an_alarm_of_somebody_else_keeps_the_subscribers_it_found() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    let _ = bench.apply().exits(0);
    bench.change(HERE, |site| {
        let mut theirs = site.alarms[0].clone();
        theirs.name = "theirs".to_owned();
        theirs.metric_name = "something-else".to_owned();
        site.alarms.push(theirs);
    });
    let undone = bench.undo().exits(4);
    for reason in [
        "alarm `theirs`, which somebody else made, notifies it",
        "alarm `theirs`, which somebody else made, notifies its topic",
    ] {
        assert!(undone.stdout.contains(reason), "{reason}: {undone:?}");
    }
    let site = bench.site(HERE);
    assert_eq!(site.alarms.len(), 1);
    assert!(site.log_groups[0].filters.is_empty());
    assert_eq!(site.topics[0].subscriptions.len(), 1);
}

#[test]
fn a_pending_subscription_is_not_said_to_be_gone_while_its_topic_stays() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", PHONE, "--subscribe", "email:a@example.com"]);
    let before = bench.state();
    let _ = bench.apply().exits(0);
    bench.stranger_subscribes(HERE);
    let undone = bench.undo().exits(4);
    assert!(
        undone.stdout.contains(
            "it goes only with its topic, to which somebody else subscribed sms:+4915112345678"
        ),
        "{undone:?}"
    );
    assert!(
        undone
            .stdout
            .contains("3 changes taken back, 0 gone already, 2 left"),
        "{undone:?}"
    );
    // It is confirmed meanwhile, and still ours.
    bench.change(HERE, |site| {
        let subscriptions = &mut site.topics[0].subscriptions;
        subscriptions.retain(|subscription| subscription.protocol != "sms");
        for subscription in subscriptions {
            subscription.state = SubscriptionState::Confirmed;
        }
    });
    bench.undo_restores(&before);
}

#[test]
fn a_topic_that_could_not_be_deleted_once_goes_the_next_time() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", "email:a@example.com"]);
    let before = bench.state();
    // Nobody has confirmed it.
    let _ = bench.apply().exits(1);
    bench.deny(HERE, &["sns:DeleteTopic"]);
    let undone = bench.undo().exits(4);
    assert!(
        undone.stdout.contains("sns:DeleteTopic failed"),
        "{undone:?}"
    );
    bench.deny(HERE, &[]);
    // The unconfirmed subscription counts as ours, although it was taken back before.
    bench.undo_restores(&before);
}

/// A journal that nobody's `fix apply` wrote, about a filter and a subscription of others.
fn made_up(bench: &Bench, digest: &str, at: &str) {
    let site = bench.site(HERE);
    let filter = &site.log_groups[0].filters[0];
    let topic = format!("arn:aws:sns:us-east-1:{HERE}:{}", site.topics[0].name);
    let subscription = &site.topics[0].subscriptions[0];
    let id = |number: u8| format!("{HERE}/us-east-1/{}#{number}", site.log_groups[0].name);
    let step = |number: u8, operation: &str, creates: Value| {
        json!({"id": id(number), "account": HERE, "region": "us-east-1", "operation": operation,
            "creates": creates, "name_seen_free": true})
    };
    let entries = [
        json!({"entry": "opened", "schema_version": 1, "plan": "aaaaaaaaaaaa", "digest": digest,
            "tool_version": "0.2.0"}),
        json!({"entry": "intent", "watched_by": [site.alarms[0].name],
            "step": step(1, "put-metric-filter", json!({"log_group": site.log_groups[0].name,
                "name": filter.name, "pattern": filter.pattern, "namespace": filter.namespace,
                "metric": filter.metric_name, "value": filter.value}))}),
        json!({"entry": "created", "step": id(1)}),
        json!({"entry": "intent", "step": step(3, "subscribe", json!({"topic_arn": topic,
            "protocol": subscription.protocol, "endpoint": subscription.endpoint,
            "needs_confirmation": true}))}),
        json!({"entry": "created", "step": id(3)}),
    ];
    let mut text = String::new();
    for (index, mut entry) in entries.into_iter().enumerate() {
        entry["sequence"] = json!(index + 1);
        entry["at"] = json!(at);
        let _ = writeln!(text, "{entry}");
    }
    std::fs::write(bench.file("journal.ndjson"), text).expect("it can be written");
}

#[test]
fn a_made_up_journal_takes_nothing_from_others() {
    let bench = Bench::of_scenario(
        r#"
        title = "a whole chain of somebody"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = true
        "#,
    );
    let before = bench.state();
    made_up(&bench, "d", "2026-11-28T13:00:00Z");
    let refused = bench.undo().exits(2);
    assert!(
        refused.stderr.contains("not the SHA-256 sum of a plan"),
        "{refused:?}"
    );
    made_up(&bench, &"d".repeat(64), "2026-11-28T13:00:00Z");
    let left = bench.undo_own().exits(4);
    for reason in [
        "before the plan was applied, so trailproof did not make it",
        "its topic is not of this plan: --shared-topics takes it back",
    ] {
        assert!(left.stdout.contains(reason), "{left:?}");
    }
    assert!(
        left.stderr
            .contains("on topics that the plan did not create:"),
        "{left:?}"
    );
    assert!(
        bench.state() == before,
        "{}",
        difference(&before, &bench.state())
    );
}
