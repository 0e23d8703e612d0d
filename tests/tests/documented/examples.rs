//! Every example at the end of a `--help` and in the code blocks of the documentation is run as it
//! stands, in a folder that has what the examples name, against a simulated organization.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use trailproof_simulator::model::Organization;
use trailproof_tests::binary::{Outcome, path, scrubbed};
use trailproof_tests::repair::{Bench, PHONE};
use xtask::workspace;

/// Examples that cannot be run here, each with the reason.
const NOT_RUN: &[(&str, &str)] = &[
    (
        "trailproof fix apply plan.json",
        "it asks a question, which takes a terminal",
    ),
    (
        "trailproof fix undo journal.ndjson",
        "it asks a question, which takes a terminal",
    ),
];

/// The organization that the examples speak of.
const SCENARIO: &str = r#"
title = "the organization of the examples"
[organization]
regions = ["us-east-1", "eu-west-1"]
[[accounts]]
id = "111111111111"
name = "management"
security_hub = ["us-east-1", "eu-west-1"]
unit = "Core"
chain = true
[[accounts]]
id = "222222222222"
name = "sandbox"
security_hub = ["us-east-1", "eu-west-1"]
unit = "Workloads/Dev"
[[accounts]]
id = "333333333333"
name = "payments"
security_hub = ["us-east-1", "eu-west-1"]
unit = "Workloads/Prod"
chain.subscription = false
[[accounts]]
id = "588083195489"
name = "logistics"
security_hub = ["us-east-1", "eu-west-1"]
unit = "Workloads/Prod"
chain = { filter = false, alarm = false, topic = false }
"#;

/// The account that the plan of the examples repairs.
const REPAIRED: &str = "588083195489";

/// A failed sign-in, as a log file of CloudTrail has it.
const EVENTS: &str = r#"{"Records":[{"eventVersion":"1.08","userIdentity":{"type":"IAMUser",
"accountId":"111111111111","userName":"alice"},"eventTime":"2026-11-22T22:00:00Z",
"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"us-east-1",
"errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"},
"eventType":"AwsConsoleSignIn","recipientAccountId":"111111111111"}]}
"#;

#[test]
fn every_example_runs() {
    let examples = examples();
    assert!(examples.len() > 60, "{examples:#?}");
    let bench = Bench::of_scenario(SCENARIO);
    let before = bench.running.read(Organization::clone);
    let has_key = prepare(&bench);
    let after = bench.running.read(Organization::clone);
    let mut failed = Vec::new();
    let mut skipped = 0;
    for (line, place) in &examples {
        if NOT_RUN.iter().any(|(known, _)| line == known) {
            skipped += 1;
            continue;
        }
        if !has_key && line.contains("sign") {
            continue;
        }
        // Only what takes a plan back, and what tries its alarms, finds it carried out.
        let applied = ["fix undo", "fix drill"].map(|words| format!("trailproof {words}"));
        let applied = applied.iter().any(|words| line.starts_with(words));
        let state = if applied { &after } else { &before };
        let state = state.clone();
        bench.running.change(|organization| *organization = state);
        let outcome = run(&bench, line, applied);
        // It was not the usage, nor anything that was missing.
        if !matches!(outcome.code, Some(0 | 1 | 3)) {
            failed.push(format!("{place}: {line}\n{outcome:#?}"));
        }
    }
    assert_eq!(skipped, NOT_RUN.len(), "an example that is not run is gone");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The lines that begin with the name of the program, and where each stands first.
fn examples() -> BTreeMap<String, String> {
    let root = workspace::root();
    let mut files = vec![root.join("README.md")];
    for folder in ["docs", "docs/contributing"] {
        let entries = fs::read_dir(root.join(folder)).expect("the documentation is there");
        let paths = entries.map(|entry| entry.expect("a folder can be read").path());
        files.extend(paths.filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    let mut examples = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("the documentation can be read");
        let name = file.strip_prefix(root).unwrap_or(&file).display();
        let mut fence = None;
        let mut begun = String::new();
        for (number, line) in text.lines().enumerate() {
            if let Some(language) = line.strip_prefix("```") {
                fence = fence.is_none().then(|| language.to_owned());
                continue;
            }
            // What is fenced as text is a usage, an output or a file.
            let in_block = match &fence {
                Some(language) => language != "text",
                None => line.starts_with("    "),
            };
            let line = line.trim();
            let is_ours = line.starts_with("trailproof ") || !begun.is_empty();
            if !in_block || !is_ours {
                continue;
            }
            begun.push_str(line);
            if begun.ends_with('\\') {
                begun.pop();
                continue;
            }
            let place = format!("{name}:{}", number + 1);
            examples.entry(std::mem::take(&mut begun)).or_insert(place);
        }
    }
    examples
}

/// What the examples name; whether there is a key to sign with.
fn prepare(bench: &Bench) -> bool {
    let trailproof = &bench.trailproof;
    let run = |line: &str, code: i32| drop(trailproof.run(line.split(' ')).exits(code));
    run("scan --out run", 1);
    run("accounts list --out listing.json", 0);
    for (part, index) in [
        ("run/0", "1/4"),
        ("run/1", "2/4"),
        ("run/2", "3/4"),
        ("run/3", "4/4"),
        ("part/1", "1/2"),
        ("part/2", "2/2"),
    ] {
        let shard = [
            "scan",
            "--listing",
            "listing.json",
            "--shard",
            index,
            "--out",
            part,
        ];
        let outcome = trailproof.run(shard);
        assert!(matches!(outcome.code, Some(0 | 1)), "{outcome:?}");
    }
    for copy in ["last-week", "runs/1", "runs/2", "trailproof-demo"] {
        copy_folder(&bench.file("run"), &bench.file(copy));
    }
    fs::copy(
        bench.file("run/evidence.ndjson"),
        bench.file("evidence.ndjson"),
    )
    .expect("a copy");
    fs::create_dir(bench.file("logs")).expect("a folder can be made");
    for file in ["events.json", "logs/events.json"] {
        fs::write(bench.file(file), EVENTS).expect("a file can be written");
    }
    let keygen = "ssh-keygen -q -t ed25519 -f signing-key -C audit -N ''";
    let made = scrubbed("sh", trailproof.home())
        .args(["-c", keygen])
        .status();
    let has_key = made.is_ok_and(|made| made.success());
    if has_key {
        let key = fs::read_to_string(bench.file("signing-key.pub")).expect("there is a key");
        let signers = format!("audit@example.com {key}");
        fs::write(bench.file("allowed_signers"), signers).expect("a file can be written");
        run(
            "bundle run --out signed.tar.gz --signing-key signing-key",
            0,
        );
    } else {
        eprintln!("NOT TESTED: signatures, as `ssh-keygen` is not installed");
    }
    run("bundle run --out run.tar.gz", 0);
    // Of one account, whose topic will be the plan's own, so that nothing is left by undo.
    let plan = format!("fix plan run --subscribe {PHONE} --accounts {REPAIRED} --out plan.json");
    run(&plan, 0);
    let applied = trailproof.run(["fix", "apply", "plan.json", "--yes"]);
    assert!(matches!(applied.code, Some(0 | 1)), "{applied:?}");
    has_key
}

/// Runs an example in a folder of its own.
fn run(bench: &Bench, line: &str, applied: bool) -> Outcome {
    let sandbox = tempfile::tempdir().expect("a temporary folder can be made");
    copy_folder(bench.trailproof.home(), sandbox.path());
    if !applied {
        let _ = fs::remove_file(sandbox.path().join("journal.ndjson"));
    }
    // What an example writes is not there yet.
    let begins = |words: &str| line == words || line.starts_with(&format!("{words} "));
    let written = line.split_once("--out ").map_or_else(
        || match line {
            _ if begins("trailproof bundle run") => Some("run.tar.gz"),
            _ if begins("trailproof demo") => Some("trailproof-demo"),
            _ => None,
        },
        |(_, rest)| rest.split(' ').next(),
    );
    if let Some(written) = written.filter(|name| *name != "-") {
        let path = sandbox.path().join(written);
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir_all(&path);
    }
    let binary = path("trailproof");
    let mut folders = vec![binary.parent().expect("it is in a folder").to_owned()];
    let mut command = scrubbed("sh", sandbox.path());
    let inherited = command.get_envs().find(|(name, _)| *name == "PATH");
    let inherited = inherited
        .and_then(|(_, value)| value)
        .map(ToOwned::to_owned);
    folders.extend(inherited.iter().flat_map(std::env::split_paths));
    command
        .args(["-c", line])
        .env(
            "PATH",
            std::env::join_paths(folders).expect("paths without a colon"),
        )
        .envs(bench.running.environment());
    command.output().expect("a shell starts").into()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a folder can be read") {
        let entry = entry.expect("a folder can be read");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("it has a type").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}
