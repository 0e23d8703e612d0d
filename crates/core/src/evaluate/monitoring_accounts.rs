//! Accounts that may watch the metrics of another: those with which it shares them over a link,
//! those that the configuration names, and those whose alarms name it.

use std::collections::BTreeMap;

use super::filter_expression;
use super::reading::{Reading, Unread, ask};
use crate::account::AccountId;
use crate::arn::Arn;
use crate::evidence::{Call, CallSite, Reader, Request};
use crate::policy::Policy;

/// What a link shares where it shares metrics.
const METRICS: &str = "AWS::CloudWatch::Metric";

/// The accounts that may watch the metrics of one account in one region.
#[derive(Debug)]
pub(super) struct Monitors {
    /// The account whose metrics they are, and where.
    pub(super) source: CallSite,
    pub(super) known: Vec<Monitor>,
    /// What may lead to a further one, and could not be seen.
    pub(super) doubts: Vec<Doubt>,
    /// Why the links of the account itself are not known.
    pub(super) unlisted: Option<Unread>,
}

/// Why there may be a further account.
#[derive(Debug)]
pub(super) struct Doubt {
    pub(super) why: String,
    pub(super) wants: Vec<Request>,
}

/// An account that may watch the metrics.
#[derive(Debug)]
pub(super) struct Monitor {
    /// Its alarms have to be in the region of the metrics.
    pub(super) site: CallSite,
    links: Vec<SeenLink>,
    /// Whether it is told to watch, so that alarms of it that nobody saw matter.
    pub(super) is_told: bool,
}

/// A link that shares with the account, as far as a list shows it.
#[derive(Debug)]
struct SeenLink {
    arn: Option<String>,
    resource_types: Option<Vec<String>>,
}

/// Whether metrics reach a monitoring account.
#[derive(Debug)]
pub(super) enum Sharing {
    Shared,
    /// Why not, in a clause.
    Not(String),
    Unknown(Unread),
}

/// The account of a sink, where a text is the ARN of one in that partition and region.
fn owner_of_sink(text: &str, source: &CallSite) -> Option<AccountId> {
    let arn: Arn = text.parse().ok()?;
    let is_sink = arn.service() == "oam"
        && arn.partition() == source.region.partition().as_str()
        && arn.region().as_ref() == Some(&source.region)
        && arn.resource().starts_with("sink/");
    arn.account().filter(|_| is_sink)
}

fn may_share_metrics(resource_types: Option<&Vec<String>>) -> bool {
    resource_types.is_none_or(|types| types.iter().any(|kind| kind == METRICS))
}

/// The accounts that may watch the metrics of an account in a region.
pub(super) fn of(evidence: &Reader<'_>, policy: &Policy, source: &CallSite) -> Monitors {
    let mut links: BTreeMap<AccountId, Vec<SeenLink>> = BTreeMap::new();
    let mut doubts = Vec::new();
    let own = ask(
        evidence,
        source,
        || Call::ListLinks,
        |site| evidence.links(site),
    );
    let unlisted = match own {
        Reading::Read { value, .. } => {
            for link in &value.items {
                if !may_share_metrics(link.resource_types.as_ref()) {
                    continue;
                }
                let sink = link.sink_arn.as_deref().unwrap_or_default();
                match owner_of_sink(sink, source) {
                    Some(owner) => links.entry(owner).or_default().push(SeenLink {
                        arn: link.arn.clone(),
                        resource_types: link.resource_types.clone(),
                    }),
                    None => doubts.push(Doubt {
                        why: format!(
                            "a link of account {} leads to `{}`, which is not the ARN of a sink in {}",
                            source.account,
                            excerpt(sink),
                            source.region
                        ),
                        wants: Vec::new(),
                    }),
                }
            }
            (!value.complete).then(|| Unread {
                why: format!(
                    "the links of account {} in {} are known only in part",
                    source.account, source.region
                ),
                error: None,
                observed_at: None,
                wants: Vec::new(),
            })
        }
        Reading::Unread(unread) => Some(unread),
    };
    if let Some(unlisted) = &unlisted {
        attached(evidence, source, unlisted, &mut links, &mut doubts);
    }
    doubts.truncate(MAX_DOUBTS);
    let mut monitors: BTreeMap<AccountId, Monitor> = BTreeMap::new();
    let mut add = |account: AccountId, links: Vec<SeenLink>, is_told: bool| {
        if account == source.account {
            return;
        }
        let monitor = monitors.entry(account).or_insert_with(|| Monitor {
            site: CallSite {
                account,
                region: source.region.clone(),
            },
            links: Vec::new(),
            is_told: false,
        });
        monitor.links.extend(links);
        monitor.is_told |= is_told;
    };
    for (account, links) in links {
        add(account, links, true);
    }
    for account in &policy.monitoring_accounts {
        add(*account, Vec::new(), true);
    }
    for watcher in evidence.watchers(source) {
        add(watcher.account, Vec::new(), false);
    }
    Monitors {
        source: source.clone(),
        known: monitors.into_values().collect(),
        doubts,
        unlisted,
    }
}

/// So many are told; AWS allows an account five links in a region.
const MAX_DOUBTS: usize = 5;

/// The links of an account that does not tell them, as the owners of sinks see them.
fn attached(
    evidence: &Reader<'_>,
    source: &CallSite,
    unlisted: &Unread,
    links: &mut BTreeMap<AccountId, Vec<SeenLink>>,
    doubts: &mut Vec<Doubt>,
) {
    for sink in evidence.known_sinks() {
        let Some(owner) = owner_of_sink(sink, source).filter(|owner| *owner != source.account)
        else {
            continue;
        };
        if links.contains_key(&owner) {
            continue;
        }
        let site = CallSite {
            account: owner,
            region: source.region.clone(),
        };
        let doubt = |why: &str, wants: &[Request]| Doubt {
            why: format!(
                "whether account {} shares its metrics with account {owner} is not known: {why}",
                source.account
            ),
            wants: wants.to_vec(),
        };
        if !unlisted.wants.is_empty() {
            // The account itself may say it.
            doubts.push(doubt(&unlisted.why, &unlisted.wants));
            continue;
        }
        let call = || Call::ListAttachedLinks {
            sink_arn: sink.to_owned(),
        };
        match ask(evidence, &site, call, |site| {
            evidence.attached_links(site, sink)
        }) {
            Reading::Unread(unread) => doubts.push(doubt(&unread.why, &unread.wants)),
            Reading::Read { value, .. } => match value.by_account.get(&source.account) {
                Some(attached) => {
                    let sharing = attached
                        .iter()
                        .filter(|link| may_share_metrics(link.resource_types.as_ref()));
                    let seen: Vec<SeenLink> = sharing
                        .map(|link| SeenLink {
                            arn: link.link_arn.clone(),
                            resource_types: link.resource_types.clone(),
                        })
                        .collect();
                    if !seen.is_empty() {
                        links.entry(owner).or_default().extend(seen);
                    }
                }
                None if !value.complete => {
                    let why = format!("the links to sink `{sink}` are known only in part");
                    doubts.push(doubt(&why, &[]));
                }
                None => {}
            },
        }
    }
}

impl Monitors {
    /// Whether metrics of a namespace reach one of the accounts: over one link is enough.
    pub(super) fn sharing(
        &self,
        evidence: &Reader<'_>,
        monitor: &Monitor,
        namespace: &str,
    ) -> Sharing {
        let mut best = None;
        for link in &monitor.links {
            match self.shared_by(evidence, link, namespace) {
                Sharing::Shared => return Sharing::Shared,
                Sharing::Unknown(unread) => best = Some(Sharing::Unknown(unread)),
                not @ Sharing::Not(_) => best = best.or(Some(not)),
            }
        }
        best.unwrap_or_else(|| {
            Sharing::Unknown(self.unlisted.clone().unwrap_or_else(|| {
                Self::unknown(format!(
                    "account {} has no link to account {} in {}, and other ways of sharing metrics leave no trace there",
                    self.source.account, monitor.site.account, self.source.region
                ))
            }))
        })
    }

    fn unknown(why: String) -> Unread {
        Unread {
            why,
            error: None,
            observed_at: None,
            wants: Vec::new(),
        }
    }

    fn shared_by(&self, evidence: &Reader<'_>, link: &SeenLink, namespace: &str) -> Sharing {
        let account = self.source.account;
        let is_own = |arn: &Arn| arn.service() == "oam" && arn.account() == Some(account);
        let arn = link.arn.as_deref().filter(|arn| {
            let parsed = arn.parse::<Arn>();
            parsed.is_ok_and(|arn| is_own(&arn))
        });
        let Some(arn) = arn else {
            return Sharing::Unknown(Self::unknown(format!(
                "`{}` is not the ARN of a link of account {account}",
                excerpt(link.arn.as_deref().unwrap_or_default())
            )));
        };
        let call = || Call::GetLink {
            link_arn: arn.to_owned(),
        };
        let details = match ask(evidence, &self.source, call, |site| {
            evidence.link(site, arn)
        }) {
            Reading::Read { value, .. } => value,
            Reading::Unread(unread) => return Sharing::Unknown(unread),
        };
        let types = details
            .resource_types
            .as_ref()
            .or(link.resource_types.as_ref());
        if types.is_none() {
            return Sharing::Unknown(Self::unknown(format!(
                "link `{arn}` does not say what it shares"
            )));
        }
        if !may_share_metrics(types) {
            return Sharing::Not(format!("link `{arn}` shares no metrics"));
        }
        let Some(filter) = &details.link_configuration.metric_configuration.filter else {
            return Sharing::Shared;
        };
        match filter_expression::holds(filter, |field| {
            (field == "Namespace").then(|| namespace.to_owned())
        }) {
            Some(true) => Sharing::Shared,
            Some(false) => Sharing::Not(format!(
                "link `{arn}` shares only metrics of namespaces with `{}`",
                excerpt(filter)
            )),
            None => Sharing::Unknown(Self::unknown(format!(
                "link `{arn}` shares metrics of namespaces with `{}`, and what that means for `{namespace}` was not decided",
                excerpt(filter)
            ))),
        }
    }
}

/// As much of a text as a sentence can bear.
fn excerpt(text: &str) -> String {
    const SHOWN: usize = 200;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
pub(super) mod tests;
