//! Exports of plans, checked by the tools whose languages they are in, and the script run for real
//! with the AWS CLI against a simulated organization.
#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why; tools are found on the search path"
)]

use std::path::Path;
use std::process::{Command, Output};

use trailproof_tests::repair::{Bench, QUEUE};
use xtask::python;

fn bench() -> Bench {
    let bench = Bench::of_scenario(
        r#"
        title = "trails with different things missing"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = { filter = false, alarm = false, topic = false }
        [[accounts]]
        id = "222222222222"
        name = "no alarm"
        chain.alarm = false
        [[accounts]]
        id = "333333333333"
        name = "nobody listens"
        chain.subscription = false
        "#,
    );
    let plan = bench.plan(&[
        "--subscribe",
        QUEUE,
        "--tag",
        "team=security eu/1",
        "--alarm-name",
        "it's \"our\" $(alarm) `for` {control}",
    ]);
    assert_eq!(plan["summary"]["turns_green"], 3, "{plan:#}");
    for format in ["script", "cloudformation", "stackset", "terraform"] {
        let _ = bench
            .trailproof
            .run([
                "fix",
                "export",
                "plan.json",
                "--format",
                format,
                "--out",
                format,
            ])
            .exits(0);
    }
    bench
}

#[track_caller]
fn succeeds(mut command: Command) -> Output {
    let output = command.output().expect("the tool starts");
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Whether a tool that is no part of the tests' environment is on this machine.
fn is_there(tool: &str) -> bool {
    Command::new(tool)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

#[test]
fn the_script_repairs_what_apply_would_and_can_be_run_again() {
    let bench = bench();
    let python = python::environment().expect("the tests' Python is there");
    let folder = python.parent().unwrap_or(Path::new(""));
    let path = std::env::var("PATH").unwrap_or_default();
    let script = || {
        let mut command = Command::new("sh");
        command
            .arg(bench.file("script/fix.sh"))
            .env_clear()
            .env("PATH", format!("{}:{path}", folder.display()))
            .env("HOME", bench.trailproof.home())
            .envs(bench.running.environment());
        command
    };
    let _ = succeeds(script());
    let _ = bench.scan().exits(0);
    let after = bench.state();
    let _ = succeeds(script());
    assert!(bench.state() == after, "the second run changed something");
    // Apply finds everything there.
    let applied = bench.apply().exits(0);
    assert!(applied.stdout.starts_with("0 changes made"), "{applied:?}");

    if is_there("shellcheck") {
        let mut check = Command::new("shellcheck");
        check
            .arg(bench.file("script/fix.sh"))
            .arg(bench.file("stackset/stack-sets.sh"));
        let _ = succeeds(check);
    }
}

#[test]
fn templates_pass_the_linter_and_terraform_its_formatter() {
    let bench = bench();
    let python = python::environment().expect("the tests' Python is there");
    for folder in ["cloudformation", "stackset"] {
        let templates: Vec<_> = std::fs::read_dir(bench.file(folder))
            .expect("the folder was written")
            .map(|entry| entry.expect("it can be read").path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            .collect();
        assert_eq!(templates.len(), if folder == "stackset" { 1 } else { 3 });
        let mut lint = Command::new(python.with_file_name("cfn-lint"));
        lint.args(&templates);
        let _ = succeeds(lint);
    }
    if is_there("terraform") {
        let mut format = Command::new("terraform");
        format
            .args(["fmt", "-check", "-diff"])
            .arg(bench.file("terraform"));
        let _ = succeeds(format);
    }
}
