//! The examples of the documentation do what the documentation says.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and says why"
)]

#[cfg(unix)]
#[path = "documented/examples.rs"]
mod examples;

use std::fs;

use trailproof_tests::binary::Trailproof;
use trailproof_tests::findings;
use xtask::workspace;

/// An account without a trail.
const EVIDENCE: &str = r#"{"operation":"cloudtrail:DescribeTrails","account":"111111111111","region":"us-east-1","parameters":{"includeShadowTrails":true},"observed_at":"2026-11-22T22:00:00Z","response":{"trailList":[]}}
"#;

#[test]
fn the_example_configuration_is_accepted_whole() {
    let trailproof = Trailproof::offline();
    let example = workspace::root().join("docs/trailproof.toml");
    let text = fs::read_to_string(&example).expect("the example is there");
    fs::write(trailproof.home().join("trailproof.toml"), &text).expect("a file can be written");
    fs::write(trailproof.home().join("evidence.ndjson"), EVIDENCE).expect("a file can be written");
    let outcome = trailproof
        .run([
            "evaluate",
            "--evidence",
            "evidence.ndjson",
            "--now",
            "2026-11-22T23:00:00Z",
            "--out",
            "run",
        ])
        .exits(1);
    // The example's mutes are for an account and a failure that this evidence does not have.
    for owner in ["cloud-platform@example.com", "security@example.com"] {
        assert!(outcome.stderr.contains(owner), "{}", outcome.stderr);
    }
    let found = findings::by_id(&findings::read(&trailproof.home().join("run")));
    assert_eq!(found.len(), 16, "fifteen controls and the example's own");
    let own = &found["111111111111/backup-vault-deleted"];
    assert_eq!(own["control"]["benchmark"], "custom");
    assert_eq!(own["status"], "FAIL");
    assert!(trailproof.home().join("run/report.html").exists());
}

/// Everything here needs the AWS CLI, which needs Python.
#[cfg(unix)]
mod with_python {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use trailproof_simulator::{Options, Scenario, Server};
    use trailproof_tests::binary::{Outcome, Trailproof, scrubbed};
    use trailproof_tests::findings;
    use xtask::{python, workspace};

    /// The verdict of the script's evidence is the verdict of a scan.
    #[test]
    fn evidence_is_collected_with_the_command_line_alone() {
        const ACCOUNT: &str = "111111111111";
        let scenario =
            "[[accounts]]\nid = \"111111111111\"\nchain.trail.name = \"management-events\"\n";
        let scenario = Scenario::parse(scenario).expect("the scenario is valid");
        let running = Server::start(scenario.organization, Options::default())
            .expect("a port of the loopback interface is free");
        let trailproof = Trailproof::against(&running.url(), ACCOUNT);
        let home = trailproof.home();

        let programs = home.join("bin");
        fs::create_dir(&programs).expect("a folder can be made");
        let python = python::environment().unwrap_or_else(|message| panic!("{message}"));
        let aws = programs.join("aws");
        let text = format!("#!/bin/sh\nexec '{}' -m awscli \"$@\"\n", python.display());
        fs::write(&aws, text).expect("a file can be written");
        fs::set_permissions(&aws, fs::Permissions::from_mode(0o700)).expect("the file is ours");
        let mut script = scrubbed(workspace::root().join("docs/evidence/collect.sh"), home);
        let path = script
            .get_envs()
            .find_map(|(name, value)| (name == "PATH").then(|| value.map(ToOwned::to_owned)))
            .flatten()
            .expect("there is a search path");
        let mut folders = vec![programs];
        folders.extend(std::env::split_paths(&path));
        script
            .env(
                "PATH",
                std::env::join_paths(folders).expect("paths without a colon"),
            )
            .env("AWS_ENDPOINT_URL", running.url())
            .env("AWS_ACCESS_KEY_ID", ACCOUNT)
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .args(["management-events", "us-east-1"]);
        let collected = Outcome::from(script.output().expect("the script starts")).exits(0);
        fs::write(home.join("evidence.ndjson"), collected.stdout).expect("a file can be written");

        let judged = [
            "evaluate",
            "--evidence",
            "evidence.ndjson",
            "--out",
            "judged",
        ];
        let _ = trailproof.run(judged).exits(0);
        let scanned = ["scan", "--current-account", "--out", "scanned"];
        let _ = trailproof.run(scanned).exits(0);
        let [judged, scanned] = ["judged", "scanned"].map(|folder| {
            let found = findings::by_id(&findings::read(&home.join(folder)));
            let finding = &found["111111111111/console-auth-failures"];
            let chain = finding["chain"].as_array().expect("a chain is a list");
            let links = chain
                .iter()
                .map(|link| format!("{} {} {}", link["link"], link["status"], link["resource"]));
            links.collect::<Vec<_>>()
        });
        assert_eq!(judged.len(), 11);
        assert_eq!(judged, scanned);
    }
}
