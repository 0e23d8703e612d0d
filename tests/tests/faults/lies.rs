//! The rig of lies: every operation that a scan asks, and every way in which an answer can be
//! untrue or no answer. One organization has an account for each operation, which is lied to at
//! that operation alone; one scan is made for each kind of lie.
//!
//! Whatever is answered, at most the account that is lied to becomes UNKNOWN. It never becomes PASS,
//! nor FAIL by an answer that says nothing, and the others are as without the lie.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;
use trailproof_core::evidence::Operation;
use trailproof_simulator::Options;
use trailproof_simulator::server::{Faults, Lie, LieKind};
use trailproof_simulator::{Scenario, ScenarioError};
use trailproof_tests::findings;
use trailproof_tests::repair::Bench;

/// Operations that are asked where a chain fails, to look for other designs.
const WHERE_A_CHAIN_FAILS: [&str; 6] = [
    "oam:ListLinks",
    "events:ListRules",
    "observabilityadmin:ListTelemetryRules",
    "observabilityadmin:ListTelemetryRulesForOrganization",
    "observabilityadmin:ListCentralizationRulesForOrganization",
    "logs:TestMetricFilter",
];

/// What is asked once for everybody, as the caller: a lie there is about the whole run.
const OF_THE_RUN: [&str; 4] = [
    "sts:GetCallerIdentity",
    "organizations:DescribeOrganization",
    "organizations:ListAccounts",
    "organizations:ListDelegatedAdministrators",
];

/// Answers that are well-formed and agree with themselves, so that they are believed: the account
/// may become FAIL. In XML, a list with text in place of elements is an empty list; and an answer
/// about another account is one that AWS could give.
const BELIEVED: [(LieKind, &str); 4] = [
    (LieKind::WrongType, "sns:ListSubscriptionsByTopic"),
    (LieKind::WrongAccount, "logs:DescribeLogGroups"),
    (LieKind::WrongAccount, "sns:GetTopicAttributes"),
    (LieKind::WrongAccount, "kms:DescribeKey"),
];

/// A scan of everything into `run`.
const SCAN: [&str; 5] = ["scan", "--out", "run", "--overwrite", "--quiet"];

/// The most memory that a scan may take, whatever it is answered.
const MEMORY: u64 = 512 << 20;

/// Status and reason of each account's finding.
pub(super) type Verdicts = BTreeMap<String, (String, String)>;

fn account(index: usize) -> String {
    format!("3{index:011}")
}

/// The management account, and an account for each operation.
fn organization(operations: &[&str]) -> Result<Scenario, ScenarioError> {
    let mut text = String::from(
        "title = \"lies\"\n[organization]\nregions = [\"us-east-1\", \"eu-west-1\"]\n[[accounts]]\nid = \"111111111111\"\nname = \"management\"\nchain = true\n",
    );
    for (index, operation) in operations.iter().enumerate() {
        let account = account(index);
        let key = format!("6f1f5c1c-0000-4000-8000-{account}");
        let _ = write!(
            text,
            "[[accounts]]\nid = \"{account}\"\nname = \"{operation}\"\nchain.topic.kms_key = \"arn:aws:kms:us-east-1:{account}:key/{key}\"\nkeys = [{{ id = \"{key}\", policy = '{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\"cloudwatch.amazonaws.com\"}},\"Action\":[\"kms:Decrypt\",\"kms:GenerateDataKey*\"],\"Resource\":\"*\"}}]}}' }}]\n"
        );
        if WHERE_A_CHAIN_FAILS.contains(operation) {
            text.push_str("chain.filter = false\n");
        }
    }
    Scenario::parse(&text)
}

pub(super) fn verdicts(bench: &Bench) -> Verdicts {
    let findings = findings::by_id(&findings::read(&bench.file("run")));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    findings
        .values()
        .map(|finding| {
            let verdict = (text(&finding["status"]), text(&finding["reason"]));
            (text(&finding["account"]["id"]), verdict)
        })
        .collect()
}

fn asked(bench: &Bench) -> BTreeSet<(String, String)> {
    let text = std::fs::read_to_string(bench.file("run").join("evidence.ndjson"));
    let text = text.expect("evidence is there");
    let records = text.lines().map(|line| {
        let record: Value = serde_json::from_str(line).expect("a record is JSON");
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        let account = match record["parameters"]["RoleArn"].as_str() {
            Some(role) => role.split(':').nth(4).unwrap_or_default().to_owned(),
            None => text("account"),
        };
        (text("operation"), account)
    });
    records.collect()
}

#[test]
fn at_most_who_is_lied_to_is_unknown() {
    let operations: Vec<&str> = Operation::ALL
        .iter()
        .map(|operation| operation.as_str())
        .filter(|operation| !OF_THE_RUN.contains(operation))
        .collect();
    let scenario = organization(&operations).unwrap_or_else(|error| panic!("{error}"));
    let bench = Bench::with(scenario.organization, Options::default());
    let scanned = bench.scan();
    assert!(scanned.code.is_some_and(|code| code < 4), "{scanned:?}");
    let honest = verdicts(&bench);
    let asked = asked(&bench);
    let (tried, never): (Vec<_>, Vec<_>) = operations
        .iter()
        .enumerate()
        .map(|(index, operation)| ((*operation).to_owned(), account(index)))
        .partition(|cell| asked.contains(cell));
    let mut table = String::new();
    let mut wrong = Vec::new();
    let mut most = 0;
    for kind in LieKind::ALL {
        // Much text takes long to send, and is cut off below whatever reads an operation.
        let every = match kind {
            LieKind::Endless | LieKind::Huge => 5,
            _ => 1,
        };
        let told: Vec<_> = tried.iter().step_by(every).collect();
        let lies = told.iter().map(|(operation, account)| Lie {
            account: account.parse().expect("twelve digits"),
            operation: operation.clone(),
            kind,
        });
        bench.running.set_faults(Faults {
            lies: lies.collect(),
            ..Faults::default()
        });
        let (scanned, memory) = bench.trailproof.run_measured(SCAN);
        assert!(
            scanned.code.is_some_and(|code| code < 4),
            "{kind:?}: {scanned:?}"
        );
        assert!(memory < MEMORY, "{kind:?}: {memory} bytes");
        most = most.max(memory);
        let found = verdicts(&bench);
        let (mut unknown, mut failed) = (0, 0);
        let mut unaffected = Vec::new();
        for (account, verdict) in &found {
            let truth = &honest[account];
            let operation = told.iter().find(|(_, lied)| lied == account);
            let believed = operation.is_some_and(|(operation, _)| {
                BELIEVED.contains(&(kind, operation.as_str())) && verdict.0 == "FAIL"
            });
            if operation.is_some() && verdict.0 == "UNKNOWN" {
                unknown += 1;
            } else if believed {
                failed += 1;
            } else if verdict != truth {
                wrong.push(format!(
                    "{kind:?} {operation:?}: {truth:?} became {verdict:?}"
                ));
            } else if let Some((operation, _)) = operation {
                unaffected.push(operation.as_str());
            }
        }
        assert_eq!(found.len(), honest.len(), "{kind:?}");
        // What is slow is no lie; everything else has to be met.
        assert!((unknown > 0) != (kind == LieKind::Slow), "{kind:?}");
        let _ = writeln!(
            table,
            "{kind:?}: {} tried, {unknown} UNKNOWN, {failed} FAIL, unaffected: {}",
            told.len(),
            unaffected.join(" ")
        );
    }
    eprintln!(
        "{table}never asked: {never:?}\nmost memory: {} MiB",
        most >> 20
    );
    assert!(wrong.is_empty(), "{table}\n{}", wrong.join("\n"));
    assert!(tried.len() > 12, "{never:?}");
}
