//! Answers that list things a page at a time: the same in every service but for names, sizes and
//! errors.

use super::{Answer, Context};
use crate::document::{Document, Structure};
use crate::failure::Failure;

/// How an operation lists.
pub(super) struct Listing<'n> {
    /// What is listed: a token that was given for something else is refused.
    pub(super) name: &'n str,
    /// The member that holds the items.
    pub(super) member: &'static str,
    /// The member that holds the token of the next page, in question and answer.
    pub(super) token: &'static str,
    /// How many items a page has.
    pub(super) size: usize,
}

impl Listing<'_> {
    /// The page that is asked for; `refused` is the error for a token that nobody was given.
    pub(super) fn page<T>(
        self,
        context: Context<'_>,
        items: &[T],
        refused: impl FnOnce() -> Failure,
        describe: impl Fn(&T) -> Structure,
    ) -> Answer {
        let token = context.parameters.text(self.token);
        let page = context
            .paging
            .page(self.name, token, items.len(), self.size)
            .ok_or_else(refused)?;
        let items: Document = items
            .iter()
            .skip(page.start)
            .take(page.length)
            .map(describe)
            .collect();
        Ok(Structure::new()
            .with(self.member, items)
            .maybe(self.token, page.next))
    }
}
