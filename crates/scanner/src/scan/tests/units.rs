//! Organizational units: which accounts they choose, and what they are called.

use serde_json::{Value, json};
use trailproof_core::evidence::Outcome;

use super::{counts, ids, organization, plan, run};
use crate::error::ScanError;
use crate::testing::{Reply, Sent};

#[tokio::test]
async fn units_are_told_by_path_or_by_walking() {
    let by_path = |sent: &Sent| match sent.operation.as_str() {
        "organizations:ListAccounts" => Reply::Answer(json!({"Accounts": [
            {"Id": "222222222222", "State": "ACTIVE", "Paths": ["o-1/r-1/ou-1/ou-11/"]},
            {"Id": "444444444444", "State": "ACTIVE", "Paths": ["o-1/r-1/ou-2/"]},
        ]})),
        _ => organization(sent),
    };
    let by_walking = |sent: &Sent| match sent.operation.as_str() {
        "organizations:ListAccounts" => Reply::Answer(json!({"Accounts": [
            {"Id": "222222222222", "State": "ACTIVE"}, {"Id": "444444444444", "State": "ACTIVE"},
        ]})),
        "organizations:ListAccountsForParent" if sent.says("ou-11") => {
            Reply::Answer(json!({"Accounts": [{"Id": "222222222222"}]}))
        }
        "organizations:ListAccountsForParent" => Reply::Answer(json!({"Accounts": []})),
        "organizations:ListOrganizationalUnitsForParent" if sent.says("\"ou-1\"") => {
            Reply::Answer(json!({"OrganizationalUnits": [{"Id": "ou-11"}]}))
        }
        "organizations:ListOrganizationalUnitsForParent" => {
            Reply::Answer(json!({"OrganizationalUnits": []}))
        }
        _ => organization(sent),
    };
    for walks in [false, true] {
        let (mut plan, _) = plan(move |sent| {
            if walks {
                by_walking(sent)
            } else {
                by_path(sent)
            }
        });
        plan.accounts.organizational_units = ["ou-1".to_owned()].into();
        assert_eq!(
            ids(&run(plan).await.0.unwrap()),
            ["222222222222"],
            "{walks}"
        );
        let (mut plan, _) = self::plan(move |sent| {
            if walks {
                by_walking(sent)
            } else {
                by_path(sent)
            }
        });
        plan.accounts.exclude_organizational_units = ["ou-1".to_owned()].into();
        assert_eq!(
            ids(&run(plan).await.0.unwrap()),
            ["444444444444"],
            "{walks}"
        );
    }
}

#[tokio::test]
async fn a_unit_that_does_not_exist_is_an_error() {
    let (mut plan, _) = plan(|sent| match sent.operation.as_str() {
        "organizations:ListAccountsForParent" => {
            Reply::Error(400, "ParentNotFoundException", "no such parent")
        }
        _ => organization(sent),
    });
    plan.accounts.organizational_units = ["ou-9".to_owned()].into();
    let error = run(plan).await.0.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no organizational unit or root `ou-9` in the organization"
    );
}

const WORKLOADS: &str = "ou-ab12-11111111";
const ROOT_UNITS: [(&str, &str); 2] = [(WORKLOADS, "Workloads"), ("ou-ab12-22222222", "Prod")];

/// Two accounts in units named `Prod`, one right below the root and one below `Workloads`.
fn twins(sent: &Sent) -> Reply {
    let listed = |id: &str, path: &str| json!({"Id": id, "State": "ACTIVE", "Paths": [format!("o-1/r-ab12/{path}/{id}/")]});
    let units = |units: &[(&str, &str)]| -> Value {
        let units = units
            .iter()
            .map(|(id, name)| json!({"Id": id, "Name": name}));
        units.collect()
    };
    match sent.operation.as_str() {
        "organizations:ListAccounts" => Reply::Answer(json!({"Accounts": [
            listed("111111111111", WORKLOADS),
            listed("222222222222", &format!("{WORKLOADS}/ou-ab12-33333333")),
            listed("444444444444", "ou-ab12-22222222"),
        ]})),
        "organizations:ListOrganizationalUnitsForParent" if sent.says(WORKLOADS) => {
            Reply::Answer(json!({"OrganizationalUnits": units(&[("ou-ab12-33333333", "Prod")])}))
        }
        "organizations:ListOrganizationalUnitsForParent" => {
            Reply::Answer(json!({"OrganizationalUnits": units(&ROOT_UNITS)}))
        }
        _ => organization(sent),
    }
}

#[tokio::test]
async fn units_are_named_with_a_question_for_each_parent() {
    let (plan, journal) = plan(twins);
    let outcome = run(plan).await.0.unwrap();
    let units = "organizations:ListOrganizationalUnitsForParent";
    assert_eq!(counts(&journal)[units], 2);
    let reader = outcome.evidence.reader();
    let below = |parent| reader.units_below(parent).unwrap().len();
    assert_eq!([below("r-ab12"), below(WORKLOADS)], [2, 1]);
    // The lowest units have none below them that anybody is in.
    assert_eq!(reader.units_below("ou-ab12-22222222"), None);
}

#[tokio::test]
async fn a_refusal_costs_names_and_nothing_else() {
    let (plan, journal) = plan(|sent| match sent.operation.as_str() {
        "organizations:ListOrganizationalUnitsForParent" => {
            Reply::Error(400, "AccessDeniedException", "no")
        }
        _ => twins(sent),
    });
    let outcome = run(plan).await.0.unwrap();
    assert!(outcome.complete);
    assert_eq!(outcome.accounts.len(), 3);
    let units = "organizations:ListOrganizationalUnitsForParent";
    assert_eq!(counts(&journal)[units], 1, "who is refused asks no more");
    let failure = outcome.evidence.reader().units_failure().unwrap();
    assert_eq!(failure.code, "AccessDeniedException");
}

#[tokio::test]
async fn units_are_chosen_by_name_where_it_is_that_of_one() {
    for (unit, chosen) in [
        ("Workloads", vec!["111111111111", "222222222222"]),
        ("Workloads/Prod", vec!["222222222222"]),
        ("Root/Prod", vec!["444444444444"]),
        ("o-1/r-ab12/ou-ab12-22222222", vec!["444444444444"]),
    ] {
        let (mut plan, _) = plan(twins);
        plan.accounts.organizational_units = [unit.to_owned()].into();
        assert_eq!(ids(&run(plan).await.0.unwrap()), chosen, "{unit}");
    }
    let (mut plan, _) = plan(twins);
    plan.accounts.exclude_organizational_units = ["Workloads".to_owned()].into();
    assert_eq!(ids(&run(plan).await.0.unwrap()), ["444444444444"]);
}

#[tokio::test]
async fn a_name_that_is_not_clear_ends_the_scan_before_any_account_is_entered() {
    for (unit, words) in [
        (
            "Prod",
            "`Prod` is the name of 2 organizational units: Root/Workloads/Prod \
             (ou-ab12-33333333), Root/Prod (ou-ab12-22222222)",
        ),
        (
            "Production",
            "there is no organizational unit or root `Production` in the organization",
        ),
    ] {
        let (mut plan, journal) = plan(twins);
        plan.accounts.exclude_organizational_units = [unit.to_owned()].into();
        let error = run(plan).await.0.unwrap_err();
        assert_eq!(error.to_string(), words);
        assert_eq!(counts(&journal).get("sts:AssumeRole"), None, "{unit}");
    }
    // Without their names no unit is meant by one.
    let (mut plan, _) = plan(|sent| match sent.operation.as_str() {
        "organizations:ListOrganizationalUnitsForParent" => {
            Reply::Error(400, "AccessDeniedException", "no")
        }
        _ => twins(sent),
    });
    plan.accounts.organizational_units = ["Prod".to_owned()].into();
    let error = run(plan).await.0.unwrap_err();
    let operation = "organizations:ListOrganizationalUnitsForParent";
    assert!(
        matches!(&error, ScanError::OrganizationDenied { operation: of, .. } if *of == operation),
        "{error}"
    );
}

#[tokio::test]
async fn a_listing_with_names_is_not_asked_for_them_again() {
    let (first, _) = plan(twins);
    let listed = crate::list_accounts(&first.connection, &first.role).await;
    let records = listed.unwrap();
    let mut of_kind: Vec<_> = records.iter().map(|one| one.operation.as_str()).collect();
    of_kind.dedup();
    assert_eq!(records.len(), 4);
    assert_eq!(
        of_kind,
        [
            "organizations:DescribeOrganization",
            "organizations:ListAccounts",
            "organizations:ListOrganizationalUnitsForParent",
        ]
    );
    assert!(
        records
            .iter()
            .all(|one| matches!(one.outcome, Outcome::Response(_)))
    );
    let (mut plan, journal) = plan(twins);
    let mut records = records.into_iter().skip(1);
    plan.listing = Some(crate::KnownListing {
        organization: "o-1".to_owned(),
        record: records.next().unwrap(),
        units: records.collect(),
        confirm: false,
    });
    plan.accounts.organizational_units = ["Workloads/Prod".to_owned()].into();
    assert_eq!(ids(&run(plan).await.0.unwrap()), ["222222222222"]);
    let counts = counts(&journal);
    for operation in ["ListAccounts", "ListOrganizationalUnitsForParent"] {
        assert_eq!(counts.get(&format!("organizations:{operation}")), None);
    }
}
