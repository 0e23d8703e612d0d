//! What counts about a resource when it is compared with what it was: its configuration, not its
//! counters, states and times.

use serde_json::{Map, Value};

use crate::remediation::plan;

/// A digest of the members that count.
pub(super) fn digest(value: &Value, counts: impl Fn(&str) -> bool) -> String {
    let members: Map<String, Value> = value
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(member, value)| counts(member) && !says_nothing(value))
        .map(|(member, value)| (member.clone(), tidied(value)))
        .collect();
    plan::digest(&Value::Object(members))
}

/// Some tools write out what is not there.
pub(super) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn tidied(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(_, value)| !says_nothing(value))
                .map(|(member, value)| (member.clone(), tidied(value)))
                .collect(),
        ),
        Value::Array(elements) => Value::Array(elements.iter().map(tidied).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::remediation::resources::alarm::digest as alarm;
    use crate::remediation::resources::metric_filter::digest as metric_filter;
    use crate::remediation::resources::topic::digest as topic;

    #[test]
    fn states_and_counters_do_not_count() {
        let quiet =
            json!({"AlarmName": "a", "StateValue": "OK", "Threshold": 1.0, "Dimensions": []});
        let firing = json!({"AlarmName": "a", "StateValue": "ALARM", "Threshold": 1});
        assert_eq!(alarm(&quiet), alarm(&firing));
        let changed = json!({"AlarmName": "a", "Threshold": 2});
        assert_ne!(alarm(&quiet), alarm(&changed));
        let one = json!({"Policy": "{}", "SubscriptionsConfirmed": "1"});
        let two = json!({"Policy": "{}", "SubscriptionsConfirmed": "2"});
        assert_eq!(topic(&one), topic(&two));
    }

    #[test]
    fn a_filters_time_and_neighbours_do_not_count() {
        let before = json!({"filterName": "f", "filterPattern": "x", "creationTime": 1,
            "metricTransformations": [{"metricName": "m", "metricValue": "1", "dimensions": {}}]});
        let after = json!({"filterName": "f", "filterPattern": "x", "creationTime": 2,
            "applyOnTransformedLogs": false, "logGroupName": "g",
            "metricTransformations": [{"metricName": "m", "metricValue": "1"}]});
        assert_eq!(metric_filter(&before), metric_filter(&after));
        let other = json!({"filterName": "f", "filterPattern": "y",
            "metricTransformations": [{"metricName": "m", "metricValue": "1"}]});
        assert_ne!(metric_filter(&before), metric_filter(&other));
    }

    #[test]
    fn disabled_actions_differ_from_enabled_ones() {
        assert_ne!(
            alarm(&json!({"AlarmName": "a", "ActionsEnabled": true})),
            alarm(&json!({"AlarmName": "a", "ActionsEnabled": false}))
        );
    }
}
