//! CloudWatch Logs itself, asked about rules of the pattern language that AWS does not document.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use trailproof_core::evidence::{Call, Evidence, Request};
use trailproof_core::pattern::{Answers, Trial, Undocumented};
use trailproof_scanner::Access;

use crate::error::CliError;
use crate::runtime;
use crate::settings::ConnectionSettings;

/// The service, not reached before a question comes up.
pub(super) struct Service<'a> {
    connection: &'a ConnectionSettings,
    reached: Option<Reached>,
    known: Answers,
    tried: BTreeMap<Undocumented, Tried>,
}

struct Reached {
    runtime: tokio::runtime::Runtime,
    access: Access,
}

/// A question about a rule, and what the service said.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Tried {
    pattern: &'static str,
    message: &'static str,
    /// Whether the message is matched; `None` where there is no answer.
    matched: Option<bool>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl fmt::Display for Tried {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pattern, message, ..
        } = self;
        match (self.matched, &self.error) {
            (Some(true), _) => write!(formatter, "AWS says that {pattern} matches {message}"),
            (Some(false), _) => {
                write!(
                    formatter,
                    "AWS says that {pattern} does not match {message}"
                )
            }
            (None, error) => write!(
                formatter,
                "AWS did not say whether {pattern} matches {message}: {}; let these credentials call logs:TestMetricFilter",
                error.as_deref().unwrap_or_default()
            ),
        }
    }
}

impl<'a> Service<'a> {
    pub(super) fn new(connection: &'a ConnectionSettings) -> Self {
        Self {
            connection,
            reached: None,
            known: Answers::new(),
            tried: BTreeMap::new(),
        }
    }

    /// What it said so far.
    pub(super) fn known(&self) -> &Answers {
        &self.known
    }

    /// What it said about some rules.
    pub(super) fn told(&self, questions: &BTreeSet<Undocumented>) -> impl Iterator<Item = Tried> {
        let told = questions
            .iter()
            .filter_map(|question| self.tried.get(question));
        told.cloned()
    }

    /// Asks about rules, each once.
    pub(super) fn try_out(&mut self, questions: &BTreeSet<Undocumented>) -> Result<(), CliError> {
        for question in questions {
            let Some(trial) = question.trial() else {
                continue;
            };
            if self.tried.contains_key(question) {
                continue;
            }
            let answer = self.reach()?.ask(*question, trial);
            if let Ok(truth) = answer {
                self.known.insert(*question, truth);
            }
            let tried = Tried {
                pattern: trial.pattern,
                message: trial.message,
                matched: answer.as_ref().ok().copied(),
                error: answer.err(),
            };
            self.tried.insert(*question, tried);
        }
        Ok(())
    }

    fn reach(&mut self) -> Result<&Reached, CliError> {
        if self.reached.is_none() {
            let runtime = runtime::start()?;
            let options = self.connection.connect_options()?;
            let role = self.connection.role_settings()?;
            let access = runtime.block_on(Access::connect(&options, &role, 1))?;
            self.reached = Some(Reached { runtime, access });
        }
        self.reached
            .as_ref()
            .ok_or_else(|| CliError::failed("the connection is gone"))
    }
}

impl Reached {
    /// Whether the pattern of a try matches its message.
    fn ask(&self, question: Undocumented, trial: Trial) -> Result<bool, String> {
        let caller = self.access.caller();
        let request = Request {
            account: caller.account,
            region: caller.region.clone(),
            call: Call::TestMetricFilter {
                pattern: trial.pattern.to_owned(),
                message: trial.message.to_owned(),
            },
        };
        let record = self.runtime.block_on(self.access.read(&request));
        let mut evidence = Evidence::default();
        evidence.insert(record).map_err(|error| error.to_string())?;
        let reader = evidence.reader();
        match reader.rule(question).map(|answer| &answer.outcome) {
            Some(Ok(truth)) => Ok(**truth),
            Some(Err(error)) => Err(format!("{}: {}", error.code, error.message)),
            None => Err("the answer is about another question".to_owned()),
        }
    }
}
