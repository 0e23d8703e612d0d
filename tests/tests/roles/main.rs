//! The real binary in organizations whose accounts have roles of several kinds: which role is
//! assumed where, what limits its sessions, what is not asked again, and what is said about it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

mod doctor;
mod organization;
mod readme;
mod refusals;
mod sessions;

use serde_json::Value;
use trailproof_tests::scenario;

use organization::{Kind, Organization, refused as refused_by, scan};

/// The verdicts that the scenario has beside its resources.
#[track_caller]
fn every_verdict_is_right(organization: &Organization, findings: &Value) {
    let scenario = organization.scenario();
    let expected = scenario::expectations(&scenario);
    assert!(expected.len() > 1, "the scenario expects verdicts");
    let found = scenario::verdicts_of_document(findings);
    let differences = scenario::differences(expected, &found);
    assert!(differences.is_empty(), "{differences}");
}

/// Accounts that Organizations made, accounts of Control Tower, and accounts with a role of their
/// own: three kinds of roles, one account in twenty without any.
fn three_kinds(partition: &str) -> Organization {
    let mut organization = Organization::new(partition);
    for number in 0..299 {
        let kind = match number {
            number if number % 20 == 7 => Kind::NoRole,
            number if number % 3 == 0 => Kind::Organizations,
            number if number % 3 == 1 => Kind::ControlTower,
            _ => Kind::Restricted,
        };
        organization.add(kind, number % 2 == 0);
    }
    organization
}

#[track_caller]
fn three_kinds_are_scanned(partition: &str, region: &str) {
    let organization = three_kinds(partition);
    let server = organization.serve(&[]);
    let unit = organization.unit("Restricted");
    let configuration = format!(
        "roles = [\"OrganizationAccountAccessRole\", \"AWSControlTowerExecution\"]\n\n\
         [[member-role]]\nou = \"{unit}\"\nrole = \"security/Audit\"\n\
         external-id = \"ticket-42\"\nsession-name = \"quarterly-audit\"\n"
    );
    let run = scan(&server, region, &configuration, &["--sweep", "adaptive"]);
    let outcome = run.outcome.exits(1);
    every_verdict_is_right(&organization, &run.findings);

    // Each role let as many accounts in as have it, every session limited.
    let access = &run.record["access"];
    let sessions: Vec<(String, String, u64)> = access["sessions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|used| {
            let text = |name: &str| used[name].as_str().unwrap_or_default().to_owned();
            let role = text("role");
            let name = role.rsplit('/').next().unwrap_or_default().to_owned();
            (
                name,
                text("session_policy"),
                used["accounts"].as_u64().unwrap_or_default(),
            )
        })
        .collect();
    let count = |kind| u64::try_from(organization.count(kind)).expect("few accounts");
    let operations = || "operations".to_owned();
    assert_eq!(
        sessions,
        [
            (
                "AWSControlTowerExecution".to_owned(),
                operations(),
                count(Kind::ControlTower)
            ),
            (
                "OrganizationAccountAccessRole".to_owned(),
                operations(),
                count(Kind::Organizations)
            ),
            ("Audit".to_owned(), operations(), count(Kind::Restricted)),
        ]
    );
    assert_eq!(access["own_account"], "own credentials, not restricted");

    // The summary says who asked, and groups what could not be entered.
    let refused = organization.count(Kind::NoRole);
    let first = outcome.stdout.lines().next().unwrap_or_default();
    for part in [
        "user/auditor",
        "OrganizationAccountAccessRole, AWSControlTowerExecution",
        "o-trailproof1",
    ] {
        assert!(first.contains(part), "{first}");
    }
    for text in [
        format!("Could not be entered: {refused} accounts"),
        "own credentials, not restricted".to_owned(),
    ] {
        assert!(outcome.stdout.contains(&text), "{}", outcome.stdout);
    }
    let groups = outcome
        .stdout
        .lines()
        .filter(|line| line.contains("role AWSControlTowerExecution: `AccessDenied`"))
        .count();
    assert!((1..=2).contains(&groups), "{}", outcome.stdout);
    assert!(
        outcome.stderr.contains("user/auditor"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn three_kinds_of_roles() {
    three_kinds_are_scanned("aws", "us-east-1");
}

#[test]
fn three_kinds_of_roles_in_another_partition() {
    three_kinds_are_scanned("aws-us-gov", "us-gov-west-1");
}

#[test]
fn roles_are_tried_in_the_order_of_the_flags_and_remembered() {
    let mut organization = Organization::new("aws");
    organization.add(Kind::ControlTower, true);
    organization.add(Kind::Organizations, true);
    let server = organization.serve(&["--session-seconds", "4", "--latency-ms", "60"]);
    let flags = [
        "--role",
        "OrganizationAccountAccessRole",
        "--role",
        "AWSControlTowerExecution",
    ];
    let run = scan(&server, "us-east-1", "", &flags);
    let _ = run.outcome.exits(0);
    let attempts: Vec<&Value> = run
        .evidence
        .iter()
        .filter(|record| record["operation"] == "sts:AssumeRole")
        .collect();
    // One refusal where the second role is the right one; renewals try no other.
    let refused = attempts
        .iter()
        .filter(|record| record["error"].is_object())
        .count();
    assert_eq!((attempts.len(), refused), (3, 1), "{attempts:#?}");
    assert_eq!(refused_by(&server), 1);
}

#[test]
fn two_member_roles_for_one_account_are_a_mistake() {
    let mut organization = Organization::new("aws");
    let account = organization.add(Kind::Restricted, true);
    let server = organization.serve(&[]);
    let unit = organization.unit("Restricted");
    let configuration = format!(
        "[[member-role]]\nou = \"{unit}\"\nrole = \"security/Audit\"\n\n\
         [[member-role]]\ntag = \"audit=external\"\nrole = \"Other\"\n"
    );
    let run = scan(&server, "us-east-1", &configuration, &[]);
    let outcome = run.outcome.exits(2);
    for text in [&account, "trailproof.toml:1", "trailproof.toml:5"] {
        assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
    }
    // By account alone nobody has to be asked.
    let configuration = format!(
        "[[member-role]]\naccount = \"{account}\"\nrole = \"A\"\n\n\
         [[member-role]]\naccount = [\"{account}\"]\nrole = \"B\"\n"
    );
    let run = scan(&server, "us-east-1", &configuration, &[]);
    let outcome = run.outcome.exits(2);
    assert!(
        outcome.stderr.contains("trailproof.toml:5"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_wrong_role_is_named_with_its_place() {
    let organization = Organization::new("aws");
    let server = organization.serve(&[]);
    for (configuration, flags, texts) in [
        (
            "region = \"us-east-1\"\nroles = [\"A\", \"arn:aws:iam::{account}:user/B\"]\n",
            &[][..],
            ["trailproof.toml:2", "user/B"],
        ),
        (
            "[[member-role]]\ntag = \"a=b\"\nrole = \"no role\"\n",
            &[][..],
            ["trailproof.toml:1", "`no role`"],
        ),
        ("", &["--role", "no role"][..], ["--role", "`no role`"]),
        ("", &["--hub-role", "Hub"][..], ["--hub-role", "`Hub`"]),
    ] {
        let run = scan(&server, "us-east-1", configuration, flags);
        let outcome = run.outcome.exits(2);
        for text in texts {
            assert!(outcome.stderr.contains(text), "{text}: {}", outcome.stderr);
        }
    }
}

#[test]
fn an_interrupted_scan_goes_on_with_its_roles() {
    let mut organization = Organization::new("aws");
    for number in 0..6 {
        organization.add([Kind::ControlTower, Kind::Organizations][number % 2], true);
    }
    let server = organization.serve(&[]);
    let flags = [
        "--role",
        "OrganizationAccountAccessRole",
        "--role",
        "AWSControlTowerExecution",
    ];
    let run = scan(&server, "us-east-1", "", &flags);
    let _ = run.outcome.exits(0);
    // As if it had been killed when half of the evidence was written.
    let half: Vec<String> = run.evidence[..run.evidence.len() / 2]
        .iter()
        .map(Value::to_string)
        .collect();
    let half = half.join("\n") + "\n";
    let directory = run.trailproof.home().join("run");
    std::fs::write(directory.join("evidence.ndjson"), half).expect("the file can be written");
    let mut record = run.record.clone();
    record["finished_at"] = Value::Null;
    record["complete"] = Value::Bool(false);
    std::fs::write(directory.join("run.json"), record.to_string()).expect("it can be written");
    let resumed = run.trailproof.run(["scan", "--resume", "run"]);
    let _ = resumed.exits(0);
    every_verdict_is_right(&organization, &trailproof_tests::findings::read(&directory));
    assert_eq!(
        trailproof_tests::evidence::repeated(&directory),
        Vec::<String>::new()
    );
}

#[test]
fn most_accounts_refuse_and_the_usual_roles_are_named() {
    let mut organization = Organization::new("aws");
    for _ in 0..8 {
        organization.add(Kind::ControlTower, true);
    }
    let server = organization.serve(&[]);
    let outcome = scan(&server, "us-east-1", "", &[]).outcome.exits(3);
    for text in [
        "8 accounts: role OrganizationAccountAccessRole: `AccessDenied`",
        "AWSControlTowerExecution",
        "aws-controltower-ReadOnlyExecutionRole",
        "AWSLandingZoneReadOnlyExecutionRole",
    ] {
        assert!(outcome.stdout.contains(text), "{text}: {}", outcome.stdout);
    }
}

#[test]
fn members_are_entered_by_way_of_a_hub() {
    let mut organization = Organization::new("aws");
    let identity = organization.add(Kind::Hub, true);
    let hub = organization.add_hub(&identity);
    organization.add_trusting(&hub);
    organization.add_trusting(&hub);
    let server = organization.serve(&[]);
    let arn = format!("arn:aws:iam::{hub}:role/AuditHub");
    let flags = [
        "--hub-role",
        &arn,
        "--hub-external-id",
        "hub-1",
        "--role",
        "Audit",
    ];
    let run = organization::scan_as(&identity, &server, "us-east-1", "", &flags);
    let outcome = run.outcome.exits(3);
    assert!(
        run.record["scope"]["caller"] == hub.as_str(),
        "{}",
        run.record
    );
    assert_eq!(run.record["access"]["hub_roles"][0], arn.as_str());
    assert!(
        outcome.stdout.contains("assumed-role/AuditHub"),
        "{}",
        outcome.stdout
    );
    // The two that trust the hub are seen, and those that do not are not.
    let seen = organization::statuses(&run.findings);
    let of = |status: &str| seen.values().filter(|seen| *seen == status).count();
    assert_eq!((of("PASS"), of("UNKNOWN")), (3, 2), "{seen:?}");
    // A hub that does not let in keeps the scan from starting.
    let flags = [
        "--hub-role",
        &arn,
        "--hub-external-id",
        "wrong",
        "--role",
        "Audit",
    ];
    let run = organization::scan_as(&identity, &server, "us-east-1", "", &flags);
    let outcome = run.outcome.exits(4);
    assert!(outcome.stderr.contains(&arn), "{}", outcome.stderr);
}
