//! Asking AWS: everything between a question of the scan and a record in evidence.
//!
//! A question is asked once however many accounts need the answer ([`in_flight`]), with credentials
//! that are fresh ([`session`]), at a pace AWS allows and as often as it takes ([`transport`]), and
//! its answer is remembered and written down ([`recorder`]). Which questions to ask is not decided
//! here.

mod budget;
mod endpoints;
mod in_flight;
mod key;
mod perform;
mod places;
mod recorder;
mod refusals;
mod resume;
mod roles;
mod session;
mod stop;
mod tally;
mod territory;
mod transport;

pub(crate) use key::Key;
pub(crate) use perform::{Engine, Entry};
pub(crate) use places::Places;
pub(crate) use recorder::{Recorder, record_of};
pub(crate) use refusals::Refusals;
pub(crate) use resume::Resumed;
pub(crate) use roles::{Role, Roles, SESSION_NAME};
pub(crate) use session::{KnownRoles, Session, Sessions};
pub(crate) use stop::Stopped;
pub(crate) use tally::Tally;
pub(crate) use transport::{End, Limits, Transport};
