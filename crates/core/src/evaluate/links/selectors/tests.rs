use serde_json::json;

use crate::control;
use crate::evaluate::fixture::{Case, MANAGEMENT, World, check, table};
use crate::finding::Status::{Fail, Pass, Unknown};
use crate::policy::Assurance;

/// The control's events may be read or write, and nothing says that they show which.
#[test]
fn reading_and_writing_selectors_record_everything_together() {
    let control = control::builtin()
        .iter()
        .find(|control| control.id == "root-usage");
    let control = control.unwrap();
    let reads = json!({"ReadWriteType": "ReadOnly", "IncludeManagementEvents": true});
    let writes = json!({"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true});
    for (selectors, cis, effective, reason) in [
        (json!([reads, writes]), Pass, Pass, None),
        (json!([reads]), Fail, Fail, Some("selectors.exclude-events")),
        (
            json!([writes]),
            Fail,
            Fail,
            Some("selectors.exclude-events"),
        ),
    ] {
        let mut world = World::healthy()
            .set(
                "cloudtrail:GetEventSelectors",
                MANAGEMENT,
                "/EventSelectors",
                selectors,
            )
            .set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/filterPattern",
                json!(control.pattern),
            );
        world.policy.controls = vec![control.clone()];
        check(&world, cis, effective, reason);
    }
}

#[test]
fn fields_come_in_any_order() {
    let data = json!({"FieldSelectors": [
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        {"Field": "eventCategory", "Equals": ["Data"]},
    ]});
    let world = World::healthy()
        .set(
            "cloudtrail:GetEventSelectors",
            MANAGEMENT,
            "/EventSelectors",
            json!([]),
        )
        .set(
            "cloudtrail:GetEventSelectors",
            MANAGEMENT,
            "/AdvancedEventSelectors",
            json!([data]),
        );
    check(&world, Fail, Fail, Some("selectors.exclude-events"));
}

/// What is changed by itself.
pub(in crate::evaluate) fn cases() -> Vec<Case> {
    vec![
        Case(
            "cloudtrail:GetEventSelectors",
            MANAGEMENT,
            "/EventSelectors",
            json!([]),
            Pass,
            Pass,
            None,
        ),
        Case(
            "cloudtrail:GetEventSelectors",
            MANAGEMENT,
            "/EventSelectors/0/ReadWriteType",
            json!("WriteOnly"),
            Fail,
            Pass,
            Some("selectors.not-all-management-events"),
        ),
        Case(
            "cloudtrail:GetEventSelectors",
            MANAGEMENT,
            "/EventSelectors/0/ReadWriteType",
            json!("ReadOnly"),
            Fail,
            Fail,
            Some("selectors.exclude-events"),
        ),
        Case(
            "cloudtrail:GetEventSelectors",
            MANAGEMENT,
            "/EventSelectors/0/IncludeManagementEvents",
            json!(false),
            Fail,
            Fail,
            Some("selectors.exclude-events"),
        ),
        Case(
            "cloudtrail:GetEventSelectors",
            MANAGEMENT,
            "/EventSelectors/0/ExcludeManagementEventSources",
            json!(["kms.amazonaws.com"]),
            Pass,
            Pass,
            None,
        ),
    ]
}

#[test]
fn one_thing_is_not_as_it_should_be() {
    table(&cases());
}

/// Values that a field is selected by are alternatives, whatever the operator; those that it
/// must not have all count. What a repeated field means is not documented.
#[test]
fn operators_of_one_field_are_alternatives() {
    let management = json!({"Field": "eventCategory", "Equals": ["Management"]});
    for (fields, cis, effective, reason) in [
        (
            json!([management, {"Field": "eventSource", "Equals": ["ec2.amazonaws.com"], "StartsWith": ["signin"]}]),
            Fail,
            Pass,
            Some("selectors.not-all-management-events"),
        ),
        (
            json!([management, {"Field": "eventSource", "StartsWith": ["ec2"], "EndsWith": ["in.amazonaws.com"]}]),
            Fail,
            Pass,
            Some("selectors.not-all-management-events"),
        ),
        (
            json!([management, {"Field": "eventSource", "StartsWith": ["signin"], "NotEndsWith": [".com"]}]),
            Fail,
            Fail,
            Some("selectors.exclude-events"),
        ),
        (
            json!([management, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"], "NotStartsWith": ["signin"]}]),
            Pass,
            Fail,
            Some("selectors.exclude-events"),
        ),
        // Both readings agree.
        (
            json!([management, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}, {"Field": "eventSource", "NotEquals": ["rdsdata.amazonaws.com"]}]),
            Pass,
            Pass,
            None,
        ),
        (
            json!([management, {"Field": "eventSource", "Equals": ["ec2.amazonaws.com"]}, {"Field": "eventSource", "Equals": ["kms.amazonaws.com"]}]),
            Fail,
            Fail,
            Some("selectors.exclude-events"),
        ),
        // They do not.
        (
            json!([management, {"Field": "eventSource", "Equals": ["ec2.amazonaws.com"]}, {"Field": "eventSource", "Equals": ["signin.amazonaws.com"]}]),
            Fail,
            Unknown,
            Some("selectors.not-all-management-events"),
        ),
        (
            json!([management, {"Field": "readOnly", "Equals": ["true"]}, {"Field": "readOnly", "Equals": ["false"]}]),
            Unknown,
            Unknown,
            Some("selectors.not-decided"),
        ),
    ] {
        let selector = json!([{"FieldSelectors": fields}]);
        println!("{selector}");
        let world = World::healthy()
            .set(
                "cloudtrail:GetEventSelectors",
                MANAGEMENT,
                "/EventSelectors",
                json!([]),
            )
            .set(
                "cloudtrail:GetEventSelectors",
                MANAGEMENT,
                "/AdvancedEventSelectors",
                selector,
            );
        check(&world, cis, effective, reason);
    }
}

/// Each observation, and where it is made.
pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
    let mut together = crate::evaluate::together::tests::reads_and_writes();
    together.policy.assurance = Assurance::Effective;
    vec![
        (
            "selectors.exclude-sources",
            World::healthy().set(
                "cloudtrail:GetEventSelectors",
                MANAGEMENT,
                "/EventSelectors/0/ExcludeManagementEventSources",
                json!(["kms.amazonaws.com"]),
            ),
        ),
        ("selectors.together", together),
    ]
}
