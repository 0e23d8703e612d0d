//! Policies that are written in JSON: of topics, of keys, and of subscriptions.

use std::sync::Arc;

use serde_json::{Value, json};
use trailproof_core::arn::Arn;
use trailproof_core::evaluate::AlarmMessage;
use trailproof_core::evaluate::filter_policy::{self, Passage};
use trailproof_core::evaluate::policy::{KeyUse, Permission, Publication, may_publish, may_use};
use trailproof_core::evidence::{AlarmConfiguration, MetricAlarm};

use crate::text;

const ACCOUNT: &str = "111111111111";
const ALARM: &str = "arn:aws:cloudwatch:us-east-1:111111111111:alarm:signins";
const TOPIC: &str = "arn:aws:sns:us-east-1:111111111111:alerts";
const KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/6f1f5c1c-0000-4000-8000-111111111111";

/// The policy of a topic, for an alarm of its account.
pub(crate) fn topic_policies(data: &[u8]) {
    let topic: Arn = TOPIC.parse().expect("an ARN");
    let publication = Publication {
        account: ACCOUNT.parse().expect("an account"),
        alarm: ALARM,
        topic: &topic,
        organization: Some("o-exampleorg1"),
    };
    resource_policy(text(data), |policy| may_publish(Some(policy), &publication));
}

/// The policy of a topic's key, for an alarm of its account.
pub(crate) fn key_policies(data: &[u8]) {
    let key_use = KeyUse {
        account: ACCOUNT.parse().expect("an account"),
        alarm: ALARM,
        key: KEY,
    };
    resource_policy(text(data), |policy| may_use(policy, &key_use));
}

/// What is no policy is undecided; the layout of JSON means nothing; a statement that denies
/// everything wins, and one that allows everything takes nothing away.
fn resource_policy(text: &str, judge: impl Fn(&str) -> Permission) {
    let permission = judge(text);
    let Ok(document) = serde_json::from_str::<Value>(text) else {
        assert!(
            matches!(permission, Permission::Undecided(_)),
            "{permission:?}"
        );
        return;
    };
    assert_eq!(judge(&format!("{document:#}")), permission);
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(statement @ Value::Object(_)) => vec![statement.clone()],
        _ => {
            assert!(
                matches!(permission, Permission::Undecided(_)),
                "{permission:?}"
            );
            return;
        }
    };
    let with = |effect: &str| {
        let one = json!({"Effect": effect, "Principal": "*", "Action": "*", "Resource": "*"});
        let mut statements = statements.clone();
        statements.push(one);
        judge(&json!({ "Statement": statements }).to_string())
    };
    let (denied, allowed) = (with("Deny"), with("Allow"));
    assert_ne!(denied, Permission::Allowed);
    if permission == Permission::Allowed {
        assert_eq!(allowed, Permission::Allowed);
        assert!(matches!(denied, Permission::Denied(_)), "{denied:?}");
    }
}

/// The filter policy of a subscription: the layout of JSON means nothing, a condition on a member
/// that no message has lets nothing through, and what looks at attributes is never decided.
pub(crate) fn filter_policies(data: &[u8]) {
    let text = text(data);
    let alarm = MetricAlarm {
        alarm_name: "signins".into(),
        alarm_arn: Some(ALARM.into()),
        alarm_actions: vec![TOPIC.into()],
        configuration: Arc::new(AlarmConfiguration {
            namespace: Some("CISBenchmark".into()),
            metric_name: Some("Signins".into()),
            period: Some(300),
            evaluation_periods: Some(1),
            threshold: Some(1.0),
            comparison_operator: Some("GreaterThanOrEqualToThreshold".into()),
            ..AlarmConfiguration::default()
        }),
        ..MetricAlarm::default()
    };
    let message = AlarmMessage::of_metric_alarm(&alarm);
    let judge = |policy: &str, scope| filter_policy::judge(Some(policy), scope, &message);
    for scope in [None, Some("MessageAttributes"), Some("unheard of")] {
        assert_ne!(judge(text, scope), Passage::Dropped);
    }
    let passage = judge(text, Some("MessageBody"));
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(mut conditions)) => {
            let laid_out = format!("{:#}", Value::Object(conditions.clone()));
            assert_eq!(judge(&laid_out, Some("MessageBody")), passage);
            conditions.insert("no-such-member".to_owned(), json!(["x"]));
            let more = Value::Object(conditions).to_string();
            assert_eq!(judge(&more, Some("MessageBody")), Passage::Dropped);
        }
        _ => assert!(matches!(passage, Passage::Undecided(_)), "{passage:?}"),
    }
}
