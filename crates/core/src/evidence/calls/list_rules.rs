//! `events:ListRules`: the rules of the default event bus of an account in a region.

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Pages, Parameters, Permission, Quota, Reader, Subject};
use crate::evidence::shapes::{EventRule, EventRulesResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySelection, Listing};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "events:ListRules",
    permission: Permission::Read,
    link: LinkName::Action,
    // EventBridge API Reference, `Limit`.
    pages: Some(Pages::of(100)),
    members: &["Rules"],
    // Amazon EventBridge User Guide, "EventBridge quotas": fifty requests of all operations
    // together; this one leaves most of it to others.
    quota: Quota::own(10.0, 10.0),
};

/// By what leaves rules out; the first has all of the default bus.
pub(in crate::evidence) type Answers = BySelection<Option<String>, Listing<EventRule>>;

pub(super) fn parameters() -> Value {
    json!({})
}

/// What leaves rules of the default bus out. The bus may be named, or by its ARN.
fn rest(parameters: &Parameters<'_>) -> Result<Option<String>, Unreadable> {
    let bus = parameters.text("EventBusName")?;
    let rest = parameters.rest(&["EventBusName"]);
    Ok(match bus.as_deref() {
        None | Some("default") => rest,
        Some(bus) if bus.ends_with(":event-bus/default") => rest,
        Some(bus) => Some(format!("{bus} {}", rest.unwrap_or_default())),
    })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    _pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let site = filing.site.clone();
    let rest = rest(&filing.parameters)?;
    let answer = filing.listing(&DEFINITION, |response: EventRulesResponse| response.rules)?;
    let subject = subject(&site);
    answers.file(site, rest, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite) -> bool {
    reader.event_rules(site).is_some()
}

fn subject(site: &CallSite) -> Subject {
    Subject::site(Operation::ListRules, site)
}

impl<'e> Reader<'e> {
    /// The rules of the default event bus of an account in a region.
    pub fn event_rules(&self, site: &CallSite) -> Option<&'e Answer<Listing<EventRule>>> {
        self.looks_up(|| subject(site));
        self.unfiltered(|tables| &tables.list_rules, site)
    }

    /// The lists of rules of every default event bus, with the site that each is of. None of them
    /// is noted yet.
    pub(crate) fn all_event_rules(
        &self,
    ) -> impl Iterator<Item = (&'e CallSite, &'e Answer<Listing<EventRule>>)> {
        let rows = self.evidence().tables.list_rules.rows();
        rows.flat_map(|(site, row)| row.iter().map(move |listed| (site, listed)))
            .filter(|(_, (rest, _))| rest.is_none())
            .map(|(site, (_, answer))| (site, answer))
    }

    /// Notes that one of them was used.
    pub(crate) fn uses_event_rules(&self, answer: &Answer<Listing<EventRule>>) {
        self.uses(answer);
    }
}
