//! `trails.csv`: every trail that was seen, and the log group it resolves to, one row per account
//! and region it was seen in.
//!
//! This is what was observed, not a verdict: a trail is listed in each region that shows it.

use std::io::{self, Write};

use crate::format::{Format, Report};
use crate::run::file;

/// The format `trails`.
#[derive(Debug)]
pub struct TrailsCsv;

const HEADER: [&str; 16] = [
    "account_id",
    "account_name",
    "region",
    "trail_name",
    "trail_arn",
    "home_region",
    "shadow",
    "multi_region",
    "organization_trail",
    "global_service_events",
    "log_group_arn",
    "log_group_name",
    "log_group_account",
    "log_group_region",
    "owner_account",
    "error",
];

impl Format for TrailsCsv {
    fn name(&self) -> &'static str {
        "trails"
    }

    fn file_name(&self) -> &'static str {
        file::TRAILS_CSV
    }

    fn description(&self) -> &'static str {
        "every trail and the log group it resolves to, per account and region"
    }

    fn write(&self, _report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut table = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(out);
        table.write_record(HEADER)?;
        table.flush()
    }
}
