//! What an observation is, before anything is observed: its code and what it means. Each file that
//! gives some has a table of them beside its reasons.

use crate::finding::Observation;

/// A kind of observation: something worth knowing that does not change a verdict. The codes are a
/// contract, as those of reasons are.
#[derive(Debug, PartialEq, Eq)]
pub struct ObservationKind {
    /// `LINK.what`; or `control.what` and `mute.what` of the policy.
    pub code: &'static str,
    /// What it means, in a sentence or two.
    pub meaning: &'static str,
}

impl ObservationKind {
    /// One observation of this kind: what was seen, in a sentence a person understands.
    pub fn observation(&self, message: impl Into<String>) -> Observation {
        Observation {
            code: self.code.to_owned(),
            message: message.into(),
        }
    }
}
