//! `sns:GetTopicAttributes`: a topic's policy, key and subscription counts.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Permission, Quota, Reader, Subject};
use crate::evidence::shapes::{TopicAttributes, TopicAttributesResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySubject};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "sns:GetTopicAttributes",
    permission: Permission::Read,
    link: LinkName::Topic,
    pages: None,
    members: &["Attributes"],
    quota: Quota::own(30.0, 30.0),
};

/// By the topic's ARN.
pub(in crate::evidence) type Answers = BySubject<Arc<str>, TopicAttributes>;

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
    let answer = filing.typed(&DEFINITION, |response: TopicAttributesResponse| {
        pool.keep(response.attributes)
    })?;
    let subject = subject(&topic);
    answers.file(topic, site, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, topic_arn: &str) -> bool {
    reader.looks_up(|| subject(topic_arn));
    reader
        .answer_at(|tables| tables.get_topic_attributes.get(topic_arn), site)
        .is_some()
}

fn subject(topic_arn: &str) -> Subject {
    Subject::arn(Operation::GetTopicAttributes, topic_arn)
}

impl<'e> Reader<'e> {
    /// A topic's attributes by who asked.
    pub fn topic_attributes(
        &self,
        topic_arn: &str,
    ) -> Vec<(&'e CallSite, &'e Answer<TopicAttributes>)> {
        self.looks_up(|| subject(topic_arn));
        self.all_answers(|tables| tables.get_topic_attributes.get(topic_arn))
    }
}
