//! CloudWatch Logs filter patterns: parsed, evaluated, and compared.
//!
//! [`Pattern::parse`] accepts what AWS accepts, [`matches()`] is the reference semantics on one
//! event, and [`compare()`] decides how the events of some patterns relate to the events of another
//! one. Where AWS documents no behaviour the answer is "undocumented", never a guess. This crate
//! knows nothing of log groups, metrics or alarms, nor of the rest of trailproof.
//!
//! Grammar and semantics are those of the CloudWatch Logs User Guide, "Filter pattern syntax", and
//! of answers of the real API that others have published.
//!
//! ```
//! use serde_json::json;
//! use trailproof_pattern::{Event, Match, Pattern, Relation, compare, matches};
//!
//! # fn main() -> Result<(), trailproof_pattern::PatternError> {
//! let failures = Pattern::parse(
//!     r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }"#,
//! )?;
//! let event = json!({"eventName": "ConsoleLogin", "errorMessage": "Failed authentication"});
//! assert_eq!(matches(&failures, &Event::from_value(&event)), Match::Yes);
//!
//! // Clauses may stand in any order and be written in other words: the same events are matched.
//! let other_words = Pattern::parse(
//!     r#"{$.errorMessage="Failed authentication"&&$.eventName="ConsoleLogin"}"#,
//! )?;
//! let comparison = compare(&failures, &[other_words], None, None);
//! assert_eq!(comparison.relation, Relation::Equivalent);
//! # Ok(())
//! # }
//! ```

/// The examples of the README are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod compare;
mod decimal;
mod error;
mod evaluate;
mod event;
mod explain;
mod expression;
mod form;
pub mod logs;
mod operand;
mod parse;
mod print;
mod projection;
mod regex;
mod selector;
mod space;
mod terms;
mod undocumented;

pub use compare::{
    Comparison, Coverage, Documented, Relation, Universe, compare, compare_within,
    impossible_alternatives, is_unsatisfiable, matches_every_event,
};
pub use decimal::{Decimal, Number};
pub use error::{PatternError, Span};
pub use evaluate::{Match, matches, matches_knowing};
pub use event::Event;
pub use explain::{Found, Obstacle, nearest, obstacles, sentence};
pub use expression::{Condition, Expression, Order, Test};
pub use form::{Form, Pattern};
pub use operand::{Operand, TextOperand};
pub use projection::Projection;
pub use regex::Regex;
pub use selector::{Selector, Step};
pub use space::{Field, FieldTest, SpacePattern};
pub use terms::{Term, TermKind};
pub use undocumented::{Answers, Trial, Undocumented};
