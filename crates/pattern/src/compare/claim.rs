//! What a search may claim about an event.

use std::rc::Rc;

use serde_json::Value;

use super::super::evaluate::{Outcome, Scalar};
use super::super::{Test, Undocumented};
use super::mode::Mode;
use super::tree::NodeId;

/// A claim about an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Claim {
    /// A test of a place has this outcome.
    Test {
        node: NodeId,
        test: Rc<Test>,
        truth: bool,
    },
    /// The place is there.
    Exists(NodeId),
    /// The place holds an object.
    Object(NodeId),
    /// The place holds an array.
    Array(NodeId),
    /// What the place holds does not contain the text.
    Lacks { node: NodeId, text: Rc<str> },
    /// The raw message contains the text.
    Contains(Rc<str>),
    /// The raw message does not contain the text.
    Without(Rc<str>),
    /// Something that cannot be looked into has this outcome.
    Opaque {
        what: Rc<str>,
        question: Undocumented,
        truth: bool,
    },
    /// A part of the formula is to be satisfied.
    Part(usize),
}

impl Claim {
    /// The place the claim is about.
    pub(super) fn node(&self) -> Option<NodeId> {
        match self {
            Self::Test { node, .. }
            | Self::Exists(node)
            | Self::Object(node)
            | Self::Array(node)
            | Self::Lacks { node, .. } => Some(*node),
            _ => None,
        }
    }

    /// Whether the claim holds where the place is not there.
    pub(super) fn accepts_absence(&self, mode: &Mode) -> bool {
        match self {
            Self::Test { test, truth, .. } => mode.accepts(test.outcome_when_absent(), *truth),
            Self::Exists(_) | Self::Object(_) | Self::Array(_) => false,
            _ => true,
        }
    }

    /// Whether the claim holds for a value that is no container.
    pub(super) fn accepts_value(&self, value: &Value, mode: &Mode) -> bool {
        match self {
            Self::Test { test, truth, .. } => {
                mode.accepts(test.outcome(&Scalar::of(value)), *truth)
            }
            Self::Lacks { text, .. } => !value.to_string().contains(&**text),
            Self::Object(_) => value.is_object(),
            Self::Array(_) => value.is_array(),
            _ => true,
        }
    }

    /// Whether the claim holds for an object or array, by which it is.
    pub(super) fn accepts_container(&self, object: bool, mode: &Mode) -> bool {
        match self {
            Self::Test { test, truth, .. } => {
                mode.accepts(test.outcome(&Scalar::Container), *truth)
            }
            Self::Object(_) => object,
            Self::Array(_) => !object,
            _ => true,
        }
    }

    /// The open question the claim rests on for a value.
    pub(super) fn question(&self, value: Option<&Value>) -> Option<Undocumented> {
        match self {
            Self::Opaque { question, .. } => Some(*question),
            Self::Test { test, .. } => match test.outcome(&Scalar::of(value?)) {
                Outcome::Depends(question, _) => Some(question),
                Outcome::Known(_) => None,
            },
            _ => None,
        }
    }
}
