//! Who hears.

mod forwarding;

use serde_json::{Value, json};

use self::forwarding::{forwarded, forwarding};
use crate::evaluate::fixture::{
    Case, MANAGEMENT, MEMBER, OTHER, SUBSCRIPTION, TOPIC, World, change_members, check, denied, id,
    names, table,
};
use crate::finding::Status::{Fail, Pass, Unknown};
use crate::forwarder::Forwarder;

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111111111111:function:AWSAccelerator-LoggingStack-SnsTopicForwarderFunction";
const CENTRAL: &str = "arn:aws:sns:eu-west-1:333333333333:alerts";

/// The healthy organization, whose topic has these subscriptions: protocol, endpoint, the account
/// that subscribed.
fn listed(subscriptions: &[(&str, &str, u64)]) -> World {
    let list: Vec<Value> = subscriptions
        .iter()
        .enumerate()
        .map(|(index, (protocol, endpoint, owner))| {
            json!({"Protocol": protocol, "Endpoint": endpoint, "Owner": id(*owner),
                "SubscriptionArn": format!("{TOPIC}:{index}")})
        })
        .collect();
    World::healthy()
        .without("sns:GetSubscriptionAttributes", MANAGEMENT)
        .set(
            "sns:ListSubscriptionsByTopic",
            MANAGEMENT,
            "/Subscriptions",
            json!(list),
        )
}

/// What the account that subscribed is told of one of them.
fn told(world: World, index: usize, owner: u64, more: &Value) -> World {
    let arn = format!("{TOPIC}:{index}");
    let mut attributes = json!({"PendingConfirmation": "false"});
    change_members(&mut attributes, more);
    world.with_subscription(owner, &arn, &attributes)
}

fn filter(policy: &Value, scope: &str) -> Value {
    json!({"FilterPolicy": policy.to_string(), "FilterPolicyScope": scope})
}

fn seen(world: &World, code: &str) -> bool {
    let finding = world.finding(MEMBER);
    finding.observations.iter().any(|seen| seen.code == code)
}

#[test]
fn the_list_is_always_read_and_attributes_as_the_account_that_subscribed() {
    let world = World::healthy()
        .without("sns:ListSubscriptionsByTopic", MANAGEMENT)
        .without("sns:GetSubscriptionAttributes", MANAGEMENT);
    check(&world, Unknown, Unknown, Some("subscription.not-observed"));
    assert_eq!(
        names(&world.wanted(MEMBER)),
        ["sns:ListSubscriptionsByTopic 111111111111 eu-west-1"]
    );
    let world = listed(&[
        ("sqs", "arn:aws:sqs:eu-west-1:111111111111:q", MANAGEMENT),
        ("https", "https://example.com", MANAGEMENT),
        ("email", "a@example.com", OTHER),
    ]);
    check(
        &world,
        Pass,
        Unknown,
        Some("subscription.filter-policy-not-observed"),
    );
    // A person's first, and if that does not prove it all others at once.
    assert_eq!(
        names(&world.wanted(MEMBER)),
        ["sns:GetSubscriptionAttributes 333333333333 eu-west-1"]
    );
    let dropped = filter(&json!({"severity": ["high"]}), "MessageBody");
    let world = told(world, 2, OTHER, &dropped);
    assert_eq!(
        names(&world.wanted(MEMBER)),
        [
            "sns:GetSubscriptionAttributes 111111111111 eu-west-1",
            "sns:GetSubscriptionAttributes 111111111111 eu-west-1"
        ]
    );
    let world = told(world, 1, MANAGEMENT, &json!({}));
    check(&world, Pass, Pass, None);
    assert_eq!(world.wanted(MEMBER), []);
}

#[test]
fn filter_policies() {
    for (policy, scope, effective, reason) in [
        (
            json!({"NewStateValue": ["ALARM"]}),
            "MessageBody",
            Pass,
            None,
        ),
        (
            json!({"NewStateValue": ["OK"]}),
            "MessageBody",
            Fail,
            Some("subscription.filter-policy-drops"),
        ),
        (
            json!({"severity": ["high"]}),
            "MessageBody",
            Fail,
            Some("subscription.filter-policy-drops"),
        ),
        (
            json!({"Region": ["EU (Ireland)"]}),
            "MessageBody",
            Unknown,
            Some("subscription.filter-policy-not-decided"),
        ),
        (
            json!({"severity": ["high"]}),
            "MessageAttributes",
            Unknown,
            Some("subscription.filter-policy-not-decided"),
        ),
        (json!({}), "MessageAttributes", Pass, None),
    ] {
        let world = listed(&[("email", "a@example.com", MANAGEMENT)]);
        let world = told(world, 0, MANAGEMENT, &filter(&policy, scope));
        check(&world, Pass, effective, reason);
    }
}

#[test]
fn attributes_that_tell_nothing() {
    let one = || listed(&[("email", "a@example.com", MANAGEMENT)]);
    let refused =
        told(one(), 0, MANAGEMENT, &json!({})).fail_last(&denied("sns:GetSubscriptionAttributes"));
    let not_observed = Some("subscription.filter-policy-not-observed");
    check(&refused, Pass, Unknown, not_observed);
    assert_eq!(refused.wanted(MEMBER), []);
    let nothing = told(one(), 0, MANAGEMENT, &json!({"SubscriptionArn": null}));
    check(&nothing, Pass, Unknown, not_observed);
    let waiting = told(
        one(),
        0,
        MANAGEMENT,
        &json!({"PendingConfirmation": "true"}),
    );
    check(&waiting, Pass, Fail, Some("subscription.pending"));
}

/// Subscriptions that wait to be confirmed are counted, one by one and several together.
#[test]
fn those_who_wait_are_counted() {
    let waiting = |number: usize| {
        let one = json!({"SubscriptionArn": "PendingConfirmation", "Protocol": "email"});
        vec![one; number]
    };
    let with = |list: Vec<Value>| {
        World::healthy().set(
            "sns:ListSubscriptionsByTopic",
            MANAGEMENT,
            "/Subscriptions",
            json!(list),
        )
    };
    for (number, sentence) in [
        (1, "and 1 is waiting to be confirmed"),
        (2, "and 2 are waiting to be confirmed"),
    ] {
        let world = with(waiting(number));
        check(&world, Fail, Fail, Some("subscription.pending"));
        let message = &world.finding(MEMBER).message;
        assert!(message.contains(sentence), "{message}");
    }
    let confirmed = json!({"SubscriptionArn": SUBSCRIPTION, "Protocol": "email",
        "Endpoint": "a@example.com", "Owner": id(MANAGEMENT)});
    for (number, sentence) in [
        (0, None),
        (1, Some("1 further subscription of topic")),
        (2, Some("2 further subscriptions of topic")),
    ] {
        let mut list = waiting(number);
        list.push(confirmed.clone());
        let finding = with(list).finding(MEMBER);
        assert_eq!(finding.status, Pass);
        let mut observations = finding.observations.iter();
        let told = observations.find(|seen| seen.code == "subscription.also-pending");
        assert_eq!(
            told.map(|seen| &*seen.message)
                .and_then(|message| message.split(" arn:").next()),
            sentence
        );
    }
}

#[test]
fn machines_are_nobody_by_themselves() {
    for (protocol, effective, reason) in [
        ("sqs", Unknown, Some("subscription.machines-only")),
        ("lambda", Unknown, Some("subscription.machines-only")),
        ("firehose", Unknown, Some("subscription.machines-only")),
        ("pigeon", Unknown, Some("subscription.unknown-protocol")),
        ("https", Pass, None),
        ("application", Pass, None),
    ] {
        let world = listed(&[(protocol, FUNCTION, MANAGEMENT)]);
        let world = told(world, 0, MANAGEMENT, &json!({}));
        check(&world, Pass, effective, reason);
    }
    // A machine whose policy drops the message is nobody.
    let world = listed(&[("lambda", FUNCTION, MANAGEMENT)]);
    assert!(
        world
            .finding(MEMBER)
            .message
            .contains("Landing Zone Accelerator")
    );
    let drops = filter(&json!({"severity": ["high"]}), "MessageBody");
    let world = told(world, 0, MANAGEMENT, &drops);
    check(&world, Pass, Fail, Some("subscription.filter-policy-drops"));
}

#[test]
fn those_who_hear_are_counted() {
    let detail = |world: &World| {
        let chain = world.finding(MEMBER).chain;
        let last = chain.last().unwrap();
        last.detail.to_string()
    };
    let one = listed(&[("email", "a@example.com", MANAGEMENT)]);
    let one = told(one, 0, MANAGEMENT, &json!({}));
    assert_eq!(detail(&one), format!("1 confirmed subscription of {TOPIC}"));
    let two = [
        ("email", "a@example.com", MANAGEMENT),
        ("sms", "+1", MANAGEMENT),
    ];
    let two = told(listed(&two), 0, MANAGEMENT, &json!({}));
    assert_eq!(
        detail(&two),
        format!("2 confirmed subscriptions of {TOPIC}")
    );
    let heard = format!("{CENTRAL}:1");
    let on = forwarded(&heard, &json!({})).with_subscription(OTHER, &heard, &json!({}));
    let told_on = detail(&on);
    let ends = format!(" publishes to {CENTRAL}: 1 confirmed subscription of {CENTRAL}");
    assert!(told_on.ends_with(&ends), "{told_on}");
}

/// Each observation, and where it is made.
pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
    let heard = format!("{CENTRAL}:1");
    let forwarded = || forwarded(&heard, &json!({})).with_subscription(OTHER, &heard, &json!({}));
    let mut vouched = told(
        listed(&[("lambda", FUNCTION, MANAGEMENT)]),
        0,
        MANAGEMENT,
        &json!({}),
    );
    vouched.policy.forwarders = vec![Forwarder {
        target: None,
        delivers_to: Some("a pager".to_owned()),
        owner: Some("ciso".to_owned()),
        expires: "2026-12-31".parse().ok(),
        ..forwarding("")
    }];
    vec![
        (
            "subscription.also-pending",
            World::healthy().set(
                "sns:ListSubscriptionsByTopic",
                MANAGEMENT,
                "/Subscriptions/1",
                json!({"SubscriptionArn": "PendingConfirmation", "Protocol": "email"}),
            ),
        ),
        (
            "subscription.anybody-can-unsubscribe",
            World::healthy().set(
                "sns:GetSubscriptionAttributes",
                MANAGEMENT,
                "/Attributes/ConfirmationWasAuthenticated",
                json!("false"),
            ),
        ),
        ("subscription.delivered-by-machine", vouched),
        ("subscription.forwarded", forwarded()),
        ("topic.publisher-not-judged", forwarded()),
    ]
}

/// What is changed by itself.
pub(in crate::evaluate) fn cases() -> Vec<Case> {
    vec![
        Case(
            "sns:ListSubscriptionsByTopic",
            MANAGEMENT,
            "/Subscriptions",
            json!([]),
            Fail,
            Fail,
            Some("subscription.none"),
        ),
        Case(
            "sns:ListSubscriptionsByTopic",
            MANAGEMENT,
            "/Subscriptions/0/SubscriptionArn",
            json!("PendingConfirmation"),
            Fail,
            Fail,
            Some("subscription.pending"),
        ),
        // The list of the owner stands against counters.
        Case(
            "sns:GetTopicAttributes",
            MANAGEMENT,
            "/Attributes/SubscriptionsConfirmed",
            json!("0"),
            Pass,
            Pass,
            None,
        ),
        Case(
            "sns:GetSubscriptionAttributes",
            MANAGEMENT,
            "/Attributes/FilterPolicy",
            json!(r#"{"never": ["x"]}"#),
            Pass,
            Unknown,
            Some("subscription.filter-policy-not-decided"),
        ),
    ]
}

#[test]
fn one_thing_is_not_as_it_should_be() {
    table(&cases());
}

/// A list that is not read to its end proves that somebody hears, and never that nobody does.
#[test]
fn what_comes_after_a_page_may_be_somebody() {
    let list = "sns:ListSubscriptionsByTopic";
    for (subscriptions, cis, effective, reason) in [
        (
            json!([]),
            Unknown,
            Unknown,
            Some("subscription.not-observed"),
        ),
        (
            json!([{"Protocol": "email", "Endpoint": "a@example.com", "Owner": id(MANAGEMENT),
                "SubscriptionArn": "PendingConfirmation"}]),
            Unknown,
            Unknown,
            Some("subscription.not-observed"),
        ),
    ] {
        let world = World::healthy()
            .set(list, MANAGEMENT, "/Subscriptions", subscriptions)
            .set(list, MANAGEMENT, "/NextToken", json!("more"));
        check(&world, cis, effective, reason);
    }
}

#[test]
fn pending_subscriptions_are_told_of_beside_confirmed_ones_alone() {
    let pending = listed(&[("email", "a@example.com", MANAGEMENT)]).set(
        "sns:ListSubscriptionsByTopic",
        MANAGEMENT,
        "/Subscriptions/0/SubscriptionArn",
        json!("PendingConfirmation"),
    );
    check(&pending, Fail, Fail, Some("subscription.pending"));
    for world in [World::healthy(), pending] {
        assert!(!seen(&world, "subscription.also-pending"));
    }
}
