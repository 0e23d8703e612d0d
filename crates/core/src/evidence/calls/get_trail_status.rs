//! `cloudtrail:GetTrailStatus`: whether a trail is logging and delivering. CloudTrail tells
//! members the status of an organization trail by its ARN.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Permission, Reader, Subject, describe_trails};
use crate::evidence::shapes::TrailStatus;
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySubject};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "cloudtrail:GetTrailStatus",
    permission: Permission::Read,
    link: LinkName::Logging,
    pages: None,
    members: &["IsLogging"],
    quota: describe_trails::QUOTA,
};

/// By the trail's ARN.
pub(in crate::evidence) type Answers = BySubject<Arc<str>, TrailStatus>;

pub(super) fn parameters(trail_arn: &str) -> Value {
    json!({ "Name": trail_arn })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let trail = pool.trail_arn(&filing.site, &filing.parameters.required("Name")?);
    let site = filing.site.clone();
    let answer = filing.typed(&DEFINITION, |response: TrailStatus| Arc::new(response))?;
    let subject = subject(&trail);
    answers.file(trail, site, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, trail_arn: &str) -> bool {
    reader.trail_status(trail_arn, site).is_some()
}

fn subject(trail_arn: &str) -> Subject {
    Subject::arn(Operation::GetTrailStatus, trail_arn)
}

impl<'e> Reader<'e> {
    /// A trail's status as an account was told it in a region.
    pub fn trail_status(
        &self,
        trail_arn: &str,
        site: &CallSite,
    ) -> Option<&'e Answer<TrailStatus>> {
        self.looks_up(|| subject(trail_arn));
        self.answer_at(|tables| tables.get_trail_status.get(trail_arn), site)
    }

    /// Every account and region that a trail's status was asked from.
    pub fn trail_statuses(&self, trail_arn: &str) -> Vec<(&'e CallSite, &'e Answer<TrailStatus>)> {
        self.looks_up(|| subject(trail_arn));
        self.all_answers(|tables| tables.get_trail_status.get(trail_arn))
    }
}
