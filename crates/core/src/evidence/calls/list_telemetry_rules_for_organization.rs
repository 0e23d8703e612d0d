//! `observabilityadmin:ListTelemetryRulesForOrganization`: the rules that have telemetry of the
//! organization delivered, as the management account or a delegated administrator.

use serde_json::{Value, json};

use super::list_telemetry_rules::TelemetryRules;
use super::{CallDefinition, Operation, Pages, Permission, Quota, Reader, Subject};
use crate::evidence::shapes::{TelemetryRuleSummary, TelemetryRulesResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{BySelection, Listing};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "observabilityadmin:ListTelemetryRulesForOrganization",
    permission: Permission::Discover,
    link: LinkName::Trail,
    // CloudWatch Observability Admin API Reference, `MaxResults`.
    pages: Some(Pages::of(100)),
    members: &["TelemetryRuleSummaries"],
    quota: Quota::undocumented(5.0),
};

/// By what leaves rules out; the first has them all.
pub(in crate::evidence) type Answers = BySelection<Option<String>, Listing<TelemetryRuleSummary>>;

pub(super) fn parameters() -> Value {
    json!({})
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    _pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let site = filing.site.clone();
    let selection = filing.parameters.rest(&[]);
    let answer = filing.listing(&DEFINITION, |response: TelemetryRulesResponse| {
        response.rules
    })?;
    answers.file(site, selection, answer);
    Ok(subject())
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite) -> bool {
    reader.looks_up(subject);
    reader
        .unfiltered(|tables| &tables.list_telemetry_rules_for_organization, site)
        .is_some()
}

fn subject() -> Subject {
    Subject::all(Operation::ListTelemetryRulesForOrganization)
}

impl<'e> Reader<'e> {
    /// Every list of the organization's telemetry rules, in the order of who asked where.
    pub fn organization_telemetry_rules(&self) -> impl Iterator<Item = TelemetryRules<'e>> {
        self.looks_up(subject);
        let tables = &self.evidence().tables;
        let rows = tables.list_telemetry_rules_for_organization.rows();
        rows.flat_map(|(site, row)| TelemetryRules::at(self, site, row))
    }
}
