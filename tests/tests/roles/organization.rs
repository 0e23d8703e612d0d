//! Organizations written as scenarios, served, and scanned.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use trailproof_simulator::Scenario;
use trailproof_tests::binary::{Outcome, Trailproof};
use trailproof_tests::server::Server;
use trailproof_tests::{evidence, findings};

/// The account whose credentials a scan has where no other is chosen.
const MANAGEMENT: &str = "111111111111";

/// How an account can be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By the role that AWS Organizations makes.
    Organizations,
    /// By that of AWS Control Tower.
    ControlTower,
    /// By a role of its own with an external id, in a unit of its own.
    Restricted,
    /// Not at all.
    NoRole,
    /// Not needed: people sign in to it.
    Hub,
}

/// A scenario in the making.
pub(crate) struct Organization {
    partition: &'static str,
    delegations: Vec<String>,
    pub(crate) accounts: String,
    kinds: Vec<Kind>,
}

impl Organization {
    pub(crate) fn new(partition: &str) -> Self {
        let partition = match partition {
            "aws" => "aws",
            "aws-us-gov" => "aws-us-gov",
            other => panic!("{other}"),
        };
        Self {
            partition,
            delegations: Vec::new(),
            accounts: format!(
                "[[accounts]]\nid = \"{MANAGEMENT}\"\nchain = true\nexpect = \"PASS\"\n"
            ),
            kinds: Vec::new(),
        }
    }

    fn next(&mut self, kind: Kind) -> String {
        self.kinds.push(kind);
        format!(
            "{:012}",
            222_222_222_222_u64 + u64::try_from(self.kinds.len()).expect("few")
        )
    }

    /// Adds an account whose chain is complete, or lacks its topic.
    pub(crate) fn add(&mut self, kind: Kind, complete: bool) -> String {
        let id = self.next(kind);
        let (more, enters) = match kind {
            Kind::Organizations => ("roles = [{ requires_session_policy = true }]\n", true),
            Kind::ControlTower => (
                "roles = [{ name = \"AWSControlTowerExecution\", requires_session_policy = true }]\n",
                true,
            ),
            Kind::Restricted => (
                "unit = \"Restricted\"\ntags = { audit = \"external\" }\nroles = [{ name = \"Audit\", \
                 path = \"/security/\", external_id = \"ticket-42\", requires_session_policy = true }]\n",
                true,
            ),
            Kind::NoRole | Kind::Hub => ("roles = []\n", false),
        };
        let chain = if complete {
            "true"
        } else {
            "{ topic = false }"
        };
        let expect = match (enters, complete) {
            (false, _) => "{ status = \"UNKNOWN\", broken_link = \"account\" }",
            (true, true) => "\"PASS\"",
            (true, false) => "{ status = \"FAIL\", cis = \"FAIL\" }",
        };
        self.write(&id, more, &format!("chain = {chain}\nexpect = {expect}\n"));
        id
    }

    /// Adds an account with a role that lets an account in and may ask about the organization.
    pub(crate) fn add_hub(&mut self, identity: &str) -> String {
        let id = self.next(Kind::Hub);
        self.delegations.push(id.clone());
        let role = format!(
            "roles = [{{ name = \"AuditHub\", external_id = \"hub-1\", trusted = [\"{identity}\"], \
             requires_session_policy = true }}]\n"
        );
        self.write(&id, &role, "chain = true\n");
        id
    }

    /// Adds a delegated administrator of CloudTrail.
    pub(crate) fn add_administrator(&mut self) -> String {
        let id = self.next(Kind::Hub);
        self.delegations.push(id.clone());
        self.write(&id, "roles = []\n", "chain = true\n");
        id
    }

    /// Adds an account whose role trusts another account alone.
    pub(crate) fn add_trusting(&mut self, hub: &str) {
        let id = self.next(Kind::Restricted);
        let role = format!(
            "roles = [{{ name = \"Audit\", trusted = [\"{hub}\"], requires_session_policy = true }}]\n"
        );
        self.write(&id, &role, "chain = true\n");
    }

    /// Adds an account as it is written.
    pub(crate) fn add_written(&mut self, text: &str) -> String {
        let id = self.next(Kind::Organizations);
        self.write(&id, text, "");
        id
    }

    fn write(&mut self, id: &str, more: &str, rest: &str) {
        write!(self.accounts, "\n[[accounts]]\nid = \"{id}\"\n{more}{rest}").expect("it is memory");
    }

    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.kinds.iter().filter(|known| **known == kind).count()
    }

    fn text(&self) -> String {
        let delegations: Vec<String> = self
            .delegations
            .iter()
            .map(|account| format!("{{ account = \"{account}\" }}"))
            .collect();
        format!(
            "title = \"roles\"\n\n[organization]\npartition = \"{}\"\ndelegations = [{}]\n\n{}",
            self.partition,
            delegations.join(", "),
            self.accounts
        )
    }

    pub(crate) fn scenario(&self) -> Scenario {
        Scenario::parse(&self.text()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The id of a unit.
    pub(crate) fn unit(&self, name: &str) -> String {
        self.scenario().organization.units[name].clone()
    }

    pub(crate) fn serve(&self, arguments: &[&str]) -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join("organization.toml");
        fs::write(&file, self.text()).expect("the file can be written");
        let file = file.to_str().expect("a path in ASCII");
        Server::simulator(&[&["--scenario", file][..], arguments].concat())
    }
}

/// How many requests were refused so far.
pub(crate) fn refused(server: &Server) -> u64 {
    let total = &statistics(server)["total"];
    total["refused"].as_u64().expect("requests are counted")
}

pub(crate) fn statistics(server: &Server) -> Value {
    let answer = server.get("/_trailproof/statistics");
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// A scan and what it left.
pub(crate) struct Run {
    pub(crate) trailproof: Trailproof,
    pub(crate) outcome: Outcome,
    /// `findings.json`; null where there is none.
    pub(crate) findings: Value,
    /// `run.json`; null where there is none.
    pub(crate) record: Value,
    pub(crate) evidence: Vec<Value>,
}

pub(crate) fn scan(server: &Server, region: &str, configuration: &str, flags: &[&str]) -> Run {
    scan_as(MANAGEMENT, server, region, configuration, flags)
}

pub(crate) fn scan_as(
    caller: &str,
    server: &Server,
    region: &str,
    configuration: &str,
    flags: &[&str],
) -> Run {
    let mut trailproof = Trailproof::against(&server.endpoint(), caller);
    trailproof.set("AWS_REGION", region);
    let home = trailproof.home().to_owned();
    fs::write(home.join("trailproof.toml"), configuration).expect("the file can be written");
    let outcome = trailproof.run([&["scan", "--out", "run"][..], flags].concat());
    let directory = home.join("run");
    let read = |name: &str| -> Value {
        fs::read_to_string(directory.join(name))
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    };
    let written = directory.join("findings.json").exists();
    Run {
        findings: if written {
            findings::read(&directory)
        } else {
            Value::Null
        },
        record: read("run.json"),
        evidence: if written {
            evidence::records(&directory)
        } else {
            Vec::new()
        },
        outcome,
        trailproof,
    }
}

/// The statuses by account.
pub(crate) fn statuses(document: &Value) -> BTreeMap<String, String> {
    let findings = document["findings"].as_array().expect("findings is a list");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    findings
        .iter()
        .map(|finding| (text(&finding["account"]["id"]), text(&finding["status"])))
        .collect()
}
