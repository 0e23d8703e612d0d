//! What limits the sessions of roles, and what happens where nothing can.

use serde_json::Value;
use trailproof_tests::repair::PHONE;

use crate::organization::{Organization, Run, refused as refused_by, scan, statuses};

fn forms(record: &Value) -> Vec<(String, u64)> {
    record["access"]["sessions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|used| {
            let form = used["session_policy"].as_str().unwrap_or_default();
            (
                form.to_owned(),
                used["accounts"].as_u64().unwrap_or_default(),
            )
        })
        .collect()
}

fn one_account(role: &str) -> (Organization, String) {
    let mut organization = Organization::new("aws");
    let account = organization.add_written(&format!("roles = [{role}]\nchain = true\n"));
    (organization, account)
}

fn scanned(organization: &Organization, flags: &[&str]) -> Run {
    scan(&organization.serve(&[]), "us-east-1", "", flags)
}

#[test]
fn a_policy_that_is_too_large_gives_way_to_read_only_access() {
    let (organization, account) =
        one_account("{ packed_policy_limit = 100, requires_session_policy = true }");
    let run = scanned(&organization, &[]);
    let outcome = run.outcome.exits(0);
    assert_eq!(statuses(&run.findings)[&account], "PASS");
    assert_eq!(forms(&run.record), [("ReadOnlyAccess".to_owned(), 1)]);
    assert!(
        outcome.stdout.contains("ReadOnlyAccess"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn an_account_is_never_entered_without_a_limit() {
    let (organization, account) = one_account("{ packed_policy_limit = 10 }");
    let run = scanned(&organization, &[]);
    let _ = run.outcome.exits(3);
    assert_eq!(statuses(&run.findings)[&account], "UNKNOWN");
    assert_eq!(forms(&run.record), []);
    let finding = run.findings["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|finding| finding["account"]["id"] == account.as_str())
        .expect("it was judged");
    let message = finding["message"].as_str().expect("a text");
    assert!(message.contains("PackedPolicyTooLarge"), "{message}");
}

#[test]
fn without_a_session_policy_is_an_exception_that_is_told() {
    let (organization, account) = one_account("{ packed_policy_limit = 10 }");
    let run = scanned(&organization, &["--no-session-policy"]);
    let outcome = run.outcome.exits(0);
    assert_eq!(statuses(&run.findings)[&account], "PASS");
    assert_eq!(forms(&run.record), [("none".to_owned(), 1)]);
    assert!(
        outcome.stdout.contains("--no-session-policy"),
        "{}",
        outcome.stdout
    );
    // A role that wants its sessions limited notices.
    let (organization, account) = one_account("{ requires_session_policy = true }");
    let run = scanned(&organization, &["--no-session-policy"]);
    let _ = run.outcome.exits(3);
    assert_eq!(statuses(&run.findings)[&account], "UNKNOWN");
}

#[test]
fn the_own_account_is_entered_by_its_role_where_one_exists() {
    let mut organization = Organization::new("aws");
    organization.accounts = "[[accounts]]\nid = \"111111111111\"\nchain = true\n\
        roles = [{ name = \"Audit\", requires_session_policy = true }]\n"
        .to_owned();
    organization.add_written("chain = true\nroles = [{ name = \"Audit\" }]\n");
    let run = scanned(&organization, &["--role", "Audit"]);
    let outcome = run.outcome.exits(0);
    assert_eq!(run.record["access"]["own_account"], "role");
    assert_eq!(forms(&run.record), [("operations".to_owned(), 2)]);
    assert!(
        !outcome.stdout.contains("not restricted"),
        "{}",
        outcome.stdout
    );
    // Where the role lets nobody in, the own credentials do, and that is told.
    let run = scanned(&organization, &["--role", "Other"]);
    let outcome = run.outcome.exits(3);
    assert_eq!(
        run.record["access"]["own_account"],
        "own credentials, not restricted"
    );
    assert!(
        outcome.stdout.contains("not restricted"),
        "{}",
        outcome.stdout
    );
    // The roles by which a management account enters others are not tried in itself.
    let server = organization.serve(&[]);
    let run = scan(
        &server,
        "us-east-1",
        "",
        &["--role", "AWSControlTowerExecution"],
    );
    let _ = run.outcome.exits(3);
    assert_eq!(refused_by(&server), 1);
}

#[test]
fn run_json_says_which_network_settings_took_effect() {
    let (organization, _) = one_account("{}");
    let run = scanned(&organization, &[]);
    let _ = run.outcome.exits(0);
    let network = run.record["access"]["network"].as_array().expect("a list");
    let endpoint = network
        .iter()
        .find(|setting| setting["origin"] == "AWS_ENDPOINT_URL")
        .unwrap_or_else(|| panic!("{network:?}"));
    let value = endpoint["value"].as_str().unwrap_or_default();
    assert!(value.starts_with("http://127.0.0.1:"), "{value}");
}

/// Repairs have sessions that may do what the plan or the journal says.
#[test]
fn repairs_are_limited_to_their_plan() {
    let mut organization = Organization::new("aws");
    let account = organization.add_written(
        "roles = [{ requires_session_policy = true }]\n\
         chain = { filter = false, alarm = false, topic = false }\n",
    );
    let server = organization.serve(&[]);
    let run = scan(&server, "us-east-1", "", &[]);
    let _ = run.outcome.exits(1);
    let type_in = |words: &[&str]| run.trailproof.run(words);
    let plan = [
        "fix",
        "plan",
        "run",
        "--subscribe",
        PHONE,
        "--out",
        "plan.json",
    ];
    let _ = type_in(&plan).exits(0);
    let applied = type_in(&["fix", "apply", "plan.json", "--yes"]).exits(0);
    assert!(applied.stdout.contains("1 of 1 site done"), "{applied:?}");
    let site = format!("{account}/us-east-1/cloudtrail");
    let _ = type_in(&["fix", "drill", "journal.ndjson", "--site", &site, "--yes"]).exits(0);
    let _ = type_in(&["fix", "undo", "journal.ndjson", "--yes"]).exits(0);
}
