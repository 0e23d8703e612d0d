//! What is said of every call in one form.

use serde_json::Value;

use crate::evidence::{CallError, ErrorClass};
use crate::finding::LinkName;

/// What trailproof knows of an AWS operation beside its parameters and its answer.
#[derive(Debug)]
pub struct CallDefinition {
    /// `service:Operation`, as in IAM policies.
    pub name: &'static str,
    /// Whose permission it takes.
    pub permission: Permission,
    /// The first link that an answer can change.
    pub link: LinkName,
    /// How the answer comes in pages; `None` where it is always whole.
    pub pages: Option<Pages>,
    /// The members of which an answer has at least one, also where nothing is in it: without any,
    /// it is not an answer.
    pub members: &'static [&'static str],
    /// How often AWS allows it.
    pub quota: Quota,
}

impl CallDefinition {
    /// Why a response is no answer: it has none of the members that an answer has to have. Null is
    /// absent, and an error document in place of an answer is none, whatever the HTTP status was.
    pub fn absence(&self, response: &Value) -> Option<CallError> {
        let has =
            |member: &&'static str| response.get(*member).is_some_and(|value| !value.is_null());
        if self.members.is_empty() || self.members.iter().any(has) {
            return None;
        }
        Some(Self::without(self.members, response))
    }

    /// An answer that lacks members.
    pub(super) fn without(members: &[&str], response: &Value) -> CallError {
        /// An answer may have as many members as it likes.
        const SHOWN: usize = 4;
        let missing: Vec<String> = members.iter().map(|name| format!("`{name}`")).collect();
        let mut message = format!("the answer has no {}", missing.join(" or "));
        let present = response.as_object().into_iter().flatten();
        let present: Vec<String> = present
            .filter(|(_, value)| !value.is_null())
            .map(|(name, _)| format!("`{name}`"))
            .take(SHOWN)
            .collect();
        if !present.is_empty() {
            message += ", only ";
            message += &present.join(", ");
        }
        CallError {
            code: "IncompleteAnswer".to_owned(),
            message,
            class: ErrorClass::Other,
        }
    }
}

/// Why an operation is called, which says whose permission it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// To find the accounts: the caller's.
    Discover,
    /// To enter the members: the caller's, on the role.
    Enter,
    /// To read an account: the caller's in its own, the role's in the others.
    Read,
    /// To try out what AWS does not document about the pattern language: the caller's, in its own
    /// account.
    Try,
    /// Everybody may.
    Free,
}

/// How an answer comes in pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    /// The member that holds the token for the next page, in question and answer.
    pub token: &'static str,
    /// The most that AWS puts on one page, of all its lists together.
    pub largest: usize,
}

impl Pages {
    /// Pages as nearly every service names them.
    pub(super) const fn of(largest: usize) -> Self {
        Self {
            token: "NextToken",
            largest,
        }
    }
}

/// A documented quota of an account in a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// The operations that share it, by a name; `None` for one that has its own.
    pub family: Option<&'static str>,
    /// Requests per second in the long run.
    pub rate: f64,
    /// Requests that may come at once.
    pub burst: f64,
}

impl Quota {
    /// Of an operation alone. Organizations documents rate and burst; where a service documents
    /// one number it is taken for both.
    pub(super) const fn own(rate: f64, burst: f64) -> Self {
        Self {
            family: None,
            rate,
            burst,
        }
    }

    /// Of an operation alone for which AWS documents none: one that is careful.
    pub(super) const fn undocumented(rate: f64) -> Self {
        Self::own(rate, rate)
    }

    /// Shared with others.
    pub(super) const fn shared(family: &'static str, rate: f64) -> Self {
        Self {
            family: Some(family),
            rate,
            burst: rate,
        }
    }
}
