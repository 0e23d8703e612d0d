//! Wrong usage: exit code 2, nothing on stdout, and what to do on stderr.

use insta::assert_snapshot;

use crate::harness::Place;

fn transcript(arguments: &[&str]) -> String {
    Place::new().transcript(arguments)
}

#[test]
fn an_unknown_flag() {
    assert_snapshot!(transcript(&["scan", "--accont", "111111111111"]));
}

#[test]
fn an_account_id_that_is_none() {
    assert_snapshot!(transcript(&["scan", "--accounts", "111111111111,42"]));
}

#[test]
fn an_account_listed_twice() {
    assert_snapshot!(transcript(&[
        "scan",
        "--accounts",
        "111111111111,222222222222,111111111111"
    ]));
}

#[test]
fn an_accounts_file_with_a_mistake() {
    let place = Place::new();
    place.write("accounts.txt", "111111111111 # management\nProduction\n");
    assert_snapshot!(place.transcript(&["scan", "--accounts-file", "accounts.txt"]));
}

#[test]
fn an_accounts_file_without_accounts() {
    let place = Place::new();
    place.write("accounts.txt", "# none yet\n\n");
    assert_snapshot!(place.transcript(&["scan", "--accounts-file", "accounts.txt"]));
}

#[test]
fn a_region_that_is_none() {
    assert_snapshot!(transcript(&["scan", "--regions", "frankfurt"]));
}

#[test]
fn a_role_that_is_none() {
    assert_snapshot!(transcript(&[
        "scan",
        "--role",
        "arn:aws:iam::111111111111:role/Audit"
    ]));
}

#[test]
fn an_unknown_control() {
    assert_snapshot!(transcript(&["scan", "--control", "console-auth-failure"]));
}

#[test]
fn an_unknown_benchmark() {
    assert_snapshot!(transcript(&["scan", "--benchmark", "9.9"]));
}

#[test]
fn an_unknown_format() {
    assert_snapshot!(transcript(&["scan", "--format", "docx"]));
}

#[test]
fn a_shard_out_of_range() {
    assert_snapshot!(transcript(&["scan", "--shard", "4/3"]));
}

#[test]
fn a_shard_without_an_index() {
    assert_snapshot!(transcript(&["scan", "--shard", "16"]));
}

#[test]
fn scopes_that_exclude_each_other() {
    assert_snapshot!(transcript(&[
        "scan",
        "--current-account",
        "--accounts",
        "111111111111"
    ]));
}

#[test]
fn stdout_takes_one_format() {
    assert_snapshot!(transcript(&["scan", "--out", "-", "--format", "json,csv"]));
}

#[test]
fn a_folder_with_something_else_in_it() {
    let place = Place::new();
    place.write("out/thesis.txt", "irreplaceable");
    assert_snapshot!(place.transcript(&["scan", "--out", "out"]));
    assert_eq!(place.read("out/thesis.txt"), "irreplaceable");
}

#[test]
fn a_folder_that_cannot_be_made() {
    let place = Place::new();
    place.write("file", "");
    assert_snapshot!(place.transcript(&["scan", "--out", "file/run"]));
}

#[test]
fn resuming_what_is_no_run() {
    assert_snapshot!(transcript(&["scan", "--resume", "nowhere"]));
}

#[test]
fn resuming_with_another_scope() {
    assert_snapshot!(transcript(&[
        "scan",
        "--resume",
        "run",
        "--ou",
        "ou-1234-abcdefgh"
    ]));
}

#[test]
fn no_command() {
    let output = Place::new().run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("Usage: trailproof"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    let mut command = place.command(&["generate", "findings-schema"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
