//! Ground for repairs: an emulator or the simulator with an organization in it, and cases, each of
//! which repairs accounts of its own while a witness looks at all of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use trailproof_simulator::{Options, Running, Scenario, Server as Simulator};

use crate::binary::{Outcome, Trailproof};
use crate::provision::{Emulator, Provisioned};
use crate::server::Server;
use crate::witness::{Resources, Witness, added};

/// What is repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An emulator that others made.
    Emulator(Emulator),
    /// Our own.
    Simulator,
}

#[derive(Debug)]
enum Host {
    Emulator(Emulator, Server),
    Simulator(Running),
}

/// An organization somewhere.
#[derive(Debug)]
pub struct Ground {
    /// What holds it.
    pub kind: Kind,
    host: Host,
    provisioned: Provisioned,
    /// Somebody else with credentials.
    pub witness: Witness,
}

impl Ground {
    /// The organization of a scenario's text, all of it.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[track_caller]
    pub fn of(kind: Kind, text: &str) -> Self {
        let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{error}"));
        let (host, name, endpoint, provisioned) = match kind {
            Kind::Emulator(emulator) => {
                let server = emulator.start();
                let provisioned = emulator.provision(&server, &scenario);
                let name = match emulator {
                    Emulator::Moto => "moto",
                    Emulator::Ministack | Emulator::MinistackWithAuthorization => "ministack",
                };
                let endpoint = server.endpoint();
                (
                    Host::Emulator(emulator, server),
                    name,
                    endpoint,
                    provisioned,
                )
            }
            Kind::Simulator => {
                let numbers = scenario.organization.accounts().iter();
                let numbers =
                    numbers.map(|account| (account.id.to_string(), account.id.to_string()));
                let provisioned = Provisioned {
                    accounts: numbers.collect(),
                    left_out: BTreeMap::new(),
                };
                let running = Simulator::start(scenario.organization, Options::default())
                    .expect("a port is free");
                let endpoint = running.url();
                (Host::Simulator(running), "simulator", endpoint, provisioned)
            }
        };
        assert!(provisioned.left_out.is_empty(), "{provisioned:?}");
        let witness = Witness::of(name, &endpoint, &provisioned.accounts[MANAGEMENT]);
        Self {
            kind,
            host,
            provisioned,
            witness,
        }
    }

    /// The number of an account of the scenario.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[track_caller]
    pub fn account(&self, scenario: &str) -> &str {
        &self.provisioned.accounts[scenario]
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        match &self.host {
            Host::Emulator(_, server) => server.endpoint(),
            Host::Simulator(running) => running.url(),
        }
    }

    /// The simulator, where it is one.
    pub fn simulator(&self) -> Option<&Running> {
        match &self.host {
            Host::Emulator(..) => None,
            Host::Simulator(running) => Some(running),
        }
    }

    /// The same as an address.
    ///
    /// # Panics
    ///
    /// Never: endpoints are on the loopback interface.
    pub fn address(&self) -> SocketAddr {
        let endpoint = self.endpoint();
        let address = endpoint.trim_start_matches("http://");
        address.parse().expect("an address and a port")
    }

    /// The binary with a home of its own.
    pub fn trailproof(&self) -> Trailproof {
        match &self.host {
            Host::Emulator(emulator, server) => {
                Trailproof::against(&server.endpoint(), emulator.management_key())
            }
            Host::Simulator(running) => {
                let mut trailproof = Trailproof::offline();
                for (name, value) in running.environment() {
                    trailproof.set(name, &value);
                }
                trailproof
            }
        }
    }

    /// A case in some accounts of the scenario, which no other case uses.
    pub fn case(&self, scenario: &[&str]) -> Case<'_> {
        Case {
            ground: self,
            trailproof: self.trailproof(),
            accounts: scenario
                .iter()
                .map(|account| self.account(account).to_owned())
                .collect(),
        }
    }
}

/// The management account of every ground's scenario.
pub const MANAGEMENT: &str = "111111111111";

/// Accounts, and the binary that repairs them.
#[derive(Debug)]
pub struct Case<'a> {
    /// Where they are.
    pub ground: &'a Ground,
    /// The binary; its home is where the files are.
    pub trailproof: Trailproof,
    /// The accounts, by their real numbers.
    pub accounts: Vec<String>,
}

impl Case<'_> {
    /// One of its accounts as a case of its own.
    #[must_use]
    pub fn alone(&self, index: usize) -> Self {
        Case {
            ground: self.ground,
            trailproof: self.ground.trailproof(),
            accounts: vec![self.accounts[index].clone()],
        }
    }

    /// A file of the binary's home.
    pub fn file(&self, name: &str) -> PathBuf {
        self.trailproof.home().join(name)
    }

    /// Scans its accounts into `run`.
    #[track_caller]
    pub fn scan(&self) -> Outcome {
        let accounts = self.accounts.join(",");
        self.trailproof.run([
            "scan",
            "--out",
            "run",
            "--overwrite",
            "--quiet",
            "--sweep",
            "adaptive",
            "--accounts",
            &accounts,
        ])
    }

    /// Scans, and plans into `plan.json`.
    ///
    /// # Panics
    ///
    /// When there is no plan.
    #[track_caller]
    pub fn plan(&self, arguments: &[&str]) -> Value {
        let scanned = self.scan();
        assert!(scanned.code.is_some_and(|code| code != 4), "{scanned:?}");
        let fixed = ["fix", "plan", "run", "--out", "plan.json", "--overwrite"];
        let _ = self.trailproof.run(fixed.iter().chain(arguments)).exits(0);
        let text = std::fs::read(self.file("plan.json")).expect("there is a plan");
        serde_json::from_slice(&text).expect("a plan is JSON")
    }

    /// The command that applies `plan.json` without asking.
    pub fn applying(&self) -> Command {
        self.trailproof
            .command(["fix", "apply", "plan.json", "--yes"])
    }

    /// The command that undoes `journal.ndjson` without asking.
    pub fn undoing(&self) -> Command {
        self.trailproof
            .command(["fix", "undo", "journal.ndjson", "--yes", "--shared-topics"])
    }

    /// Applies.
    #[track_caller]
    pub fn apply(&self) -> Outcome {
        ended(self.applying())
    }

    /// Undoes.
    #[track_caller]
    pub fn undo(&self) -> Outcome {
        ended(self.undoing())
    }

    /// Everything in its accounts.
    pub fn resources(&self) -> Resources {
        self.ground.witness.resources(&self.accounts)
    }

    /// What came to its accounts, as `KIND NAME` in the order of the accounts, with `{account}`
    /// for their numbers.
    ///
    /// # Panics
    ///
    /// When something was changed or is gone, or came to a region without a chain.
    #[track_caller]
    pub fn added(&self, before: &Resources) -> Vec<Vec<String>> {
        let mut names = vec![Vec::new(); self.accounts.len()];
        for key in added(before, &self.resources()) {
            let at = self.accounts.iter().position(|account| {
                let prefix = format!("{account} us-east-1 ");
                key.strip_prefix(&prefix).is_some()
            });
            let at = at.unwrap_or_else(|| panic!("{key} came where nothing may"));
            let account = &self.accounts[at];
            let name = key.replacen(&format!("{account} us-east-1 "), "", 1);
            names[at].push(name.replace(account, "{account}"));
        }
        names
    }

    /// Undoes, and checks that everything is as it was, and that a second undo does nothing.
    ///
    /// # Panics
    ///
    /// When it is not.
    #[track_caller]
    pub fn undo_restores(&self, before: &Resources) {
        let undone = self.undo().exits(0);
        self.is_again(before, &undone);
        let again = self.undo().exits(0);
        assert!(again.stdout.contains("nothing to take back"), "{again:?}");
    }

    /// Checks that its accounts are as they were.
    ///
    /// # Panics
    ///
    /// When they are not.
    #[track_caller]
    pub fn is_again(&self, before: &Resources, outcome: &Outcome) {
        let more = added(before, &self.resources());
        assert!(more.is_empty(), "{more:?} came after {outcome:?}");
    }

    /// A call of somebody else, in the first of its accounts.
    #[track_caller]
    pub fn somebody(&self, service: &str, operation: &str, parameters: Value) -> Value {
        let account = &self.accounts[0];
        self.ground
            .witness
            .call(account, service, operation, parameters)
    }
}

fn ended(mut command: Command) -> Outcome {
    command.output().expect("the binary starts").into()
}
