//! Scenarios made in emulators with ordinary AWS calls.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

use serde::Deserialize;
use trailproof_simulator::Scenario;
use trailproof_simulator::model::{Expected, Trail};

use crate::binary::Outcome;
use crate::server::{self, Server};

/// An emulator that scenarios can be made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emulator {
    /// ministack, which lets everybody do everything.
    Ministack,
    /// ministack, which enforces IAM policies.
    MinistackWithAuthorization,
    /// moto.
    Moto,
}

/// What became of a scenario in an emulator.
#[derive(Debug, Deserialize)]
pub struct Provisioned {
    /// The account numbers of the scenario, and those the emulator chose.
    pub accounts: BTreeMap<String, String>,
    /// Accounts that the emulator cannot hold, and why.
    pub left_out: BTreeMap<String, Vec<String>>,
}

impl Emulator {
    /// Starts it.
    pub fn start(self) -> Server {
        match self {
            Self::Ministack => Server::ministack(false),
            Self::MinistackWithAuthorization => Server::ministack(true),
            Self::Moto => Server::moto(),
        }
    }

    /// The access key that acts as the management account.
    pub fn management_key(self) -> &'static str {
        match self {
            Self::Ministack | Self::MinistackWithAuthorization => "000000000000",
            Self::Moto => "test",
        }
    }

    /// Makes a scenario in a fresh emulator.
    ///
    /// # Panics
    ///
    /// When a call fails.
    #[track_caller]
    pub fn provision(self, server: &Server, scenario: &Scenario) -> Provisioned {
        let mut organization =
            serde_json::to_value(&scenario.organization).expect("the model can be written");
        let fresh = serde_json::to_value(Trail::default()).expect("the model can be written");
        organization["fresh_delivery_age"] = fresh["delivery_age"].clone();

        let name = match self {
            Self::Ministack | Self::MinistackWithAuthorization => "ministack",
            Self::Moto => "moto",
        };
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let mut command = server::script("provision.py", home.path());
        command
            .args(["--emulator", name, "--endpoint", &server.endpoint()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if self == Self::MinistackWithAuthorization {
            command.arg("--authorization");
        }
        let mut child = command.spawn().expect("python starts");
        let mut input = child.stdin.take().expect("stdin is a pipe");
        input
            .write_all(organization.to_string().as_bytes())
            .expect("the script reads");
        drop(input);
        let outcome = Outcome::from(child.wait_with_output().expect("the script ends")).exits(0);
        serde_json::from_str(&outcome.stdout).expect("the script writes JSON")
    }
}

impl Provisioned {
    /// The expectations of the accounts that are there, by the numbers the emulator chose.
    pub fn expectations<'a>(
        &self,
        scenario: &'a Scenario,
    ) -> Vec<(String, &'a str, &'a [Expected])> {
        scenario
            .organization
            .accounts()
            .iter()
            .filter_map(|account| {
                let number = self.accounts.get(&account.id.to_string())?;
                Some((
                    number.clone(),
                    account.name.as_str(),
                    account.expected.as_slice(),
                ))
            })
            .collect()
    }

    /// Text with the emulator's account numbers replaced by those of the scenario, so that runs
    /// against two emulators can be compared.
    pub fn in_scenario_numbers(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (scenario, emulator) in &self.accounts {
            // A key id may end in twelve digits, too, after the four of the group before.
            let mut parts = text.split(emulator.as_str());
            let mut replaced = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let end = replaced.as_bytes().last_chunk();
                let in_key_id = matches!(end, Some([digit, b'-']) if digit.is_ascii_hexdigit());
                replaced.push_str(if in_key_id { emulator } else { scenario });
                replaced.push_str(part);
            }
            text = replaced;
        }
        text
    }
}
