//! SNS: making, changing and deleting topics and subscriptions.

use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;

use super::cloudwatch::tags_of;
use super::sns::{find_arn, invalid, no_topic, subscription_arn, topic_arn};
use super::{Answer, Context, unsupported};
use crate::document::Structure;
use crate::failure::Failure;
use crate::model::{Organization, Subscription, SubscriptionState, Topic};
use crate::operation::Operation;

/// Subscribe's answer for one that waits for its owner.
const PENDING: &str = "pending confirmation";

pub(super) fn write(
    organization: &mut Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    match operation {
        Operation::CreateTopic => create(organization, context),
        Operation::DeleteTopic => {
            let arn = context.parameters.text("TopicArn").unwrap_or_default();
            // Deleting a topic that is not there is no error (SNS API, DeleteTopic).
            match find_arn(organization, operation, context, arn) {
                Err(failure) if failure.code == "NotFound" => Ok(Structure::new()),
                Err(failure) => Err(failure),
                Ok((owner, topic)) => {
                    let name = topic.name.clone();
                    if let Some(account) = organization.account_mut(owner) {
                        account
                            .site_mut(context.region)
                            .topics
                            .retain(|topic| topic.name != name);
                    }
                    Ok(Structure::new())
                }
            }
        }
        Operation::SetTopicAttributes => {
            let arn = context.parameters.text("TopicArn").unwrap_or_default();
            let name = context.parameters.text("AttributeName").unwrap_or_default();
            let value = context
                .parameters
                .text("AttributeValue")
                .unwrap_or_default();
            let topic = topic_mut(organization, operation, context, arn)?;
            set(topic, name, value)?;
            Ok(Structure::new())
        }
        Operation::Subscribe => subscribe(organization, context),
        Operation::Unsubscribe => {
            let arn = context
                .parameters
                .text("SubscriptionArn")
                .unwrap_or_default()
                .to_owned();
            if !arn.starts_with("arn:") {
                return Err(invalid("Invalid parameter: SubscriptionArn"));
            }
            change_subscription(organization, operation, context, &arn, |topic, index| {
                let pending = topic
                    .subscriptions
                    .get(index)
                    .is_some_and(|found| found.state == SubscriptionState::Pending);
                if pending {
                    return Err(invalid(
                        "Invalid parameter: SubscriptionArn Reason: Cannot unsubscribe a \
                         subscription that is pending confirmation",
                    ));
                }
                topic.subscriptions.remove(index);
                Ok(())
            })?;
            Ok(Structure::new())
        }
        Operation::ConfirmSubscription => {
            let arn = context.parameters.text("TopicArn").unwrap_or_default();
            let token = context.parameters.text("Token").unwrap_or_default();
            let confirmed = confirm(organization, operation, context, arn, token)?;
            Ok(Structure::new().with("SubscriptionArn", confirmed))
        }
        Operation::SetSubscriptionAttributes => {
            let parameters = context.parameters;
            let arn = parameters.text("SubscriptionArn").unwrap_or_default();
            let name = parameters.text("AttributeName").unwrap_or_default();
            let value = parameters.text("AttributeValue").unwrap_or_default();
            let field: fn(&mut Subscription) -> &mut String = match name {
                "FilterPolicy" => |subscription| &mut subscription.filter_policy,
                "FilterPolicyScope" => |subscription| &mut subscription.filter_policy_scope,
                _ => return Err(invalid("Invalid parameter: AttributeName")),
            };
            change_subscription(organization, operation, context, arn, |topic, index| {
                if let Some(subscription) = topic.subscriptions.get_mut(index) {
                    value.clone_into(field(subscription));
                }
                Ok(())
            })?;
            Ok(Structure::new())
        }
        Operation::SnsTagResource => {
            let arn = context.parameters.text("ResourceArn").unwrap_or_default();
            let tags = tags_of(context.parameters.list("Tags"));
            topic_mut(organization, operation, context, arn)?
                .tags
                .extend(tags);
            Ok(Structure::new())
        }
        Operation::SnsUntagResource => {
            let arn = context.parameters.text("ResourceArn").unwrap_or_default();
            let keys = context.parameters.texts("TagKeys");
            let topic = topic_mut(organization, operation, context, arn)?;
            topic.tags.retain(|key, _| !keys.contains(key));
            Ok(Structure::new())
        }
        _ => Err(unsupported()),
    }
}

/// The attributes that callers send, in either of the two ways protocols have.
fn sent_attributes(context: Context<'_>) -> Vec<(String, String)> {
    context
        .parameters
        .get("Attributes")
        .and_then(serde_json::Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn set(topic: &mut Topic, name: &str, value: &str) -> Result<(), Failure> {
    let field = match name {
        "Policy" => {
            let policy: Option<serde_json::Value> = serde_json::from_str(value).ok();
            if policy.is_none_or(|policy| policy.get("Statement").is_none()) {
                return Err(invalid("Invalid parameter: Policy Error: null"));
            }
            &mut topic.policy
        }
        "DisplayName" => &mut topic.display_name,
        "KmsMasterKeyId" => &mut topic.kms_key,
        "DeliveryPolicy"
        | "FifoTopic"
        | "ContentBasedDeduplication"
        | "TracingConfig"
        | "SignatureVersion" => return Ok(()),
        _ => return Err(invalid("Invalid parameter: AttributeName")),
    };
    value.clone_into(field);
    Ok(())
}

fn create(organization: &mut Organization, context: Context<'_>) -> Answer {
    let name = context.parameters.text("Name").unwrap_or_default();
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let name_is_valid = (1..=256).contains(&name.len())
        && stem
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !name_is_valid {
        return Err(invalid("Invalid parameter: Topic Name"));
    }
    let attributes = sent_attributes(context);
    let fifo = attributes
        .iter()
        .any(|(name, value)| name == "FifoTopic" && value == "true");
    if fifo != (stem.len() < name.len()) {
        return Err(invalid(
            "Invalid parameter: Topic Name Reason: only FIFO topics end in .fifo",
        ));
    }
    let tags = tags_of(context.parameters.list("Tags"));
    let owner = context.caller.account;
    let arn = topic_arn(organization, context, owner, name);
    let mut wanted = Topic {
        name: name.to_owned(),
        tags,
        ..Topic::default()
    };
    for (name, value) in &attributes {
        set(&mut wanted, name, value)?;
    }
    if let Some(account) = organization.account_mut(owner) {
        let topics = &mut account.site_mut(context.region).topics;
        match topics.iter().find(|topic| topic.name == name) {
            None => topics.push(wanted),
            Some(existing) => {
                let other_tags = !wanted.tags.is_empty() && existing.tags != wanted.tags;
                let other_attributes = attributes.iter().any(|(name, value)| {
                    let mut changed = existing.clone();
                    set(&mut changed, name, value).is_ok() && changed != *existing
                });
                if other_tags {
                    return Err(invalid(
                        "Invalid parameter: Tags Reason: Topic already exists with different tags",
                    ));
                }
                if other_attributes {
                    return Err(invalid(
                        "Invalid parameter: Attributes Reason: Topic already exists with \
                         different attributes",
                    ));
                }
            }
        }
    }
    Ok(Structure::new().with("TopicArn", arn))
}

fn subscribe(organization: &mut Organization, context: Context<'_>) -> Answer {
    let parameters = context.parameters;
    let arn = parameters.text("TopicArn").unwrap_or_default().to_owned();
    let protocol = parameters.text("Protocol").unwrap_or_default();
    let endpoint = parameters.text("Endpoint").unwrap_or_default();
    let endpoint_is_valid = match protocol {
        "email" | "email-json" => endpoint.contains('@'),
        "http" => endpoint.starts_with("http://"),
        "https" => endpoint.starts_with("https://"),
        "sms" => endpoint
            .trim_start_matches('+')
            .bytes()
            .all(|byte| byte.is_ascii_digit()),
        "sqs" | "lambda" | "firehose" | "application" => endpoint.starts_with("arn:"),
        _ => return Err(invalid("Invalid parameter: Protocol")),
    };
    if !endpoint_is_valid || endpoint.is_empty() {
        return Err(invalid("Invalid parameter: Endpoint"));
    }
    let caller = context.caller.account;
    let own = endpoint
        .parse::<Arn>()
        .ok()
        .and_then(|endpoint| endpoint.account())
        == Some(caller);
    // "http/s, email, or if the endpoint and the topic are not in the same account, the endpoint
    // owner must confirm" (SNS API, Subscribe).
    let state = match protocol {
        "sms" | "application" | "firehose" => SubscriptionState::Confirmed,
        "sqs" | "lambda" if own => SubscriptionState::Confirmed,
        _ => SubscriptionState::Pending,
    };
    let mut subscription = Subscription {
        protocol: protocol.to_owned(),
        endpoint: endpoint.to_owned(),
        state,
        ..Subscription::default()
    };
    for (name, value) in sent_attributes(context) {
        match name.as_str() {
            "FilterPolicy" => subscription.filter_policy = value,
            "FilterPolicyScope" => subscription.filter_policy_scope = value,
            _ => {}
        }
    }
    let topic = topic_mut(organization, Operation::Subscribe, context, &arn)?;
    if topic.is_fifo() && !["sqs", "lambda", "firehose"].contains(&protocol) {
        return Err(invalid(
            "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO topics do not support it",
        ));
    }
    let same = |candidate: &&mut Subscription| {
        candidate.protocol == protocol
            && candidate.endpoint == endpoint
            && candidate.state != SubscriptionState::Deleted
    };
    // Subscribing again sends the message again; it makes nothing new.
    let existing = topic.subscriptions.iter_mut().find(same);
    let (state, subscription_arn) = if let Some(existing) = existing {
        (existing.state, subscription_arn(&arn, existing))
    } else {
        let made = (state, subscription_arn(&arn, &subscription));
        topic.subscriptions.push(subscription);
        made
    };
    let always = parameters.boolean("ReturnSubscriptionArn") == Some(true);
    let answer = if state == SubscriptionState::Confirmed || always {
        subscription_arn
    } else {
        PENDING.to_owned()
    };
    Ok(Structure::new().with("SubscriptionArn", answer))
}

/// Confirms the pending subscription whose id is the token: nobody gets a message here, so the
/// token is what its ARN will end in.
fn confirm(
    organization: &mut Organization,
    operation: Operation,
    context: Context<'_>,
    arn: &str,
    token: &str,
) -> Result<String, Failure> {
    let topic = topic_mut(organization, operation, context, arn)?;
    let wanted = format!("{arn}:{token}");
    topic
        .subscriptions
        .iter_mut()
        .find(|subscription| subscription_arn(arn, subscription) == wanted)
        .map(|subscription| {
            subscription.state = SubscriptionState::Confirmed;
            wanted.clone()
        })
        .ok_or_else(|| invalid("Invalid token"))
}

fn change_subscription(
    organization: &mut Organization,
    operation: Operation,
    context: Context<'_>,
    arn: &str,
    change: impl FnOnce(&mut Topic, usize) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let missing = || Failure::not_found("NotFound", "Subscription does not exist").status(404);
    let (topic_arn, _) = arn
        .rsplit_once(':')
        .ok_or_else(|| invalid("Invalid parameter: SubscriptionArn"))?;
    let topic = topic_mut(organization, operation, context, topic_arn).map_err(|failure| {
        if failure.code == "NotFound" {
            missing()
        } else {
            failure
        }
    })?;
    let index = topic
        .subscriptions
        .iter()
        .position(|subscription| subscription_arn(topic_arn, subscription) == arn)
        .ok_or_else(missing)?;
    change(topic, index)
}

fn topic_mut<'a>(
    organization: &'a mut Organization,
    operation: Operation,
    context: Context<'_>,
    arn: &str,
) -> Result<&'a mut Topic, Failure> {
    let (owner, name): (AccountId, String) = {
        let (owner, topic) = find_arn(organization, operation, context, arn)?;
        (owner, topic.name.clone())
    };
    organization
        .account_mut(owner)
        .and_then(|account| {
            account
                .site_mut(context.region)
                .topics
                .iter_mut()
                .find(|topic| topic.name == name)
        })
        .ok_or_else(|| no_topic(operation))
}
