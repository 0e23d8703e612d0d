use serde_json::{Value, json};

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
    let data = json!([
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        {"Field": "eventCategory", "Equals": ["Data"]},
    ]);
    check(
        &advanced(&[&data]),
        Fail,
        Fail,
        Some("selectors.exclude-events"),
    );
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
        Case(
            "cloudtrail:GetEventSelectors",
            MANAGEMENT,
            "/EventSelectors/0/ExcludeManagementEventSources",
            json!(["signin.amazonaws.com"]),
            Pass,
            Fail,
            Some("selectors.exclude-events"),
        ),
        // Selectors of its own are there, of one kind.
        Case(
            "cloudtrail:DescribeTrails",
            MANAGEMENT,
            "/trailList/0/HasCustomEventSelectors",
            json!(true),
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
        check(&advanced(&[&fields]), cis, effective, reason);
    }
}

/// A trail with advanced selectors of these fields.
fn advanced(selectors: &[&Value]) -> World {
    let selectors: Vec<Value> = selectors
        .iter()
        .map(|fields| json!({ "FieldSelectors": fields }))
        .collect();
    World::healthy()
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
            json!(selectors),
        )
}

/// Each of these narrows what the benchmark wants whole, and what is recorded of the control's
/// events is decided apart.
#[test]
fn fields_narrow_what_is_recorded() {
    let excludes = "selectors.exclude-events";
    let partial = "selectors.not-all-management-events";
    for (field, effective, reason) in [
        (
            json!({"Field": "readOnly", "Equals": ["false"]}),
            Pass,
            partial,
        ),
        (
            json!({"Field": "readOnly", "Equals": ["true"]}),
            Fail,
            excludes,
        ),
        (
            json!({"Field": "readOnly", "StartsWith": ["f"]}),
            Pass,
            partial,
        ),
        (
            json!({"Field": "readOnly", "EndsWith": ["ue"]}),
            Fail,
            excludes,
        ),
        (
            json!({"Field": "eventSource", "StartsWith": ["signin"]}),
            Pass,
            partial,
        ),
        (
            json!({"Field": "eventSource", "EndsWith": ["in.amazonaws.com"]}),
            Pass,
            partial,
        ),
        (
            json!({"Field": "eventSource", "EndsWith": ["ec2.amazonaws.com"]}),
            Fail,
            excludes,
        ),
        // What no filter pattern can say, and what nobody documents, is not decided.
        (
            json!({"Field": "eventSource", "Equals": ["*in.amazonaws.com"]}),
            Unknown,
            partial,
        ),
        (
            json!({"Field": "eventSource", "Equals": ["signin*"]}),
            Unknown,
            partial,
        ),
        (
            json!({"Field": "eventSource", "Equals": ["sign\"in"]}),
            Unknown,
            partial,
        ),
        (
            json!({"Field": "eventSource", "Equals": ["sign%in"]}),
            Unknown,
            partial,
        ),
        (
            json!({"Field": "ofLaterVersions", "Equals": ["x"]}),
            Unknown,
            partial,
        ),
    ] {
        let management = json!({"Field": "eventCategory", "StartsWith": ["Man"]});
        let fields = json!([management, field]);
        println!("{fields}");
        check(&advanced(&[&fields]), Fail, effective, Some(reason));
    }
}

/// What one selector may record, another that certainly does not cannot take away.
#[test]
fn a_selector_that_is_not_decided_may_record_what_others_leave_out() {
    let management = json!({"Field": "eventCategory", "Equals": ["Management"]});
    let other = json!([management, {"Field": "eventSource", "Equals": ["ec2.amazonaws.com"]}]);
    let unclear = json!([management, {"Field": "ofLaterVersions", "Equals": ["x"]}]);
    let partial = "selectors.not-all-management-events";
    check(&advanced(&[&unclear, &other]), Fail, Unknown, Some(partial));

    let mut world = advanced(&[&unclear]);
    world.policy.assurance = Assurance::Effective;
    let finding = world.finding(MANAGEMENT);
    assert_eq!(finding.reason.as_deref(), Some("selectors.not-decided"));
    let why = &finding.message;
    assert!(why.ends_with("it selects by `ofLaterVersions`"), "{why}");
}

#[test]
fn an_event_that_is_left_out_is_shown() {
    let world = World::healthy().set(
        "cloudtrail:GetEventSelectors",
        MANAGEMENT,
        "/EventSelectors/0/ReadWriteType",
        json!("ReadOnly"),
    );
    let witness = world.finding(MANAGEMENT).witness.unwrap();
    assert_eq!(witness["eventName"], "ConsoleLogin", "{witness}");
}

/// What a selector leaves out of management events that it does not record is no news.
#[test]
fn sources_are_left_out_of_what_is_recorded() {
    let selector = json!({"IncludeManagementEvents": false,
        "ExcludeManagementEventSources": ["kms.amazonaws.com"]});
    let all = json!({"ReadWriteType": "All", "IncludeManagementEvents": true});
    let world = World::healthy().set(
        "cloudtrail:GetEventSelectors",
        MANAGEMENT,
        "/EventSelectors",
        json!([all, selector]),
    );
    let finding = world.finding(MANAGEMENT);
    let mut codes = finding.observations.iter().map(|one| one.code.as_str());
    assert!(!codes.any(|code| code == "selectors.exclude-sources"));
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
