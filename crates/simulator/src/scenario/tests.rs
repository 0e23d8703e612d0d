//! Scenario files, good and bad.

use trailproof_core::finding::{LinkName, Status};

use super::*;
use crate::model::{AccountState, Selectors, SubscriptionState};

fn account(scenario: &Scenario, id: &str) -> crate::model::Account {
    let id = id.parse().unwrap();
    scenario.organization.account(id).unwrap().clone()
}

#[test]
fn a_healthy_account_takes_two_lines() {
    let scenario = Scenario::parse(
        r#"
        [[accounts]]
        id = "222222222222"
        chain = true
        expect = "PASS"
        "#,
    )
    .unwrap();
    let account = account(&scenario, "222222222222");
    let site = account.site(&Region::new("us-east-1")).unwrap();
    assert!(site.trails[0].multi_region && site.trails[0].logging);
    assert_eq!(site.trails[0].log_group, site.log_groups[0].name);
    assert_eq!(
        site.log_groups[0].filters[0].metric_name,
        site.alarms[0].metric_name
    );
    assert_eq!(site.alarms[0].alarm_actions, [site.topics[0].name.as_str()]);
    assert_eq!(
        site.topics[0].subscriptions[0].state,
        SubscriptionState::Confirmed
    );
    assert_eq!(account.expected[0].status, Status::Pass);
    assert_eq!(account.roles[0].name, "OrganizationAccountAccessRole");
    // The management account is there without being listed, and has no such role.
    assert!(self::account(&scenario, "111111111111").roles.is_empty());
}

#[test]
fn a_chain_is_changed_part_by_part() {
    let scenario = Scenario::parse(
        r#"
        chain.region = "eu-west-1"
        [[accounts]]
        id = "222222222222"
        unit = "Workloads/Production"
        chain.trail.selectors = { basic = [{ read_write_type = "ReadOnly" }] }
        chain.alarm = { threshold = 5.0, dimensions = { Where = "here" } }
        chain.subscription = { state = "pending" }
        chain.more_filters = [{ name = "second", metric_name = "other" }]
        expect = { status = "FAIL", reason = "selectors.no-write-events" }
        denials = ["sns:*", { operations = ["logs:DescribeLogGroups"], regions = ["eu-west-1"] }]
        denied_regions = ["sa-east-1"]
        [[accounts]]
        id = "333333333333"
        state = "SUSPENDED"
        chain.topic = false
        [[accounts]]
        id = "444444444444"
        chains = [{}, { name = "second", region = "us-west-2" }]
        "#,
    )
    .unwrap();
    let region = Region::new("eu-west-1");
    let changed = account(&scenario, "222222222222");
    let site = changed.site(&region).unwrap();
    assert!(matches!(&site.trails[0].selectors, Selectors::Basic(basic)
        if basic[0].read_write_type == "ReadOnly" && basic[0].include_management_events));
    assert_eq!(site.alarms[0].threshold, Some(5.0));
    assert_eq!(site.alarms[0].period, Some(300));
    assert_eq!(site.alarms[0].dimensions["Where"], "here");
    assert_eq!(site.log_groups[0].filters.len(), 2);
    assert_eq!(site.log_groups[0].filters[1].metric_name, "other");
    assert_eq!(
        site.topics[0].subscriptions[0].state,
        SubscriptionState::Pending
    );
    assert_eq!(changed.expected[0].broken_link, Some(LinkName::Selectors));
    assert_eq!(changed.denials.len(), 3);
    assert_eq!(scenario.organization.units.len(), 2);

    let suspended = account(&scenario, "333333333333");
    assert_eq!(suspended.state, AccountState::Suspended);
    assert!(suspended.site(&region).unwrap().topics.is_empty());
    assert!(!suspended.site(&region).unwrap().alarms.is_empty());

    let two = account(&scenario, "444444444444");
    let second = two.site(&Region::new("us-west-2")).unwrap();
    assert_eq!(second.trails[0].name, "second-management-events");
    assert_eq!(second.alarms[0].alarm_actions, ["second-security-alarms"]);
}

#[test]
fn mistakes_are_named() {
    for (text, part) in [
        ("[[accounts]]\nid = '22'", "not an account id"),
        (
            "[[accounts]]\nid = '222222222222'\ncolour = 1",
            "unknown field `colour`",
        ),
        (
            "[[accounts]]\nid = '222222222222'\nchain.alarm.treshold = 1",
            "unknown field `treshold`",
        ),
        (
            "[[accounts]]\nid = '222222222222'\nchain.alarms = {}",
            "account 222222222222, `chain.alarms`: there is no such part of a chain",
        ),
        (
            "[[accounts]]\nid = '222222222222'\n[[accounts]]\nid = '222222222222'",
            "the account is there twice",
        ),
        (
            "[[accounts]]\nid = '222222222222'\nchain.trail.organization = true",
            "only the management account and delegated administrators",
        ),
        (
            "[[accounts]]\nid = '222222222222'\nchain.trail.delivery_age = 'long'",
            "not a duration",
        ),
    ] {
        let error = Scenario::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
