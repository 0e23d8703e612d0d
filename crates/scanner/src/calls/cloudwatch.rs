//! Amazon CloudWatch, which this SDK speaks in CBOR.

use aws_sdk_cloudwatch::types::AlarmType;

use super::body::{Encoding, send_captured};
use super::{Answer, Clients, Failure, Target};

/// The largest page of both operations.
const PAGE: i32 = 100;

impl Clients {
    pub(super) async fn describe_alarms(
        &self,
        target: &Target,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let request = self
            .cloudwatch
            .describe_alarms()
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .max_records(PAGE)
            .set_next_token(token);
        send_captured!(Encoding::Cbor, aws_sdk_cloudwatch, target, request)
    }

    pub(super) async fn list_alarm_mute_rules(
        &self,
        target: &Target,
        alarm_name: Option<&str>,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let request = self
            .cloudwatch
            .list_alarm_mute_rules()
            .set_alarm_name(alarm_name.map(str::to_owned))
            .max_records(PAGE)
            .set_next_token(token);
        send_captured!(Encoding::Cbor, aws_sdk_cloudwatch, target, request)
    }
}
