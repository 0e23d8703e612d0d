//! Property selectors: `$.userIdentity.type`, `$.resources[0].ARN`, `$.users[*].id`.

/// A path from the root of an event to a value, or with a wildcard to several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    /// The steps; at least one.
    pub steps: Vec<Step>,
}

/// One step of a selector.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// `.name` or `.['name']`: a member of an object.
    Member(String),
    /// `.*`: every member of an object.
    AnyMember,
    /// `[0]`: an element of an array, counted from zero.
    Index(usize),
    /// `[*]`: every element of an array.
    AnyIndex,
}

impl Step {
    /// Whether the step stands for several values.
    pub fn is_wildcard(&self) -> bool {
        matches!(self, Self::AnyMember | Self::AnyIndex)
    }
}

impl Selector {
    /// Whether a step stands for several values.
    pub fn has_wildcard(&self) -> bool {
        self.steps.iter().any(Step::is_wildcard)
    }
}
