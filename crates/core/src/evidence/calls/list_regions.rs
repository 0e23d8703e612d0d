//! `account:ListRegions`: the regions of an account and whether they are enabled. The management
//! account may ask for its members where account management is trusted; every account may ask for
//! itself.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Pages, Parameters, Permission, Quota, Reader, Subject};
use crate::account::{AccountId, InvalidAccountId, Region};
use crate::evidence::shapes::{RegionOption, RegionsResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::BySubject;
use crate::evidence::{CallError, ErrorClass};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "account:ListRegions",
    permission: Permission::Read,
    link: LinkName::Trail,
    pages: Some(Pages::of(50)),
    members: &["Regions"],
    quota: Quota::own(5.0, 5.0),
};

/// By the account whose regions they are.
pub(in crate::evidence) type Answers = BySubject<AccountId, Regions>;

/// The regions of an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::evidence) struct Regions {
    list: Arc<[RegionOption]>,
    /// Whether no token for a further page remained.
    complete: bool,
}

pub(super) fn parameters(account: &Option<AccountId>) -> Value {
    match account {
        None => json!({}),
        Some(account) => json!({ "AccountId": account }),
    }
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let account = match filing.parameters.text("AccountId")? {
        None => filing.site.account,
        Some(text) => text.parse().map_err(|error: InvalidAccountId| {
            Parameters::unreadable("AccountId", &error.to_string())
        })?,
    };
    let subject = Subject::account(Operation::ListRegions, account);
    let site = filing.site.clone();
    let narrowed = filing.parameters.rest(&["AccountId"]).is_some();
    let answer = filing.page(&DEFINITION, |response: RegionsResponse, complete| {
        Ok(pool.region_list(Regions {
            list: response.regions.into(),
            complete: complete && !narrowed,
        }))
    })?;
    answers.file(account, site, answer);
    Ok(subject)
}

pub(super) fn is_answered(
    reader: &Reader<'_>,
    site: &CallSite,
    account: &Option<AccountId>,
) -> bool {
    let account = account.unwrap_or(site.account);
    reader.looks_up(|| Subject::account(Operation::ListRegions, account));
    reader
        .answer_at(|tables| tables.list_regions.get(&account), site)
        .is_some()
}

impl<'e> Reader<'e> {
    /// The regions of an account and whether each is enabled, where somebody could say.
    pub fn regions(&self, account: AccountId) -> Option<&'e Arc<[RegionOption]>> {
        self.looks_up(|| Subject::account(Operation::ListRegions, account));
        self.answers(|tables| tables.list_regions.get(&account))
            .into_iter()
            .find(|(_, answer)| answer.outcome.is_ok())
            .and_then(|(_, answer)| self.uses(answer).outcome.as_ref().ok())
            .map(|regions| &regions.list)
    }

    /// Whether an account has a region enabled; why nobody could say where a call failed, and
    /// nothing where nobody asked.
    pub fn has_enabled(
        &self,
        account: AccountId,
        region: &Region,
    ) -> Option<Result<bool, Arc<CallError>>> {
        self.looks_up(|| Subject::account(Operation::ListRegions, account));
        let answers = self.answers(|tables| tables.list_regions.get(&account));
        let mut latest = answers.clone();
        latest.sort_by_key(|(_, answer)| std::cmp::Reverse(answer.observed_at));
        for (_, answer) in &latest {
            let Ok(regions) = &answer.outcome else {
                continue;
            };
            let listed = regions
                .list
                .iter()
                .find(|option| option.region_name == *region);
            if listed.is_some() || regions.complete {
                self.uses(answer);
                return Some(Ok(listed.is_some_and(RegionOption::is_enabled)));
            }
        }
        let (_, answer) = latest.first()?;
        Some(Err(match &self.uses(answer).outcome {
            Err(error) => Arc::clone(error),
            Ok(_) => Arc::new(CallError {
                code: "IncompleteAnswer".to_owned(),
                message: format!("the regions listed do not have {region}, and more were to come"),
                class: ErrorClass::Other,
            }),
        }))
    }

    /// The regions that an account has enabled, where somebody could say.
    pub fn enabled_regions(&self, account: AccountId) -> Option<Vec<Region>> {
        let enabled = self
            .regions(account)?
            .iter()
            .filter(|region| region.is_enabled());
        Some(enabled.map(|region| region.region_name.clone()).collect())
    }
}
