//! Who is told: the subscriptions that the chains of this report lead to, by their endpoint. What
//! `recipients.csv` has row by row is counted here.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::escape::escape;
use crate::format::Report;
use crate::formats::statement::counted;
use crate::recipients_csv;

/// How many recipients are listed: more are read in `recipients.csv`.
const LISTED: usize = 100;

/// The accounts whose events somebody is told of, or not.
#[derive(Default)]
struct Told {
    of: BTreeSet<String>,
    perhaps: BTreeSet<String>,
    not: BTreeSet<String>,
    /// Why not, or why that is not known, and how often.
    why: BTreeMap<String, usize>,
}

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut recipients: BTreeMap<[String; 2], Told> = BTreeMap::new();
    recipients_csv::for_each_row(report, &mut |row| {
        let cell = |name: &str| recipients_csv::cell(row, name).to_owned();
        let told = recipients
            .entry([cell("protocol"), cell("endpoint")])
            .or_default();
        let accounts = match recipients_csv::cell(row, "hears") {
            "yes" => &mut told.of,
            "unknown" => &mut told.perhaps,
            _ => &mut told.not,
        };
        accounts.insert(cell("account_id"));
        let why = cell("why");
        if !why.is_empty() {
            *told.why.entry(why).or_default() += 1;
        }
        Ok(())
    })?;
    if recipients.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<_> = recipients.iter().collect();
    rows.sort_by_key(|(_, told)| std::cmp::Reverse((told.of.len(), told.perhaps.len())));
    writeln!(
        out,
        r#"<details class="card first" id="recipients"><summary>Who is told: {}</summary>
<table><thead><tr><th scope="col">Recipient</th><th scope="col">Told of</th><th scope="col">Not known</th><th scope="col">Not told of</th><th scope="col">Why</th></tr></thead><tbody>"#,
        counted(rows.len(), "recipient"),
    )?;
    for ([protocol, endpoint], told) in rows.iter().take(LISTED) {
        let accounts = |of: &BTreeSet<String>| counted(of.len(), "account");
        let why = told.why.iter().max_by_key(|(_, count)| **count);
        writeln!(
            out,
            r#"<tr><td><bdi>{}</bdi> <span class="soft">{}</span></td><td>{}</td><td>{}</td><td>{}</td><td><bdi>{}</bdi></td></tr>"#,
            escape(endpoint),
            escape(protocol),
            accounts(&told.of),
            accounts(&told.perhaps),
            accounts(&told.not),
            escape(why.map_or("", |(why, _)| why)),
        )?;
    }
    if let Some(more) = rows.len().checked_sub(LISTED).filter(|more| *more > 0) {
        writeln!(
            out,
            r#"<tr><td colspan="5">{} more in recipients.csv</td></tr>"#,
            counted(more, "recipient"),
        )?;
    }
    writeln!(
        out,
        r#"</tbody></table><p class="soft">An account counts as told of where the message would arrive for at least one of the controls. Each account and control is in recipients.csv.</p></details>"#
    )
}
