//! Whom an account names for questions of security. No verdict needs it, and people's names are no
//! evidence: it is asked for those who want to write to somebody, and kept nowhere.

use aws_sdk_account::types::AlternateContactType;
use futures::{StreamExt as _, stream};
use trailproof_core::account::{AccountId, Partition};
use trailproof_core::contact::SecurityContact;
use trailproof_core::evidence::{CallError, ErrorClass};

use crate::access::Access;
use crate::calls::ServiceCall;

/// The action of asking for a security contact, as policies name it.
pub const CONTACT_ACTION: &str = "account:GetAlternateContact";

impl Access {
    /// The security contacts of accounts, in their order, so many asked for at once, as
    /// [`Self::security_contact`] finds each.
    pub async fn security_contacts(
        &self,
        accounts: impl IntoIterator<Item = AccountId>,
        at_once: usize,
    ) -> Vec<Result<Option<SecurityContact>, CallError>> {
        let asked = accounts
            .into_iter()
            .map(|account| self.security_contact(account));
        stream::iter(asked).buffered(at_once.max(1)).collect().await
    }

    /// The security contact of an account, if it has one. The caller's own credentials ask: those of
    /// the management account, or of a delegated administrator for account management, may ask
    /// for every member where trusted access is enabled; others for their own account.
    pub async fn security_contact(
        &self,
        account: AccountId,
    ) -> Result<Option<SecurityContact>, CallError> {
        let caller = self.caller();
        let call = ServiceCall {
            action: CONTACT_ACTION,
            per_second: rate(caller.partition),
        };
        // Nobody may name their own account (`GetAlternateContact`, `AccountId`).
        let named = (account != caller.account).then(|| account.to_string());
        let answer = self
            .ask_as_caller(call, |clients| {
                clients
                    .account()
                    .get_alternate_contact()
                    .alternate_contact_type(AlternateContactType::Security)
                    .set_account_id(named.clone())
                    .send()
            })
            .await;
        match answer {
            Ok(answer) => Ok(answer.alternate_contact.map(|contact| SecurityContact {
                name: contact.name,
                title: contact.title,
                email: contact.email_address,
                phone: contact.phone_number,
            })),
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The documented quota in requests per second (Account Management Reference, "Quotas", of AWS and
/// of AWS in China).
fn rate(partition: Partition) -> f64 {
    if partition == Partition::China {
        3.0
    } else {
        10.0
    }
}
