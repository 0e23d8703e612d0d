//! SNS: topics, who may use them and who gets their messages.

use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;

use super::listing::Listing;
use super::topic_policy;
use super::{Answer, Context, unsupported};
use crate::document::{Document, Structure};
use crate::failure::Failure;
use crate::model::{Organization, Subscription, SubscriptionState, Topic};
use crate::operation::Operation;
use crate::permission;

/// Every page of a listing (SNS API; it cannot be chosen).
const PAGE: usize = 100;

/// How messages to HTTP endpoints are retried when nobody has said anything else.
const DELIVERY_POLICY: &str = r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}"#;

pub(super) fn read(
    organization: &Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    match operation {
        Operation::ListTopics => {
            let account = context.caller.account;
            let topics = organization
                .account(account)
                .and_then(|account| account.site(context.region))
                .map_or(&[][..], |site| site.topics.as_slice());
            list(context, "ListTopics", "Topics", topics, |topic| {
                Structure::new().with(
                    "TopicArn",
                    topic_arn(organization, context, account, &topic.name),
                )
            })
        }
        Operation::GetTopicAttributes => {
            let (owner, topic) = find(organization, operation, context)?;
            Ok(Structure::new().with(
                "Attributes",
                Document::Map(attributes(organization, context, owner, topic)),
            ))
        }
        Operation::ListSubscriptionsByTopic => {
            let (owner, topic) = find(organization, operation, context)?;
            list(
                context,
                "ListSubscriptionsByTopic",
                "Subscriptions",
                &topic.subscriptions,
                |subscription| {
                    let arn = topic_arn(organization, context, owner, &topic.name);
                    Structure::new()
                        .with("SubscriptionArn", listed_arn(&arn, subscription))
                        .with("Owner", owner.to_string())
                        .with("Protocol", &subscription.protocol)
                        .with("Endpoint", &subscription.endpoint)
                        .with("TopicArn", arn)
                },
            )
        }
        Operation::GetSubscriptionAttributes => subscription_attributes(organization, context),
        Operation::SnsListTagsForResource => {
            let arn = context.parameters.text("ResourceArn").unwrap_or_default();
            let (_, topic) = find_arn(organization, operation, context, arn)?;
            Ok(Structure::new().with("Tags", super::cloudwatch::tags(&topic.tags)))
        }
        _ => Err(unsupported()),
    }
}

fn attributes(
    organization: &Organization,
    context: Context<'_>,
    owner: AccountId,
    topic: &Topic,
) -> Vec<(String, Document)> {
    let arn = topic_arn(organization, context, owner, &topic.name);
    let count = |state: SubscriptionState| {
        topic
            .subscriptions
            .iter()
            .filter(|subscription| subscription.state == state)
            .count()
            .to_string()
    };
    let policy = topic_policy::text(topic, &arn, owner);
    let mut attributes = vec![
        ("Policy", policy),
        ("Owner", owner.to_string()),
        ("SubscriptionsPending", count(SubscriptionState::Pending)),
        ("TopicArn", arn),
        ("EffectiveDeliveryPolicy", DELIVERY_POLICY.to_owned()),
        (
            "SubscriptionsConfirmed",
            count(SubscriptionState::Confirmed),
        ),
        ("DisplayName", topic.display_name.clone()),
        ("SubscriptionsDeleted", count(SubscriptionState::Deleted)),
    ];
    if !topic.kms_key.is_empty() {
        attributes.push(("KmsMasterKeyId", topic.kms_key.clone()));
    }
    if topic.is_fifo() {
        attributes.push(("FifoTopic", "true".to_owned()));
        attributes.push(("ContentBasedDeduplication", "false".to_owned()));
    }
    attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

/// What a listing says for the ARN of a subscription.
fn listed_arn(topic_arn: &str, subscription: &Subscription) -> String {
    match subscription.state {
        SubscriptionState::Confirmed => subscription_arn(topic_arn, subscription),
        SubscriptionState::Pending => "PendingConfirmation".to_owned(),
        SubscriptionState::Deleted => "Deleted".to_owned(),
    }
}

/// The ARN of a subscription.
pub(super) fn subscription_arn(topic_arn: &str, subscription: &Subscription) -> String {
    format!("{topic_arn}:{}", subscription.arn_end())
}

fn subscription_attributes(organization: &Organization, context: Context<'_>) -> Answer {
    let arn = context
        .parameters
        .text("SubscriptionArn")
        .unwrap_or_default();
    let missing = || Failure::not_found("NotFound", "Subscription does not exist").status(404);
    let (topic_text, _) = arn.rsplit_once(':').ok_or_else(missing)?;
    let operation = Operation::GetSubscriptionAttributes;
    let (owner, topic) =
        find_arn(organization, operation, context, topic_text).map_err(|failure| {
            if failure.code == "NotFound" {
                missing()
            } else {
                failure
            }
        })?;
    let topic_arn = topic_arn(organization, context, owner, &topic.name);
    let subscription = topic
        .subscriptions
        .iter()
        .find(|subscription| subscription_arn(&topic_arn, subscription) == arn)
        .ok_or_else(missing)?;
    let pending = subscription.state == SubscriptionState::Pending;
    let mut attributes = vec![
        ("SubscriptionArn", arn.to_owned()),
        ("TopicArn", topic_arn),
        ("Owner", owner.to_string()),
        ("Protocol", subscription.protocol.clone()),
        ("Endpoint", subscription.endpoint.clone()),
        ("PendingConfirmation", pending.to_string()),
        ("ConfirmationWasAuthenticated", "false".to_owned()),
        ("RawMessageDelivery", "false".to_owned()),
    ];
    if !subscription.filter_policy.is_empty() {
        attributes.push(("FilterPolicy", subscription.filter_policy.clone()));
        let scope = &subscription.filter_policy_scope;
        let scope = if scope.is_empty() {
            "MessageAttributes"
        } else {
            scope
        };
        attributes.push(("FilterPolicyScope", scope.to_owned()));
    }
    let attributes = attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    Ok(Structure::new().with("Attributes", Document::Map(attributes)))
}

/// The topic that `TopicArn` names, when the caller may use it.
pub(super) fn find<'a>(
    organization: &'a Organization,
    operation: Operation,
    context: Context<'_>,
) -> Result<(AccountId, &'a Topic), Failure> {
    let arn = context.parameters.text("TopicArn").unwrap_or_default();
    find_arn(organization, operation, context, arn)
}

/// The topic of an ARN, when the caller may use it.
pub(super) fn find_arn<'a>(
    organization: &'a Organization,
    operation: Operation,
    context: Context<'_>,
    text: &str,
) -> Result<(AccountId, &'a Topic), Failure> {
    let arn: Arn = text
        .parse()
        .map_err(|_| invalid("Invalid parameter: TopicArn"))?;
    let owner = arn
        .account()
        .ok_or_else(|| invalid("Invalid parameter: TopicArn"))?;
    if arn.service() != "sns" || arn.region().as_ref() != Some(context.region) {
        return Err(invalid("Invalid parameter: TopicArn"));
    }
    let topic = organization
        .account(owner)
        .and_then(|account| account.site(context.region))
        .and_then(|site| {
            site.topics
                .iter()
                .find(|topic| topic.name == arn.resource())
        });
    let caller = context.caller.account;
    let allowed = owner == caller
        || topic.is_some_and(|topic| {
            topic_policy::allows(organization, topic, text, owner, caller, operation)
        });
    if !allowed {
        let why = format!(
            "on resource: {text} because no resource-based policy allows the SNS:{} action",
            operation.wire_name()
        );
        return Err(permission::denied(
            organization,
            context.caller,
            operation,
            &why,
        ));
    }
    topic
        .map(|topic| (owner, topic))
        .ok_or_else(|| no_topic(operation))
}

/// What an operation says about a topic that is not there: those on tags have an error of their
/// own.
pub(super) fn no_topic(operation: Operation) -> Failure {
    let (code, message) = match operation {
        Operation::SnsListTagsForResource
        | Operation::SnsTagResource
        | Operation::SnsUntagResource => ("ResourceNotFound", "Resource does not exist"),
        _ => ("NotFound", "Topic does not exist"),
    };
    Failure::not_found(code, message).status(404)
}

pub(super) fn topic_arn(
    organization: &Organization,
    context: Context<'_>,
    owner: AccountId,
    name: &str,
) -> String {
    format!(
        "arn:{}:sns:{}:{owner}:{name}",
        organization.partition(),
        context.region
    )
}

pub(super) fn invalid(message: &'static str) -> Failure {
    Failure::invalid("InvalidParameter", message)
}

fn list<T>(
    context: Context<'_>,
    listing: &'static str,
    name: &'static str,
    items: &[T],
    describe: impl Fn(&T) -> Structure,
) -> Answer {
    let listing = Listing {
        name: listing,
        member: name,
        token: "NextToken",
        size: PAGE,
    };
    let refused = || invalid("Invalid parameter: NextToken Reason: Invalid token");
    listing.page(context, items, refused, describe)
}
