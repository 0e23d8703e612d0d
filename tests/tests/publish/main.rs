//! Findings in Security Hub: what is there after the real binary sent them, whatever was there
//! before and whatever goes wrong.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

mod with_python;

use std::collections::BTreeMap;

use serde_json::Value;
use trailproof_core::account::Region;
use trailproof_simulator::model::{AccountState, SecurityHub};
use trailproof_simulator::server::Faults;
use trailproof_tests::binary::Outcome;
use trailproof_tests::repair::{Bench, id};

const MANAGEMENT: &str = "111111111111";
const BROKEN: &str = "222222222222";
const CLOSED: &str = "333333333333";
const STRANGER: &str = "444444444444";

/// One account with a whole chain, one with none, one that is suspended.
const SCENARIO: &str = r#"
title = "an organization with Security Hub"
[organization]
regions = ["us-east-1", "eu-west-1"]
[[accounts]]
id = "111111111111"
name = "management"
chain = true
security_hub = ["us-east-1", "eu-west-1"]
[[accounts]]
id = "222222222222"
name = "sandbox"
security_hub = ["us-east-1"]
[[accounts]]
id = "333333333333"
name = "closed"
state = "SUSPENDED"
"#;

const CONTROL: &str = "console-auth-failures";

fn bench() -> Bench {
    Bench::of_scenario(SCENARIO)
}

fn publish(bench: &Bench, arguments: &[&str]) -> Outcome {
    let all = ["publish", "run", "--security-hub"].iter().chain(arguments);
    bench.trailproof.run(all)
}

/// Scans at all times later than before, as scans are.
fn scan(bench: &Bench, arguments: &[&str]) {
    let all = ["scan", "--out", "run", "--overwrite", "--quiet"];
    let outcome = bench.trailproof.run(all.iter().chain(arguments));
    assert!(matches!(outcome.code, Some(0 | 1)), "{outcome:?}");
}

/// The findings of an account in a region, by the control they are about.
fn stored(bench: &Bench, account: &str, region: &str) -> BTreeMap<String, Value> {
    let hub = bench.running.change(|organization| {
        let account = organization.account_mut(id(account));
        let account = account.expect("the account is there");
        account.site_mut(&Region::new(region)).security_hub.clone()
    });
    let findings = hub.map(|hub| hub.findings).unwrap_or_default();
    findings
        .into_values()
        .map(|finding| {
            let id = finding["Id"].as_str().expect("an id");
            let control = id.rsplit('/').next().unwrap_or_default().to_owned();
            (control, finding)
        })
        .collect()
}

fn roles_asked_for(bench: &Bench) -> u64 {
    let statistics = bench.running.statistics();
    let counts = statistics.by_operation.get("sts:AssumeRole");
    counts.map_or(0, |counts| counts.requests)
}

/// What a finding says: its compliance and whether it is active.
fn says(finding: &Value) -> (&str, &str) {
    let (status, state) = (&finding["Compliance"]["Status"], &finding["RecordState"]);
    let text = Value::as_str;
    text(status).zip(text(state)).expect("it says both")
}

#[test]
fn findings_are_sent_as_their_own_account_and_never_twice() {
    let bench = bench();
    scan(&bench, &[]);
    let dry = publish(&bench, &["--dry-run"]).exits(0);
    assert!(
        dry.stdout.contains("222222222222 sandbox: 1 new\n"),
        "{dry:?}"
    );
    assert!(
        dry.stdout.contains("2 findings would be sent: 2 new"),
        "{dry:?}"
    );
    assert!(stored(&bench, BROKEN, "us-east-1").is_empty());
    assert!(!bench.file("run/publish.ndjson").exists());

    let sent = publish(&bench, &["--yes"]).exits(0);
    assert!(
        sent.stderr.contains("in organization o-trailproof1"),
        "{sent:?}"
    );
    assert!(
        sent.stderr.contains("OrganizationAccountAccessRole"),
        "{sent:?}"
    );
    assert!(
        sent.stdout.contains("333333333333 closed: skipped: "),
        "{sent:?}"
    );
    assert!(sent.stdout.contains("2 findings sent: 2 new"), "{sent:?}");
    let broken = stored(&bench, BROKEN, "us-east-1");
    assert_eq!(says(&broken[CONTROL]), ("FAILED", "ACTIVE"));
    assert_eq!(broken[CONTROL]["AwsAccountId"], BROKEN);
    let whole = stored(&bench, MANAGEMENT, "us-east-1");
    assert_eq!(says(&whole[CONTROL]), ("PASSED", "ACTIVE"));

    let again = publish(&bench, &["--yes"]).exits(0);
    assert!(again.stdout.contains("sandbox: 1 unchanged"), "{again:?}");
    assert!(again.stdout.contains("0 findings sent"), "{again:?}");
    assert_eq!(stored(&bench, BROKEN, "us-east-1"), broken);
}

#[test]
fn a_later_run_updates_and_archives_and_an_earlier_one_changes_nothing() {
    let bench = bench();
    scan(&bench, &["--control", "console-auth-failures,root-usage"]);
    std::fs::rename(bench.file("run"), bench.file("first")).expect("a folder can be renamed");
    let _ = bench
        .trailproof
        .run(["publish", "first", "--security-hub", "--yes"])
        .exits(0);
    let before = stored(&bench, BROKEN, "us-east-1");
    assert_eq!(says(&before["root-usage"]), ("FAILED", "ACTIVE"));
    // Somebody looks into it.
    bench.change(BROKEN, |site| {
        let hub = site.security_hub.as_mut().expect("it is enabled");
        for finding in hub.findings.values_mut() {
            finding["Workflow"]["Status"] = "NOTIFIED".into();
        }
    });
    // What failed passes now.
    bench.running.change(|organization| {
        let whole = organization.account(id(MANAGEMENT)).expect("it is there");
        let mut sites = whole.sites.clone();
        let account = organization.account_mut(id(BROKEN)).expect("it is there");
        for (region, mut site) in std::mem::take(&mut sites) {
            site.security_hub = account.site_mut(&region).security_hub.take();
            account.sites.insert(region, site);
        }
    });
    scan(&bench, &[]);
    let kept = publish(&bench, &["--yes", "--no-archive", "--dry-run"]).exits(0);
    assert!(kept.stdout.contains("sandbox: 1 updated\n"), "{kept:?}");
    let later = publish(&bench, &["--yes"]).exits(0);
    assert!(
        later.stdout.contains("sandbox: 1 updated, 1 archived\n"),
        "{later:?}"
    );
    let after = stored(&bench, BROKEN, "us-east-1");
    assert_eq!(after.len(), 2);
    assert_eq!(says(&after["root-usage"]), ("FAILED", "ARCHIVED"));
    assert_eq!(says(&after[CONTROL]), ("PASSED", "ACTIVE"));
    assert_eq!(after[CONTROL]["Workflow"]["Status"], "NOTIFIED");
    assert_eq!(after[CONTROL]["CreatedAt"], before[CONTROL]["CreatedAt"]);
    assert_ne!(after[CONTROL]["UpdatedAt"], before[CONTROL]["UpdatedAt"]);

    let earlier = bench
        .trailproof
        .run(["publish", "first", "--security-hub", "--yes"])
        .exits(0);
    assert!(
        earlier.stdout.contains("sandbox: 2 left, judged later"),
        "{earlier:?}"
    );
    assert_eq!(stored(&bench, BROKEN, "us-east-1"), after);
}

#[test]
fn what_is_not_enabled_or_denied_is_named_and_the_rest_is_sent() {
    let bench = bench();
    scan(&bench, &[]);
    let off = publish(&bench, &["--yes", "--region", "eu-west-1"]).exits(4);
    assert!(
        off.stderr
            .contains("1 account: Security Hub is not enabled in eu-west-1"),
        "{off:?}"
    );
    assert!(off.stderr.contains(BROKEN), "{off:?}");
    let whole = stored(&bench, MANAGEMENT, "eu-west-1");
    assert_eq!(whole[CONTROL]["Region"], "eu-west-1");
    assert!(stored(&bench, MANAGEMENT, "us-east-1").is_empty());

    bench.deny(BROKEN, &["securityhub:BatchImportFindings"]);
    let denied = publish(&bench, &["--yes"]).exits(4);
    assert!(
        denied
            .stderr
            .contains("securityhub:BatchImportFindings: AccessDeniedException"),
        "{denied:?}"
    );
    assert!(stored(&bench, MANAGEMENT, "us-east-1").contains_key(CONTROL));
    bench.deny(BROKEN, &[]);
    let sent = publish(&bench, &["--yes"]).exits(0);
    assert!(sent.stdout.contains("1 finding sent"), "{sent:?}");
    assert!(stored(&bench, BROKEN, "us-east-1").contains_key(CONTROL));
}

#[test]
fn nothing_is_sent_without_a_yes_nor_of_what_is_not_real() {
    let bench = bench();
    scan(&bench, &[]);
    let before = bench.state();
    let asked = publish(&bench, &[]).exits(2);
    assert!(asked.stderr.contains("--yes confirms"), "{asked:?}");
    let _ = bench.trailproof.run(["publish", "run"]).exits(2);
    let elsewhere = publish(&bench, &["--yes", "--region", "cn-north-1"]).exits(2);
    assert!(
        elsewhere.stderr.contains("not of partition aws"),
        "{elsewhere:?}"
    );
    let _ = bench.trailproof.run([
        "demo",
        "--out",
        "demo",
        "--accounts",
        "3",
        "--regions",
        "1",
        "--quiet",
    ]);
    let demo = bench
        .trailproof
        .run(["publish", "demo", "--security-hub", "--yes"])
        .exits(2);
    assert!(demo.stderr.contains("simulated organization"), "{demo:?}");
    assert_eq!(bench.state(), before);
}

/// A run is a file: a stranger's account in it gets nothing.
#[test]
fn accounts_that_are_not_ours_are_not_entered() {
    let bench = bench();
    scan(&bench, &[]);
    let path = bench.file("run/findings.json");
    let findings = std::fs::read_to_string(&path).expect("there are findings");
    std::fs::write(&path, findings.replace(BROKEN, STRANGER)).expect("a file can be written");
    let begun = roles_asked_for(&bench);
    let _ = publish(&bench, &["--dry-run", "--accounts", MANAGEMENT]).exits(0);
    let alone = roles_asked_for(&bench) - begun;
    let sent = publish(&bench, &["--yes"]).exits(0);
    assert_eq!(roles_asked_for(&bench), begun + 2 * alone);
    assert!(
        sent.stdout
            .contains("444444444444 sandbox: skipped: the account is not in the organization"),
        "{sent:?}"
    );
    assert!(sent.stdout.contains("1 finding sent"), "{sent:?}");

    let named = publish(&bench, &["--yes", "--accounts", STRANGER]).exits(4);
    assert!(named.stderr.contains(STRANGER), "{named:?}");
    assert!(!named.stdout.contains(MANAGEMENT), "{named:?}");
}

/// An attempt that was interrupted goes on with the accounts that were not done, and asks those
/// that were no more.
#[test]
fn an_interrupted_attempt_goes_on() {
    let bench = bench();
    scan(&bench, &[]);
    bench.deny(BROKEN, &["securityhub:*"]);
    let _ = publish(&bench, &["--yes"]).exits(4);
    // As if it had been killed before its end.
    let path = bench.file("run/publish.ndjson");
    let journal = std::fs::read_to_string(&path).expect("there is a journal");
    let mut lines: Vec<&str> = journal.lines().collect();
    assert!(
        lines.pop().unwrap_or_default().contains("finished"),
        "{journal}"
    );
    let torn = format!("{}\n{{\"sequence\":", lines.join("\n"));
    std::fs::write(&path, torn).expect("a file can be written");
    bench.deny(BROKEN, &[]);
    let on = publish(&bench, &["--yes"]).exits(0);
    assert!(on.stdout.contains("management: sent before"), "{on:?}");
    assert!(on.stdout.contains("sandbox: 1 new"), "{on:?}");
    assert!(stored(&bench, BROKEN, "us-east-1").contains_key(CONTROL));
}

/// Findings of all accounts are sent within the quotas and through errors, each once.
#[test]
fn errors_on_the_way_lose_and_double_nothing() {
    let bench = bench();
    scan(&bench, &["--control", "all"]);
    bench.running.set_faults(Faults {
        errors: 0.3,
        throttles: 0.1,
        truncations: 0.3,
        operations: vec!["securityhub:*".to_owned()],
        limit: 2,
        ..Faults::default()
    });
    let sent = publish(&bench, &["--yes"]).exits(0);
    let findings = stored(&bench, BROKEN, "us-east-1");
    // The control that is about the management account alone is not about this one.
    assert_eq!(findings.len(), 14, "{sent:?}");
    assert_eq!(stored(&bench, MANAGEMENT, "us-east-1").len(), 15);
}

#[test]
fn the_model_has_what_the_tests_speak_of() {
    let bench = bench();
    let (state, hub) = bench.running.read(|organization| {
        let closed = organization.account(id(CLOSED)).expect("it is there");
        let broken = organization.account(id(BROKEN)).expect("it is there");
        let site = broken.site(&Region::new("us-east-1"));
        (
            closed.state,
            site.and_then(|site| site.security_hub.clone()),
        )
    });
    assert_eq!(state, AccountState::Suspended);
    assert_eq!(hub, Some(SecurityHub::default()));
}
