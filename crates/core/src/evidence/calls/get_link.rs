//! `oam:GetLink`: what a link shares with a monitoring account, as the account whose link it is.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Permission, Quota, Reader, Subject};
use crate::evidence::shapes::LinkDetails;
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySubject};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "oam:GetLink",
    permission: Permission::Read,
    link: LinkName::Alarm,
    pages: None,
    members: &["Arn", "SinkArn"],
    quota: Quota::undocumented(10.0),
};

/// By the link's ARN.
pub(in crate::evidence) type Answers = BySubject<Arc<str>, LinkDetails>;

pub(super) fn parameters(link_arn: &str) -> Value {
    json!({ "Identifier": link_arn })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let link = pool.text(&filing.parameters.required("Identifier")?);
    let site = filing.site.clone();
    let answer = filing.typed(&DEFINITION, |response: LinkDetails| Arc::new(response))?;
    let subject = subject(&link);
    answers.file(link, site, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, link_arn: &str) -> bool {
    reader.link(site, link_arn).is_some()
}

fn subject(link_arn: &str) -> Subject {
    Subject::arn(Operation::GetLink, link_arn)
}

impl<'e> Reader<'e> {
    /// All of a link, as an account was told it.
    pub fn link(&self, site: &CallSite, link_arn: &str) -> Option<&'e Answer<LinkDetails>> {
        self.looks_up(|| subject(link_arn));
        self.answer_at(|tables| tables.get_link.get(link_arn), site)
    }
}
