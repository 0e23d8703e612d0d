//! Where the AWS console shows a resource.
//!
//! The addresses are those that the console itself has in the address line. AWS does not document
//! them: they are a help for people, and nothing rests on them.

use trailproof_core::account::Partition;
use trailproof_core::arn::Arn;

/// The address of the console's page about a trail, log group, alarm, topic or subscription, by its
/// ARN; `None` for anything else. Whoever signs in there needs the account of the ARN.
pub(crate) fn address(resource: &str) -> Option<String> {
    let arn: Arn = resource.parse().ok()?;
    let host = Partition::named(arn.partition())?.console_host();
    let region = arn.region()?;
    let (page, place) = match arn.service() {
        "cloudtrail" if arn.resource().starts_with("trail/") => {
            ("cloudtrailv2", format!("/trails/{}", encoded(arn.as_str())))
        }
        "logs" => (
            "cloudwatch",
            // The page decodes the name twice, with `$` in place of `%`.
            format!(
                "logsV2:log-groups/log-group/{}",
                encoded(&encoded(arn.log_group_name()?)).replace('%', "$")
            ),
        ),
        "cloudwatch" => (
            "cloudwatch",
            format!(
                "alarmsV2:alarm/{}",
                encoded(arn.resource().strip_prefix("alarm:")?)
            ),
        ),
        "sns" => {
            let kind = if arn.resource().contains(':') {
                "subscription"
            } else {
                "topic"
            };
            ("sns/v3", format!("/{kind}/{}", encoded(arn.as_str())))
        }
        _ => return None,
    };
    let region = encoded(region.as_str());
    Some(format!(
        "https://{host}/{page}/home?region={region}#{place}"
    ))
}

/// A text as a part of an address (RFC 3986, section 2.3). Colons stay, for ARNs to be read.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;

    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_of_the_chain_have_pages() {
        for (resource, expected) in [
            (
                "arn:aws:cloudtrail:eu-west-1:111111111111:trail/org",
                "https://console.aws.amazon.com/cloudtrailv2/home?region=eu-west-1#/trails/arn:aws:cloudtrail:eu-west-1:111111111111:trail%2Forg",
            ),
            (
                "arn:aws:logs:eu-west-1:111111111111:log-group:aws/trail:*",
                "https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/aws$252Ftrail",
            ),
            (
                "arn:aws-cn:cloudwatch:cn-north-1:111111111111:alarm:sign in",
                "https://console.amazonaws.cn/cloudwatch/home?region=cn-north-1#alarmsV2:alarm/sign%20in",
            ),
            (
                "arn:aws-us-gov:sns:us-gov-west-1:111111111111:alarms",
                "https://console.amazonaws-us-gov.com/sns/v3/home?region=us-gov-west-1#/topic/arn:aws-us-gov:sns:us-gov-west-1:111111111111:alarms",
            ),
            (
                "arn:aws:sns:eu-west-1:111111111111:alarms:0a1b",
                "https://console.aws.amazon.com/sns/v3/home?region=eu-west-1#/subscription/arn:aws:sns:eu-west-1:111111111111:alarms:0a1b",
            ),
        ] {
            assert_eq!(address(resource).as_deref(), Some(expected));
        }
        for resource in [
            "",
            "a-filter",
            "arn:aws:s3:::bucket",
            "arn:evil.example/:sns:eu-west-1:111111111111:t",
            "arn:aws:cloudwatch:eu-west-1:111111111111:dashboard:d",
        ] {
            assert_eq!(address(resource), None, "{resource}");
        }
    }

    #[test]
    fn names_of_others_stay_in_their_place() {
        let address = address("arn:aws:sns:\"@evil.example/#:111111111111:\"><x>").unwrap();
        assert!(
            address.starts_with("https://console.aws.amazon.com/sns/v3/home?region=%22%40evil")
        );
        assert!(!address.contains(['"', '<', '>', '@', ' ']), "{address}");
    }
}
