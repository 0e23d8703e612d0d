//! What `verify` says of bundles whose sums are right, and whose content is not.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fs;
use std::process::Command;

use serde_json::Value;
use trailproof_tests::binary::{Outcome, Trailproof};
use trailproof_tests::forgery::Forgery;

/// A demo in the folder `demo`, and its bundle `demo.tar.gz`.
fn bundled() -> (Trailproof, Forgery) {
    let trailproof = Trailproof::offline();
    let _ = trailproof
        .run(["demo", "--accounts", "9", "--regions", "2", "--out", "demo"])
        .exits(1);
    let _ = trailproof
        .run(["bundle", "demo", "--out", "demo.tar.gz"])
        .exits(0);
    let forgery = Forgery::of(&trailproof.home().join("demo.tar.gz"));
    (trailproof, forgery)
}

/// The sum and the name that `sha256sum` would print.
fn sum_of(outcome: &Outcome) -> String {
    let sum = outcome.stdout.split_whitespace().next();
    sum.expect("a sum").to_owned()
}

#[test]
fn a_bundle_is_consistent_until_something_from_outside_is_compared() {
    let (trailproof, forgery) = bundled();
    let bundled = trailproof
        .run(["bundle", "demo", "--out", "demo.tar.gz", "--overwrite"])
        .exits(0);
    let sum = sum_of(&bundled);
    let outcome = trailproof.run(["verify", "demo.tar.gz"]).exits(0);
    for words in [
        "CONSISTENT: 10 files are unchanged",
        "kind          demo: a simulated organization",
        "organization  o-traildemo00 of ",
        "caller        arn:aws:",
        "judged for    2",
        "policy        CIS 7.0.0, assurance both, deliveries within 1d",
        "controls      console-auth-failures\n",
        "mutes         0\n",
        "attestations  0\n",
        "recipients.csv (",
    ] {
        assert!(
            outcome.stdout.contains(words),
            "{words}: {}",
            outcome.stdout
        );
    }
    assert_eq!(outcome.stdout.matches(", made again)").count(), 7);
    assert!(!outcome.stdout.contains("VERIFIED"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("rests on"), "{}", outcome.stdout);
    let outcome = trailproof.run(["verify", "-v", "demo.tar.gz"]).exits(0);
    assert!(
        outcome.stdout.contains("What each finding rests on"),
        "{}",
        outcome.stdout
    );

    // The same archive, packed by somebody else, is as good: only the sum tells them apart.
    forgery.clone().pack(&trailproof.home().join("same.tar.gz"));
    let _ = trailproof.run(["verify", "same.tar.gz"]).exits(0);
    // So is one that an earlier version packed.
    forgery
        .in_the_first_layout()
        .pack(&trailproof.home().join("earlier.tar.gz"));
    let outcome = trailproof.run(["verify", "earlier.tar.gz"]).exits(0);
    assert!(
        outcome.stdout.starts_with("CONSISTENT: 7 files"),
        "{}",
        outcome.stdout
    );

    let outcome = trailproof
        .run([
            "verify",
            "demo.tar.gz",
            "--expect-sha256",
            &sum.to_uppercase(),
            "--expect-organization",
            "o-traildemo00",
        ])
        .exits(0);
    assert!(
        outcome.stdout.starts_with("VERIFIED: ")
            && outcome.stdout.contains("as expected: sha256, organization"),
        "{}",
        outcome.stdout
    );
    let other = "0".repeat(64);
    for expectation in [
        ["--expect-sha256", other.as_str()],
        ["--expect-organization", "o-a1b2c3d4e5"],
    ] {
        let arguments = ["verify", "demo.tar.gz"].into_iter().chain(expectation);
        let outcome = trailproof.run(arguments).exits(1);
        assert!(
            outcome.stdout.starts_with("NOT VERIFIED: ") && outcome.stdout.contains("was expected"),
            "{}",
            outcome.stdout
        );
    }
    let _ = trailproof
        .run(["verify", "demo.tar.gz", "--expect-sha256", "abc"])
        .exits(2);
}

#[test]
fn forgeries_with_right_sums_are_found() {
    let (trailproof, forgery) = bundled();
    let relabelled = |run: &mut Value| run["kind"] = "scan".into();
    let of_nobody = |run: &mut Value| run["scope"]["organization"] = Value::Null;
    let forgeries = [
        (
            forgery
                .clone()
                .text("findings.csv", |text| text.replace("FAIL", "PASS")),
            "findings.csv tells",
        ),
        (
            forgery
                .clone()
                .text("run.json", |_| "{\"garbage\": true}".to_owned()),
            "run.json tells of no run",
        ),
        (
            forgery.clone().json("findings.json", |document| {
                let zeros = document["summary"]["by_status"].as_object_mut();
                for count in zeros.into_iter().flat_map(|counts| counts.values_mut()) {
                    *count = 0.into();
                }
            }),
            "the counts of findings.json",
        ),
        (
            forgery
                .clone()
                .json("run.json", relabelled)
                .json("findings.json", |document| relabelled(&mut document["run"])),
            "the evidence is that of a demo",
        ),
        (
            forgery
                .clone()
                .json("run.json", of_nobody)
                .json("findings.json", |document| of_nobody(&mut document["run"])),
            "run.json names no organization, and the evidence o-traildemo00",
        ),
        (
            forgery.clone().text("controls.json", |text| {
                text.replacen(
                    "($.errorMessage = \\\"Failed authentication\\\")",
                    "($.errorMessage = \\\"Failed authentication\\\") && ($.eventSource = \\\"signin.amazonaws.com\\\")",
                    1,
                )
            }),
            "the control `console-auth-failures` has the pattern",
        ),
        (
            forgery.clone().text("recipients.csv", |text| {
                let header = text.lines().next().unwrap_or_default();
                format!("{header}\r\n")
            }),
            "`recipients.csv` is not what its evidence gives, from line 2 on",
        ),
        (
            forgery
                .clone()
                .text("report.html", |text| text.replace("FAIL", "PASS")),
            "`report.html` is not what its evidence gives, from line ",
        ),
        (
            forgery.clone().text("findings.xlsx", |_| "PK".to_owned()),
            "`findings.xlsx` is not what its evidence gives\n",
        ),
        (
            forgery.clone().text("README.txt", |_| "All is well.\n".to_owned()),
            "`README.txt` is not what its evidence gives, from line 1 on",
        ),
        (
            forgery.clone().json("findings.json", |document| {
                document["summary"]["by_assurance"]["cis"]["FAIL"] = 0.into();
            }),
            "`findings.json` is not what its evidence gives, from line ",
        ),
    ];
    for (forged, words) in forgeries {
        forged.pack(&trailproof.home().join("forged.tar.gz"));
        let outcome = trailproof.run(["verify", "forged.tar.gz"]).exits(1);
        assert!(
            outcome.stdout.starts_with("NOT VERIFIED: ") && outcome.stdout.contains(words),
            "{words}\n{}",
            outcome.stdout
        );
        let outcome = trailproof
            .run(["verify", "forged.tar.gz", "--format", "json"])
            .exits(1);
        let document: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        assert_eq!(document["verified"], false);
        assert_eq!(document["result"], "not-verified");
    }
}

#[test]
fn other_versions_and_rules_are_told_apart() {
    let (trailproof, forgery) = bundled();
    let this = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let by = |forgery: Forgery, from: &str, to: &str| {
        forgery
            .text("run.json", |text| text.replacen(from, to, 1))
            .text("findings.json", |text| text.replacen(from, to, 1))
    };
    let path = trailproof.home().join("other.tar.gz");

    // A later version with the same rules may have another column.
    let forgery = forgery.in_the_first_layout();
    let later = by(forgery.clone(), &this, "\"version\": \"0.9.0\"");
    later.clone().pack(&path);
    let _ = trailproof.run(["verify", "other.tar.gz"]).exits(0);
    let another_column = |text: &str| text.replacen("protocol", "protocol_name", 1);
    later.text("recipients.csv", another_column).pack(&path);
    let outcome = trailproof.run(["verify", "other.tar.gz"]).exits(3);
    assert!(
        outcome.stdout.starts_with("OTHER VERSION: "),
        "{}",
        outcome.stdout
    );

    // By other rules it is told where the files do not agree among themselves.
    let earlier = by(forgery, "\"rules\": 2", "\"rules\": 1");
    earlier.clone().pack(&path);
    let outcome = trailproof.run(["verify", "other.tar.gz"]).exits(3);
    assert!(
        outcome.stdout.starts_with("OTHER RULES: "),
        "{}",
        outcome.stdout
    );
    let painted = |text: &str| text.replace("FAIL", "PASS");
    earlier.text("findings.csv", painted).pack(&path);
    let outcome = trailproof.run(["verify", "other.tar.gz"]).exits(3);
    assert!(
        outcome.stdout.contains("findings.csv tells"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn the_policy_is_compared_with_one_from_elsewhere() {
    let (trailproof, _) = bundled();
    let write = |text: &str| {
        fs::write(trailproof.home().join("policy.toml"), text).expect("a file can be written");
    };
    let verify = |file: &str| trailproof.run(["verify", "demo.tar.gz", "--expect-policy", file]);
    write("");
    let outcome = verify("policy.toml").exits(0);
    assert!(
        outcome.stdout.contains("as expected: policy"),
        "{}",
        outcome.stdout
    );
    let _ = verify("demo/run.json").exits(0);
    for (text, words) in [
        (
            "max-window = \"30m\"",
            "max_window_seconds is 3600 and not 1800",
        ),
        (
            "assurance = \"cis\"",
            "assurance is \"both\" and not \"cis\"",
        ),
        ("controls = [\"all\"]", "controls is"),
        (
            "[[mute]]\ncontrols = [\"console-auth-failures\"]\njustification = \"accepted\"\n\
             owner = \"someone\"\nexpires = \"2099-01-01\"",
            "mutes is absent and not 1 table",
        ),
    ] {
        write(text);
        let outcome = verify("policy.toml").exits(1);
        assert!(
            outcome.stdout.contains(words),
            "{words}: {}",
            outcome.stdout
        );
    }
    let _ = verify("missing.toml").exits(2);
    let _ = verify("demo/findings.csv").exits(2);
}

#[test]
fn a_masked_bundle_is_consistent() {
    let (trailproof, _) = bundled();
    let _ = trailproof
        .run([
            "bundle",
            "demo",
            "--mask-endpoints",
            "--out",
            "masked.tar.gz",
        ])
        .exits(0);
    let outcome = trailproof.run(["verify", "masked.tar.gz"]).exits(0);
    assert!(
        outcome.stdout.starts_with("CONSISTENT: ")
            && outcome.stdout.contains("\naddresses     masked"),
        "{}",
        outcome.stdout
    );
}

/// Runs a program of the system in a folder, with a file as its input; `None`, loudly, where it is
/// not installed.
fn system(trailproof: &Trailproof, folder: &str, line: &str, input: Option<&str>) -> Option<bool> {
    let mut words = line.split(' ');
    let program = words.next().expect("a program");
    let folder = trailproof.home().join(folder);
    let mut command = Command::new(program);
    let _ = command.args(words).current_dir(&folder);
    if let Some(input) = input {
        let input = fs::File::open(folder.join(input)).expect("the input is there");
        let _ = command.stdin(input);
    }
    match command.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let success = output.status.success();
            assert!(success || !said.is_empty(), "{line} failed without a word");
            Some(success)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("NOT TESTED: `{program}` is not installed");
            None
        }
        Err(error) => panic!("{line}: {error}"),
    }
}

#[test]
fn a_bundle_can_be_checked_without_trailproof() {
    let (trailproof, _) = bundled();
    let Some(true) = system(&trailproof, ".", "tar xzf demo.tar.gz", None) else {
        panic!("tar unpacks a bundle");
    };
    let folders = fs::read_dir(trailproof.home()).expect("the home is there");
    let names = folders.map(|entry| entry.expect("an entry").file_name());
    let mut tops = names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.starts_with("trailproof-2"));
    let folder = tops.next().expect("one folder");
    assert_eq!(tops.next(), None);
    let line = "sha256sum --strict -c SHA256SUMS";
    assert_ne!(system(&trailproof, &folder, line, None), Some(false));
    let report = trailproof.home().join(&folder).join("report.html");
    fs::write(report, "All is well.").expect("a file can be written");
    assert_ne!(system(&trailproof, &folder, line, None), Some(true));
}

#[test]
fn a_signature_tells_who_vouches_for_a_bundle() {
    let (trailproof, _) = bundled();
    let home = trailproof.home();
    for (name, kind) in [("key", "ed25519"), ("other", "ed25519"), ("rsa", "rsa")] {
        let line = format!("ssh-keygen -q -t {kind} -f {name} -C {name} -N");
        let mut words: Vec<&str> = line.split(' ').skip(1).collect();
        words.push("");
        match Command::new("ssh-keygen")
            .args(words)
            .current_dir(home)
            .output()
        {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                eprintln!("NOT TESTED: `ssh-keygen` is not installed");
                return;
            }
            made => assert!(made.expect("it runs").status.success(), "{line}"),
        }
    }
    let public = |name: &str| fs::read_to_string(home.join(name)).expect("it was made");
    let write = |name: &str, text: &str| fs::write(home.join(name), text).expect("written");
    write(
        "signers",
        &format!("auditor@example.com {}", public("key.pub")),
    );
    write(
        "strangers",
        &format!("auditor@example.com {}", public("other.pub")),
    );
    let sign = |key: &str| {
        trailproof.run([
            "bundle",
            "demo",
            "--out",
            "signed.tar.gz",
            "--overwrite",
            "--signing-key",
            key,
        ])
    };
    let outcome = sign("rsa").exits(2);
    assert!(
        outcome.stderr.contains("Ed25519 is wanted"),
        "{}",
        outcome.stderr
    );
    let _ = sign("key.pub").exits(2);
    let outcome = sign("key").exits(0);
    assert!(
        outcome.stderr.contains("Signed with the key SHA256:"),
        "{}",
        outcome.stderr
    );

    let verify = |bundle: &str, signers: &str, name: &str| {
        trailproof.run([
            "verify",
            bundle,
            "--allowed-signers",
            signers,
            "--expect-signer",
            name,
        ])
    };
    let outcome = verify("signed.tar.gz", "signers", "auditor@example.com").exits(0);
    assert!(
        outcome.stdout.starts_with("VERIFIED: ") && outcome.stdout.contains("as expected: signer"),
        "{}",
        outcome.stdout
    );
    for (bundle, signers, name, words) in [
        (
            "signed.tar.gz",
            "signers",
            "somebody",
            "has no key of `somebody`",
        ),
        (
            "signed.tar.gz",
            "strangers",
            "auditor@example.com",
            "none of `auditor@example.com`",
        ),
        (
            "demo.tar.gz",
            "signers",
            "auditor@example.com",
            "the bundle is not signed",
        ),
    ] {
        let outcome = verify(bundle, signers, name).exits(1);
        assert!(
            outcome.stdout.contains(words),
            "{words}: {}",
            outcome.stdout
        );
    }
    let _ = trailproof
        .run(["verify", "signed.tar.gz", "--expect-signer", "a"])
        .exits(2);
    let _ = verify("signed.tar.gz", "demo/run.json", "a").exits(2);

    // OpenSSH agrees, and with it that another text was not signed.
    let unpack = "tar xzf signed.tar.gz --strip-components=1";
    assert_eq!(system(&trailproof, ".", unpack, None), Some(true));
    let check = "ssh-keygen -Y verify -f signers -I auditor@example.com -n trailproof-bundle -s SHA256SUMS.sig";
    assert_eq!(
        system(&trailproof, ".", check, Some("SHA256SUMS")),
        Some(true)
    );
    assert_eq!(
        system(&trailproof, ".", check, Some("README.txt")),
        Some(false)
    );

    // What is packed anew has right sums, and no signature of them.
    let signature = public("SHA256SUMS.sig");
    let forged = Forgery::of(&home.join("signed.tar.gz"))
        .text("report.html", |text| text.replace("FAIL", "PASS"));
    forged.signed(&signature).pack(&home.join("forged.tar.gz"));
    let outcome = verify("forged.tar.gz", "signers", "auditor@example.com").exits(1);
    assert!(
        outcome
            .stdout
            .contains("something was changed after it was signed"),
        "{}",
        outcome.stdout
    );
}
