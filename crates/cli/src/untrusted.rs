//! Text from AWS on the way to a terminal: names and messages that others chose.

pub(crate) use trailproof_report::untrusted::{visible, visible_lines};
