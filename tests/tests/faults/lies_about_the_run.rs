//! Lies at what is asked once for everybody: who is calling, which organization it is, which
//! accounts and units it has. A lie there ends in a clear error or in UNKNOWN, and a scan that ends
//! with 0 has judged every account, and each as without the lie.

use std::fmt::Write as _;

use trailproof_simulator::server::{Faults, Lie, LieKind};
use trailproof_simulator::{Options, Scenario};
use trailproof_tests::repair::Bench;

use super::lies::{Verdicts, verdicts};

/// Every account tells somebody, one of them through a topic of another account.
const ALL_WELL: &str = r#"
    title = "all well"
    [organization]
    regions = ["us-east-1"]
    [[accounts]]
    id = "111111111111"
    name = "management"
    unit = "Workloads"
    tags = { team = "payments" }
    chain = true
    [[accounts]]
    id = "222222222222"
    name = "payments"
    unit = "Workloads/Production"
    tags = { team = "payments" }
    chain.topic = false
    chain.alarm.alarm_actions = ["arn:aws:sns:us-east-1:333333333333:alerts"]
    [[accounts]]
    id = "333333333333"
    name = "alerts"
    unit = "Workloads"
    tags = { team = "payments" }
    chain = true
    [[accounts.topics]]
    name = "alerts"
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}]}'
    subscriptions = [{ endpoint = "team@example.com" }]
"#;

/// An operation, and a scan that asks it.
struct Row {
    operation: &'static str,
    /// How the accounts are chosen.
    arguments: &'static [&'static str],
    /// How many accounts the scan judges. Without a lie it ends with 0.
    accounts: usize,
}

const fn row(operation: &'static str, arguments: &'static [&'static str], accounts: usize) -> Row {
    Row {
        operation,
        arguments,
        accounts,
    }
}

const ROWS: [Row; 6] = [
    row("sts:GetCallerIdentity", &[], 3),
    row("organizations:DescribeOrganization", &[], 3),
    row("organizations:ListAccounts", &[], 3),
    row("organizations:ListOrganizationalUnitsForParent", &[], 3),
    row(
        "organizations:ListTagsForResource",
        &["--tag", "team=payments"],
        3,
    ),
    row(
        "organizations:DescribeAccount",
        &["--accounts", "222222222222"],
        1,
    ),
];

/// How a scan ended, what it said, and what it found: nothing where it ended before its reports.
fn scan(bench: &Bench, arguments: &[&str]) -> (i32, String, Verdicts) {
    let run = bench.file("run");
    let _ = std::fs::remove_dir_all(&run);
    let scan = ["scan", "--out", "run", "--quiet"];
    let outcome = bench.trailproof.run(scan.iter().chain(arguments));
    let code = outcome.code.expect("the scan ends by itself");
    let found = if run.join("findings.json").is_file() {
        verdicts(bench)
    } else {
        Verdicts::new()
    };
    (code, outcome.stderr, found)
}

#[test]
fn a_lie_about_the_run_is_an_error_or_unknown() {
    let mut table = String::new();
    let mut wrong = Vec::new();
    for row in &ROWS {
        let scenario = Scenario::parse(ALL_WELL).unwrap_or_else(|error| panic!("{error}"));
        let mut bench = Bench::with(scenario.organization, Options::default());
        // What a service does not answer is asked for long otherwise.
        bench.trailproof.set("AWS_MAX_ATTEMPTS", "2");
        let (code, said, honest) = scan(&bench, row.arguments);
        let operation = row.operation;
        assert_eq!(
            (code, honest.len()),
            (0, row.accounts),
            "{operation}: {said} {honest:?}"
        );
        let mut counts = [0; 3];
        for kind in LieKind::ALL {
            bench.running.set_faults(Faults {
                lies: vec![Lie {
                    account: "111111111111".parse().expect("twelve digits"),
                    operation: operation.to_owned(),
                    kind,
                }],
                ..Faults::default()
            });
            let (code, said, found) = scan(&bench, row.arguments);
            let cell = format!("{operation} {kind:?}: exit {code}, {found:?}\n{said}");
            let differs = found
                .iter()
                .filter(|(account, verdict)| honest.get(*account) != Some(verdict));
            let mut differs = differs.map(|(_, (status, _))| status.as_str());
            let not_seen = differs.all(|status| matches!(status, "UNKNOWN" | "NOT_APPLICABLE"));
            match code {
                _ if !not_seen || said.contains("panicked") => wrong.push(cell),
                code if (code, &found) == (0, &honest) => counts[0] += 1,
                3 => counts[1] += 1,
                4 if said.contains("error: ") => counts[2] += 1,
                _ => wrong.push(cell),
            }
        }
        let [unaffected, unknown, error] = counts;
        let _ = writeln!(
            table,
            "{operation}: {unaffected} unaffected, {unknown} exit 3, {error} clear errors"
        );
    }
    eprintln!("{table}");
    assert!(wrong.is_empty(), "{table}\n{}", wrong.join("\n"));
}
