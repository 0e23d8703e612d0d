//! Who hears.

use serde_json::{Value, json};

use crate::evaluate::Evaluator;
use crate::evaluate::fixture::{
    Case, MANAGEMENT, MEMBER, OTHER, SUBSCRIPTION, TOPIC, World, check, denied, id, names, table,
};
use crate::finding::Status::{self, Fail, Pass, Unknown};
use crate::forwarder::{Forwarder, MAX_HOPS};

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
    let mut attributes = json!({"SubscriptionArn": arn, "PendingConfirmation": "false"});
    for (name, value) in more.as_object().unwrap() {
        attributes[name] = value.clone();
    }
    world.with(
        "sns:GetSubscriptionAttributes",
        owner,
        "eu-west-1",
        &json!({ "SubscriptionArn": arn }),
        &json!({ "Attributes": attributes }),
    )
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

fn forwarding(target: &str) -> Forwarder {
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
fn forwarded(subscription: &str, more: &Value) -> World {
    let world = listed(&[("lambda", FUNCTION, MANAGEMENT)]);
    let mut world = told(world, 0, MANAGEMENT, &json!({}));
    world.policy.forwarders = vec![forwarding("arn:aws:sns:{region}:333333333333:{topic}")];
    let mut attributes = json!({"TopicArn": CENTRAL});
    for (name, value) in more.as_object().unwrap() {
        attributes[name] = value.clone();
    }
    let entry = json!({"SubscriptionArn": subscription, "Protocol": "email",
        "Endpoint": "a@example.com", "Owner": id(OTHER)});
    world
        .with(
            "sns:GetTopicAttributes",
            OTHER,
            "eu-west-1",
            &json!({"TopicArn": CENTRAL}),
            &json!({ "Attributes": attributes }),
        )
        .with(
            "sns:ListSubscriptionsByTopic",
            OTHER,
            "eu-west-1",
            &json!({"TopicArn": CENTRAL}),
            &json!({ "Subscriptions": [entry] }),
        )
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
    let attributes = |world: World, more: &Value| {
        let mut attributes = json!({ "SubscriptionArn": confirmed });
        for (name, value) in more.as_object().unwrap() {
            attributes[name] = value.clone();
        }
        world.with(
            "sns:GetSubscriptionAttributes",
            OTHER,
            "eu-west-1",
            &json!({ "SubscriptionArn": confirmed }),
            &json!({ "Attributes": attributes }),
        )
    };
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
    let on = forwarded(&format!("{CENTRAL}:1"), &json!({})).with(
        "sns:GetSubscriptionAttributes",
        OTHER,
        "eu-west-1",
        &json!({"SubscriptionArn": format!("{CENTRAL}:1")}),
        &json!({"Attributes": {"SubscriptionArn": format!("{CENTRAL}:1")}}),
    );
    let told_on = detail(&on);
    let ends = format!(" publishes to {CENTRAL}: 1 confirmed subscription of {CENTRAL}");
    assert!(told_on.ends_with(&ends), "{told_on}");
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
            for (operation, parameters, response) in [
                (
                    "sns:GetTopicAttributes",
                    json!({ "TopicArn": arn }),
                    json!({"Attributes": {"TopicArn": arn}}),
                ),
                (
                    "sns:ListSubscriptionsByTopic",
                    json!({ "TopicArn": arn }),
                    json!({ "Subscriptions": [entry] }),
                ),
                (
                    "sns:GetSubscriptionAttributes",
                    json!({ "SubscriptionArn": subscription }),
                    json!({"Attributes": {"SubscriptionArn": subscription}}),
                ),
            ] {
                world = world.with(operation, OTHER, "eu-west-1", &parameters, &response);
            }
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

/// Each observation, and where it is made.
pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
    let heard = format!("{CENTRAL}:1");
    let forwarded = || {
        forwarded(&heard, &json!({})).with(
            "sns:GetSubscriptionAttributes",
            OTHER,
            "eu-west-1",
            &json!({ "SubscriptionArn": heard }),
            &json!({"Attributes": {"SubscriptionArn": heard}}),
        )
    };
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
