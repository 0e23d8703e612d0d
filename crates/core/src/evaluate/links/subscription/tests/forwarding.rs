//! Machines that pass a message on, to another topic or to somebody whom a person vouches for.

use serde_json::{Value, json};

use super::{CENTRAL, FUNCTION, filter, listed, seen, told};
use crate::evaluate::Evaluator;
use crate::evaluate::fixture::{MANAGEMENT, MEMBER, OTHER, TOPIC, World, check, id, names};
use crate::finding::Status::{self, Fail, Pass, Unknown};
use crate::forwarder::{Forwarder, MAX_HOPS};

pub(super) fn forwarding(target: &str) -> Forwarder {
    Forwarder {
        topic: "arn:aws:sns:*:*:*".to_owned(),
        endpoint: "arn:aws:lambda:*:*:function:AWSAccelerator-*".to_owned(),
        target: Some(target.to_owned()),
        delivers_to: None,
        owner: None,
        expires: None,
    }
}

/// A function that publishes to the central topic, which has this subscription.
pub(super) fn forwarded(subscription: &str, more: &Value) -> World {
    let world = listed(&[("lambda", FUNCTION, MANAGEMENT)]);
    let mut world = told(world, 0, MANAGEMENT, &json!({}));
    world.policy.forwarders = vec![forwarding("arn:aws:sns:{region}:333333333333:{topic}")];
    let entry = json!({"SubscriptionArn": subscription, "Protocol": "email",
        "Endpoint": "a@example.com", "Owner": id(OTHER)});
    world.with_topic(OTHER, CENTRAL, more, &json!([entry]))
}

#[test]
fn the_topic_of_a_forwarder_decides() {
    let pending = forwarded("PendingConfirmation", &json!({}));
    check(&pending, Pass, Fail, Some("subscription.pending"));
    let confirmed = format!("{CENTRAL}:1");
    let world = forwarded(&confirmed, &json!({}));
    check(
        &world,
        Pass,
        Unknown,
        Some("subscription.filter-policy-not-observed"),
    );
    assert_eq!(
        names(&world.wanted(MEMBER)),
        ["sns:GetSubscriptionAttributes 333333333333 eu-west-1"]
    );
    let attributes = |world: World, more: &Value| world.with_subscription(OTHER, &confirmed, more);
    let heard = attributes(world.clone(), &json!({}));
    check(&heard, Pass, Pass, None);
    assert!(seen(&heard, "subscription.forwarded"));
    assert!(seen(&heard, "topic.publisher-not-judged"));
    // The message there is the machine's own.
    let any = filter(&json!({"NewStateValue": ["ALARM"]}), "MessageBody");
    check(
        &attributes(world, &any),
        Pass,
        Unknown,
        Some("subscription.filter-policy-not-decided"),
    );
    // A key that AWS manages serves a function, though not CloudWatch.
    let managed = forwarded(&confirmed, &json!({"KmsMasterKeyId": "alias/aws/sns"}));
    check(&attributes(managed, &json!({})), Pass, Pass, None);
    let unread = forwarded(&confirmed, &json!({"KmsMasterKeyId": "1234abcd"}));
    let unread = attributes(unread, &json!({}));
    check(
        &unread,
        Pass,
        Unknown,
        Some("subscription.forwarding-not-observed"),
    );
    assert_eq!(
        names(&unread.wanted(MEMBER)),
        ["kms:DescribeKey 333333333333 eu-west-1"]
    );
    // What the key is, its owner tells.
    for (metadata, effective, reason) in [
        (json!({"KeyManager": "AWS"}), Pass, None),
        (
            json!({"KeyManager": "CUSTOMER", "KeyState": "Enabled"}),
            Pass,
            None,
        ),
        (
            json!({"KeyManager": "CUSTOMER", "KeyState": "Disabled"}),
            Fail,
            Some("subscription.forwarded-nowhere"),
        ),
        (
            json!({"KeyManager": "CUSTOMER"}),
            Unknown,
            Some("subscription.forwarding-not-observed"),
        ),
    ] {
        let described = unread.clone().with(
            "kms:DescribeKey",
            OTHER,
            "eu-west-1",
            &json!({"KeyId": "arn:aws:kms:eu-west-1:333333333333:key/1234abcd"}),
            &json!({ "KeyMetadata": metadata }),
        );
        check(&described, Pass, effective, reason);
    }
    let gone = json!({"code": "NotFound", "message": "", "class": "not-found"});
    let without_key = unread
        .with(
            "kms:DescribeKey",
            OTHER,
            "eu-west-1",
            &json!({"KeyId": "arn:aws:kms:eu-west-1:333333333333:key/1234abcd"}),
            &json!({}),
        )
        .fail_last(&gone);
    check(
        &without_key,
        Pass,
        Fail,
        Some("subscription.forwarded-nowhere"),
    );
    let gone = forwarded(&confirmed, &json!({})).fail("sns:GetTopicAttributes", OTHER, &gone);
    check(&gone, Pass, Fail, Some("subscription.forwarded-nowhere"));
}

#[test]
fn a_message_that_comes_back_is_not_followed() {
    let mut world = forwarded(&format!("{CENTRAL}:1"), &json!({}));
    world.policy.forwarders = vec![forwarding(TOPIC)];
    check(
        &world,
        Pass,
        Unknown,
        Some("subscription.forwarded-too-far"),
    );
}

/// A machine that somebody vouches for may drop the message: nobody saw whether it does.
#[test]
fn machines_whose_attributes_nobody_saw() {
    let vouched = |protocol: &str| {
        let mut world = listed(&[(protocol, FUNCTION, MANAGEMENT)]);
        world.policy.forwarders = vec![Forwarder {
            target: None,
            delivers_to: Some("the pager of security".to_owned()),
            owner: Some("ciso".to_owned()),
            expires: "2027-01-01".parse().ok(),
            ..forwarding("")
        }];
        world
    };
    let unseen = Some("subscription.filter-policy-not-observed");
    check(&vouched("lambda"), Pass, Unknown, unseen);
    let seen = told(vouched("lambda"), 0, MANAGEMENT, &json!({}));
    check(&seen, Pass, Pass, None);
    // What reaches nobody that is known needs no look at its attributes.
    let pigeon = listed(&[("pigeon", FUNCTION, MANAGEMENT)]);
    let unknown = Some("subscription.unknown-protocol");
    check(&pigeon, Pass, Unknown, unknown);
}

/// Of several that reach nobody, one that leads further says more than one that drops the message.
#[test]
fn what_is_told_of_several_that_reach_nobody() {
    let drops = filter(&json!({"severity": ["high"]}), "MessageBody");
    let gone = json!({"code": "NotFound", "message": "", "class": "not-found"});
    let nowhere = Some("subscription.forwarded-nowhere");
    for subscriptions in [
        [("email", "a@example.com"), ("lambda", FUNCTION)],
        [("lambda", FUNCTION), ("lambda", FUNCTION)],
    ] {
        for dropping in [0, 1] {
            if subscriptions[dropping].0 == "lambda" && subscriptions[0].0 == "email" {
                continue;
            }
            let of = subscriptions.map(|(protocol, endpoint)| (protocol, endpoint, MANAGEMENT));
            let world = told(listed(&of), dropping, MANAGEMENT, &drops);
            let mut world = told(world, 1 - dropping, MANAGEMENT, &json!({}))
                .with(
                    "sns:GetTopicAttributes",
                    OTHER,
                    "eu-west-1",
                    &json!({"TopicArn": CENTRAL}),
                    &json!({}),
                )
                .fail_last(&gone);
            world.policy.forwarders = vec![forwarding("arn:aws:sns:{region}:333333333333:{topic}")];
            println!("{subscriptions:?} {dropping}");
            check(&world, Pass, Fail, nowhere);
        }
    }
}

/// Nobody on a page of the list is not nobody on the list.
#[test]
fn the_list_of_the_next_topic_may_be_a_page() {
    let mut page = forwarded("PendingConfirmation", &json!({}));
    page.record_mut("sns:ListSubscriptionsByTopic", OTHER)["response"]["NextToken"] = json!("more");
    let finding = page.finding(MEMBER);
    assert_eq!(finding.assurance.effective, Unknown, "{}", finding.message);
    assert!(finding.message.contains(CENTRAL), "{}", finding.message);
}

/// Topics that pass a message on, one to the next, and the last to a person: as many as are followed,
/// and one more.
#[test]
fn messages_are_followed_so_far() {
    for (hops, effective, reason) in [
        (MAX_HOPS, Pass, None),
        (
            MAX_HOPS + 1,
            Unknown,
            Some("subscription.forwarded-too-far"),
        ),
    ] {
        let topic = |hop: usize| match hop {
            0 => TOPIC.to_owned(),
            hop => format!("arn:aws:sns:eu-west-1:333333333333:hop-{hop}"),
        };
        let world = listed(&[("lambda", FUNCTION, MANAGEMENT)]);
        let mut world = told(world, 0, MANAGEMENT, &json!({}));
        world.policy.forwarders = (0..hops)
            .map(|hop| Forwarder {
                topic: topic(hop),
                ..forwarding(&topic(hop + 1))
            })
            .collect();
        for hop in 1..=hops {
            let (arn, subscription) = (topic(hop), format!("{}:1", topic(hop)));
            let (protocol, endpoint) = if hop == hops {
                ("email", "a@example.com")
            } else {
                ("lambda", FUNCTION)
            };
            let entry = json!({"SubscriptionArn": subscription, "Protocol": protocol,
                "Endpoint": endpoint, "Owner": id(OTHER)});
            world = world
                .with_topic(OTHER, &arn, &json!({}), &json!([entry]))
                .with_subscription(OTHER, &subscription, &json!({}));
        }
        println!("{hops}");
        check(&world, Pass, effective, reason);
        let evidence = world.evidence();
        let evaluator = Evaluator::new(world.policy.clone());
        let recipients = evaluator.on(&evidence).recipients(id(MEMBER));
        let mut told = recipients.iter().flatten();
        let person = told.any(|one| one.protocol.as_deref() == Some("email"));
        assert_eq!(person, effective == Pass, "{hops}");
    }
}

#[test]
fn somebody_vouches_for_a_machine_until_a_day() {
    let check_until = |expires: &str, effective: Status, reason: Option<&str>| {
        let world = listed(&[("lambda", FUNCTION, MANAGEMENT)]);
        let mut world = told(world, 0, MANAGEMENT, &json!({}));
        world.policy.forwarders = vec![Forwarder {
            target: None,
            delivers_to: Some("the pager of security".to_owned()),
            owner: Some("ciso".to_owned()),
            expires: expires.parse().ok(),
            ..forwarding("")
        }];
        check(&world, Pass, effective, reason);
        assert_eq!(
            seen(&world, "subscription.delivered-by-machine"),
            effective == Pass
        );
    };
    check_until("2026-11-22", Pass, None);
    check_until("2026-11-21", Unknown, Some("subscription.machines-only"));
}
