//! AWS CloudTrail. None of these operations has pages.

use super::body::{Encoding, send_captured};
use super::{Answer, Clients, Failure, Target};

impl Clients {
    pub(super) async fn describe_trails(
        &self,
        target: &Target,
        include_shadow_trails: bool,
    ) -> Result<Answer, Failure> {
        let request = self
            .cloudtrail
            .describe_trails()
            .include_shadow_trails(include_shadow_trails);
        send_captured!(Encoding::Json, aws_sdk_cloudtrail, target, request)
    }

    pub(super) async fn get_trail_status(
        &self,
        target: &Target,
        trail_arn: &str,
    ) -> Result<Answer, Failure> {
        let request = self.cloudtrail.get_trail_status().name(trail_arn);
        send_captured!(Encoding::Json, aws_sdk_cloudtrail, target, request)
    }

    pub(super) async fn get_event_selectors(
        &self,
        target: &Target,
        trail_arn: &str,
    ) -> Result<Answer, Failure> {
        let request = self.cloudtrail.get_event_selectors().trail_name(trail_arn);
        send_captured!(Encoding::Json, aws_sdk_cloudtrail, target, request)
    }
}
