//! Why a log file could not be read, and what to do about it.

use std::io;

/// Why a log could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Reading failed, or whoever was told of events stopped.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The input ends in the middle.
    #[error("it is cut off: {0}; what came before was read: get the file again")]
    CutOff(&'static str),
    /// The compression is damaged.
    #[error("its gzip compression is damaged ({0}); what came before was read: get the file again")]
    Damaged(String),
    /// Not a log of events.
    #[error("it is {what}, not a log of events: {remedy}")]
    Foreign {
        /// What it is.
        what: &'static str,
        /// What the person can do.
        remedy: &'static str,
    },
    /// A row of a table cannot be read.
    #[error("it is no well-formed CSV: {0}")]
    Table(String),
    /// One event is larger than this reader holds in memory.
    #[error("an event is larger than 16 MiB: split the file before it")]
    TooLarge,
    /// Envelopes within envelopes.
    #[error("it holds too many envelopes within each other: unpack it first")]
    TooDeep,
}

impl LogError {
    /// An error of the reading underneath, told from one of the input's form.
    pub(super) fn of_reading(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::CutOff("the compressed data ends early"),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Io(error),
        }
    }
}
