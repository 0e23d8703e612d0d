//! Whose findings are sent: those of accounts that Organizations names as ours, and of accounts
//! that the user named. A run is a file, and whoever wrote a stranger's account into it would have a
//! role of that account assumed, with our external id.

use std::collections::BTreeMap;

use trailproof_core::account::AccountId;
use trailproof_core::evidence::{Call, CallError, OrganizationAccount, Outcome, Request};
use trailproof_scanner::Access;

/// The accounts that may be entered, and why one of them cannot be used.
#[derive(Debug, Clone, Default)]
pub struct Members(BTreeMap<AccountId, Option<String>>);

impl Members {
    /// The accounts of the caller's organization, as it lists them now.
    pub async fn listed(access: &Access) -> Result<Self, CallError> {
        let caller = access.caller();
        let request = Request {
            account: caller.account,
            region: caller.partition.home_region(),
            call: Call::ListAccounts,
        };
        let page = match access.read(&request).await.outcome {
            Outcome::Response(page) => page,
            Outcome::Error(error) => return Err(error),
        };
        // What cannot be read is an account that nobody enters.
        let accounts = OrganizationAccount::on_page(&page).filter_map(Result::ok);
        let accounts = accounts.map(|account| {
            let state = account.effective_state().unwrap_or("not active");
            let unusable = account.is_unusable();
            (
                account.id,
                unusable.then(|| format!("the account is {state}")),
            )
        });
        Ok(Self(accounts.collect()))
    }

    /// Adds accounts that the user named.
    #[must_use]
    pub fn and(mut self, named: impl IntoIterator<Item = AccountId>) -> Self {
        for account in named {
            self.0.entry(account).or_default();
        }
        self
    }

    /// Why nothing is sent for an account; `None` where it is.
    pub(super) fn why_not(&self, account: AccountId) -> Option<String> {
        match self.0.get(&account) {
            None => Some(
                "the account is not in the organization of the credentials; --accounts names one \
                 that is meant all the same"
                    .to_owned(),
            ),
            Some(unusable) => unusable.clone(),
        }
    }
}
