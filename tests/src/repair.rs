//! A bench for repairs: a simulated organization that can be changed behind the binary's back,
//! and the binary that scans, plans, applies and undoes.

use std::path::PathBuf;

use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_simulator::generator::{Generator, Mix};
use trailproof_simulator::model::{
    Denial, LogGroup, Organization, Site, Subscription, SubscriptionState,
};
use trailproof_simulator::{Options, Running, Scenario, Server};

use crate::binary::{Outcome, Trailproof};

/// A person who needs no confirmation.
pub const PHONE: &str = "sms:+15555550100";

/// The log group of a scenario's healthy chain.
pub const LOG_GROUP: &str = "cloudtrail";

/// A topic policy that lets nobody but its owner publish.
const OWNERS: &str = r#"{ "Version": "2012-10-17", "Statement": [{"Sid": "owner", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SNS:*", "Resource": "*", "Condition": {"StringEquals": {"AWS:SourceOwner": "222222222222"}}}] }"#;

/// A way in which the alarms of an account come to their topic. What has to hold of a repair holds
/// for each of them.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// What it is.
    pub name: &'static str,
    /// What `fix plan` is given.
    pub arguments: &'static [&'static str],
    /// The account of the topic.
    pub account: &'static str,
    /// Its name.
    pub topic: &'static str,
    /// Whether the topic is there before.
    pub is_there: bool,
}

impl Way {
    /// A topic of the account's own; one that the plan creates in another account; and one that is
    /// there, whose policy does not let alarms of others through. Each takes four changes.
    pub const ALL: [Self; 3] = [
        Self {
            name: "a topic of its own",
            arguments: &["--subscribe", PHONE],
            account: Self::SITE,
            topic: "trailproof-alarms",
            is_there: false,
        },
        Self {
            name: "a new central topic",
            arguments: &["--subscribe", PHONE, "--central", Self::CENTRAL],
            account: Self::CENTRAL,
            topic: "trailproof-alarms",
            is_there: false,
        },
        Self {
            name: "a central topic that is there",
            arguments: &[
                "--subscribe",
                PHONE,
                "--central",
                Self::CENTRAL,
                "--topic",
                "security",
            ],
            account: Self::CENTRAL,
            topic: "security",
            is_there: true,
        },
    ];

    /// The account that is repaired.
    pub const SITE: &str = "111111111111";

    /// The account of central topics.
    pub const CENTRAL: &str = "222222222222";

    /// One account with a trail and nothing behind it, and the one of central topics.
    pub fn bench(&self) -> Bench {
        self.bench_with("")
    }

    /// The same, with more accounts.
    pub fn bench_with(&self, more: &str) -> Bench {
        let topics = if self.is_there {
            format!(
                "topics = [{{ name = \"{}\", policy = '{OWNERS}' }}]",
                self.topic
            )
        } else {
            String::new()
        };
        Bench::of_scenario(&format!(
            r#"
            title = "a trail without a filter"
            [[accounts]]
            id = "{}"
            name = "management"
            chain = {{ filter = false, alarm = false, topic = false }}
            [[accounts]]
            id = "{}"
            name = "security"
            {topics}
            {more}
            "#,
            Self::SITE,
            Self::CENTRAL
        ))
    }

    /// Checks that everything was made once.
    ///
    /// # Panics
    ///
    /// When it was not.
    #[track_caller]
    pub fn was_made_once(&self, bench: &Bench) {
        let site = bench.site(Self::SITE);
        let filters = site.log_groups.iter().flat_map(|group| &group.filters);
        let made = (filters.count(), site.alarms.len());
        assert_eq!(made, (1, 1), "{}", self.name);
        let owner = bench.site(self.account);
        let topics: Vec<_> = owner
            .topics
            .iter()
            .map(|topic| (topic.name.as_str(), topic.subscriptions.len()))
            .collect();
        assert_eq!(topics, [(self.topic, 1)], "{}", self.name);
        let statements = owner.topics[0].policy.matches("SourceOrgID").count();
        let expected = usize::from(self.account == Self::CENTRAL);
        assert_eq!(statements, expected, "{}", self.name);
        let topic = format!("arn:aws:sns:us-east-1:{}:{}", self.account, self.topic);
        assert_eq!(site.alarms[0].alarm_actions, [topic], "{}", self.name);
    }
}

/// A small organization that is made by chance.
///
/// # Panics
///
/// Never: it is small.
pub fn generated(seed: u64, mix: Mix) -> Organization {
    let generator = Generator {
        accounts: 16,
        regions: 2,
        seed,
        mix,
        denied: None,
    };
    generator.organization().expect("few accounts")
}

/// Forty of them, for tests that nobody waits for.
pub fn forty() -> impl Iterator<Item = (u64, Mix)> {
    (100..120).flat_map(|seed| [Mix::Demo, Mix::Realistic].map(|mix| (seed, mix)))
}

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
