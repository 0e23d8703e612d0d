//! `observabilityadmin:ListTelemetryRules`: the rules that have telemetry of an account delivered.

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Pages, Permission, Quota, Reader, Subject};
use crate::account::AccountId;
use crate::evidence::shapes::{TelemetryRuleSummary, TelemetryRulesResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySelection, Listing};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "observabilityadmin:ListTelemetryRules",
    permission: Permission::Read,
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
    let rest = filing.parameters.rest(&[]);
    let answer = filing.listing(&DEFINITION, |response: TelemetryRulesResponse| {
        response.rules
    })?;
    let subject = subject(site.account);
    answers.file(site, rest, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite) -> bool {
    reader.looks_up(|| subject(site.account));
    reader
        .unfiltered(|tables| &tables.list_telemetry_rules, site)
        .is_some()
}

fn subject(account: AccountId) -> Subject {
    Subject::account(Operation::ListTelemetryRules, account)
}

/// A list of telemetry rules.
#[derive(Debug, Clone, Copy)]
pub struct TelemetryRules<'e> {
    /// Who asked where.
    pub site: &'e CallSite,
    /// Whether nothing leaves rules out.
    pub unfiltered: bool,
    /// The rules.
    pub answer: &'e Answer<Listing<TelemetryRuleSummary>>,
}

/// A question's answer, with what left rules out of it.
type Listed = (Option<String>, Answer<Listing<TelemetryRuleSummary>>);

impl<'e> TelemetryRules<'e> {
    /// The lists that one site was given.
    pub(super) fn at<'r>(
        reader: &'r Reader<'e>,
        site: &'e CallSite,
        row: &'e [Listed],
    ) -> impl Iterator<Item = Self> + use<'e, 'r> {
        row.iter().map(move |(rest, answer)| Self {
            site,
            unfiltered: rest.is_none(),
            answer: reader.uses(answer),
        })
    }
}

impl<'e> Reader<'e> {
    /// Every list of the telemetry rules that an account has by itself, in the order of regions.
    pub fn telemetry_rules(&self, account: AccountId) -> impl Iterator<Item = TelemetryRules<'e>> {
        self.looks_up(|| subject(account));
        let tables = &self.evidence().tables;
        let rows = tables.list_telemetry_rules.of_account(account);
        rows.flat_map(|(site, row)| TelemetryRules::at(self, site, row))
    }
}
