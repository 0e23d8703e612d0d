//! `oam:ListLinks`: the links over which an account shares metrics and logs of a region with
//! monitoring accounts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Changes, Operation, Pages, Permission, Quota, Reader, Subject};
use crate::evidence::shapes::{Link, LinksResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySite, Listing};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "oam:ListLinks",
    permission: Permission::Read,
    link: LinkName::Alarm,
    pages: Some(Pages::of(5)),
    members: &["Items"],
    quota: Quota::undocumented(10.0),
};

#[derive(Debug, Clone, Default)]
pub(in crate::evidence) struct Answers {
    told: BySite<Listing<Link>>,
    /// The sinks that anybody was told of, by ARN, and who was.
    sinks: BTreeMap<Arc<str>, BTreeSet<CallSite>>,
}

pub(super) fn parameters() -> Value {
    json!({})
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Changes, Unreadable> {
    let site = filing.site.clone();
    let answer = filing.listing(&DEFINITION, |response: LinksResponse| response.links)?;
    let mut changes = Changes::from(subject(&site));
    // Accounts of one organization share with the same few: what is known of all changes seldom.
    let mut news = answers.told.get(&site).is_some();
    for link in answer.outcome.iter().flat_map(|listing| &listing.items) {
        let Some(sink) = &link.sink_arn else {
            continue;
        };
        let sink = pool.text(sink);
        news |= !answers.sinks.contains_key(&sink);
        answers.sinks.entry(sink).or_default().insert(site.clone());
    }
    if news {
        changes.and(Subject::all(Operation::ListLinks));
    }
    answers.told.file(site, answer);
    Ok(changes)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite) -> bool {
    reader.links(site).is_some()
}

fn subject(site: &CallSite) -> Subject {
    Subject::site(Operation::ListLinks, site)
}

impl<'e> Reader<'e> {
    /// The links of an account in a region, as itself was told.
    pub fn links(&self, site: &CallSite) -> Option<&'e Answer<Listing<Link>>> {
        self.looks_up(|| subject(site));
        self.answer_at(|tables| Some(&tables.list_links.told), site)
    }

    /// The ARNs of the sinks to which any link leads that was seen, in order.
    pub fn known_sinks(&self) -> BTreeSet<&'e str> {
        self.looks_up(|| Subject::all(Operation::ListLinks));
        let mut known = BTreeSet::new();
        for layer in self.layers() {
            for (sink, sites) in &layer.tables.list_links.sinks {
                // One account that still says so is enough.
                let says = sites.iter().find_map(|site| {
                    let mut layers = self.layers();
                    let answer = layers.find_map(|layer| layer.tables.list_links.told.get(site))?;
                    let links = &answer.outcome.as_ref().ok()?.items;
                    let mut sinks = links.iter().filter_map(|link| link.sink_arn.as_deref());
                    sinks.any(|other| other == &**sink).then_some(answer)
                });
                if let Some(answer) = says {
                    self.uses(answer);
                    known.insert(&**sink);
                }
            }
        }
        known
    }
}
