//! `logs:DescribeLogGroups`: a log group and its class. Asked for by the exact name as a prefix.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{CallDefinition, Operation, Pages, Parameters, Permission, Quota, Reader, Subject};
use crate::arn::Arn;
use crate::evidence::CallError;
use crate::evidence::shapes::{LogGroup, LogGroupsResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{BySelection, Listing};
use crate::finding::LinkName;

/// CloudWatch Logs alone begins member names with a small letter.
pub(super) const PAGES: Option<Pages> = Some(Pages {
    token: "nextToken",
    largest: 50,
});

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "logs:DescribeLogGroups",
    permission: Permission::Read,
    link: LinkName::LogGroup,
    pages: PAGES,
    members: &["logGroups"],
    quota: Quota::own(10.0, 10.0),
};

/// Which log groups were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::evidence) struct Selection {
    prefix: Option<Arc<str>>,
    /// What else there was: a scan asks by prefix alone.
    further: Option<Box<Further>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Further {
    pattern: Option<String>,
    class: Option<String>,
    names: BTreeSet<String>,
    rest: Option<String>,
}

impl Selection {
    fn of(parameters: &Parameters<'_>, pool: &mut Pool) -> Result<Self, Unreadable> {
        let prefix = parameters.text("logGroupNamePrefix")?;
        let further = Further {
            pattern: parameters.text("logGroupNamePattern")?,
            class: parameters.text("logGroupClass")?,
            names: parameters
                .texts("logGroupIdentifiers")?
                .iter()
                .map(|identifier| log_group_name(identifier).to_owned())
                .collect(),
            rest: parameters.rest(&[
                "logGroupNamePrefix",
                "logGroupNamePattern",
                "logGroupClass",
                "logGroupIdentifiers",
            ]),
        };
        Ok(Self {
            prefix: prefix.map(|prefix| pool.text(&prefix)),
            further: (further != Further::default()).then(|| Box::new(further)),
        })
    }

    /// Whether a log group of this name, if there is one, has to be in the answer.
    fn covers(&self, name: &str) -> bool {
        self.prefix
            .as_deref()
            .is_none_or(|prefix| name.starts_with(prefix))
            && self
                .further
                .as_ref()
                .is_none_or(|further| further.covers(name))
    }
}

impl Further {
    fn covers(&self, name: &str) -> bool {
        self.rest.is_none()
            && self.class.is_none()
            && self
                .pattern
                .as_deref()
                .is_none_or(|pattern| name.contains(pattern))
            && (self.names.is_empty() || self.names.contains(name))
    }
}

/// The name in a log group's name or ARN.
fn log_group_name(identifier: &str) -> &str {
    let name = identifier
        .split_once(":log-group:")
        .map_or(identifier, |(_, name)| name);
    name.strip_suffix(":*").unwrap_or(name)
}

pub(in crate::evidence) type Answers = BySelection<Selection, Listing<LogGroup>>;

pub(super) fn parameters(log_group_name: &str) -> Value {
    json!({ "logGroupNamePrefix": log_group_name })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let selection = Selection::of(&filing.parameters, pool)?;
    let site = filing.site.clone();
    let answer = filing.listing(&DEFINITION, |response: LogGroupsResponse| {
        let mut groups = response.log_groups;
        groups.retain_mut(|group| {
            pool.share_texts(group);
            belongs(group.arn.take().as_deref(), &site)
        });
        groups
    })?;
    let subject = subject(&site);
    answers.file(site, selection, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, log_group_name: &str) -> bool {
    !matches!(
        reader.log_group(site, log_group_name),
        LogGroupAnswer::NotAsked
    )
}

fn subject(site: &CallSite) -> Subject {
    Subject::site(Operation::DescribeLogGroups, site)
}

/// What is known of one log group.
#[derive(Debug, Clone)]
pub enum LogGroupAnswer {
    /// It exists.
    Exists(LogGroup, Timestamp),
    /// A complete answer does not have it.
    Missing(Timestamp),
    /// Nobody could say.
    Failed(Arc<CallError>, Timestamp),
    /// Nobody asked.
    NotAsked,
}

impl Reader<'_> {
    /// One log group. A found one stands before a missing one stands before a failed call.
    pub fn log_group(&self, site: &CallSite, name: &str) -> LogGroupAnswer {
        self.looks_up(|| subject(site));
        let mut found: Option<(&LogGroup, Timestamp)> = None;
        let mut missing: Option<Timestamp> = None;
        let mut failed: Option<(&Arc<CallError>, Timestamp)> = None;
        for (selection, answer) in self.selected(|tables| &tables.describe_log_groups, site) {
            let covers = selection.covers(name);
            match &answer.outcome {
                Ok(listing) => {
                    let mut groups = listing.items.iter();
                    if let Some(group) = groups.find(|group| *group.log_group_name == *name) {
                        self.uses(answer);
                        if found.is_none_or(|(_, at)| at <= answer.observed_at) {
                            found = Some((group, answer.observed_at));
                        }
                    } else if covers && listing.complete {
                        self.uses(answer);
                        missing = missing.max(Some(answer.observed_at));
                    }
                }
                Err(error) if covers => {
                    self.uses(answer);
                    failed = Some((error, answer.observed_at));
                }
                Err(_) => {}
            }
        }
        match (found, missing, failed) {
            // Deleted between two answers: the later one stands.
            (Some((_, at)), Some(gone), _) if gone > at => LogGroupAnswer::Missing(gone),
            (Some((group, at)), ..) => LogGroupAnswer::Exists(group.clone(), at),
            (None, Some(at), _) => LogGroupAnswer::Missing(at),
            (None, None, Some((error, at))) => LogGroupAnswer::Failed(Arc::clone(error), at),
            (None, None, None) => LogGroupAnswer::NotAsked,
        }
    }
}

/// Whether a listed log group is of the account and region that were asked: lists may include
/// linked accounts.
fn belongs(arn: Option<&str>, site: &CallSite) -> bool {
    let Some(arn) = arn.and_then(|text| text.parse::<Arn>().ok()) else {
        return true;
    };
    arn.account().is_none_or(|account| account == site.account)
        && arn.region().is_none_or(|region| region == site.region)
}
