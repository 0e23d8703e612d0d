//! `organizations:ListTagsForResource`: the tags of an account, where a filter or a mute goes by
//! them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Pages, Permission, Quota, Reader, Subject};
use crate::account::AccountId;
use crate::evidence::CallError;
use crate::evidence::shapes::TagsResponse;
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySubject};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "organizations:ListTagsForResource",
    permission: Permission::Discover,
    link: LinkName::Account,
    pages: Some(Pages::of(50)),
    members: &["Tags"],
    quota: Quota::own(5.0, 8.0),
};

/// By the account whose tags they are.
pub(in crate::evidence) type Answers = BySubject<AccountId, BTreeMap<String, String>>;

pub(super) fn parameters(account: &AccountId) -> Value {
    json!({ "ResourceId": account })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    _pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    // Units, roots and policies have tags, too, and nothing goes by them.
    let Ok(account) = filing.parameters.required("ResourceId")?.parse() else {
        return Ok(Subject::all(Operation::ListTagsForResource));
    };
    let site = filing.site.clone();
    let answer = filing.page(&DEFINITION, |response: TagsResponse, _complete| {
        let tags = response.tags.into_iter();
        Ok(Arc::new(tags.map(|tag| (tag.key, tag.value)).collect()))
    })?;
    answers.file(account, site, answer);
    Ok(Subject::account(Operation::ListTagsForResource, account))
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, account: &AccountId) -> bool {
    reader.looks_up(|| Subject::account(Operation::ListTagsForResource, *account));
    reader
        .answer_at(|tables| tables.list_tags_for_resource.get(account), site)
        .is_some()
}

impl<'e> Reader<'e> {
    /// The tags of an account, as the latest answer has them; `None` where nobody could say.
    pub fn account_tags(&self, account: AccountId) -> Option<&'e Arc<BTreeMap<String, String>>> {
        self.latest_tags(account, |answer| answer.outcome.is_ok())?
            .outcome
            .as_ref()
            .ok()
    }

    /// Why the tags of an account could not be read.
    pub fn account_tags_failure(&self, account: AccountId) -> Option<&'e Arc<CallError>> {
        self.latest_tags(account, |answer| answer.outcome.is_err())?
            .outcome
            .as_ref()
            .err()
    }

    fn latest_tags(
        &self,
        account: AccountId,
        wanted: impl Fn(&Answer<BTreeMap<String, String>>) -> bool,
    ) -> Option<&'e Answer<BTreeMap<String, String>>> {
        self.looks_up(|| Subject::account(Operation::ListTagsForResource, account));
        self.answers(|tables| tables.list_tags_for_resource.get(&account))
            .into_iter()
            .map(|(_, answer)| answer)
            .filter(|answer| wanted(answer))
            .max_by_key(|answer| answer.observed_at)
            .map(|answer| self.uses(answer))
    }
}
