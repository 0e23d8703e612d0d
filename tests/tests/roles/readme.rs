//! What the README tells people to type in the usual situations, typed.

use std::fs;

use trailproof_tests::binary::Trailproof;
use trailproof_tests::server::Server;
use xtask::workspace;

use crate::organization::{Kind, Organization};

/// The commands of a paragraph that begins with these words.
#[track_caller]
fn commands(paragraph: &str) -> Vec<String> {
    let readme = fs::read_to_string(workspace::root().join("README.md")).expect("it is there");
    let (_, rest) = readme
        .split_once(&format!("**{paragraph}.**"))
        .unwrap_or_else(|| panic!("the README has no paragraph `{paragraph}`"));
    let lines = rest.lines().skip(1).skip_while(|line| line.is_empty());
    let commands: Vec<String> = lines
        .take_while(|line| line.starts_with("    trailproof "))
        .map(|line| {
            line.trim()
                .replace("--external-id ID", "--external-id ticket-42")
        })
        .collect();
    assert!(!commands.is_empty(), "`{paragraph}` has no commands");
    commands
}

/// Types each command, in one folder, and expects these exit codes.
#[track_caller]
fn type_in(server: &Server, caller: &str, paragraph: &str, codes: &[i32]) {
    let trailproof = Trailproof::against(&server.endpoint(), caller);
    let commands = commands(paragraph);
    assert_eq!(commands.len(), codes.len(), "{commands:?}");
    for (command, code) in commands.iter().zip(codes) {
        let (command, file) = match command.split_once(" > ") {
            Some((command, file)) => (command, Some(file)),
            None => (command.as_str(), None),
        };
        let outcome = trailproof.run(command.split(' ').skip(1)).exits(*code);
        if let Some(file) = file {
            assert!(
                outcome.stdout.starts_with("AWSTemplateFormatVersion"),
                "{file}: {outcome:?}"
            );
        }
    }
}

#[test]
fn in_the_management_account() {
    let mut organization = Organization::new("aws");
    for _ in 0..4 {
        organization.add(Kind::Organizations, true);
    }
    let server = organization.serve(&[]);
    type_in(
        &server,
        "111111111111",
        "In the management account",
        &[0, 0],
    );
}

#[test]
fn in_a_delegated_administrator() {
    let mut organization = Organization::new("aws");
    organization.accounts = "[[accounts]]\nid = \"111111111111\"\nchain = true\n".to_owned();
    let audit = organization.add_administrator();
    for _ in 0..4 {
        organization.add_written(&format!(
            "roles = [{{ name = \"Audit\", path = \"/security/\", external_id = \"ticket-42\", \
             trusted = [\"{audit}\"], requires_session_policy = true }}]\nchain = true\n"
        ));
    }
    let server = organization.serve(&[]);
    // Nobody deployed the role to the management account, which stack sets leave out.
    let paragraph = "In a delegated administrator, with an audit role";
    type_in(&server, &audit, paragraph, &[0, 3, 3]);
}

#[test]
fn with_control_tower() {
    let mut organization = Organization::new("aws");
    for number in 0..6 {
        organization.add([Kind::ControlTower, Kind::Organizations][number % 2], true);
    }
    let server = organization.serve(&[]);
    type_in(&server, "111111111111", "With AWS Control Tower", &[0]);
}
