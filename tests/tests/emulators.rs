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
    use trailproof_tests::findings;
    use trailproof_tests::provision::{Emulator, Provisioned};
    use trailproof_tests::scenario;
    use trailproof_tests::server::Server;

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
        assert_eq!(texts[0], texts[1], "two full sweeps differ");
        assert_eq!(texts[2], texts[3], "two adaptive sweeps differ");
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
}
