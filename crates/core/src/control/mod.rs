//! Controls: what has to be watched, by which pattern, and how each benchmark version calls it.
//!
//! Controls are data. The built-in ones are TOML files embedded in this crate (`control::builtin`);
//! users add their own in the same form, and nothing here knows the difference. Whether an account
//! meets a control is none of this module's business.

mod benchmark;
mod catalogue;
mod documented;

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::finding::{ControlSummary, Observation};
use crate::observation::ObservationKind;
use crate::pattern::{Pattern, PatternError, impossible_alternatives, is_unsatisfiable};

pub use benchmark::{BENCHMARK, UnknownBenchmark, VERSIONS, version};
pub use catalogue::{CatalogueError, builtin, select, with_custom};
pub use documented::documented;

/// The name of the benchmark of controls that are in none.
pub const CUSTOM_BENCHMARK: &str = "custom";

static MANAGEMENT_ACCOUNT: ObservationKind = ObservationKind {
    code: "control.management-account",
    meaning: "The control is about events of the organization, which the management account's trails record. The account's own trails alone see what it does there by itself.",
};
static BENCHMARK_TEXT: ObservationKind = ObservationKind {
    code: "control.benchmark-text",
    meaning: "The text of that benchmark version has a fault: a filter that copies it is accepted, and may do less than one thinks.",
};

/// Every observation that controls make.
pub const OBSERVATIONS: &[&ObservationKind] = &[&BENCHMARK_TEXT, &MANAGEMENT_ACCOUNT];

/// A control: events that have to end as a message in front of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Such as `console-auth-failures`.
    pub id: String,
    /// What the newest benchmark version calls it.
    pub title: String,
    /// What it is for, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// How much a failure matters, in the words of the AWS Security Finding Format.
    #[serde(default)]
    pub severity: Severity,
    /// The filter pattern that has to be covered, unless a benchmark version says otherwise.
    pub pattern: String,
    /// Which accounts have to watch the events.
    #[serde(default, skip_serializing_if = "AccountScope::is_every")]
    pub scope: AccountScope,
    /// The events that only the trails of other accounts than those of the scope see, as the object
    /// of "see": a clause without a full stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<String>,
    /// What is true of every event of the control, written as a filter pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<String>,
    /// The greatest number of matching events that an alarm may need before it fires.
    #[serde(
        default = "one_event",
        rename = "max-events",
        skip_serializing_if = "is_one_event"
    )]
    pub max_events: NonZeroU32,
    /// Selectors of fields that hold the number of the account in every event of the control, beside
    /// `$.recipientAccountId`.
    #[serde(
        default,
        rename = "account-fields",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub account_fields: Vec<String>,
    /// The AWS Security Hub control that asks for the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_hub: Option<SecurityHubControl>,
    /// How each benchmark version numbers it.
    #[serde(default, rename = "benchmark", skip_serializing_if = "Vec::is_empty")]
    pub benchmarks: Vec<BenchmarkEntry>,
    /// Requirements of other frameworks that somebody mapped to it.
    #[serde(default, rename = "mapping", skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<Mapping>,
    /// Events that the control does not ask for and that are worth catching all the same.
    #[serde(default, rename = "related", skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<RelatedEvents>,
    /// A complete event of the control, as CloudTrail writes it: the skeleton of witnesses. Null
    /// when there is none.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub example: serde_json::Value,
}

/// Which accounts have to watch a control's events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountScope {
    /// Every account.
    #[default]
    Every,
    /// The management account of the organization, whose trails record them.
    ManagementAccount,
}

impl AccountScope {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes what it may skip by reference"
    )]
    fn is_every(&self) -> bool {
        *self == Self::Every
    }
}

fn one_event() -> NonZeroU32 {
    NonZeroU32::MIN
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it may skip by reference"
)]
fn is_one_event(number: &NonZeroU32) -> bool {
    *number == NonZeroU32::MIN
}

/// Events beside those of a control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelatedEvents {
    /// What happened, as the object of "does not see": a clause without a full stop.
    pub title: String,
    /// The filter pattern of these events. The control's facts are true of them too.
    pub pattern: String,
}

/// How much a failure matters (AWS Security Finding Format, `Severity.Label`).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Informational,
    /// Nothing to hurry for.
    Low,
    /// To be repaired in time.
    #[default]
    Medium,
    /// To be repaired first.
    High,
    /// To be repaired now.
    Critical,
}

impl Severity {
    /// The word in control files and in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A control in one or more benchmark versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkEntry {
    /// Versions of the CIS AWS Foundations Benchmark, such as `6.0.0`.
    pub versions: Vec<String>,
    /// The recommendation's number, such as `5.6`.
    pub number: String,
    /// The profile level, 1 or 2.
    pub level: u8,
    /// How the benchmark wants it assessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<Assessment>,
    /// What these versions call it, where it differs from the control's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The pattern that has to be covered for these versions, where it differs from the control's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What the benchmark prints, where that is not what has to be covered: several texts of which
    /// any is accepted, or one that does not say what it means.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
    /// Why the printed texts are not taken to the letter: the rest of a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where number, level and pattern were read. The benchmark's own documents were not; what
    /// rests on one source is less certain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
}

/// How a benchmark wants a recommendation assessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assessment {
    /// By a tool.
    Automated,
    /// By a person.
    Manual,
    /// The word of 1.2.0 for what counts towards the score.
    Scored,
}

/// The AWS Security Hub control that asks for the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityHubControl {
    /// Such as `CloudWatch.6`.
    pub control: String,
    /// The requirements that Security Hub relates to it, in its own words.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// The text that Security Hub accepts, where it is not the benchmark's. It compares the text
    /// itself, so an equivalent pattern fails there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// Requirements of another framework that somebody mapped to a control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Such as `ISO/IEC 27001:2022`.
    pub framework: String,
    /// Such as `A.8.15`.
    pub requirements: Vec<String>,
    /// Who says so.
    pub source: String,
}

/// A control that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidControl {
    /// The text is not a control.
    #[error("not a control: {0}")]
    Syntax(String),
    /// The id would be ambiguous in finding ids, files and flags.
    #[error("`{0}` is not a control id: use lower-case letters, digits and single dashes")]
    Id(String),
    /// A text that has to be there is empty.
    #[error("control `{control}`: `{field}` is empty")]
    Empty {
        /// The control.
        control: String,
        /// The field.
        field: &'static str,
    },
    /// A pattern does not parse.
    #[error(
        "control `{control}`: `{field}` is not a filter pattern: {source}{}",
        suggestion(source)
    )]
    Pattern {
        /// The control.
        control: String,
        /// The field.
        field: &'static str,
        /// What is wrong with it, and where.
        source: PatternError,
    },
    /// No event can match.
    #[error(
        "control `{control}`: no event can match `{field}`: its conditions contradict each other, \
         the control's facts, or the types of CloudTrail's fields"
    )]
    Impossible {
        /// The control.
        control: String,
        /// The field.
        field: &'static str,
    },
}

fn suggestion(error: &PatternError) -> String {
    error
        .suggestion
        .as_ref()
        .map_or_else(String::new, |text| format!("; {text}"))
}

impl Control {
    /// Reads one control from TOML.
    pub fn from_toml(text: &str) -> Result<Self, InvalidControl> {
        let control: Self =
            toml::from_str(text).map_err(|error| InvalidControl::Syntax(error.to_string()))?;
        control.validate()?;
        Ok(control)
    }

    /// Checks what the type cannot: that the id is usable and the patterns parse.
    pub fn validate(&self) -> Result<(), InvalidControl> {
        let slug = self.id.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        if !slug || self.id.len() > 100 || self.id == "all" {
            return Err(InvalidControl::Id(self.id.clone()));
        }
        for (field, text) in [("title", &self.title), ("pattern", &self.pattern)] {
            if text.trim().is_empty() {
                return Err(InvalidControl::Empty {
                    control: self.id.clone(),
                    field,
                });
            }
        }
        let parse = |field, text: &str| {
            Pattern::parse(text)
                .map(drop)
                .map_err(|source| InvalidControl::Pattern {
                    control: self.id.clone(),
                    field,
                    source,
                })
        };
        parse("pattern", &self.pattern)?;
        if let Some(facts) = &self.facts {
            parse("facts", facts)?;
        }
        for text in self
            .benchmarks
            .iter()
            .filter_map(|entry| entry.pattern.as_ref())
        {
            parse("benchmark.pattern", text)?;
        }
        for text in self.related.iter().map(|related| &related.pattern) {
            parse("related.pattern", text)?;
        }
        for field in &self.account_fields {
            parse("account-fields", &format!("{{ {field} NOT EXISTS }}"))?;
        }
        Ok(())
    }

    /// Checks that there can be an event of the control, by its own pattern and by every other one
    /// that it has.
    pub(super) fn validate_possible(&self) -> Result<(), InvalidControl> {
        let facts = self.facts.as_deref().map(Pattern::parse);
        let facts = facts.and_then(Result::ok);
        let benchmarks = self.benchmarks.iter();
        let benchmarks = benchmarks.filter_map(|entry| entry.pattern.as_deref());
        let related = self.related.iter().map(|related| related.pattern.as_str());
        let texts = std::iter::once(("pattern", self.pattern.as_str()))
            .chain(benchmarks.map(|text| ("benchmark.pattern", text)))
            .chain(related.map(|text| ("related.pattern", text)));
        for (field, text) in texts {
            let Ok(pattern) = Pattern::parse(text) else {
                continue;
            };
            let all: Vec<&Pattern> = std::iter::once(&pattern).chain(&facts).collect();
            if is_unsatisfiable(&all, &[]) {
                return Err(InvalidControl::Impossible {
                    control: self.id.clone(),
                    field,
                });
            }
        }
        Ok(())
    }

    /// Parts of the control's pattern that no event can match though the whole can, each as a
    /// sentence: most likely a slip of the pen.
    pub fn warnings(&self) -> Vec<String> {
        let facts = self.facts.as_deref().map(Pattern::parse);
        let facts = facts.and_then(Result::ok);
        let Ok(pattern) = Pattern::parse(&self.pattern) else {
            return Vec::new();
        };
        let all: Vec<&Pattern> = std::iter::once(&pattern).chain(&facts).collect();
        let mut warnings = Vec::new();
        if is_unsatisfiable(&all, documented()) {
            warnings.push(format!(
                "control `{}`: no event can match its pattern with the values that AWS documents",
                self.id
            ));
        }
        for alternative in impossible_alternatives(&pattern, facts.as_ref()) {
            warnings.push(format!(
                "control `{}`: no event can match `{alternative}`, one of the alternatives of its pattern",
                self.id
            ));
        }
        warnings
    }

    /// The control in one benchmark version; `None` where that version does not have it.
    pub fn entry(&self, version: &str) -> Option<&BenchmarkEntry> {
        self.benchmarks
            .iter()
            .find(|entry| entry.versions.iter().any(|known| known == version))
    }

    /// The pattern that has to be covered for a benchmark version.
    pub fn pattern_for(&self, version: &str) -> &str {
        self.entry(version)
            .and_then(|entry| entry.pattern.as_deref())
            .unwrap_or(&self.pattern)
    }

    /// The texts that a benchmark version prints, any of which it accepts.
    pub fn texts_for(&self, version: &str) -> Vec<&str> {
        match self.entry(version) {
            Some(entry) if !entry.texts.is_empty() => {
                entry.texts.iter().map(String::as_str).collect()
            }
            _ => vec![self.pattern_for(version)],
        }
    }

    /// What a benchmark version calls the control.
    pub fn title_for(&self, version: &str) -> &str {
        self.entry(version)
            .and_then(|entry| entry.title.as_deref())
            .unwrap_or(&self.title)
    }

    /// The control as findings name it.
    pub fn summary(&self, version: &str) -> ControlSummary {
        ControlSummary {
            id: self.id.clone(),
            title: self.title_for(version).to_owned(),
            benchmark: if self.benchmarks.is_empty() {
                CUSTOM_BENCHMARK.to_owned()
            } else {
                format!("{BENCHMARK} {version}")
            },
            number: self.entry(version).map(|entry| entry.number.clone()),
            severity: self.severity,
        }
    }

    /// What a reader of findings should know where the control does not apply to an account.
    pub(crate) fn elsewhere_observation(&self) -> Option<Observation> {
        let events = self.elsewhere.as_deref()?;
        Some(MANAGEMENT_ACCOUNT.observation(format!("Only the account's own trails see {events}.")))
    }

    /// What a reader of findings should know about the benchmark's own text, where that text does
    /// not say what it means.
    pub fn observation(&self, version: &str) -> Option<Observation> {
        let note = self.entry(version)?.note.as_deref()?;
        let mut sentence = note.to_owned();
        if let Some(first) = sentence.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        sentence.push('.');
        Some(BENCHMARK_TEXT.observation(sentence))
    }
}

#[cfg(test)]
mod tests;
