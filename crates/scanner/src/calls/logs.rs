//! Amazon CloudWatch Logs.

use super::body::Encoding;
use super::send::as_sent;
use super::{Answer, Clients, Failure, Target};

/// The largest page of the lists.
const PAGE: i32 = 50;

impl Clients {
    pub(super) async fn describe_log_groups(
        &self,
        target: &Target,
        log_group_name: &str,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .logs()
            .describe_log_groups()
            .log_group_name_prefix(log_group_name)
            .limit(PAGE)
            .set_next_token(token);
        as_sent(target, Encoding::Json, request.send()).await
    }

    pub(super) async fn test_metric_filter(
        &self,
        target: &Target,
        pattern: &str,
        message: &str,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .logs()
            .test_metric_filter()
            .filter_pattern(pattern)
            .log_event_messages(message);
        as_sent(target, Encoding::Json, request.send()).await
    }

    pub(super) async fn describe_metric_filters(
        &self,
        target: &Target,
        log_group_name: Option<String>,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .logs()
            .describe_metric_filters()
            .set_log_group_name(log_group_name)
            .limit(PAGE)
            .set_next_token(token);
        as_sent(target, Encoding::Json, request.send()).await
    }
}
