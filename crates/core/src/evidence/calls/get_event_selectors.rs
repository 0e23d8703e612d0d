//! `cloudtrail:GetEventSelectors`: which events a trail records. Asked in the trail's home region.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Permission, Reader, Subject, describe_trails};
use crate::evidence::shapes::EventSelectors;
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySubject};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "cloudtrail:GetEventSelectors",
    permission: Permission::Read,
    link: LinkName::Selectors,
    pages: None,
    members: &["EventSelectors", "AdvancedEventSelectors"],
    quota: describe_trails::QUOTA,
};

/// By the trail's ARN.
pub(in crate::evidence) type Answers = BySubject<Arc<str>, EventSelectors>;

pub(super) fn parameters(trail_arn: &str) -> Value {
    json!({ "TrailName": trail_arn })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let trail = pool.trail_arn(&filing.site, &filing.parameters.required("TrailName")?);
    let site = filing.site.clone();
    let answer = filing.typed(&DEFINITION, |response: EventSelectors| {
        pool.selectors(response)
    })?;
    let subject = subject(&trail);
    answers.file(trail, site, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, trail_arn: &str) -> bool {
    reader.event_selectors(trail_arn, site).is_some()
}

fn subject(trail_arn: &str) -> Subject {
    Subject::arn(Operation::GetEventSelectors, trail_arn)
}

impl<'e> Reader<'e> {
    /// A trail's selectors as an account was told them in a region.
    pub fn event_selectors(
        &self,
        trail_arn: &str,
        site: &CallSite,
    ) -> Option<&'e Answer<EventSelectors>> {
        self.looks_up(|| subject(trail_arn));
        self.answer_at(|tables| tables.get_event_selectors.get(trail_arn), site)
    }
}
