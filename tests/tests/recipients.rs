//! Who hears of what, and pseudonyms in place of addresses wherever a file is written.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fs;
use std::io::Read as _;
use std::path::Path;

use trailproof_tests::repair::Bench;

const ADDRESS: &str = "security@example.com";

fn organization() -> Bench {
    Bench::of_scenario(
        r#"
        [organization]
        regions = ["us-east-1"]
        opt_in_regions = []
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = true
        [[accounts]]
        id = "222222222222"
        name = "nobody confirmed"
        chain.subscription = { endpoint = "late@example.com", state = "pending" }
        [[accounts]]
        id = "333333333333"
        name = "forwarded"
        chain = { subscription = { protocol = "lambda", endpoint = "arn:aws:lambda:us-east-1:333333333333:function:f" } }
        topics = [{ name = "central", subscriptions = [{ endpoint = "=soc@example.com" }] }]
        [[accounts]]
        id = "444444444444"
        name = "no alarm"
        chain = { alarm = false }
        "#,
    )
}

const FORWARDER: &str = r#"
[[forwarder]]
topic = "*:security-alarms"
endpoint = "arn:aws:lambda:*"
target = "arn:aws:sns:{region}:{account}:central"
"#;

/// Rows as account, endpoint and whether it hears.
fn rows(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("recipients.csv is there");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let column = |name: &str| header.iter().position(|known| *known == name).expect(name);
    let columns = ["account_id", "endpoint", "hears"].map(column);
    lines
        .map(|line| {
            // No cell of these columns has a comma, nor has one before them.
            let cells: Vec<&str> = line.split(',').collect();
            let of = |column: usize| match column {
                column if column > 4 => cells[cells.len() + column - header.len()],
                column => cells[column],
            };
            columns.map(of).join(" ")
        })
        .collect()
}

fn scanned(bench: &Bench, arguments: &[&str]) {
    fs::write(bench.file("trailproof.toml"), FORWARDER).expect("it can be written");
    let scan = ["scan", "--quiet"];
    let _ = bench.trailproof.run(scan.iter().chain(arguments)).exits(1);
}

#[test]
fn everybody_who_is_subscribed_has_a_row() {
    let bench = organization();
    scanned(&bench, &["--out", "run"]);
    assert_eq!(
        rows(&bench.file("run/recipients.csv")),
        [
            format!("111111111111 {ADDRESS} yes"),
            "222222222222 late@example.com no".to_owned(),
            "333333333333 arn:aws:lambda:us-east-1:333333333333:function:f yes".to_owned(),
            // A spreadsheet must not take it for a formula.
            "333333333333 '=soc@example.com yes".to_owned(),
        ]
    );
}

/// Which file of a folder has an address of a subscription or an account.
fn tells(folder: &Path) -> Option<String> {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("its entries can be read").path();
        let bytes = fs::read(&path).expect("it can be read");
        let text = String::from_utf8_lossy(&bytes);
        if text.contains("@example.com") {
            return Some(path.display().to_string());
        }
    }
    None
}

#[test]
fn masked_addresses_are_in_no_file() {
    let bench = organization();
    scanned(&bench, &["--out", "full"]);
    assert!(tells(&bench.file("full")).is_some());
    scanned(
        &bench,
        &[
            "--out",
            "masked",
            "--mask-endpoints",
            "--format",
            "html,ocsf",
        ],
    );
    assert_eq!(tells(&bench.file("masked")), None);
    let masked = rows(&bench.file("masked/recipients.csv"));
    assert!(masked[0].starts_with("111111111111 masked-"), "{masked:?}");
    assert!(masked[0].ends_with(" yes"), "{masked:?}");
    let same = |folder: &str| {
        assert_eq!(
            rows(&bench.file(&format!("{folder}/recipients.csv"))),
            masked
        );
    };

    // Judged again, and written again: the same pseudonyms.
    let evaluate = [
        "evaluate",
        "--evidence",
        "full",
        "--mask-endpoints",
        "--out",
        "again",
    ];
    let _ = bench.trailproof.run(evaluate).exits(1);
    assert_eq!(tells(&bench.file("again")), None);
    same("again");
    let evaluate = ["evaluate", "--evidence", "masked", "--out", "kept"];
    let _ = bench.trailproof.run(evaluate).exits(1);
    same("kept");
    let export = [
        "export",
        "full",
        "--format",
        "recipients",
        "--mask-endpoints",
        "--out",
        "plain",
    ];
    let _ = bench.trailproof.run(export).exits(0);
    same("plain");

    // A bundle of it follows from its evidence.
    let bundle = [
        "bundle",
        "full",
        "--mask-endpoints",
        "--out",
        "masked.tar.gz",
    ];
    let _ = bench.trailproof.run(bundle).exits(0);
    let _ = bench.trailproof.run(["verify", "masked.tar.gz"]).exits(0);
    let packed = fs::File::open(bench.file("masked.tar.gz")).expect("it was written");
    let mut content = Vec::new();
    let mut unpacked = flate2::read::GzDecoder::new(packed);
    let _ = unpacked.read_to_end(&mut content).expect("it can be read");
    let content = String::from_utf8_lossy(&content);
    assert!(content.contains("masked-") && content.contains("recipients.csv"));
    assert!(!content.contains(ADDRESS) && !content.contains("late@example.com"));
    let left = fs::read_dir(bench.file(".")).expect("the home is there");
    let names = left.map(|entry| entry.expect("an entry").file_name());
    assert!(
        names
            .into_iter()
            .all(|name| !name.to_string_lossy().contains("masked-"))
    );
    // What it was begun with stays.
    let resume = ["scan", "--resume", "full", "--mask-endpoints"];
    let _ = bench.trailproof.run(resume).exits(2);
}
