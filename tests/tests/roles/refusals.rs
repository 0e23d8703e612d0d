//! A scan must not set off the alarm for unauthorized calls that it audits.

use serde_json::Value;

use crate::organization::{Organization, refused as refused_by, scan, statistics};

/// A role that may not do three things, in accounts of which three regions are closed.
fn account(more: &str) -> String {
    format!(
        "roles = [{{ denials = [{{ operations = [\"cloudwatch:DescribeAlarms\", \
         \"account:ListRegions\", \"logs:DescribeMetricFilters\"] }}] }}]\n\
         denied_regions = [\"eu-west-1\", \"eu-west-2\", \"eu-north-1\"]\n{more}"
    )
}

fn organization(accounts: usize) -> Organization {
    let mut organization = Organization::new("aws");
    for number in 0..accounts {
        // A chain in every account would take long, and show nothing more.
        let chain = accounts < 100 || number % 10 == 0;
        organization.add_written(&account(if chain { "chain = true\n" } else { "" }));
    }
    organization
}

fn never_asked(record: &Value) -> Vec<String> {
    let never = record["access"]["never_asked"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mut names: Vec<String> = never
        .iter()
        .filter_map(|never| text(&never["operation"]).or_else(|| text(&never["region"])))
        .collect();
    names.sort();
    names
}

#[test]
fn two_thousand_accounts_refuse_a_handful_of_calls() {
    let organization = organization(2_000);
    let server = organization.serve(&["--threads", "2"]);
    // Five regions are enough: the three and two that answer.
    let others = "ap-northeast-1,ap-northeast-2,ap-northeast-3,ap-south-1,ap-southeast-1,\
                  ap-southeast-2,ca-central-1,eu-central-1,eu-west-3,sa-east-1,us-west-1,us-west-2";
    let run = scan(&server, "us-east-1", "", &["--exclude-regions", others]);
    let outcome = run.outcome.exits(1);
    let refused = refused_by(&server);
    // Three closed regions and what was missing, five accounts each.
    assert!(
        refused <= 30,
        "{refused} refused: {:#}",
        statistics(&server)["by_operation"]
    );
    assert!(refused >= 20, "{refused} refused");
    let never = never_asked(&run.record);
    for name in [
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "logs:DescribeMetricFilters",
    ] {
        assert!(never.iter().any(|never| never == name), "{never:?}");
        assert!(outcome.stdout.contains(name), "{}", outcome.stdout);
    }
    for text in [
        "Not asked any more, because it was refused wherever it was asked",
        "UNKNOWN for want of an answer to\n  logs:DescribeMetricFilters: 200 accounts",
    ] {
        assert!(outcome.stdout.contains(text), "{text}: {}", outcome.stdout);
    }
}

#[test]
fn regions_that_are_named_are_asked_all_the_same() {
    let organization = organization(12);
    let server = organization.serve(&[]);
    let run = scan(
        &server,
        "us-east-1",
        "",
        &["--regions", "us-east-1,eu-west-1"],
    );
    let _ = run.outcome.exits(3);
    assert!(!never_asked(&run.record).contains(&"eu-west-1".to_owned()));
    let by_region = &statistics(&server)["by_region"]["eu-west-1"]["refused"];
    assert_eq!(by_region.as_u64(), Some(12));
}

#[test]
fn few_accounts_are_asked_everything() {
    let organization = organization(4);
    let server = organization.serve(&[]);
    let run = scan(&server, "us-east-1", "", &["--regions", "us-east-1"]);
    let _ = run.outcome.exits(3);
    assert_eq!(never_asked(&run.record), Vec::<String>::new());
    let filters = &statistics(&server)["by_operation"]["logs:DescribeMetricFilters"]["refused"];
    assert_eq!(filters.as_u64(), Some(4));
}
