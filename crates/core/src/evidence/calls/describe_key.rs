//! `kms:DescribeKey`: the state of a key, who manages it, and the key behind an alias. As the key's
//! owner, and where the owner lets others, as these.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Permission, Quota, Reader, Subject};
use crate::evidence::key_name::KeyName;
use crate::evidence::shapes::{KeyMetadata, KeyResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySubject};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "kms:DescribeKey",
    permission: Permission::Read,
    link: LinkName::Topic,
    pages: None,
    members: &["KeyMetadata"],
    // KMS Developer Guide, "Request quotas".
    quota: Quota::own(2000.0, 2000.0),
};

/// By the ARN of the key, or of the alias that was asked for.
pub(in crate::evidence) type Answers = BySubject<Arc<str>, KeyMetadata>;

pub(super) fn parameters(key: &str) -> Value {
    json!({ "KeyId": key })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let key = filing.key_arn(pool)?;
    let site = filing.site.clone();
    let answer = filing.typed(&DEFINITION, |response: KeyResponse| {
        Arc::new(response.metadata)
    })?;
    let subject = subject(&key);
    answers.file(key, site, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, key: &str) -> bool {
    reader.looks_up(|| subject(key));
    reader
        .answer_at(|tables| tables.describe_key.get(key), site)
        .is_some()
}

fn subject(key: &str) -> Subject {
    Subject::arn(Operation::DescribeKey, key)
}

impl<'e> Reader<'e> {
    /// What is told of a key, by who asked.
    pub fn key(&self, name: &KeyName) -> Vec<(&'e CallSite, &'e Answer<KeyMetadata>)> {
        let key = name.to_string();
        self.looks_up(|| subject(&key));
        self.all_answers(|tables| tables.describe_key.get(key.as_str()))
    }
}
