//! `observabilityadmin:GetTelemetryRuleForOrganization`: in which accounts a rule of the organization
//! has telemetry delivered.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Permission, Quota, Reader, Subject};
use crate::evidence::shapes::TelemetryRuleDetails;
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySubject};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "observabilityadmin:GetTelemetryRuleForOrganization",
    permission: Permission::Discover,
    link: LinkName::Trail,
    pages: None,
    members: &["TelemetryRule"],
    quota: Quota::undocumented(5.0),
};

/// By the rule's name or ARN, as it was asked for.
pub(in crate::evidence) type Answers = BySubject<String, TelemetryRuleDetails>;

pub(super) fn parameters(rule_identifier: &str) -> Value {
    json!({ "RuleIdentifier": rule_identifier })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    _pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let rule = filing.parameters.required("RuleIdentifier")?;
    let site = filing.site.clone();
    let answer = filing.typed(&DEFINITION, |response: TelemetryRuleDetails| {
        Arc::new(response)
    })?;
    let subject = subject(&site);
    answers.file(rule, site, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, rule_identifier: &str) -> bool {
    reader
        .organization_telemetry_rule(site, rule_identifier)
        .is_some()
}

fn subject(site: &CallSite) -> Subject {
    Subject::site(Operation::GetTelemetryRuleForOrganization, site)
}

impl<'e> Reader<'e> {
    /// All of a telemetry rule of the organization, as an account was told it.
    pub fn organization_telemetry_rule(
        &self,
        site: &CallSite,
        rule_identifier: &str,
    ) -> Option<&'e Answer<TelemetryRuleDetails>> {
        self.looks_up(|| subject(site));
        self.answer_at(
            |tables| {
                tables
                    .get_telemetry_rule_for_organization
                    .get(rule_identifier)
            },
            site,
        )
    }
}
