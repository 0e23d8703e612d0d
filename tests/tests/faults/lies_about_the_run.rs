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

/// The owner of the organization trail cannot be entered.
const OWNER_HIDDEN: &str = r#"
    title = "the owner is hidden"
    [organization]
    regions = ["us-east-1"]
    caller = "222222222222"
    delegations = [{ account = "222222222222", service = "organizations.amazonaws.com" }]
    [[accounts]]
    id = "111111111111"
    name = "management"
    chain.trail.organization = true
    [[accounts]]
    id = "222222222222"
    name = "administration"
    chain = true
    [[accounts]]
    id = "333333333333"
    name = "member"
    roles = [{ trusted = ["222222222222"] }]
"#;

/// An operation, and a scan that asks it.
struct Row {
    operation: &'static str,
    organization: &'static str,
    caller: &'static str,
    /// How the accounts are chosen; `UNIT` stands for the id of the unit `Workloads`.
    arguments: &'static [&'static str],
    /// How the scan ends without a lie, and how many accounts it judges.
    honest: (i32, usize),
}

const fn row(operation: &'static str, arguments: &'static [&'static str], accounts: usize) -> Row {
    Row {
        operation,
        organization: ALL_WELL,
        caller: "111111111111",
        arguments,
        honest: (0, accounts),
    }
}

const ROWS: [Row; 8] = [
    row("sts:GetCallerIdentity", &[], 3),
    row("organizations:DescribeOrganization", &[], 3),
    row("organizations:ListAccounts", &[], 3),
    row("organizations:ListAccountsForParent", &["--ou", "UNIT"], 3),
    row(
        "organizations:ListOrganizationalUnitsForParent",
        &["--ou", "UNIT"],
        3,
    ),
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
    Row {
        operation: "organizations:ListDelegatedAdministrators",
        organization: OWNER_HIDDEN,
        caller: "222222222222",
        arguments: &[],
        honest: (3, 3),
    },
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
        let scenario = Scenario::parse(row.organization).unwrap_or_else(|error| panic!("{error}"));
        let unit = scenario.organization.units.get("Workloads").cloned();
        let unit = unit.unwrap_or_default();
        let arguments = row.arguments.iter();
        let arguments: Vec<&str> = arguments
            .map(|argument| {
                if *argument == "UNIT" {
                    unit.as_str()
                } else {
                    argument
                }
            })
            .collect();
        let mut bench = Bench::with(scenario.organization, Options::default());
        // What a service does not answer is asked for long otherwise.
        bench.trailproof.set("AWS_MAX_ATTEMPTS", "2");
        let (code, said, honest) = scan(&bench, &arguments);
        let operation = row.operation;
        assert_eq!(
            (code, honest.len()),
            row.honest,
            "{operation}: {said} {honest:?}"
        );
        let mut counts = [0; 3];
        for kind in LieKind::ALL {
            bench.running.set_faults(Faults {
                lies: vec![Lie {
                    account: row.caller.parse().expect("twelve digits"),
                    operation: operation.to_owned(),
                    kind,
                }],
                ..Faults::default()
            });
            let (code, said, found) = scan(&bench, &arguments);
            let cell = format!("{operation} {kind:?}: exit {code}, {found:?}\n{said}");
            let differs = found
                .iter()
                .filter(|(account, verdict)| honest.get(*account) != Some(verdict));
            let mut differs = differs.map(|(_, (status, _))| status.as_str());
            let not_seen = differs.all(|status| matches!(status, "UNKNOWN" | "NOT_APPLICABLE"));
            match code {
                _ if !not_seen || said.contains("panicked") => wrong.push(cell),
                code if (code, &found) == (row.honest.0, &honest) => counts[0] += 1,
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
