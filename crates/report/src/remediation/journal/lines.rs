//! The lines of a journal: what each says, and what they say together of a step.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::journal_file::{self, BadLine};
use crate::remediation::plan::Step;

/// The version of the journal format that this trailproof writes and reads.
pub const SCHEMA_VERSION: u32 = 1;

/// One line.
pub type Line = journal_file::Line<Entry>;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub enum Entry {
    /// The first line: which plan the journal is about.
    Opened {
        /// [`SCHEMA_VERSION`].
        schema_version: u32,
        /// The plan's id.
        plan: String,
        /// The plan's digest.
        digest: String,
        /// The version of trailproof.
        tool_version: String,
        /// The role the run assumed in members, so that undo enters accounts the same way.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        /// Every role that was tried, where there was more than one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        roles: Vec<String>,
    },
    /// About to create something that was looked for and is not there.
    Intent {
        /// The step exactly as it will be done: names as they were resolved.
        step: Box<Step>,
        /// The alarms of others that watched the metric of a new filter before it was there: undo
        /// takes nothing from them that they had.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        watched_by: Vec<String>,
    },
    /// It is there.
    Created {
        /// The step's id.
        step: String,
        /// What undo needs to know: the subscription's ARN, a new topic's attributes.
        #[serde(default, skip_serializing_if = "Created::is_nothing")]
        result: Created,
    },
    /// AWS refused, or the answer never came.
    Failed {
        /// The step's id.
        step: String,
        /// AWS's code.
        code: String,
        /// AWS's words.
        message: String,
        /// Whether the change may have been made all the same.
        uncertain: bool,
    },
    /// A drill is about to set an alarm's state, or has set it.
    Drill {
        /// The alarm.
        alarm: String,
        /// `ALARM` or `OK`.
        state: String,
        /// Whether the call was made.
        done: bool,
    },
    /// About to take something back.
    UndoIntent {
        /// The step's id.
        step: String,
    },
    /// It is gone.
    Undone {
        /// The step's id.
        step: String,
    },
}

/// What only AWS knew of what was created.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    /// The ARN of a topic or a subscription; of one that nobody has confirmed, words instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// A digest of a new topic's attributes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl Created {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What the journal knows about one step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// The step as it was, or was to be, done.
    pub step: Step,
    /// Where it stands.
    pub state: StepState,
    /// The alarms of others that watched the metric of a new filter before it was there.
    pub watched_by: Vec<String>,
    /// The line of the intent: steps are undone in the reverse of this order.
    pub sequence: u64,
    /// When the intent was written: nothing that the step made can be older.
    pub intended_at: Timestamp,
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq)]
pub enum StepState {
    /// An intent without a certain outcome: look before doing anything.
    Uncertain,
    /// Created, with what undo needs to know.
    Created(Created),
    /// Certainly not created.
    NotCreated,
    /// Created and taken back.
    Undone,
}

/// The first line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The plan's id.
    pub plan: String,
    /// The plan's digest.
    pub digest: String,
    /// The role the run assumed in members.
    pub role: Option<String>,
    /// Every role that was tried, where there was more than one.
    pub roles: Vec<String>,
}

/// Whether a text may be the digest of a plan: 64 hexadecimal digits.
fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What the lines of a journal say, taken together.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// The number of the last line.
    pub(super) sequence: u64,
    pub(super) header: Header,
    pub(super) steps: BTreeMap<String, StepRecord>,
}

impl Replay {
    /// Takes in the whole lines of a journal, from its first.
    pub(super) fn lines(&mut self, text: &[u8]) -> Result<(), BadLine> {
        for (index, line) in journal_file::lines::<Entry>(text).enumerate() {
            let line = line?;
            let bad = |problem: String| BadLine {
                line: index + 1,
                problem,
            };
            self.sequence = line.sequence;
            match line.entry {
                Entry::Opened { schema_version, .. } if schema_version != SCHEMA_VERSION => {
                    return Err(bad(format!(
                        "schema version {schema_version}; this trailproof reads {SCHEMA_VERSION}"
                    )));
                }
                Entry::Opened {
                    plan,
                    digest,
                    role,
                    roles,
                    ..
                } => {
                    if !is_digest(&digest) {
                        return Err(bad(
                            "its digest is not the SHA-256 sum of a plan, so no `fix apply` wrote it"
                                .to_owned(),
                        ));
                    }
                    self.header = Header {
                        plan,
                        digest,
                        role,
                        roles,
                    };
                }
                _ if index == 0 => return Err(bad("the first line must be `opened`".to_owned())),
                entry => self.entry(line.at, entry),
            }
        }
        Ok(())
    }

    /// Takes in one more line.
    pub(super) fn line(&mut self, line: Line) {
        self.sequence = line.sequence;
        self.entry(line.at, line.entry);
    }

    fn entry(&mut self, at: Timestamp, entry: Entry) {
        let (id, state) = match entry {
            Entry::Intent { step, watched_by } => {
                let record = StepRecord {
                    step: *step,
                    state: StepState::Uncertain,
                    watched_by,
                    sequence: self.sequence,
                    intended_at: at,
                };
                self.steps.insert(record.step.id.clone(), record);
                return;
            }
            Entry::Created { step, result } => (step, StepState::Created(result)),
            Entry::Failed {
                step, uncertain, ..
            } => (
                step,
                if uncertain {
                    StepState::Uncertain
                } else {
                    StepState::NotCreated
                },
            ),
            Entry::Undone { step } => (step, StepState::Undone),
            // Until it is known to be gone, it counts as there.
            Entry::UndoIntent { .. } | Entry::Opened { .. } | Entry::Drill { .. } => return,
        };
        if let Some(record) = self.steps.get_mut(&id) {
            record.state = state;
        }
    }
}
