//! Amazon SNS, whose query protocol answers in XML: the typed output is written out by hand.

use std::collections::HashMap;

use aws_sdk_sns::types::Subscription;
use aws_types::request_id::RequestId;
use serde_json::{Map, Value, json};

use super::send::typed;
use super::{Answer, Clients, Failure, Target};

impl Clients {
    pub(super) async fn get_topic_attributes(
        &self,
        target: &Target,
        topic_arn: &str,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients.sns().get_topic_attributes().topic_arn(topic_arn);
        let output = typed(target, request.send()).await?;
        Ok(Answer {
            body: json!({ "Attributes": texts(output.attributes()) }),
            request_id: output.request_id().map(str::to_owned),
        })
    }

    pub(super) async fn get_subscription_attributes(
        &self,
        target: &Target,
        subscription_arn: &str,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients.sns().get_subscription_attributes();
        let request = request.subscription_arn(subscription_arn);
        let output = typed(target, request.send()).await?;
        Ok(Answer {
            body: json!({ "Attributes": texts(output.attributes()) }),
            request_id: output.request_id().map(str::to_owned),
        })
    }

    pub(super) async fn list_subscriptions_by_topic(
        &self,
        target: &Target,
        topic_arn: &str,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .sns()
            .list_subscriptions_by_topic()
            .topic_arn(topic_arn)
            .set_next_token(token);
        let output = typed(target, request.send()).await?;
        let mut body = Map::new();
        // A list that is absent is not an empty one.
        if let Some(subscriptions) = &output.subscriptions {
            let subscriptions: Vec<Value> = subscriptions.iter().map(subscription).collect();
            body.insert("Subscriptions".to_owned(), subscriptions.into());
        }
        if let Some(token) = output.next_token() {
            body.insert("NextToken".to_owned(), token.into());
        }
        Ok(Answer {
            body: body.into(),
            request_id: output.request_id().map(str::to_owned),
        })
    }
}

/// Attributes, which are texts all of them.
fn texts(attributes: Option<&HashMap<String, String>>) -> Map<String, Value> {
    let attributes = attributes.into_iter().flatten();
    attributes
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect()
}

fn subscription(subscription: &Subscription) -> Value {
    let members = [
        ("SubscriptionArn", subscription.subscription_arn()),
        ("Owner", subscription.owner()),
        ("Protocol", subscription.protocol()),
        ("Endpoint", subscription.endpoint()),
        ("TopicArn", subscription.topic_arn()),
    ];
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
        .collect::<Map<_, _>>()
        .into()
}
