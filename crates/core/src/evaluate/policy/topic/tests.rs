//! What topics' policies let CloudWatch do.

use serde_json::{Value, json};

use super::*;

const ALARM: &str = "arn:aws:cloudwatch:us-east-1:111111111111:alarm:signins";

fn check(policy: Option<&Value>, topic_account: &str) -> Permission {
    let topic: Arn = format!("arn:aws:sns:us-east-1:{topic_account}:security")
        .parse()
        .unwrap();
    may_publish(
        policy.map(Value::to_string).as_deref(),
        &Publication {
            account: "111111111111".parse().unwrap(),
            alarm: ALARM,
            topic: &topic,
            organization: None,
        },
    )
}

fn statement(change: &Value) -> Value {
    let mut statement = json!({
        "Sid": "test", "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish", "Resource": "arn:aws:sns:us-east-1:*:security",
    });
    for (key, value) in change.as_object().unwrap() {
        if value.is_null() {
            statement.as_object_mut().unwrap().remove(key);
        } else {
            statement[key] = value.clone();
        }
    }
    statement
}

fn policy(changes: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": changes.iter().map(statement).collect::<Vec<_>>()})
}

/// The policy that SNS gives every new topic.
fn default_policy() -> Value {
    json!({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [{
        "Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"},
        "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission",
                   "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe",
                   "SNS:ListSubscriptionsByTopic", "SNS:Publish"],
        "Resource": "arn:aws:sns:us-east-1:111111111111:security",
        "Condition": {"StringEquals": {"AWS:SourceOwner": "111111111111"}},
    }]})
}

#[test]
fn policies_that_let_cloudwatch_publish() {
    assert_eq!(
        check(Some(&default_policy()), "111111111111"),
        Permission::Allowed
    );
    for change in [
        json!({}),
        json!({"Principal": "*"}),
        json!({"Principal": {"AWS": "*"}}),
        json!({"Principal": {"Service": ["events.amazonaws.com", "cloudwatch.amazonaws.com"]}}),
        json!({"Action": ["sns:Get*", "SNS:Pub*"]}),
        json!({"Action": "*"}),
        json!({"Resource": null}),
        json!({"Action": null, "NotAction": "sns:DeleteTopic"}),
        json!({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:111111111111:alarm:*"}}}),
        json!({"Condition": {"StringEquals": {"aws:SourceAccount": ["222222222222", "111111111111"]}}}),
        json!({"Condition": {"Bool": {"aws:SecureTransport": true}}}),
        json!({"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}}),
        json!({"Condition": {"Null": {"aws:PrincipalOrgID": "true"}}}),
    ] {
        let policy = policy(std::slice::from_ref(&change));
        assert_eq!(
            check(Some(&policy), "111111111111"),
            Permission::Allowed,
            "{change}"
        );
    }
    let single = json!({"Statement": statement(&json!({}))});
    assert_eq!(check(Some(&single), "222222222222"), Permission::Allowed);
}

#[test]
fn policies_that_do_not() {
    for changes in [
        vec![],
        vec![json!({"Principal": {"Service": "events.amazonaws.com"}})],
        vec![json!({"Principal": {"AWS": "arn:aws:iam::222222222222:root"}})],
        vec![json!({"Action": "sns:Subscribe"})],
        vec![json!({"Resource": "arn:aws:sns:us-east-1:111111111111:other"})],
        vec![json!({"Condition": {"StringEquals": {"aws:SourceAccount": "222222222222"}}})],
        vec![
            json!({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-west-1:*:alarm:*"}}}),
        ],
        vec![
            json!({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}),
        ],
        // The account is missing in the pattern.
        vec![json!({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:alarm:*"}}})],
        vec![json!({"Condition": {"ForAnyValue:StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}})],
        vec![json!({}), json!({"Effect": "Deny"})],
        vec![
            json!({}),
            json!({"Effect": "Deny", "Principal": "*", "Action": "sns:*"}),
        ],
        vec![
            json!({}),
            json!({"Effect": "Deny", "Principal": null, "NotPrincipal": {"AWS": "222222222222"}}),
        ],
    ] {
        let permission = check(Some(&policy(&changes)), "111111111111");
        assert!(
            matches!(permission, Permission::Denied(_)),
            "{changes:?}: {permission:?}"
        );
    }
}

#[test]
fn a_deny_that_does_not_apply_changes_nothing() {
    for condition in [
        json!({"Bool": {"aws:SecureTransport": "false"}}),
        json!({"ForAnyValue:StringNotLike": {"aws:PrincipalOrgPaths": "o-1/*"}}),
        json!({"ArnNotLike": {"aws:SourceArn": "arn:aws:*:*:111111111111:*"}}),
        json!({"Bool": {"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"}}),
    ] {
        let deny = json!({"Effect": "Deny", "Principal": "*", "Condition": condition});
        assert_eq!(
            check(Some(&policy(&[json!({}), deny])), "111111111111"),
            Permission::Allowed,
            "{condition}"
        );
    }
}

#[test]
fn another_accounts_topic_needs_more_than_its_default_policy() {
    let mut other = default_policy();
    other["Statement"][0]["Condition"]["StringEquals"]["AWS:SourceOwner"] = json!("222222222222");
    other["Statement"][0]["Resource"] = json!("arn:aws:sns:us-east-1:222222222222:security");
    assert!(matches!(
        check(Some(&other), "222222222222"),
        Permission::Denied(_)
    ));
    // What was not shown may be the default policy or another.
    for account in ["111111111111", "222222222222"] {
        assert!(matches!(check(None, account), Permission::Undecided(_)));
    }
}

/// The source is the alarm's account, not the topic's (SNS Developer Guide, "Allow CloudWatch alarms
/// in a different account to publish").
#[test]
fn conditions_on_the_source_of_another_accounts_alarm() {
    let alarms = |account: &str| format!("arn:aws:cloudwatch:us-east-1:{account}:alarm:*");
    let both = json!(["111111111111", "222222222222"]);
    for (condition, allowed) in [
        (
            json!({"StringEquals": {"aws:SourceAccount": "111111111111"}}),
            true,
        ),
        (
            json!({"StringEquals": {"AWS:SourceOwner": "111111111111"}}),
            true,
        ),
        (json!({"StringEquals": {"aws:SourceAccount": both}}), true),
        (
            json!({"ArnLike": {"AWS:SourceArn": alarms("111111111111")}}),
            true,
        ),
        (json!({"ArnEquals": {"aws:SourceArn": ALARM}}), true),
        (
            json!({"StringLike": {"aws:SourceArn": alarms("111111111111")}}),
            true,
        ),
        (
            json!({"StringEquals": {"aws:SourceAccount": "222222222222"}}),
            false,
        ),
        (
            json!({"StringEquals": {"AWS:SourceOwner": "222222222222"}}),
            false,
        ),
        (
            json!({"ArnLike": {"aws:SourceArn": alarms("222222222222")}}),
            false,
        ),
        (
            json!({"StringEquals": {"aws:SourceArn": alarms("111111111111")}}),
            false,
        ),
        (
            json!({
                "StringEquals": {"aws:SourceAccount": "111111111111"},
                "ArnLike": {"aws:SourceArn": alarms("222222222222")},
            }),
            false,
        ),
    ] {
        for principal in [json!("*"), json!({"Service": "cloudwatch.amazonaws.com"})] {
            let change = json!({"Condition": condition, "Principal": principal});
            let permission = check(Some(&policy(&[change])), "222222222222");
            assert_eq!(permission == Permission::Allowed, allowed, "{condition}");
            let denied = matches!(permission, Permission::Denied(_));
            assert_eq!(denied, !allowed, "{condition}");
        }
    }
}

#[test]
fn what_is_not_known_is_undecided() {
    for changes in [
        vec![json!({"Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}})],
        vec![json!({"Condition": {"StringEquals": {"aws:SourceOrgID": "o-1"}}})],
        vec![json!({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*"}}})],
        vec![
            json!({"Condition": {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}}),
        ],
        vec![json!({"Principal": {"AWS": "arn:aws:iam::111111111111:root"}})],
        vec![json!({"Principal": {"AWS": "111111111111"}})],
        // A service that calls for somebody; CloudWatch calls for itself.
        vec![json!({"Condition": {"Bool": {"aws:ViaAWSService": "true"}}})],
        vec![
            json!({}),
            json!({"Effect": "Deny", "Condition": {"StringEquals": {"aws:Weather": "rain"}}}),
        ],
    ] {
        let permission = check(Some(&policy(&changes)), "111111111111");
        assert!(
            matches!(permission, Permission::Undecided(_)),
            "{changes:?}: {permission:?}"
        );
    }
    let publication = Publication {
        account: "111111111111".parse().unwrap(),
        alarm: ALARM,
        topic: &"arn:aws:sns:us-east-1:111111111111:security"
            .parse()
            .unwrap(),
        organization: None,
    };
    for text in [
        "",
        "{}",
        "not json",
        "{\"Statement\": [1]}",
        "{\"Statement\": {\"Effect\": 1}}",
    ] {
        assert!(
            matches!(
                may_publish(Some(text), &publication),
                Permission::Undecided(_)
            ),
            "{text}"
        );
    }
}

#[test]
fn a_known_allow_wins_over_an_unknown_one() {
    let unknown = json!({"Condition": {"StringEquals": {"aws:Weather": "rain"}}});
    assert_eq!(
        check(Some(&policy(&[unknown, json!({})])), "111111111111"),
        Permission::Allowed
    );
}
