//! `observabilityadmin:ListCentralizationRulesForOrganization`: the rules that copy log groups of the
//! organization to one account, as the management account or a delegated administrator.

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Pages, Permission, Quota, Reader, Subject};
use crate::evidence::shapes::{CentralizationRuleSummary, CentralizationRulesResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySelection, Listing};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "observabilityadmin:ListCentralizationRulesForOrganization",
    permission: Permission::Discover,
    link: LinkName::MetricFilter,
    // CloudWatch Observability Admin API Reference, `MaxResults`.
    pages: Some(Pages::of(100)),
    members: &["CentralizationRuleSummaries"],
    quota: Quota::undocumented(5.0),
};

/// What leaves rules out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::evidence) struct Selection {
    /// Whether rules of all regions were asked for.
    all_regions: bool,
    /// Anything else.
    rest: Option<String>,
}

pub(in crate::evidence) type Answers = BySelection<Selection, Listing<CentralizationRuleSummary>>;

pub(super) fn parameters() -> Value {
    json!({ "AllRegions": true })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    _pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let site = filing.site.clone();
    let selection = Selection {
        all_regions: filing.parameters.flag("AllRegions")? == Some(true),
        rest: filing.parameters.rest(&["AllRegions"]),
    };
    let answer = filing.listing(&DEFINITION, |response: CentralizationRulesResponse| {
        response.rules
    })?;
    answers.file(site, selection, answer);
    Ok(subject())
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite) -> bool {
    reader.looks_up(subject);
    let mut answers = reader.selected(
        |tables| &tables.list_centralization_rules_for_organization,
        site,
    );
    let answer = answers.find(|(selection, _)| selection.all_regions && selection.rest.is_none());
    answer.map(|(_, answer)| reader.uses(answer)).is_some()
}

fn subject() -> Subject {
    Subject::all(Operation::ListCentralizationRulesForOrganization)
}

/// A list of centralization rules.
#[derive(Debug, Clone, Copy)]
pub struct CentralizationRules<'e> {
    /// Who asked where.
    pub site: &'e CallSite,
    /// Whether rules of all regions were asked for.
    pub all_regions: bool,
    /// Whether nothing else leaves rules out.
    pub unfiltered: bool,
    /// The rules.
    pub answer: &'e Answer<Listing<CentralizationRuleSummary>>,
}

impl<'e> Reader<'e> {
    /// Every list of centralization rules, in the order of who asked where.
    pub fn centralization_rules(&self) -> impl Iterator<Item = CentralizationRules<'e>> {
        self.looks_up(subject);
        let tables = &self.evidence().tables;
        let rows = tables.list_centralization_rules_for_organization.rows();
        rows.flat_map(|(site, row)| row.iter().map(move |listed| (site, listed)))
            .map(|(site, (selection, answer))| CentralizationRules {
                site,
                all_regions: selection.all_regions,
                unfiltered: selection.rest.is_none(),
                answer: self.uses(answer),
            })
    }
}
