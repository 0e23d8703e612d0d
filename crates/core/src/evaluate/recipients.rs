//! Who hears of an account's events, control by control: the subscriptions where the chains end
//! that the effective verdicts show.

use super::alarm_message::AlarmMessage;
use super::evaluator::{Depth, Evaluation, Judged};
use super::gathered::Alarms;
use super::links::subscription;
use super::verdict::Yardstick;
use crate::account::AccountId;
use crate::evidence::CallSite;
use crate::finding::LinkName;

pub use subscription::Recipient;

/// Where a chain ends.
struct End {
    topic: String,
    /// The alarm that notifies it: its ARN, or its name.
    notifier: String,
    site: CallSite,
}

impl Evaluation<'_> {
    /// The recipients of each control of an account, in the policy's order of controls. None where
    /// the chain ends before a topic, and where the control does not apply.
    pub fn recipients(&mut self, account: AccountId) -> Vec<Vec<Recipient>> {
        let ends = self.judged(account, Depth::Chain, |_, _, judged, _| {
            let Judged::Applies(outcome) = judged else {
                return None;
            };
            let chain = outcome.by(Yardstick::Effective);
            let step = |link| chain.iter().find(|step| step.link == link);
            let (topic, action) = (step(LinkName::Topic)?, step(LinkName::Action)?);
            Some(End {
                topic: topic.resource.as_deref()?.to_owned(),
                notifier: action.resource.as_deref()?.to_owned(),
                site: CallSite {
                    account: action.account?,
                    region: action.region.clone()?,
                },
            })
        });
        let ends = ends.into_iter().map(|(end, _)| end);
        ends.map(|end| end.map_or_else(Vec::new, |end| self.at(&end)))
            .collect()
    }

    fn at(&mut self, end: &End) -> Vec<Recipient> {
        let alarms = self.alarms(&end.site);
        let message = message(&alarms, &end.notifier);
        let (evidence, forwarders) = self.telling();
        subscription::recipients(
            evidence,
            &end.site,
            forwarders,
            &end.topic,
            message.as_ref(),
        )
    }
}

/// What an alarm publishes.
fn message(alarms: &Alarms, notifier: &str) -> Option<AlarmMessage> {
    let is_it = |name: &str, arn: Option<&str>| name == notifier || arn == Some(notifier);
    let mut metric = alarms.metric.items.iter();
    let alarm = metric.find(|alarm| is_it(&alarm.alarm_name, alarm.alarm_arn.as_deref()));
    if let Some(alarm) = alarm {
        return Some(AlarmMessage::of_metric_alarm(alarm));
    }
    let mut composite = alarms.composite.items.iter();
    let alarm = composite.find(|alarm| is_it(&alarm.alarm_name, alarm.alarm_arn.as_deref()))?;
    Some(AlarmMessage::of_composite_alarm(alarm))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::evaluate::Evaluator;
    use crate::evaluate::fixture::{MANAGEMENT, MEMBER, TOPIC, World, id};
    use crate::forwarder::Forwarder;

    fn shown(world: &World) -> Vec<String> {
        let evidence = world.evidence();
        let evaluator = Evaluator::new(world.policy.clone());
        let recipients = evaluator.on(&evidence).recipients(id(MEMBER));
        let shown = recipients.into_iter().flatten().map(|recipient| {
            format!(
                "{} {} {:?}{}",
                recipient.endpoint.unwrap_or_default(),
                recipient.is_confirmed,
                recipient.hears,
                if recipient.through.is_empty() {
                    ""
                } else {
                    " passed on"
                }
            )
        });
        shown.collect()
    }

    #[test]
    fn each_subscription_is_told_by_itself() {
        assert_eq!(
            shown(&World::healthy()),
            ["security@example.com true Some(true)"]
        );
        let pending = World::healthy().set(
            "sns:ListSubscriptionsByTopic",
            MANAGEMENT,
            "/Subscriptions/1",
            json!({"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "late@example.com"}),
        );
        assert_eq!(
            shown(&pending),
            [
                "security@example.com true Some(true)",
                "late@example.com false Some(false)"
            ]
        );
        let dropped = World::healthy().set(
            "sns:GetSubscriptionAttributes",
            MANAGEMENT,
            "/Attributes/FilterPolicy",
            json!("{\"AlarmName\":[\"another\"]}"),
        );
        let dropped = dropped.set(
            "sns:GetSubscriptionAttributes",
            MANAGEMENT,
            "/Attributes/FilterPolicyScope",
            json!("MessageBody"),
        );
        assert_eq!(shown(&dropped), ["security@example.com true Some(false)"]);
        let unseen = World::healthy().without("sns:GetSubscriptionAttributes", MANAGEMENT);
        assert_eq!(shown(&unseen), ["security@example.com true None"]);
        let nothing = World::healthy().set(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms",
            json!([]),
        );
        assert!(shown(&nothing).is_empty());
    }

    #[test]
    fn forwarders_lead_on() {
        let function = "arn:aws:lambda:eu-west-1:111111111111:function:f";
        let mut world = World::healthy()
            .set(
                "sns:ListSubscriptionsByTopic",
                MANAGEMENT,
                "/Subscriptions/0/Protocol",
                json!("lambda"),
            )
            .set(
                "sns:ListSubscriptionsByTopic",
                MANAGEMENT,
                "/Subscriptions/0/Endpoint",
                json!(function),
            );
        assert_eq!(shown(&world), [format!("{function} true None")]);
        let central = "arn:aws:sns:eu-west-1:111111111111:central";
        world.policy.forwarders = vec![Forwarder {
            topic: TOPIC.to_owned(),
            endpoint: function.to_owned(),
            target: Some(central.to_owned()),
            delivers_to: None,
            owner: None,
            expires: None,
        }];
        let subscription = format!("{central}:1");
        let entry = json!({"SubscriptionArn": subscription, "Owner": "111111111111",
            "Protocol": "sms", "Endpoint": "+15555550100"});
        world = world
            .with_topic(MANAGEMENT, central, &json!({}), &json!([entry]))
            .with_subscription(MANAGEMENT, &subscription, &json!({}));
        assert_eq!(
            shown(&world),
            [
                format!("{function} true Some(true)"),
                "+15555550100 true Some(true) passed on".to_owned()
            ]
        );
        // What the machine publishes is its own message, which a policy for the alarm's may drop.
        let filtered = json!({"SubscriptionArn": subscription, "FilterPolicyScope": "MessageBody",
            "FilterPolicy": json!({"NewStateValue": ["ALARM"]}).to_string()});
        let world = world
            .without("sns:GetSubscriptionAttributes", MANAGEMENT)
            .with(
                "sns:GetSubscriptionAttributes",
                MANAGEMENT,
                "eu-west-1",
                &json!({"SubscriptionArn": subscription}),
                &json!({ "Attributes": filtered }),
            );
        let told = shown(&world);
        assert!(
            told.contains(&"+15555550100 true None passed on".to_owned()),
            "{told:?}"
        );
    }
}
