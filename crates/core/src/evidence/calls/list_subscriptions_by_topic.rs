//! `sns:ListSubscriptionsByTopic`: the subscriptions of a topic. Others than the topic's owner may
//! be shown fewer.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Pages, Permission, Quota, Reader, Subject};
use crate::evidence::shapes::{Subscription, SubscriptionsResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySubject, Listing};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "sns:ListSubscriptionsByTopic",
    permission: Permission::Read,
    link: LinkName::Subscription,
    pages: Some(Pages::of(100)),
    members: &["Subscriptions"],
    quota: Quota::own(30.0, 30.0),
};

/// By the topic's ARN.
pub(in crate::evidence) type Answers = BySubject<Arc<str>, Listing<Subscription>>;

pub(super) fn parameters(topic_arn: &str) -> Value {
    json!({ "TopicArn": topic_arn })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let topic = filing.topic_arn(pool)?;
    let site = filing.site.clone();
    let answer = filing.listing(&DEFINITION, |response: SubscriptionsResponse| {
        let mut subscriptions = response.subscriptions;
        for subscription in &mut subscriptions {
            pool.share_texts(subscription);
        }
        subscriptions
    })?;
    let subject = subject(&topic);
    answers.file(topic, site, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, topic_arn: &str) -> bool {
    reader.looks_up(|| subject(topic_arn));
    reader
        .answer_at(
            |tables| tables.list_subscriptions_by_topic.get(topic_arn),
            site,
        )
        .is_some()
}

fn subject(topic_arn: &str) -> Subject {
    Subject::arn(Operation::ListSubscriptionsByTopic, topic_arn)
}

impl<'e> Reader<'e> {
    /// A topic's subscriptions by who asked.
    pub fn subscriptions(
        &self,
        topic_arn: &str,
    ) -> Vec<(&'e CallSite, &'e Answer<Listing<Subscription>>)> {
        self.looks_up(|| subject(topic_arn));
        self.all_answers(|tables| tables.list_subscriptions_by_topic.get(topic_arn))
    }
}
