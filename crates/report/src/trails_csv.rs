//! `trails.csv`: every trail that was seen, and the log group it resolves to, one row per account
//! and region it was seen in.
//!
//! This is what was observed, not a verdict: a trail is listed in each region that shows it, and a
//! region that could not be asked is listed with the error.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};

use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;
use trailproof_core::evidence::{CallSite, Evidence, Trail};

use crate::format::{Format, Report};
use crate::run::file;
use crate::spreadsheet::{self, write_rows};

/// The format `trails`.
#[derive(Debug)]
pub struct TrailsCsv;

const HEADER: [&str; 17] = [
    "account_id",
    "account_name",
    "region",
    "trail_name",
    "trail_arn",
    "owner_account",
    "home_region",
    "shadow",
    "multi_region",
    "organization_trail",
    "global_service_events",
    "log_group_arn",
    "log_group_name",
    "log_group_account",
    "log_group_region",
    "observed_at",
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

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        write_rows(&HEADER, out, |row| for_each_row(report, row))
    }

    fn reads_evidence(&self) -> bool {
        true
    }
}

/// Hands over every row, by account and region.
pub(crate) fn for_each_row(
    report: &Report<'_>,
    row: &mut dyn FnMut(&[String; 17]) -> io::Result<()>,
) -> io::Result<()> {
    for (site, rows) in by_site(report.evidence) {
        for one in rows {
            row(&one.cells(site, report.evidence))?;
        }
    }
    Ok(())
}

/// A cell of a row by the name of its column; empty where there is no such column.
pub(crate) fn cell<'a>(row: &'a [String; 17], column: &str) -> &'a str {
    spreadsheet::cell(&HEADER, row, column)
}

/// What one question for trails showed.
enum Row<'a> {
    Trail(&'a Trail, jiff::Timestamp),
    Error(String, jiff::Timestamp),
}

/// The rows of each account and region, in that order. A region that was asked twice, with and
/// without shadow trails, shows each trail once.
fn by_site(evidence: &Evidence) -> impl Iterator<Item = (&CallSite, Vec<Row<'_>>)> {
    let mut listings = evidence.reader().trail_listings().peekable();
    std::iter::from_fn(move || {
        let (site, first) = listings.next()?;
        let mut answers = vec![first];
        while let Some((_, next)) = listings.next_if(|(next, _)| *next == site) {
            answers.push(next);
        }
        let mut trails = BTreeMap::new();
        let mut errors = Vec::new();
        for answer in answers {
            match &answer.outcome {
                Ok(list) => trails.extend(
                    list.iter()
                        .map(|trail| (&*trail.trail_arn, (&**trail, answer.observed_at))),
                ),
                Err(error) => errors.push(Row::Error(
                    format!("{}: {}", error.code, error.message),
                    answer.observed_at,
                )),
            }
        }
        let mut rows: Vec<_> = trails
            .into_values()
            .map(|(trail, observed_at)| Row::Trail(trail, observed_at))
            .collect();
        rows.extend(errors);
        Some((site, rows))
    })
}

impl Row<'_> {
    fn cells(&self, site: &CallSite, evidence: &Evidence) -> [String; 17] {
        let mut cells: [String; 17] = Default::default();
        let mut set = |column: &str, value: String| {
            let index = HEADER.iter().position(|name| *name == column);
            if let Some(cell) = index.and_then(|index| cells.get_mut(index)) {
                *cell = value;
            }
        };
        set("account_id", site.account.to_string());
        set("account_name", name(evidence, site.account));
        set("region", site.region.to_string());
        match self {
            Self::Error(message, observed_at) => {
                set("observed_at", observed_at.to_string());
                set("error", message.clone());
            }
            Self::Trail(trail, observed_at) => {
                let home = trail.home();
                let owner = trail.owner();
                let shadow = home.as_ref().is_some_and(|home| *home != site.region)
                    || owner.is_some_and(|owner| owner != site.account);
                set("trail_name", text(trail.name.as_deref()));
                set("trail_arn", trail.trail_arn.to_string());
                set("owner_account", text(owner));
                set("home_region", text(home));
                set("shadow", word(Some(shadow)));
                set("multi_region", word(trail.is_multi_region_trail));
                set("organization_trail", word(trail.is_organization_trail));
                set(
                    "global_service_events",
                    word(trail.include_global_service_events),
                );
                set("observed_at", observed_at.to_string());
                let log_group = trail.log_group_arn();
                set("log_group_arn", text(log_group));
                if let Some(arn) = log_group.and_then(|arn| arn.parse::<Arn>().ok()) {
                    set("log_group_name", text(arn.log_group_name()));
                    set("log_group_account", text(arn.account()));
                    set("log_group_region", text(arn.region()));
                }
            }
        }
        cells
    }
}

fn name(evidence: &Evidence, account: AccountId) -> String {
    let listed = evidence.reader().listed_accounts().get(&account);
    listed
        .and_then(|account| account.name.clone())
        .unwrap_or_default()
}

fn text(value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| format!("{value}"))
}

/// A flag; empty where AWS did not say.
fn word(flag: Option<bool>) -> String {
    match flag {
        Some(true) => "true",
        Some(false) => "false",
        None => "",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trailproof_core::evidence::Record;

    use super::*;

    fn record(account: &str, region: &str, shadows: bool, outcome: &serde_json::Value) -> Record {
        let mut record = json!({
            "operation": "cloudtrail:DescribeTrails", "account": account, "region": region,
            "parameters": {"includeShadowTrails": shadows}, "observed_at": "2026-11-22T22:00:00Z",
        });
        for (key, value) in outcome.as_object().unwrap() {
            record[key] = value.clone();
        }
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn shows_owners_shadows_and_errors() {
        let trail = json!({"response": {"trailList": [{
            "Name": "=org", "TrailARN": "arn:aws:cloudtrail:us-east-1:111111111111:trail/=org",
            "HomeRegion": "us-east-1", "IsMultiRegionTrail": true, "IsOrganizationTrail": true,
            "IncludeGlobalServiceEvents": true,
            "CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:333333333333:log-group:trail:*",
        }]}});
        let denied = json!({"error": {"code": "AccessDenied", "message": "no", "class": "denied"}});
        let mut evidence = Evidence::default();
        for record in [
            record("222222222222", "us-east-1", true, &trail),
            record("111111111111", "us-east-1", true, &trail),
            record("111111111111", "us-east-1", false, &trail),
            record("111111111111", "eu-west-1", true, &denied),
        ] {
            evidence.insert(record).unwrap();
        }
        let mut shown = Vec::new();
        for (site, rows) in by_site(&evidence) {
            shown.extend(rows.iter().map(|row| {
                let cells = row.cells(site, &evidence);
                let wanted = [
                    "account_id",
                    "region",
                    "shadow",
                    "owner_account",
                    "log_group_name",
                    "log_group_account",
                    "error",
                ];
                HEADER
                    .iter()
                    .zip(cells)
                    .filter(|(name, _)| wanted.contains(name))
                    .map(|(_, cell)| cell)
                    .collect::<Vec<_>>()
                    .join(",")
            }));
        }
        assert_eq!(
            shown,
            [
                "111111111111,eu-west-1,,,,,AccessDenied: no",
                "111111111111,us-east-1,111111111111,false,trail,333333333333,",
                "222222222222,us-east-1,111111111111,true,trail,333333333333,",
            ]
        );
    }
}
