//! What is said of every call in one form.

/// What trailproof knows of an AWS operation beside its parameters and its answer.
#[derive(Debug)]
pub struct CallDefinition {
    /// `service:Operation`, as in IAM policies.
    pub name: &'static str,
    /// Whose permission it takes.
    pub permission: Permission,
    /// How the answer comes in pages; `None` where it is always whole.
    pub pages: Option<Pages>,
    /// The members of which an answer has at least one, also where nothing is in it: without any,
    /// it is not an answer.
    pub members: &'static [&'static str],
    /// How often AWS allows it.
    pub quota: Quota,
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

    /// Shared with others.
    pub(super) const fn shared(family: &'static str, rate: f64) -> Self {
        Self {
            family: Some(family),
            rate,
            burst: rate,
        }
    }
}
