//! AWS CloudTrail. None of these operations has pages.

use super::body::Encoding;
use super::send::as_sent;
use super::{Answer, Clients, Failure, Target};

impl Clients {
    pub(super) async fn describe_trails(
        &self,
        target: &Target,
        include_shadow_trails: bool,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .cloudtrail()
            .describe_trails()
            .include_shadow_trails(include_shadow_trails);
        as_sent(target, Encoding::Json, request.send()).await
    }

    pub(super) async fn get_trail_status(
        &self,
        target: &Target,
        trail_arn: &str,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients.cloudtrail().get_trail_status().name(trail_arn);
        as_sent(target, Encoding::Json, request.send()).await
    }

    pub(super) async fn get_event_selectors(
        &self,
        target: &Target,
        trail_arn: &str,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .cloudtrail()
            .get_event_selectors()
            .trail_name(trail_arn);
        as_sent(target, Encoding::Json, request.send()).await
    }
}
