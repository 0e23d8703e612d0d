//! `kms:GetKeyPolicy`: a key's policy. As the key's owner: others are always refused.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Permission, Quota, Reader, Subject};
use crate::evidence::key_name::KeyName;
use crate::evidence::shapes::KeyPolicy;
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySubject};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "kms:GetKeyPolicy",
    permission: Permission::Read,
    link: LinkName::Topic,
    pages: None,
    members: &["Policy"],
    // KMS Developer Guide, "Request quotas".
    quota: Quota::own(1000.0, 1000.0),
};

/// By the key's ARN.
pub(in crate::evidence) type Answers = BySubject<Arc<str>, KeyPolicy>;

/// `default` is the name of the only policy that a key has.
pub(super) fn parameters(key: &str) -> Value {
    json!({ "KeyId": key, "PolicyName": "default" })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let key = filing.key_arn(pool)?;
    let site = filing.site.clone();
    let answer = filing.typed(&DEFINITION, |policy: KeyPolicy| Arc::new(policy))?;
    let subject = subject(&key);
    answers.file(key, site, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, key: &str) -> bool {
    reader.looks_up(|| subject(key));
    reader
        .answer_at(|tables| tables.get_key_policy.get(key), site)
        .is_some()
}

fn subject(key: &str) -> Subject {
    Subject::arn(Operation::GetKeyPolicy, key)
}

impl<'e> Reader<'e> {
    /// A key's policy, by who asked.
    pub fn key_policy(&self, name: &KeyName) -> Vec<(&'e CallSite, &'e Answer<KeyPolicy>)> {
        let key = name.to_string();
        self.looks_up(|| subject(&key));
        self.all_answers(|tables| tables.get_key_policy.get(key.as_str()))
    }
}
