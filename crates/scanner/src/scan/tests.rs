//! Whole scans against a stand-in for AWS.

mod foreign;
mod stalls;
mod units;
mod unsendable;

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::policy::Policy;

use super::scan;
use crate::error::ScanError;
use crate::event::{ScanEvent, WarningCode};
use crate::outcome::ScanOutcome;
use crate::plan::{EvidenceFile, KnownListing, ScanPlan, Scope, Sweep};
use crate::testing::{IDENTITY, Journal, Reply, Sent, assumed, connection};

fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

/// An organization: the management account 111111111111, a member, a suspended one and one that
/// refuses the role, listed on two pages with an empty one between.
fn organization(sent: &Sent) -> Reply {
    match sent.operation.as_str() {
        "sts:GetCallerIdentity" => IDENTITY,
        "sts:AssumeRole" if sent.says("444444444444") => {
            Reply::Error(403, "AccessDenied", "not authorized")
        }
        "sts:AssumeRole" => assumed(sent, "2099-01-01T00:00:00Z"),
        "organizations:DescribeOrganization" => Reply::Answer(json!({"Organization": {
            "Id": "o-1", "MasterAccountId": "111111111111", "Arn": "arn:aws:o", "FeatureSet": "ALL",
        }})),
        "organizations:ListAccounts" => Reply::Answer(page(sent)),
        "organizations:ListOrganizationalUnitsForParent" => {
            Reply::Answer(json!({"OrganizationalUnits": []}))
        }
        "account:ListRegions" => Reply::Answer(json!({"Regions": [
            {"RegionName": "us-east-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"},
            {"RegionName": "eu-west-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"},
            {"RegionName": "af-south-1", "RegionOptStatus": "DISABLED"},
        ]})),
        "cloudtrail:DescribeTrails" => Reply::Answer(json!({"trailList": []})),
        other => panic!("{other} was not expected"),
    }
}

fn page(sent: &Sent) -> Value {
    let listed = |id: &str, state: &str| json!({"Id": id, "Name": "n", "State": state});
    if sent.says("\"second\"") {
        json!({"Accounts": [], "NextToken": "third"})
    } else if sent.says("\"third\"") {
        json!({"Accounts": [
            listed("333333333333", "SUSPENDED"),
            listed("444444444444", "ACTIVE"),
            listed("222222222222", "ACTIVE"),
        ]})
    } else {
        json!({
            "Accounts": [listed("111111111111", "ACTIVE"), listed("222222222222", "ACTIVE")],
            "NextToken": "second",
        })
    }
}

fn plan(answer: impl Fn(&Sent) -> Reply + Send + Sync + 'static) -> (ScanPlan, Journal) {
    let (options, journal) = connection(answer);
    let mut plan = ScanPlan::new(Policy::new(Vec::new()));
    plan.connection = options;
    (plan, journal)
}

async fn run(plan: ScanPlan) -> (Result<ScanOutcome, ScanError>, Vec<ScanEvent>) {
    let mut events = Vec::new();
    let outcome = scan(plan, |event| {
        events.push(event);
        ControlFlow::Continue(())
    })
    .await;
    (outcome, events)
}

/// How often each question was asked.
fn counts(journal: &Journal) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for sent in journal.lock().unwrap().iter() {
        *counts.entry(sent.operation.clone()).or_default() += 1;
    }
    counts
}

fn ids(outcome: &ScanOutcome) -> Vec<String> {
    let ids = outcome
        .accounts
        .iter()
        .map(|account| account.id.to_string());
    ids.collect()
}

/// A listing of an organization with these accounts, as of the time of a test.
fn known(organization: &str, accounts: &[&str], confirm: bool) -> KnownListing {
    let accounts: Vec<_> = accounts
        .iter()
        .map(|id| json!({"Id": id, "Name": "n", "State": "ACTIVE"}))
        .collect();
    let record = json!({
        "operation": "organizations:ListAccounts", "account": "111111111111",
        "region": "us-east-1", "parameters": {}, "observed_at": "2026-11-22T22:00:00Z",
        "response": {"Accounts": accounts},
    });
    KnownListing {
        organization: organization.to_owned(),
        record: serde_json::from_value(record).unwrap(),
        units: Vec::new(),
        confirm,
    }
}

#[tokio::test]
async fn a_known_listing_is_the_listing() {
    let (mut plan, journal) = plan(organization);
    plan.listing = Some(known("o-1", &["111111111111", "222222222222"], false));
    let (outcome, _) = run(plan).await;
    let outcome = outcome.unwrap();
    assert_eq!(ids(&outcome), ["111111111111", "222222222222"]);
    assert_eq!(counts(&journal).get("organizations:ListAccounts"), None);
    assert_eq!(counts(&journal)["organizations:DescribeOrganization"], 1);
    assert_eq!(outcome.evidence.reader().listed_accounts().len(), 2);
}

#[tokio::test]
async fn a_listing_is_confirmed_beside_the_scan() {
    let (mut plan, journal) = plan(organization);
    plan.listing = Some(known("o-1", &["111111111111", "555555555555"], true));
    let (outcome, events) = run(plan).await;
    let outcome = outcome.unwrap();
    assert_eq!(outcome.accounts.len(), 5);
    assert_eq!(counts(&journal)["organizations:ListAccounts"], 3);
    // What AWS lists now is what counts.
    let evidence = outcome.evidence.reader();
    let listed = evidence.listed_accounts().keys().map(ToString::to_string);
    let now: Vec<String> = listed.collect();
    assert!(!now.contains(&"555555555555".to_owned()), "{now:?}");
    let told: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            ScanEvent::Warning(warning) if warning.code == WarningCode::ListingOutdated => {
                Some(warning.message.as_str())
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        told,
        [
            "listed now and not in the listing: 222222222222, 333333333333, 444444444444",
            "in the listing and not listed any more: 555555555555",
        ]
    );
}

#[tokio::test]
async fn a_listing_of_another_organization_is_refused() {
    let nobody_tells = |sent: &Sent| match sent.operation.as_str() {
        "organizations:DescribeOrganization" => Reply::Error(400, "AccessDeniedException", "no"),
        _ => organization(sent),
    };
    for (listed, tells) in [("o-2", true), ("o-1", false)] {
        let (mut plan, journal) = plan(move |sent| {
            if tells {
                organization(sent)
            } else {
                nobody_tells(sent)
            }
        });
        plan.listing = Some(known(listed, &["111111111111"], false));
        let error = run(plan).await.0.unwrap_err();
        assert!(
            matches!(error, ScanError::OtherOrganization { ref found, .. } if found.is_some() == tells),
            "{error}"
        );
        assert_eq!(counts(&journal).get("sts:AssumeRole"), None);
    }
}

#[tokio::test]
async fn an_organization_is_scanned_without_asking_twice() {
    let (plan, journal) = plan(organization);
    let (outcome, events) = run(plan).await;
    let outcome = outcome.unwrap();
    assert!(outcome.complete);
    assert_eq!(
        ids(&outcome),
        [
            "111111111111",
            "222222222222",
            "333333333333",
            "444444444444"
        ]
    );
    let counts = counts(&journal);
    assert_eq!(counts["organizations:ListAccounts"], 3);
    // The caller's own account is not entered by a role, the suspended one not at all.
    assert_eq!(counts["sts:AssumeRole"], 2);
    // Two regions of two accounts.
    assert_eq!(counts["cloudtrail:DescribeTrails"], 4);
    assert_eq!(counts["account:ListRegions"], 2);
    assert_eq!(outcome.statistics.calls, 13);
    assert_eq!(
        outcome.statistics.denied[0].account,
        account("444444444444")
    );
    assert_eq!(outcome.statistics.accounts_done, 4);
    assert_eq!(outcome.statistics.regions_done, 4);
    let done = events
        .iter()
        .filter(|event| matches!(event, ScanEvent::AccountDone { .. }))
        .count();
    assert_eq!(done, 4);
    assert!(events.iter().any(|event| matches!(
        event,
        ScanEvent::AccountsFound {
            accounts: 4,
            complete: true
        }
    )));
    // Members are asked with their own credentials.
    let journal = journal.lock().unwrap();
    let asked_as = |key: &str| {
        journal
            .iter()
            .filter(|sent| sent.operation == "cloudtrail:DescribeTrails" && sent.access_key == key)
            .count()
    };
    assert_eq!(asked_as("CALLER"), 2);
    assert_eq!(asked_as("MEMBER222222222222"), 2);
}

#[tokio::test]
async fn an_adaptive_sweep_asks_one_region_that_answers() {
    let (mut plan, journal) = plan(|sent| match sent.operation.as_str() {
        "cloudtrail:DescribeTrails" if sent.region == "us-east-1" => {
            Reply::Error(400, "AccessDeniedException", "service control policy")
        }
        _ => organization(sent),
    });
    plan.sweep = Sweep::Adaptive;
    plan.scope = Scope::CurrentAccount;
    run(plan).await.0.unwrap();
    let counts = counts(&journal);
    assert_eq!(counts["cloudtrail:DescribeTrails"], 2);
    assert_eq!(counts.get("account:ListRegions"), None);
    assert_eq!(counts.get("organizations:DescribeOrganization"), None);
}

#[tokio::test]
async fn accounts_named_twice_are_scanned_once_without_organizations() {
    let (mut plan, journal) = plan(organization);
    let two = account("222222222222");
    plan.scope = Scope::Accounts(vec![two, two]);
    let (outcome, _) = run(plan).await;
    assert_eq!(ids(&outcome.unwrap()), ["222222222222"]);
    let counts = counts(&journal);
    assert_eq!(counts["sts:AssumeRole"], 1);
    assert!(!counts.keys().any(|name| name.starts_with("organizations")));
}

fn evidence(path: &Path, resume: bool) -> EvidenceFile {
    EvidenceFile {
        path: path.to_owned(),
        resume,
    }
}

#[tokio::test]
async fn a_resumed_run_repeats_nothing_that_was_completed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("evidence.ndjson");
    let (mut first, _) = plan(organization);
    first.evidence = Some(evidence(&path, false));
    run(first).await.0.unwrap();
    let whole = fs::read_to_string(&path).unwrap();
    assert!(!whole.contains("TOPSECRET"));
    let lines: Vec<&str> = whole.lines().collect();
    // Identity, organization, accounts, two roles, two lists of regions, four of trails.
    assert_eq!(lines.len(), 11);

    for kept in 0..=lines.len() {
        let mut text = lines[..kept].join("\n");
        if kept > 0 {
            text.push('\n');
        }
        text.push_str(&lines.get(kept).unwrap_or(&"{")[..1]);
        fs::write(&path, text).unwrap();
        let (mut again, journal) = plan(organization);
        again.evidence = Some(evidence(&path, true));
        let outcome = run(again).await.0.unwrap();
        assert!(outcome.complete);
        assert_eq!(ids(&outcome).len(), 4);

        let key = |line: &str| {
            let mut record: Value = serde_json::from_str(line).unwrap();
            record.as_object_mut().unwrap().retain(|name, _| {
                ["operation", "account", "region", "parameters"].contains(&name.as_str())
            });
            record.to_string()
        };
        let resumed = fs::read_to_string(&path).unwrap();
        let mut expected: Vec<String> = lines.iter().map(|line| key(line)).collect();
        let mut found: Vec<String> = resumed.lines().map(key).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{kept} lines kept");
        // Identity and entering are what a session needs; everything else is asked once.
        let counts = counts(&journal);
        let asked = |name: &str| counts.get(name).copied().unwrap_or_default();
        let recorded = |name: &str| {
            let recorded = lines[..kept].iter().filter(|line| line.contains(name));
            recorded.count()
        };
        for (name, total) in [
            ("cloudtrail:DescribeTrails", 4),
            ("account:ListRegions", 2),
            ("organizations:DescribeOrganization", 1),
        ] {
            assert_eq!(
                asked(name) + recorded(name),
                total,
                "{name}, {kept} lines kept"
            );
        }
        if kept == lines.len() {
            assert_eq!(counts.values().sum::<usize>(), 1, "{counts:?}");
        }
    }
}

#[tokio::test]
async fn resuming_as_someone_else_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("evidence.ndjson");
    let record = json!({
        "operation": "sts:GetCallerIdentity", "account": "999999999999", "region": "us-east-1",
        "parameters": {}, "observed_at": "2026-11-22T22:00:00Z",
        "response": {"Account": "999999999999", "Arn": "arn:aws:iam::999999999999:root", "UserId": "u"},
    });
    fs::write(&path, format!("{record}\n")).unwrap();
    let (mut plan, _) = plan(organization);
    plan.evidence = Some(evidence(&path, true));
    let error = run(plan).await.0.unwrap_err();
    assert!(matches!(error, ScanError::OtherCaller { .. }), "{error}");
}

#[tokio::test]
async fn failures_of_the_moment_are_asked_again() {
    let failures = AtomicUsize::new(0);
    let (mut plan, _) = plan(move |sent| {
        if sent.operation == "cloudtrail:DescribeTrails" {
            match failures.fetch_add(1, Ordering::Relaxed) {
                0 => return Reply::Error(400, "ThrottlingException", "Rate exceeded"),
                1 => return Reply::Error(500, "InternalFailure", "oops"),
                2 => return Reply::Disconnected,
                3 => return Reply::Raw(200, "{\"trailList\": [{\"Na"),
                _ => {}
            }
        }
        organization(sent)
    });
    plan.scope = Scope::CurrentAccount;
    plan.regions.include = [Region::new("us-east-1")].into();
    let (outcome, events) = run(plan).await;
    let outcome = outcome.unwrap();
    assert_eq!(outcome.statistics.retries, 4);
    assert_eq!(outcome.statistics.throttles, 1);
    assert_eq!(outcome.statistics.errors, 0);
    assert!(events.iter().any(|event| matches!(
        event,
        ScanEvent::Warning(warning) if warning.code == WarningCode::EndpointDown
    )));
}

#[tokio::test]
async fn refused_credentials_are_renewed() {
    for (code, times) in [
        ("ExpiredTokenException", 4),
        ("UnrecognizedClientException", 1),
    ] {
        let (mut plan, journal) = plan(move |sent| {
            if sent.operation == "cloudtrail:DescribeTrails" {
                return Reply::Error(400, code, "no");
            }
            organization(sent)
        });
        plan.scope = Scope::Accounts(vec![account("222222222222")]);
        plan.regions.include = [Region::new("us-east-1")].into();
        let outcome = run(plan).await.0.unwrap();
        assert_eq!(outcome.statistics.errors, 1);
        let counts = counts(&journal);
        assert_eq!(counts["sts:AssumeRole"], 1 + times, "{code}");
        assert_eq!(counts["cloudtrail:DescribeTrails"], 1 + times, "{code}");
    }
}

#[tokio::test]
async fn credentials_that_are_about_to_expire_are_renewed_before_they_are_used() {
    let entered = AtomicUsize::new(0);
    let (mut plan, journal) = plan(move |sent| match sent.operation.as_str() {
        "sts:AssumeRole" => match entered.fetch_add(1, Ordering::Relaxed) {
            0 => assumed(sent, "2020-01-01T00:00:00Z"),
            _ => assumed(sent, "2099-01-01T00:00:00Z"),
        },
        _ => organization(sent),
    });
    plan.scope = Scope::Accounts(vec![account("222222222222")]);
    let outcome = run(plan).await.0.unwrap();
    assert_eq!(outcome.statistics.errors, 0);
    assert_eq!(outcome.statistics.retries, 0);
    assert_eq!(counts(&journal)["sts:AssumeRole"], 2);
}

#[tokio::test]
async fn a_denied_list_of_members_regions_is_asked_for_once() {
    let (plan, journal) = plan(|sent| {
        if sent.operation == "account:ListRegions" && sent.says("AccountId") {
            return Reply::Error(403, "AccessDeniedException", "no trusted access");
        }
        organization(sent)
    });
    let (outcome, events) = run(plan).await;
    outcome.unwrap();
    // The management account for itself and once for the member, then the member itself.
    assert_eq!(counts(&journal)["account:ListRegions"], 3);
    let warned = events.iter().filter(|event| {
        matches!(event, ScanEvent::Warning(warning) if warning.code == WarningCode::RegionsDenied)
    });
    assert_eq!(warned.count(), 1);
}

#[tokio::test]
async fn without_a_list_the_default_regions_are_swept() {
    let (mut plan, journal) = plan(|sent| {
        if sent.operation == "account:ListRegions" {
            return Reply::Error(403, "AccessDeniedException", "no");
        }
        organization(sent)
    });
    plan.scope = Scope::CurrentAccount;
    plan.regions.exclude = [Region::new("us-west-1")].into();
    let (outcome, events) = run(plan).await;
    outcome.unwrap();
    assert_eq!(counts(&journal)["cloudtrail:DescribeTrails"], 16);
    assert!(events.iter().any(|event| {
        matches!(event, ScanEvent::Warning(warning) if warning.code == WarningCode::DefaultRegions)
    }));
}

#[tokio::test]
async fn a_break_ends_the_scan_with_what_is_known() {
    let (plan, _) = plan(organization);
    let outcome = scan(plan, |event| {
        if matches!(event, ScanEvent::AccountDone { .. }) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .await
    .unwrap();
    assert!(!outcome.complete);
}

#[tokio::test]
async fn tags_choose_accounts() {
    let (mut plan, _) = plan(|sent| match sent.operation.as_str() {
        "organizations:ListTagsForResource" if sent.says("222222222222") => {
            Reply::Answer(json!({"Tags": [{"Key": "stage", "Value": "production"}]}))
        }
        "organizations:ListTagsForResource" => {
            Reply::Answer(json!({"Tags": [{"Key": "stage", "Value": "test"}]}))
        }
        _ => organization(sent),
    });
    plan.accounts.tags = vec![("stage".to_owned(), "production".to_owned())];
    assert_eq!(ids(&run(plan).await.0.unwrap()), ["222222222222"]);
}

#[tokio::test]
async fn what_keeps_a_scan_from_starting_is_named() {
    let denied = |operation: &'static str, code: &'static str| {
        move |sent: &Sent| {
            if sent.operation == operation {
                Reply::Error(400, code, "no")
            } else {
                organization(sent)
            }
        }
    };
    let (plan_, _) = plan(denied(
        "organizations:DescribeOrganization",
        "AWSOrganizationsNotInUseException",
    ));
    let found = run(plan_).await.0.unwrap_err();
    assert!(
        matches!(found, ScanError::NotInOrganization { .. }),
        "{found}"
    );

    let (plan_, _) = plan(denied(
        "organizations:ListAccounts",
        "AccessDeniedException",
    ));
    let found = run(plan_).await.0.unwrap_err();
    assert!(
        matches!(found, ScanError::OrganizationDenied { .. }),
        "{found}"
    );

    let (plan_, _) = plan(|sent| match sent.operation.as_str() {
        "organizations:DescribeOrganization" => Reply::Answer(json!({"Organization": {
            "Id": "o-1", "MasterAccountId": "999999999999",
        }})),
        "organizations:ListAccounts" => Reply::Error(400, "AccessDeniedException", "no"),
        _ => organization(sent),
    });
    let found = run(plan_).await.0.unwrap_err();
    assert!(
        matches!(found, ScanError::NotOrganizationAdministrator { .. }),
        "{found}"
    );

    let (plan_, _) = plan(denied("sts:GetCallerIdentity", "InvalidClientTokenId"));
    let found = run(plan_).await.0.unwrap_err();
    assert!(
        matches!(found, ScanError::RejectedCredentials { .. }),
        "{found}"
    );

    let (plan_, journal) = plan(|_| Reply::Disconnected);
    let found = run(plan_).await.0.unwrap_err();
    assert!(matches!(found, ScanError::Unreachable { .. }), "{found}");
    assert_eq!(counts(&journal)["sts:GetCallerIdentity"], 3);

    let (mut plan_, _) = plan(organization);
    plan_.regions.include = [Region::new("eu-nowhere-1")].into();
    let found = run(plan_).await.0.unwrap_err();
    assert_eq!(
        found.to_string(),
        "there is no region `eu-nowhere-1` in partition aws"
    );

    let (mut plan_, journal) = plan(organization);
    plan_.scope = Scope::CurrentAccount;
    plan_.accounts.tags = vec![("a".to_owned(), "b".to_owned())];
    let found = run(plan_).await.0.unwrap_err();
    assert!(
        matches!(found, ScanError::FilterNeedsOrganization),
        "{found}"
    );
    assert!(journal.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_role_that_exists_nowhere_is_warned_of() {
    let (plan, journal) = plan(|sent| match sent.operation.as_str() {
        "sts:AssumeRole" => Reply::Error(403, "AccessDenied", "not authorized"),
        _ => organization(sent),
    });
    let (outcome, events) = run(plan).await;
    assert_eq!(outcome.unwrap().statistics.denied.len(), 2);
    assert!(events.iter().any(|event| {
        matches!(event, ScanEvent::Warning(warning) if warning.code == WarningCode::NoRoleAssumed)
    }));
    assert_eq!(counts(&journal)["sts:AssumeRole"], 2);
}

#[tokio::test]
async fn shards_share_out_the_accounts() {
    let mut all = Vec::new();
    for index in 1..=3 {
        let (mut plan, _) = plan(organization);
        plan.shard = Some(crate::shard::Shard::new(index, 3).unwrap());
        all.extend(ids(&run(plan).await.0.unwrap()));
    }
    all.sort();
    assert_eq!(
        all,
        [
            "111111111111",
            "222222222222",
            "333333333333",
            "444444444444"
        ]
    );
}

#[tokio::test]
async fn an_answer_of_the_wrong_shape_is_recorded_as_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("evidence.ndjson");
    let (mut plan, _) = plan(|sent| match sent.operation.as_str() {
        "cloudtrail:DescribeTrails" => Reply::Answer(json!({"trailList": "none"})),
        _ => organization(sent),
    });
    plan.scope = Scope::CurrentAccount;
    plan.regions.include = [Region::new("us-east-1")].into();
    plan.evidence = Some(evidence(&path, false));
    run(plan).await.0.unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "UnreadableAnswer", "{last}");
}
