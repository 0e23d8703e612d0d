//! AWS Organizations.

use trailproof_core::account::AccountId;

use super::body::Encoding;
use super::send::as_sent;
use super::{Answer, Clients, Failure, Target};

/// The largest page Organizations gives.
const PAGE: i32 = 20;

impl Clients {
    pub(super) async fn describe_organization(&self, target: &Target) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients.organizations().describe_organization();
        as_sent(target, Encoding::Json, request.send()).await
    }

    pub(super) async fn list_accounts(
        &self,
        target: &Target,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .organizations()
            .list_accounts()
            .max_results(PAGE)
            .set_next_token(token);
        as_sent(target, Encoding::Json, request.send()).await
    }

    pub(super) async fn list_delegated_administrators(
        &self,
        target: &Target,
        service_principal: &str,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .organizations()
            .list_delegated_administrators()
            .service_principal(service_principal)
            .max_results(PAGE)
            .set_next_token(token);
        as_sent(target, Encoding::Json, request.send()).await
    }

    pub(super) async fn accounts_for_parent(
        &self,
        target: &Target,
        parent: &str,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .organizations()
            .list_accounts_for_parent()
            .parent_id(parent)
            .max_results(PAGE)
            .set_next_token(token);
        as_sent(target, Encoding::Json, request.send()).await
    }

    pub(super) async fn describe_account(
        &self,
        target: &Target,
        account: AccountId,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients.organizations().describe_account();
        let request = request.account_id(account.to_string());
        as_sent(target, Encoding::Json, request.send()).await
    }

    pub(super) async fn units_for_parent(
        &self,
        target: &Target,
        parent: &str,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .organizations()
            .list_organizational_units_for_parent()
            .parent_id(parent)
            .max_results(PAGE)
            .set_next_token(token);
        as_sent(target, Encoding::Json, request.send()).await
    }

    pub(super) async fn list_tags_for_resource(
        &self,
        target: &Target,
        account: AccountId,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .organizations()
            .list_tags_for_resource()
            .resource_id(account.to_string())
            .set_next_token(token);
        as_sent(target, Encoding::Json, request.send()).await
    }
}
