//! Amazon CloudWatch Logs.

use super::body::{Encoding, send_captured};
use super::{Answer, Clients, Failure, Target};

/// The largest page of both operations.
const PAGE: i32 = 50;

impl Clients {
    pub(super) async fn describe_log_groups(
        &self,
        target: &Target,
        log_group_name: &str,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let request = self
            .logs
            .describe_log_groups()
            .log_group_name_prefix(log_group_name)
            .limit(PAGE)
            .set_next_token(token);
        send_captured!(Encoding::Json, aws_sdk_cloudwatchlogs, target, request)
    }

    pub(super) async fn describe_metric_filters(
        &self,
        target: &Target,
        log_group_name: &str,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let request = self
            .logs
            .describe_metric_filters()
            .log_group_name(log_group_name)
            .limit(PAGE)
            .set_next_token(token);
        send_captured!(Encoding::Json, aws_sdk_cloudwatchlogs, target, request)
    }
}
