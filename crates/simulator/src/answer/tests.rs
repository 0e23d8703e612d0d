//! What accounts see of each other, and how AWS refuses.

use serde_json::{Value, json};
use trailproof_core::account::Region;
use trailproof_core::evidence::{Call, CallError, ErrorClass, Outcome, Request};

use crate::Scenario;

const MANAGEMENT: &str = "111111111111";
const MEMBER: &str = "222222222222";
const DELEGATED: &str = "333333333333";
const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:111111111111:trail/management-events";

fn scenario() -> Scenario {
    Scenario::parse(
        r#"
        [organization]
        delegations = [{ account = "333333333333" }]
        [[accounts]]
        id = "111111111111"
        chain.trail.organization = true
        [[accounts]]
        id = "222222222222"
        denials = ["logs:DescribeMetricFilters"]
        denied_regions = ["eu-west-1"]
        opted_in = ["me-south-1"]
        [[accounts]]
        id = "333333333333"
        roles = []
        topics = [
          { name = "open", policy = '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"SNS:GetTopicAttributes","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-trailproof1"}}}]}' },
          { name = "closed" },
        ]
        [[accounts]]
        id = "444444444444"
        state = "SUSPENDED"
        "#,
    )
    .unwrap()
}

fn ask(scenario: &Scenario, account: &str, region: &str, call: Call) -> Result<Value, CallError> {
    let request = Request {
        account: account.parse().unwrap(),
        region: Region::new(region),
        call,
    };
    match scenario.organization.answer(&request) {
        Outcome::Response(response) => Ok(response),
        Outcome::Error(error) => Err(error),
    }
}

fn describe_trails(include_shadow_trails: bool) -> Call {
    Call::DescribeTrails {
        include_shadow_trails,
    }
}

#[test]
fn members_see_organization_trails_as_shadows() {
    let scenario = scenario();
    for region in ["us-east-1", "ap-south-1"] {
        let seen = ask(&scenario, MEMBER, region, describe_trails(true)).unwrap();
        let trail = &seen["trailList"][0];
        assert_eq!(trail["TrailARN"], TRAIL);
        assert_eq!(trail["HomeRegion"], "us-east-1");
        assert_eq!(trail["IsOrganizationTrail"], true);
        assert_eq!(
            trail["CloudWatchLogsLogGroupArn"],
            "arn:aws:logs:us-east-1:111111111111:log-group:cloudtrail:*"
        );
        let own = ask(&scenario, MEMBER, region, describe_trails(false)).unwrap();
        assert_eq!(own["trailList"], json!([]));
    }
    let owner = ask(&scenario, MANAGEMENT, "us-east-1", describe_trails(false)).unwrap();
    assert_eq!(owner["trailList"][0]["TrailARN"], TRAIL);
}

#[test]
fn status_is_for_members_and_selectors_for_owners() {
    let scenario = scenario();
    let trail_arn = TRAIL.to_owned();
    let status = Call::GetTrailStatus {
        trail_arn: trail_arn.clone(),
    };
    let selectors = Call::GetEventSelectors { trail_arn };
    let answer = ask(&scenario, MEMBER, "us-east-1", status).unwrap();
    assert_eq!(answer["IsLogging"], true);
    assert_eq!(
        answer["LatestCloudWatchLogsDeliveryTime"],
        "2026-11-22T21:55:00Z"
    );
    let refused = ask(&scenario, MEMBER, "us-east-1", selectors.clone()).unwrap_err();
    assert_eq!(refused.code, "CloudTrailARNInvalidException");
    for reader in [MANAGEMENT, DELEGATED] {
        let answer = ask(&scenario, reader, "us-east-1", selectors.clone()).unwrap();
        assert_eq!(answer["EventSelectors"][0]["ReadWriteType"], "All");
    }
    let elsewhere = ask(&scenario, MANAGEMENT, "eu-west-2", selectors).unwrap_err();
    assert_eq!(elsewhere.code, "TrailNotFoundException");
}

#[test]
fn refusals_are_those_of_the_service() {
    let scenario = scenario();
    let code = |account, region, call| {
        let error = ask(&scenario, account, region, call).unwrap_err();
        (error.code, error.class)
    };
    let filters = |group: &str| Call::DescribeMetricFilters {
        log_group_name: Some(group.to_owned()),
    };
    let topic = |name: &str| Call::GetTopicAttributes {
        topic_arn: format!("arn:aws:sns:us-east-1:{DELEGATED}:{name}"),
    };
    let enter = |account: &str| Call::AssumeRole {
        role_arn: format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole"),
    };
    for (account, region, call, expected, class) in [
        (
            MEMBER,
            "us-east-1",
            filters("x"),
            "AccessDeniedException",
            ErrorClass::Denied,
        ),
        (
            DELEGATED,
            "us-east-1",
            filters("x"),
            "ResourceNotFoundException",
            ErrorClass::NotFound,
        ),
        (
            MEMBER,
            "eu-west-1",
            describe_trails(true),
            "AccessDeniedException",
            ErrorClass::Denied,
        ),
        (
            MEMBER,
            "eu-west-1",
            Call::DescribeAlarms,
            "AccessDenied",
            ErrorClass::Denied,
        ),
        (
            MEMBER,
            "af-south-1",
            describe_trails(true),
            "UnrecognizedClientException",
            ErrorClass::RegionDisabled,
        ),
        (
            MEMBER,
            "af-south-1",
            topic("open"),
            "InvalidClientTokenId",
            ErrorClass::RegionDisabled,
        ),
        (
            MEMBER,
            "us-east-1",
            topic("closed"),
            "AuthorizationError",
            ErrorClass::Denied,
        ),
        (
            MEMBER,
            "us-east-1",
            topic("missing"),
            "AuthorizationError",
            ErrorClass::Denied,
        ),
        (
            DELEGATED,
            "us-east-1",
            topic("missing"),
            "NotFound",
            ErrorClass::NotFound,
        ),
        (
            DELEGATED,
            "us-west-1",
            topic("open"),
            "InvalidParameter",
            ErrorClass::Invalid,
        ),
        (
            MANAGEMENT,
            "us-east-1",
            enter(DELEGATED),
            "AccessDenied",
            ErrorClass::Denied,
        ),
        (
            MANAGEMENT,
            "us-east-1",
            enter("444444444444"),
            "AccessDenied",
            ErrorClass::Denied,
        ),
        (
            DELEGATED,
            "us-east-1",
            enter(MEMBER),
            "AccessDenied",
            ErrorClass::Denied,
        ),
        (
            MEMBER,
            "us-east-1",
            Call::ListAccounts,
            "AccessDeniedException",
            ErrorClass::Denied,
        ),
    ] {
        assert_eq!(
            code(account, region, call.clone()),
            (expected.to_owned(), class),
            "{account} {region} {call:?}"
        );
    }
    assert!(ask(&scenario, MEMBER, "us-east-1", topic("open")).is_ok());
    assert!(ask(&scenario, MEMBER, "me-south-1", describe_trails(true)).is_ok());
}

#[test]
fn entering_an_account_tells_no_secret() {
    let scenario = scenario();
    let role_arn = format!("arn:aws:iam::{MEMBER}:role/OrganizationAccountAccessRole");
    let answer = ask(
        &scenario,
        MANAGEMENT,
        "us-east-1",
        Call::AssumeRole { role_arn },
    )
    .unwrap();
    assert!(answer.get("Credentials").is_none());
    assert!(answer["AssumedRoleUser"]["Arn"].is_string());
}

#[test]
fn the_organization_is_listed_whole() {
    let scenario = scenario();
    let answer = ask(&scenario, MANAGEMENT, "us-east-1", Call::ListAccounts).unwrap();
    assert_eq!(answer["Accounts"].as_array().map(Vec::len), Some(4));
    assert_eq!(answer["Accounts"][3]["State"], "SUSPENDED");
    assert_eq!(
        answer["Accounts"][1]["Paths"],
        json!(["o-trailproof1/r-trai/222222222222/"])
    );
    let regions = Call::ListRegions {
        account: MEMBER.parse().ok(),
    };
    let answer = ask(&scenario, MANAGEMENT, "us-east-1", regions).unwrap();
    let regions = answer["Regions"].as_array().unwrap();
    assert_eq!(regions.len(), 34);
    assert!(regions.contains(&json!({"RegionName": "me-south-1", "RegionOptStatus": "ENABLED"})));
    assert!(regions.contains(&json!({"RegionName": "af-south-1", "RegionOptStatus": "DISABLED"})));
}
