//! Reading something as one who may: the owner first, then those who can stand in, and what to say
//! or to ask when nobody could.

use std::sync::Arc;

use jiff::Timestamp;

use crate::account::{AccountId, Region};
use crate::evidence::{Answer, Call, CallError, CallSite, Entry, Operation, Reader, Request};

/// The service whose delegated administrators may read organization trails.
pub(super) const CLOUDTRAIL: &str = "cloudtrail.amazonaws.com";

/// What became of an attempt to read something.
#[derive(Debug)]
pub(super) enum Reading<T: ?Sized> {
    /// Somebody read it.
    Read {
        value: Arc<T>,
        by: CallSite,
        observed_at: Timestamp,
    },
    /// Nobody did; why, and what may still be asked.
    Unread(Unread),
}

/// Why something was not read.
#[derive(Debug, Clone)]
pub(super) struct Unread {
    /// The rest of a sentence: what failed as whom.
    pub(super) why: String,
    /// The failed call's kind, where one failed.
    pub(super) error: Option<Arc<CallError>>,
    /// When it failed.
    pub(super) observed_at: Option<Timestamp>,
    pub(super) wants: Vec<Request>,
}

impl Unread {
    pub(super) fn never_asked(request: Request) -> Self {
        Self {
            why: format!(
                "{} was never called as account {} in {}",
                request.call.operation(),
                request.account,
                request.region
            ),
            error: None,
            observed_at: None,
            wants: vec![request],
        }
    }

    pub(super) fn failed(
        operation: Operation,
        site: &CallSite,
        error: &Arc<CallError>,
        at: Option<Timestamp>,
    ) -> Self {
        Self {
            why: format!(
                "{operation} as account {} in {} failed: {}",
                site.account,
                site.region,
                describe(error)
            ),
            error: Some(Arc::clone(error)),
            observed_at: at,
            wants: Vec::new(),
        }
    }
}

/// An error in a sentence.
pub(super) fn describe(error: &CallError) -> String {
    if error.message.is_empty() {
        format!("`{}`", error.code)
    } else {
        format!("`{}`: {}", error.code, error.message)
    }
}

/// Why an account cannot be looked into; `None` when it can or nobody tried.
pub(super) fn locked(evidence: &Reader<'_>, account: AccountId) -> Option<Unread> {
    match evidence.entry(account) {
        Entry::Entered | Entry::NotTried => None,
        Entry::Failed {
            role_arn,
            by,
            error,
            observed_at,
        } => Some(Unread {
            why: format!(
                "account {account} could not be entered: sts:AssumeRole of {role_arn} as account {by} failed: {}",
                describe(&error)
            ),
            error: Some(error),
            observed_at: Some(observed_at),
            wants: Vec::new(),
        }),
    }
}

/// What one account's credentials can tell about something.
pub(super) fn ask<'e, T: ?Sized + 'e>(
    evidence: &Reader<'e>,
    site: &CallSite,
    call: impl FnOnce() -> Call,
    lookup: impl FnOnce(&CallSite) -> Option<&'e Answer<T>>,
) -> Reading<T> {
    if let Some(answer) = lookup(site) {
        return match &answer.outcome {
            Ok(value) => Reading::Read {
                value: Arc::clone(value),
                by: site.clone(),
                observed_at: answer.observed_at,
            },
            Err(error) => Reading::Unread(Unread::failed(
                call().operation(),
                site,
                error,
                Some(answer.observed_at),
            )),
        };
    }
    if let Some(locked) = locked(evidence, site.account) {
        return Reading::Unread(locked);
    }
    Reading::Unread(Unread::never_asked(request(site, call())))
}

/// What the owner of a trail can tell about it, or else a delegated administrator of CloudTrail.
pub(super) fn ask_informants<T: ?Sized>(
    evidence: &Reader<'_>,
    owner: AccountId,
    region: &Region,
    mut attempt: impl FnMut(&CallSite) -> Reading<T>,
) -> Reading<T> {
    let at = |account| CallSite {
        account,
        region: region.clone(),
    };
    let first = match attempt(&at(owner)) {
        read @ Reading::Read { .. } => return read,
        Reading::Unread(unread) => unread,
    };
    if first.error.is_none() && first.wants.is_empty() {
        // The owner could be asked, and says no.
        return Reading::Unread(first);
    }
    let administrators = evidence.delegated_administrators(CLOUDTRAIL);
    let mut open: Vec<Request> = Vec::new();
    for account in administrators.iter().flatten().flatten() {
        if *account == owner {
            continue;
        }
        match attempt(&at(*account)) {
            read @ Reading::Read { .. } => return read,
            Reading::Unread(unread) => open.extend(unread.wants),
        }
    }
    if !first.wants.is_empty() {
        return Reading::Unread(first);
    }
    // The owner cannot tell. One administrator after the other: one is enough.
    open.truncate(1);
    let mut unread = first;
    if administrators.is_none()
        && let Some(site) = evidence.organization_reader()
    {
        open.push(request(
            &site,
            Call::ListDelegatedAdministrators {
                service_principal: CLOUDTRAIL.to_owned(),
            },
        ));
    }
    unread.wants = open;
    Reading::Unread(unread)
}

/// A call as a site's credentials.
pub(super) fn request(site: &CallSite, call: Call) -> Request {
    Request {
        account: site.account,
        region: site.region.clone(),
        call,
    }
}
