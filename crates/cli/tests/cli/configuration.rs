//! `trailproof.toml`: found, named, and wrong in every way.

use insta::assert_snapshot;

use crate::harness::Place;

#[test]
fn an_unknown_key() {
    let place = Place::new();
    place.write(
        "trailproof.toml",
        "role = \"Audit\"\n\n# a comment\nsweeep = \"full\"\n",
    );
    assert_snapshot!(place.transcript(&["scan"]));
}

#[test]
fn a_value_of_the_wrong_type() {
    let place = Place::new();
    let path = place.write("other.toml", "accounts = 111111111111\n");
    assert_snapshot!(place.transcript(&["scan", "--config", path.to_str().unwrap()]));
}

#[test]
fn what_is_not_toml() {
    let place = Place::new();
    place.write("trailproof.toml", "role: Audit\n");
    assert_snapshot!(place.transcript(&["scan"]));
}

#[test]
fn a_file_that_is_not_there() {
    assert_snapshot!(Place::new().transcript(&["scan", "--config", "no.toml"]));
}

#[test]
fn a_flag_wins_over_the_file() {
    let place = Place::new();
    place.write(
        "trailproof.toml",
        "role = \"not a role\"\nregions = [\"eu-central-1\"]\n",
    );
    // The file's role is wrong, so it must have been looked at ...
    let of_file = place.run(&["scan"]);
    assert_eq!(of_file.status.code(), Some(2));
    // ... and with a flag in its place the next mistake is the flag's.
    let of_flag = place.transcript(&["scan", "--role", "neither this"]);
    assert!(
        of_flag.contains("`neither this` does not name a role"),
        "{of_flag}"
    );
}

#[test]
fn a_control_of_ones_own_with_a_taken_id() {
    let place = Place::new();
    place.write(
        "trailproof.toml",
        "[[control]]\nid = \"console-auth-failures\"\ntitle = \"Mine\"\npattern = '{ $.eventName = ConsoleLogin }'\n",
    );
    assert_snapshot!(place.transcript(&["scan"]));
}

#[test]
fn forwarders_that_lead_in_a_circle() {
    let place = Place::new();
    let forwarder = |topic: &str, target: &str| {
        format!(
            "[[forwarder]]\ntopic = \"arn:aws:sns:*:444444444444:{topic}\"\nendpoint = \"*\"\ntarget = \"arn:aws:sns:{{region}}:444444444444:{target}\"\n"
        )
    };
    place.write(
        "trailproof.toml",
        forwarder("one", "two") + &forwarder("two", "one"),
    );
    assert_snapshot!(place.transcript(&["scan"]));
}

#[test]
fn a_monitoring_account_without_a_number() {
    let place = Place::new();
    place.write(
        "trailproof.toml",
        "[[monitoring-account]]\naccount = \"platform\"\n",
    );
    assert_snapshot!(place.transcript(&["scan"]));
}

#[test]
fn a_file_to_begin_with_changes_nothing() {
    let place = Place::new();
    assert_eq!(place.run(&["config", "init"]).status.code(), Some(0));
    assert_eq!(place.run(&["config", "init"]).status.code(), Some(2));
    let shown = |arguments: &[&str]| {
        let all: Vec<&str> = ["config", "show"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let output = place.run(&all);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let first = shown(&[]);
    assert!(first.starts_with("\n# Not set"), "{first}");
    let text = place.read("trailproof.toml");
    place.write("trailproof.toml", text.replace("#sweep", "sweep"));
    let then = shown(&["--ou", "ou-1,ou-2", "--trust-organization-trail"]);
    for line in [
        "sweep = \"adaptive\"                                  # trailproof.toml:11\n",
        "ou = [\"ou-1\", \"ou-2\"]                               # --ou\n",
        "trust-organization-trail = true                     # --trust-organization-trail\n",
        "# max-window: 1h\n",
    ] {
        assert!(then.contains(line), "{line}{then}");
    }
    place.write("trailproof.toml", "sweeep = \"full\"\n");
    assert_eq!(place.run(&["config", "show"]).status.code(), Some(2));
}
