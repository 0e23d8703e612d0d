//! A question to AWS: one operation with its parameters, asked with one account's credentials in
//! one region.

use super::Call;
use super::reader::Reader;
use super::store::CallSite;
use crate::account::{AccountId, Region};

/// A question to AWS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// Whose credentials ask.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// What.
    pub call: Call,
}

impl Reader<'_> {
    /// Whether a question was answered, with a response or with an error, in whatever words it was
    /// asked.
    pub fn has(&self, request: &Request) -> bool {
        let site = CallSite {
            account: request.account,
            region: request.region.clone(),
        };
        request.call.is_answered(self, &site)
    }
}
