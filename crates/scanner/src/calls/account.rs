//! AWS Account Management.

use trailproof_core::account::AccountId;

use super::body::{Encoding, send_captured};
use super::{Answer, Clients, Failure, Target};

impl Clients {
    pub(super) async fn list_regions(
        &self,
        target: &Target,
        account: Option<AccountId>,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let request = self
            .account
            .list_regions()
            .set_account_id(account.map(String::from))
            .max_results(50)
            .set_next_token(token);
        send_captured!(Encoding::Json, aws_sdk_account, target, request)
    }
}
