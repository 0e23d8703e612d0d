//! `oam:ListAttachedLinks`: every account that shares with a monitoring account, as that account.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Pages, Permission, Quota, Reader, Subject};
use crate::evidence::shapes::{AttachedLinks, AttachedLinksResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySubject};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "oam:ListAttachedLinks",
    permission: Permission::Read,
    link: LinkName::Alarm,
    pages: Some(Pages::of(1000)),
    members: &["Items"],
    quota: Quota::undocumented(10.0),
};

/// By the sink's ARN.
pub(in crate::evidence) type Answers = BySubject<Arc<str>, AttachedLinks>;

pub(super) fn parameters(sink_arn: &str) -> Value {
    json!({ "SinkIdentifier": sink_arn })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let sink = pool.text(&filing.parameters.required("SinkIdentifier")?);
    let site = filing.site.clone();
    let answer = filing.page(&DEFINITION, |response: AttachedLinksResponse, complete| {
        Ok(Arc::new(AttachedLinks::of(response.links, complete)))
    })?;
    let subject = subject(&sink);
    answers.file(sink, site, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, sink_arn: &str) -> bool {
    reader.attached_links(site, sink_arn).is_some()
}

fn subject(sink_arn: &str) -> Subject {
    Subject::arn(Operation::ListAttachedLinks, sink_arn)
}

impl<'e> Reader<'e> {
    /// The links that lead to a sink, as an account was told.
    pub fn attached_links(
        &self,
        site: &CallSite,
        sink_arn: &str,
    ) -> Option<&'e Answer<AttachedLinks>> {
        self.looks_up(|| subject(sink_arn));
        self.answer_at(|tables| tables.list_attached_links.get(sink_arn), site)
    }
}
