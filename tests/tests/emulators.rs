//! The real binary against emulators of AWS that were given their resources with ordinary AWS
//! calls: it finds the verdicts that the scenarios expect.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says why"
)]

/// Everything here needs the emulators, which need Python.
mod with_python {
    use std::fmt::Write;
    use std::path::PathBuf;

    use trailproof_tests::binary::{Outcome, Trailproof};
    use trailproof_tests::evidence;
    use trailproof_tests::findings;
    use trailproof_tests::provision::{Emulator, Provisioned};
    use trailproof_tests::scenario;
    use trailproof_tests::server::{self, Server};

    /// A scan of everything, with its run directory.
    fn scan(
        emulator: Emulator,
        server: &Server,
        arguments: &[&str],
    ) -> (Trailproof, PathBuf, Outcome) {
        let trailproof = Trailproof::against(&server.endpoint(), emulator.management_key());
        let directory = trailproof.home().join("run");
        let mut all = vec![
            "scan",
            "--out",
            directory.to_str().expect("a path in ASCII"),
        ];
        all.extend(arguments);
        let outcome = trailproof.run(&all);
        (trailproof, directory, outcome)
    }

    #[track_caller]
    fn expect(provisioned: &Provisioned, name: &str, document: &serde_json::Value) -> usize {
        let scenario = scenario::named(name);
        let expected = provisioned.expectations(&scenario);
        let count = expected.len();
        let verdicts = scenario::verdicts_of_document(document);
        let differences = scenario::differences(expected, &verdicts);
        assert!(differences.is_empty(), "{name}:\n{differences}");
        count
    }

    #[test]
    fn ministack_with_25_accounts_gives_every_expected_verdict_in_both_sweeps() {
        let emulator = Emulator::Ministack;
        let server = emulator.start();
        let provisioned = emulator.provision(&server, &scenario::named("mix"));
        assert_eq!(provisioned.left_out, std::collections::BTreeMap::default());
        assert_eq!(provisioned.accounts.len(), 25);
        let mut texts = Vec::new();
        for arguments in [
            &["--sweep", "full"][..],
            &["--sweep", "full"],
            &["--sweep", "adaptive"],
            &["--sweep", "adaptive"],
        ] {
            let (_home, directory, outcome) = scan(emulator, &server, arguments);
            let _ = outcome.exits(1);
            let document = findings::read(&directory);
            expect(&provisioned, "mix", &document);
            texts.push(findings::comparable(&document));
        }
        findings::assert_same(&texts[1], &texts[0]);
        findings::assert_same(&texts[3], &texts[2]);
    }

    /// What was refused in a scan: operation and message.
    fn refusals(directory: &std::path::Path) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(directory.join("evidence.ndjson")).expect("evidence");
        let records = text.lines().map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("a record of evidence")
        });
        records
            .filter(|record| record["error"]["class"] == "denied")
            .map(|record| {
                let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
                (
                    text(&record["operation"]),
                    text(&record["error"]["message"]),
                )
            })
            .collect()
    }

    /// The role may do everything, then no more than the printed policy says; sessions carry their
    /// own policy both times. Taking one action away shows that the emulator looks at policies.
    #[test]
    fn a_scan_may_do_all_that_its_policies_are_for() {
        let emulator = Emulator::MinistackWithAuthorization;
        let server = emulator.start();
        let provisioned = emulator.provision(&server, &scenario::named("mix"));
        let management = scenario::named("mix").organization.management.to_string();
        let accounts = provisioned.accounts.iter();
        let members: Vec<&String> = accounts
            .filter(|(account, _)| **account != management)
            .map(|(_, chosen)| chosen)
            .collect();
        let (home, directory, outcome) = scan(emulator, &server, &["--sweep", "full"]);
        let _ = outcome.exits(1);
        assert_eq!(refusals(&directory), []);
        let document = findings::read(&directory);
        expect(&provisioned, "mix", &document);
        let manifest: serde_json::Value = serde_json::from_str(
            &std::fs::read_to_string(directory.join("run.json")).expect("a run"),
        )
        .expect("run.json");
        assert_eq!(
            manifest["access"]["sessions"][0]["session_policy"], "operations",
            "{}",
            manifest["access"]
        );

        let policy = home.run(&["iam-policy", "--who", "member"]).exits(0);
        let file = home.home().join("member.json");
        std::fs::write(&file, &policy.stdout).expect("a file");
        let give = |arguments: &[&str]| {
            let output = server::script("role_policy.py", home.home())
                .args(["--endpoint", &server.endpoint()])
                .args(arguments)
                .args(&members)
                .output()
                .expect("python starts");
            assert!(output.status.success(), "{output:?}");
        };
        give(&["--document", file.to_str().expect("a path in ASCII")]);
        let (_home, directory, outcome) = scan(emulator, &server, &["--sweep", "full"]);
        let _ = outcome.exits(1);
        assert_eq!(refusals(&directory), []);
        expect(&provisioned, "mix", &findings::read(&directory));

        give(&["--all-but", "logs:DescribeMetricFilters"]);
        let (_home, directory, outcome) = scan(emulator, &server, &["--sweep", "full"]);
        let _ = outcome.exits(1);
        let refused = refusals(&directory);
        assert!(!refused.is_empty());
        assert!(
            refused
                .iter()
                .all(|(operation, _)| operation == "logs:DescribeMetricFilters"),
            "{refused:?}"
        );
    }

    /// Every scenario without organization trails, as far as the emulator can hold it.
    #[track_caller]
    fn holds_scenarios(emulator: Emulator, least: usize) {
        let mut accounts = 0;
        let mut report = String::new();
        for name in [
            "own-trails",
            "filters",
            "alarms",
            "notifications",
            "several-chains",
            "mix",
        ] {
            let server = emulator.start();
            let provisioned = emulator.provision(&server, &scenario::named(name));
            let (_home, directory, outcome) = scan(emulator, &server, &["--sweep", "adaptive"]);
            let _ = outcome.exits(1);
            let document = findings::read(&directory);
            accounts += expect(&provisioned, name, &document);
            for (account, reasons) in &provisioned.left_out {
                let _ = writeln!(report, "{name}: {account} left out: {}", reasons.join(", "));
            }
        }
        println!("{accounts} accounts\n{report}");
        assert!(accounts >= least, "only {accounts} accounts fit:\n{report}");
    }

    #[test]
    fn ministack_gives_the_verdicts_of_every_scenario_it_can_hold() {
        holds_scenarios(Emulator::Ministack, 100);
    }

    #[test]
    fn moto_gives_the_verdicts_of_every_scenario_it_can_hold() {
        holds_scenarios(Emulator::Moto, 100);
    }

    /// A scan of the mix, killed in the middle and resumed.
    #[test]
    fn ministack_killed_in_the_middle_and_resumed_gives_the_same_findings() {
        let emulator = Emulator::Ministack;
        let server = emulator.start();
        let provisioned = emulator.provision(&server, &scenario::named("mix"));
        let (_whole_home, whole, outcome) = scan(emulator, &server, &[]);
        let _ = outcome.exits(1);
        let expected = findings::comparable(&findings::read(&whole));
        let size = std::fs::metadata(whole.join("evidence.ndjson"))
            .expect("there is evidence")
            .len();

        let trailproof = Trailproof::against(&server.endpoint(), emulator.management_key());
        let directory = trailproof.home().join("run");
        let out = directory.to_str().expect("a path in ASCII");
        let mut child = trailproof.start(["scan", "--out", out]);
        assert!(evidence::wait_for_bytes(&mut child, &directory, size / 2));
        child.kill().expect("the scan can be killed");
        let _ = child.wait_with_output().expect("the scan ends");
        let _ = trailproof.run(["scan", "--resume", out]).exits(1);
        let document = findings::read(&directory);
        expect(&provisioned, "mix", &document);
        findings::assert_same(&findings::comparable(&document), &expected);
        assert_eq!(evidence::repeated(&directory), Vec::<String>::new());
    }

    #[test]
    fn recorded_evidence_gives_exactly_the_findings_of_the_scan() {
        let emulator = Emulator::Ministack;
        let server = emulator.start();
        let _ = emulator.provision(&server, &scenario::named("mix"));
        let (trailproof, directory, outcome) = scan(emulator, &server, &[]);
        let _ = outcome.exits(1);
        drop(server);
        let outcome = trailproof.run([
            "evaluate",
            "--evidence",
            directory.to_str().expect("a path in ASCII"),
            "--out",
            "judged",
        ]);
        let _ = outcome.exits(1);
        let scanned = findings::read(&directory);
        let judged = findings::read(&trailproof.home().join("judged"));
        assert_eq!(judged["findings"], scanned["findings"]);
        assert_eq!(judged["summary"], scanned["summary"]);
    }

    #[test]
    fn evidence_made_with_the_aws_cli_gives_the_same_verdicts() {
        let emulator = Emulator::Ministack;
        let server = emulator.start();
        let provisioned = emulator.provision(&server, &scenario::named("mix"));
        let trailproof = Trailproof::offline();
        let output = server::script("cli_evidence.py", trailproof.home())
            .args(["--endpoint", &server.endpoint()])
            .args(["--access-key", emulator.management_key()])
            .output()
            .expect("python starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::write(trailproof.home().join("by-hand.ndjson"), &output.stdout)
            .expect("the file can be written");
        let outcome = trailproof.run([
            "evaluate",
            "--evidence",
            "by-hand.ndjson",
            "--out",
            "judged",
        ]);
        let _ = outcome.exits(1);
        expect(
            &provisioned,
            "mix",
            &findings::read(&trailproof.home().join("judged")),
        );
    }

    /// Every permission of a scan, revoked in turn in a member with a whole chain and in one with a
    /// broken chain.
    #[test]
    fn a_revoked_permission_never_makes_a_verdict_wrong() {
        let emulator = Emulator::MinistackWithAuthorization;
        let server = emulator.start();
        let scenario = scenario::named("permissions");
        let provisioned = emulator.provision(&server, &scenario);
        let whole = &provisioned.accounts["410000000001"];
        let broken = &provisioned.accounts["410000000002"];
        let accounts = format!("{whole},{broken}");
        let verdicts = |revoked: &str| {
            let mut change = server::script("role_policy.py", server.home());
            change.args([
                "--endpoint",
                &server.endpoint(),
                "--all-but",
                revoked,
                whole,
                broken,
            ]);
            let output = change.output().expect("python starts");
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            let (_home, directory, outcome) = scan(
                emulator,
                &server,
                &["--accounts", &accounts, "--sweep", "adaptive"],
            );
            assert!(matches!(outcome.code, Some(0 | 1 | 3)), "{outcome:?}");
            let found = findings::by_id(&findings::read(&directory));
            let of = |account: &str| found[&format!("{account}/console-auth-failures")].clone();
            (of(whole), of(broken))
        };
        let (passing, failing) = verdicts("none:None");
        assert_eq!(passing["status"], "PASS", "{passing}");
        assert_eq!(failing["status"], "FAIL", "{failing}");

        let mut unknown = Vec::new();
        for action in [
            "cloudtrail:DescribeTrails",
            "cloudtrail:GetTrailStatus",
            "cloudtrail:GetEventSelectors",
            "logs:DescribeLogGroups",
            "logs:DescribeMetricFilters",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:ListAlarmMuteRules",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
            "account:ListRegions",
            "sts:GetCallerIdentity",
        ] {
            let (passing, failing) = verdicts(action);
            for (finding, before) in [(&passing, "PASS"), (&failing, "FAIL")] {
                let status = finding["status"].as_str().expect("a status");
                if status == before {
                    continue;
                }
                assert_eq!(status, "UNKNOWN", "{action} revoked: {finding}");
                let message = finding["message"].as_str().expect("a message");
                assert!(message.contains(action), "{action} revoked: {message}");
            }
            if passing["status"] == "UNKNOWN" {
                unknown.push(action);
            }
        }
        // What every proof rests on. ministack does not enforce permissions for CloudWatch's CBOR
        // protocol; the simulator does, in the tests of faults.
        for action in [
            "cloudtrail:DescribeTrails",
            "cloudtrail:GetTrailStatus",
            "cloudtrail:GetEventSelectors",
            "logs:DescribeLogGroups",
            "logs:DescribeMetricFilters",
            "sns:GetTopicAttributes",
        ] {
            assert!(
                unknown.contains(&action),
                "{action} is not missed: {unknown:?}"
            );
        }
    }
}
