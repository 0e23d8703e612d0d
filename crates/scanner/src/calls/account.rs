//! AWS Account Management.

use trailproof_core::account::AccountId;

use super::body::Encoding;
use super::send::as_sent;
use super::{Answer, Clients, Failure, Target};

impl Clients {
    pub(super) async fn list_regions(
        &self,
        target: &Target,
        account: Option<AccountId>,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .account()
            .list_regions()
            .set_account_id(account.map(String::from))
            .max_results(50)
            .set_next_token(token);
        as_sent(target, Encoding::Json, request.send()).await
    }
}
