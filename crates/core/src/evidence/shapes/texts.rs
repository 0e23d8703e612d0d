//! The texts of an answer that others have, too.

use std::sync::Arc;

/// Something with texts that a whole organization repeats: names, states, ARNs. The store keeps one
/// copy of each.
pub(in crate::evidence) trait Texts {
    /// All of them.
    fn texts(&mut self) -> impl Iterator<Item = &mut Arc<str>>;
}
