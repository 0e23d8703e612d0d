//! What was seen: the records of completed AWS calls, in the words of the AWS API.
//!
//! Evidence is all that evaluation knows. It is not a model of AWS: nothing here is derived,
//! defaulted or guessed, and a failed call is kept as what it is.

mod operation;
mod record;
mod request;
mod store;
pub mod timestamp;

pub use operation::{Operation, UnknownOperation};
pub use record::{CallError, ErrorClass, Outcome, Record};
pub use request::{Call, Request};
pub use store::Evidence;
