//! The data events of the objects that a trail itself writes: its log files.

use super::{Fielded, Repeated, read};
use crate::arn::Arn;
use crate::evaluate::reading::Reading;
use crate::evidence::{AdvancedSelector, EventSelector, Reader, Trail};

/// Whether a trail certainly records that CloudTrail puts its log files into its bucket: its
/// selectors admit the data events of the bucket's objects that write, and the events of its own
/// deliveries are not left out (CloudTrail API Reference, `EventSelector`, `AdvancedFieldSelector`
/// and `Trail`).
pub(in crate::evaluate) fn admits_log_files(evidence: &Reader<'_>, trail: &Trail) -> bool {
    if trail.recursive_logging == Some(false) {
        return false;
    }
    let (Some(object), Some(Reading::Read { value, .. })) =
        (log_file(evidence, trail), read(evidence, trail))
    else {
        return false;
    };
    let mut basic = value.event_selectors.iter();
    let mut advanced = value.advanced_event_selectors.iter();
    basic.any(|selector| basic_admits(selector, &object))
        || advanced.any(|selector| advanced_admits(selector, &object))
}

/// The ARN of the trail's log files, as far as it is the same for all that are certain to come.
fn log_file(evidence: &Reader<'_>, trail: &Trail) -> Option<String> {
    let bucket = trail.s3_bucket_name.as_deref()?;
    let arn: Arn = trail.trail_arn.parse().ok()?;
    let mut object = format!("arn:{}:s3:::{bucket}/", arn.partition());
    if let Some(prefix) = &trail.s3_key_prefix {
        object += prefix;
        object.push('/');
    }
    object += "AWSLogs/";
    if trail.is_organization_trail == Some(true) {
        match evidence
            .organization()
            .and_then(|known| known.id.as_deref())
        {
            Some(id) => {
                object += id;
                object.push('/');
            }
            None => return Some(object),
        }
    }
    if let Some(owner) = trail.owner() {
        object += &owner.to_string();
        object += "/CloudTrail/";
    }
    Some(object)
}

fn basic_admits(selector: &EventSelector, object: &str) -> bool {
    let writes = matches!(
        selector.read_write_type.as_deref(),
        None | Some("All" | "WriteOnly")
    );
    let mut values = selector
        .data_resources
        .iter()
        .filter(|resource| resource.kind.as_deref() == Some("AWS::S3::Object"))
        .flat_map(|resource| &resource.values);
    writes && values.any(|start| !start.is_empty() && object.starts_with(start.as_str()))
}

fn advanced_admits(selector: &AdvancedSelector, object: &str) -> bool {
    let fields = Fielded::of(selector);
    let mut data = false;
    let admitted = fields.iter().all(|field| {
        let value = match field.field {
            "eventCategory" => {
                data = true;
                "Data"
            }
            "resources.type" => "AWS::S3::Object",
            "resources.ARN" => object,
            "readOnly" => "false",
            "eventSource" => "s3.amazonaws.com",
            "eventName" => "PutObject",
            "eventType" => "AwsApiCall",
            // Who puts the files there is not documented in these terms.
            _ => return false,
        };
        field.admits(value, Repeated::Both)
    });
    data && admitted
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const OBJECT: &str = "arn:aws:s3:::logs/AWSLogs/111111111111/CloudTrail/";

    #[test]
    fn basic_selectors_record_log_files_that_are_written_where_they_say_so() {
        let objects = |values: &Value| json!([{"Type": "AWS::S3::Object", "Values": values}]);
        let all = objects(&json!(["arn:aws:s3:::logs/"]));
        let functions = json!([{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:s3"]}]);
        for (kind, resources, expected) in [
            ("All", &all, true),
            ("WriteOnly", &all, true),
            ("ReadOnly", &all, false),
            ("All", &objects(&json!(["arn:aws:s3"])), true),
            ("All", &objects(&json!(["arn:aws:s3:::other/"])), false),
            ("All", &objects(&json!([""])), false),
            ("All", &objects(&json!([])), false),
            ("All", &functions, false),
        ] {
            let selector = json!({"ReadWriteType": kind, "DataResources": resources});
            let selector = serde_json::from_value(selector).unwrap();
            let admits = basic_admits(&selector, OBJECT);
            assert_eq!(admits, expected, "{kind} {resources}");
        }
    }

    #[test]
    fn advanced_selectors_record_log_files_whose_every_field_they_admit() {
        let data = json!({"Field": "eventCategory", "Equals": ["Data"]});
        let objects = json!({"Field": "resources.type", "Equals": ["AWS::S3::Object"]});
        for (field, expected) in [
            (
                json!({"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::logs/"]}),
                true,
            ),
            (
                json!({"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::other/"]}),
                false,
            ),
            (json!({"Field": "readOnly", "Equals": ["false"]}), true),
            (json!({"Field": "readOnly", "Equals": ["true"]}), false),
            (
                json!({"Field": "eventSource", "Equals": ["s3.amazonaws.com"]}),
                true,
            ),
            (
                json!({"Field": "eventSource", "Equals": ["lambda.amazonaws.com"]}),
                false,
            ),
            (json!({"Field": "eventName", "Equals": ["PutObject"]}), true),
            (
                json!({"Field": "eventName", "NotEquals": ["PutObject"]}),
                false,
            ),
            (
                json!({"Field": "eventType", "Equals": ["AwsApiCall"]}),
                true,
            ),
            (
                json!({"Field": "eventType", "Equals": ["AwsServiceEvent"]}),
                false,
            ),
            (
                json!({"Field": "userIdentity.arn", "StartsWith": ["arn"]}),
                false,
            ),
        ] {
            let admits = |fields: &Value| {
                let selector = json!({ "FieldSelectors": fields });
                advanced_admits(&serde_json::from_value(selector).unwrap(), OBJECT)
            };
            assert_eq!(admits(&json!([data, objects, field])), expected, "{field}");
            // Without a category there are no data events.
            assert!(!admits(&json!([objects, field])), "{field}");
        }
    }
}
