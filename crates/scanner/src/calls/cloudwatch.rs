//! Amazon CloudWatch, which this SDK speaks in CBOR.

use aws_sdk_cloudwatch::types::AlarmType;

use super::body::Encoding;
use super::send::as_sent;
use super::{Answer, Clients, Failure, Target};

/// The largest page of the operations that list.
const PAGE: i32 = 100;

impl Clients {
    pub(super) async fn describe_alarms(
        &self,
        target: &Target,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .cloudwatch()
            .describe_alarms()
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .alarm_types(AlarmType::LogAlarm)
            .max_records(PAGE)
            .set_next_token(token);
        as_sent(target, Encoding::Cbor, request.send()).await
    }

    pub(super) async fn list_alarm_mute_rules(
        &self,
        target: &Target,
        alarm_name: Option<&str>,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .cloudwatch()
            .list_alarm_mute_rules()
            .set_alarm_name(alarm_name.map(str::to_owned))
            .max_records(PAGE)
            .set_next_token(token);
        as_sent(target, Encoding::Cbor, request.send()).await
    }

    pub(super) async fn get_alarm_mute_rule(
        &self,
        target: &Target,
        rule_name: &str,
    ) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .cloudwatch()
            .get_alarm_mute_rule()
            .alarm_mute_rule_name(rule_name);
        as_sent(target, Encoding::Cbor, request.send()).await
    }
}
