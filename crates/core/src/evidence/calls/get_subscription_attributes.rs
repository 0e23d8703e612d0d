//! `sns:GetSubscriptionAttributes`: what a subscription lets through, and how it was confirmed. As
//! the account that subscribed: the owner of the topic is refused for others' subscriptions.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Parameters, Permission, Quota, Reader, Subject};
use crate::arn::Arn;
use crate::evidence::shapes::{SubscriptionAttributes, SubscriptionAttributesResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySubject};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "sns:GetSubscriptionAttributes",
    permission: Permission::Read,
    link: LinkName::Subscription,
    pages: None,
    members: &["Attributes"],
    // None is documented: that of `ListSubscriptionsByTopic` is kept.
    quota: Quota::own(30.0, 30.0),
};

/// By the subscription's ARN.
pub(in crate::evidence) type Answers = BySubject<Arc<str>, SubscriptionAttributes>;

pub(super) fn parameters(subscription_arn: &str) -> Value {
    json!({ "SubscriptionArn": subscription_arn })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let text = filing.parameters.required("SubscriptionArn")?;
    text.parse::<Arn>()
        .map_err(|error| Parameters::unreadable("SubscriptionArn", &error.to_string()))?;
    let subscription = pool.text(&text);
    let site = filing.site.clone();
    let answer = filing.typed(&DEFINITION, |response: SubscriptionAttributesResponse| {
        pool.keep(response.attributes)
    })?;
    let subject = subject(&subscription);
    answers.file(subscription, site, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, subscription_arn: &str) -> bool {
    reader.looks_up(|| subject(subscription_arn));
    reader
        .answer_at(
            |tables| tables.get_subscription_attributes.get(subscription_arn),
            site,
        )
        .is_some()
}

fn subject(subscription_arn: &str) -> Subject {
    Subject::arn(Operation::GetSubscriptionAttributes, subscription_arn)
}

impl<'e> Reader<'e> {
    /// A subscription's attributes by who asked.
    pub fn subscription_attributes(
        &self,
        subscription_arn: &str,
    ) -> Vec<(&'e CallSite, &'e Answer<SubscriptionAttributes>)> {
        self.looks_up(|| subject(subscription_arn));
        self.all_answers(|tables| tables.get_subscription_attributes.get(subscription_arn))
    }
}
