//! `findings.csv` of a run: what people see first, beside what programs find by name.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fs;

use serde_json::Value;
use trailproof_tests::binary::Trailproof;

/// The columns that version 0.1.0 had, apart from those of the links.
const FORMER: [&str; 26] = [
    "id",
    "account_id",
    "account_name",
    "ou_path",
    "control_id",
    "control_title",
    "benchmark",
    "number",
    "status",
    "cis",
    "effective",
    "broken_link",
    "reason",
    "message",
    "remediation",
    "fix_automatic",
    "observed_at",
    "chain",
    "observations",
    "witness",
    "muted_status",
    "muted_until",
    "muted_because",
    "trail_status",
    "subscription_resource",
    "subscription_detail",
];

#[test]
fn people_see_first_what_they_look_for_and_programs_find_every_column() {
    let trailproof = Trailproof::offline();
    let _ = trailproof
        .run([
            "demo",
            "--accounts",
            "9",
            "--regions",
            "2",
            "--control",
            "security-group-changes",
            "--out",
            "run",
        ])
        .exits(1);
    let read = |name: &str| {
        fs::read_to_string(trailproof.home().join("run").join(name)).expect("the run has it")
    };
    let table = read("findings.csv");
    let header = table.lines().next().expect("a header");
    assert!(
        header.starts_with(
            "status,account_id,account_name,ou,control,number,reason,message,id,ou_path,control_id,"
        ),
        "{header}"
    );
    let columns: Vec<&str> = header.split(',').collect();
    for name in FORMER {
        let found = columns.iter().filter(|known| **known == name).count();
        assert_eq!(found, 1, "{name}");
    }
    let document: Value = serde_json::from_str(&read("findings.json")).expect("JSON");
    let findings = document["findings"].as_array().expect("findings");
    assert_eq!(table.lines().count(), findings.len() + 1);
    for (row, finding) in table.lines().skip(1).zip(findings) {
        let account = &finding["account"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let path = text(&account["ou_path"]);
        let cells = [
            text(&finding["status"]),
            text(&account["id"]),
            text(&account["name"]),
            path.rsplit('/').next().unwrap_or_default().to_owned(),
            "security-group-changes".to_owned(),
            "CIS 5.10".to_owned(),
            text(&finding["reason"]),
        ];
        assert!(row.starts_with(&cells.join(",")), "{row}\n{cells:?}");
    }
}
