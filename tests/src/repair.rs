//! A bench for repairs: a simulated organization that can be changed behind the binary's back,
//! and the binary that scans, plans, applies and undoes.

use std::path::PathBuf;

use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_simulator::model::{
    Denial, LogGroup, Organization, Site, Subscription, SubscriptionState,
};
use trailproof_simulator::{Options, Running, Scenario, Server};

use crate::binary::{Outcome, Trailproof};

/// A person who needs no confirmation.
pub const PHONE: &str = "sms:+15555550100";

/// The log group of a scenario's healthy chain.
pub const LOG_GROUP: &str = "cloudtrail";

/// The organization and the binary.
#[derive(Debug)]
pub struct Bench {
    /// The organization.
    pub running: Running,
    /// The binary; its home is where the files are.
    pub trailproof: Trailproof,
}

impl Bench {
    /// An organization from the text of a scenario.
    ///
    /// # Panics
    ///
    /// When the text is not a scenario, or no server can be started.
    #[track_caller]
    pub fn of_scenario(text: &str) -> Self {
        let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{error}"));
        Self::of(scenario.organization)
    }

    /// An organization as it is.
    ///
    /// # Panics
    ///
    /// When no server can be started.
    pub fn of(organization: Organization) -> Self {
        Self::with(organization, Options::default())
    }

    /// An organization that is served in some way of its own.
    ///
    /// # Panics
    ///
    /// When no server can be started.
    pub fn with(organization: Organization, options: Options) -> Self {
        let running = Server::start(organization, options).expect("a port is free");
        let mut trailproof = Trailproof::offline();
        for (name, value) in running.environment() {
            trailproof.set(name, &value);
        }
        Self {
            running,
            trailproof,
        }
    }

    /// Everything there is, as one value.
    ///
    /// # Panics
    ///
    /// When it is not JSON.
    pub fn state(&self) -> Value {
        let text = self.running.read(Organization::canonical);
        serde_json::from_str(&text).expect("a state is JSON")
    }

    /// The region of the healthy chain.
    pub fn region(&self) -> Region {
        self.running
            .read(|organization| organization.partition().home_region())
    }

    /// Changes what is in the home region of an account.
    ///
    /// # Panics
    ///
    /// When there is no such account.
    #[track_caller]
    pub fn change<T>(&self, account: &str, change: impl FnOnce(&mut Site) -> T) -> T {
        let (id, region) = (id(account), self.region());
        self.running.change(|organization| {
            let account = organization.account_mut(id).expect("the account is there");
            change(account.site_mut(&region))
        })
    }

    /// Changes the log group of an account's chain.
    ///
    /// # Panics
    ///
    /// When there is no such account or log group.
    #[track_caller]
    pub fn change_log_group<T>(&self, account: &str, change: impl FnOnce(&mut LogGroup) -> T) -> T {
        self.change(account, |site| {
            let group = site
                .log_groups
                .iter_mut()
                .find(|group| group.name == LOG_GROUP);
            change(group.expect("the log group is there"))
        })
    }

    /// Refuses these operations, and no others, in an account.
    ///
    /// # Panics
    ///
    /// When there is no such account.
    #[track_caller]
    pub fn deny(&self, account: &str, operations: &[&str]) {
        self.running.change(|organization| {
            let account = organization.account_mut(id(account));
            let denials = &mut account.expect("the account is there").denials;
            denials.clear();
            if !operations.is_empty() {
                denials.push(Denial {
                    operations: operations.iter().map(|&name| name.to_owned()).collect(),
                    ..Denial::default()
                });
            }
        });
    }

    /// Somebody's telephone is subscribed to the first topic of an account.
    ///
    /// # Panics
    ///
    /// When there is no such account or topic.
    #[track_caller]
    pub fn stranger_subscribes(&self, account: &str) {
        self.change(account, |site| {
            let topic = site.topics.first_mut().expect("the topic is there");
            topic.subscriptions.push(Subscription {
                protocol: "sms".to_owned(),
                endpoint: "+4915112345678".to_owned(),
                state: SubscriptionState::Confirmed,
                ..Subscription::default()
            });
        });
    }

    /// What is in the home region of an account.
    ///
    /// # Panics
    ///
    /// When there is no such account.
    #[track_caller]
    pub fn site(&self, account: &str) -> Site {
        self.change(account, |site| site.clone())
    }

    /// A file of the binary's home.
    pub fn file(&self, name: &str) -> PathBuf {
        self.trailproof.home().join(name)
    }

    /// Scans into `run`.
    #[track_caller]
    pub fn scan(&self) -> Outcome {
        self.trailproof
            .run(["scan", "--out", "run", "--overwrite", "--quiet"])
    }

    /// A finding of the last scan.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[track_caller]
    pub fn finding(&self, account: &str, control: &str) -> Value {
        let text = std::fs::read(self.file("run/findings.json")).expect("there was a scan");
        let document: Value = serde_json::from_slice(&text).expect("findings are JSON");
        let id = format!("{account}/{control}");
        document
            .get("findings")
            .and_then(Value::as_array)
            .and_then(|findings| {
                findings
                    .iter()
                    .find(|finding| finding.get("id") == Some(&Value::from(id.as_str())))
            })
            .unwrap_or_else(|| panic!("there is no finding {id}"))
            .clone()
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
        self.read_plan()
    }

    /// The plan that was written.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[track_caller]
    pub fn read_plan(&self) -> Value {
        let text = std::fs::read(self.file("plan.json")).expect("there is a plan");
        serde_json::from_slice(&text).expect("a plan is JSON")
    }

    /// Applies `plan.json` without asking.
    #[track_caller]
    pub fn apply(&self) -> Outcome {
        self.trailproof.run(["fix", "apply", "plan.json", "--yes"])
    }

    /// Undoes `journal.ndjson` without asking, subscriptions to topics of others included.
    #[track_caller]
    pub fn undo(&self) -> Outcome {
        let undo = ["fix", "undo", "journal.ndjson", "--yes", "--shared-topics"];
        self.trailproof.run(undo)
    }

    /// Undoes `journal.ndjson` without asking, but for subscriptions to topics of others.
    #[track_caller]
    pub fn undo_own(&self) -> Outcome {
        self.trailproof
            .run(["fix", "undo", "journal.ndjson", "--yes"])
    }

    /// Undoes, and checks that everything is as it was.
    ///
    /// # Panics
    ///
    /// When it is not.
    #[track_caller]
    pub fn undo_restores(&self, before: &Value) {
        let _ = self.undo().exits(0);
        assert!(
            self.state() == *before,
            "{}",
            difference(before, &self.state())
        );
        let again = self.undo().exits(0);
        assert!(again.stdout.contains("nothing to take back"), "{again:?}");
    }

    /// The journal's entries.
    pub fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.file("journal.ndjson")).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

/// An account number.
///
/// # Panics
///
/// When it is none.
#[track_caller]
pub fn id(account: &str) -> AccountId {
    account.parse().expect("twelve digits")
}

/// Where two states differ first, in words.
pub fn difference(before: &Value, after: &Value) -> String {
    fn find(path: &str, before: &Value, after: &Value) -> Option<String> {
        match (before, after) {
            _ if before == after => None,
            (Value::Object(old), Value::Object(new)) => {
                let mut names = old.keys().chain(new.keys());
                names.find_map(|name| {
                    let path = format!("{path}.{name}");
                    let null = Value::Null;
                    let of = |members: &serde_json::Map<String, Value>| {
                        members.get(name).cloned().unwrap_or(null.clone())
                    };
                    find(&path, &of(old), &of(new))
                })
            }
            (Value::Array(old), Value::Array(new)) if old.len() == new.len() => old
                .iter()
                .zip(new)
                .enumerate()
                .find_map(|(index, (old, new))| find(&format!("{path}[{index}]"), old, new)),
            _ => Some(format!("{path}:\n  before {before}\n  after  {after}")),
        }
    }
    find("", before, after).unwrap_or_else(|| "nothing differs".to_owned())
}
