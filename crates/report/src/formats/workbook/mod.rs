//! `findings.xlsx`: the run as a workbook, for people who sort, filter and hand on.
//!
//! The sheets are `findings`, `accounts x controls`, `trails`, `recipients` and `run`. Every cell
//! is a text, a time or a number and none is a formula, whatever others named their resources. The
//! same report gives the same bytes: the workbook tells the time of the run, not of writing.

mod sheet;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use jiff::Timestamp;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};
use trailproof_core::account::Region;
use trailproof_core::finding::{AccountSummary, ChainLink, Finding, LinkName, LinkStatus, Status};

use self::sheet::{Cell, Sheet, Styles};
use super::{control_ids, controls, pivot, statement};
use crate::console;
use crate::format::{Format, Report};
use crate::run::file;
use crate::{findings_csv, recipients_csv, trails_csv};

/// The format `xlsx`.
#[derive(Debug)]
pub struct Xlsx;

impl Format for Xlsx {
    fn name(&self) -> &'static str {
        "xlsx"
    }

    fn file_name(&self) -> &'static str {
        file::WORKBOOK
    }

    fn description(&self) -> &'static str {
        "a workbook: findings, accounts x controls, trails, recipients, run"
    }

    fn reads_evidence(&self) -> bool {
        true
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&workbook(report)?)
    }
}

fn workbook(report: &Report<'_>) -> io::Result<Vec<u8>> {
    let mut workbook = Workbook::new();
    let run = report.run;
    let made = date(run.finished_at.unwrap_or(run.started_at)).map_err(io::Error::other)?;
    workbook.set_properties(
        &DocProperties::new()
            .set_title("trailproof findings")
            .set_author(format!("{} {}", run.tool.name, run.tool.version))
            .set_creation_datetime(&made),
    );
    let styles = Styles::new();
    let mut write = || -> Result<(), Failure> {
        findings(report, &mut workbook, &styles)?;
        matrix(report, &mut workbook, &styles)?;
        trails(report, &mut workbook, &styles)?;
        recipients(report, &mut workbook, &styles)?;
        about(report, &mut workbook, &styles)?;
        Ok(())
    };
    match write() {
        Ok(()) => workbook.save_to_buffer().map_err(io::Error::other),
        Err(Failure::Report(error)) => Err(error),
        Err(Failure::Workbook(error)) => Err(io::Error::other(error)),
    }
}

/// Why there is no workbook.
enum Failure {
    Report(io::Error),
    Workbook(XlsxError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Report(error)
    }
}

impl From<XlsxError> for Failure {
    fn from(error: XlsxError) -> Self {
        Self::Workbook(error)
    }
}

/// A time as workbooks know it, in seconds: UTC, as they know no zones.
fn date(time: Timestamp) -> Result<ExcelDateTime, XlsxError> {
    ExcelDateTime::from_timestamp(time.as_second())
}

fn text(value: Option<&str>) -> Cell<'_> {
    Cell::Text(Cow::Borrowed(value.unwrap_or_default()))
}

fn owned(value: String) -> Cell<'static> {
    Cell::Text(Cow::Owned(value))
}

/// A resource by its ARN or name, with the console's page about it.
fn resource(value: &str) -> Cell<'_> {
    match console::address(value) {
        Some(address) => Cell::Link(address, Cow::Borrowed(value)),
        None => text(Some(value)),
    }
}

/// Where an account is: the names of its units, where they are known, else the path of ids.
fn unit(account: &AccountSummary) -> Cell<'_> {
    match account.unit_names() {
        Some(names) => owned(names),
        None => text(account.ou_path.as_deref()),
    }
}

const FINDINGS: [(&str, f64); 20] = [
    ("status", 16.0),
    ("account_id", 15.0),
    ("account_name", 24.0),
    ("ou", 26.0),
    ("control", 26.0),
    ("number", 10.0),
    ("title", 40.0),
    ("reason", 28.0),
    ("message", 70.0),
    ("what to do", 50.0),
    ("fix", 6.0),
    ("cis", 16.0),
    ("effective", 16.0),
    ("broken_link", 14.0),
    ("resource", 50.0),
    ("region", 15.0),
    ("observed_at (UTC)", 19.0),
    ("accepted because", 40.0),
    ("accepted until (UTC)", 19.0),
    ("id", 40.0),
];

fn findings(
    report: &Report<'_>,
    workbook: &mut Workbook,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let mut sheet = Sheet::begin(workbook, "findings", &FINDINGS, styles)?;
    report.findings.try_each(|finding| {
        let control = &finding.control;
        let remedy = finding.remediation.as_deref();
        let shown = shown(finding);
        let (because, until) = accepted(finding);
        sheet.row(vec![
            Cell::Status(finding.status),
            owned(finding.account.id.to_string()),
            text(finding.account.name.as_deref()),
            unit(&finding.account),
            text(Some(&control.id)),
            Cell::Text(findings_csv::number(control.number.as_deref())),
            text(Some(&control.title)),
            text(finding.reason.as_deref()),
            text(Some(&finding.message)),
            text(remedy.map(|remedy| remedy.summary.as_str())),
            text(remedy.map(|remedy| if remedy.automatic { "yes" } else { "no" })),
            Cell::Status(finding.assurance.cis),
            Cell::Status(finding.assurance.effective),
            text(finding.broken_link.map(LinkName::as_str)),
            shown
                .and_then(|link| link.resource.as_deref())
                .map_or(text(None), resource),
            text(shown.and_then(|link| link.region.as_ref().map(Region::as_str))),
            finding.observed_at.map_or(text(None), Cell::Time),
            owned(because),
            until.map_or(text(None), Cell::Time),
            text(Some(&finding.id)),
        ])
    })?;
    // What is done about it stands once in the report.
    sheet.print_to("message", &FINDINGS)?;
    sheet.end()
}

/// The link whose resource a person looks at: the one that broke or, where it has none, the last
/// before it that has one.
fn shown(finding: &Finding) -> Option<&ChainLink> {
    let links = finding.chain.iter().filter(|link| {
        link.status != LinkStatus::NotEvaluated
            && finding.broken_link.is_none_or(|broken| link.link <= broken)
    });
    let mut with_resource = links.filter(|link| link.resource.is_some());
    with_resource.next_back().map(|link| &**link)
}

/// Why somebody accepts or attests a finding, and until when.
fn accepted(finding: &Finding) -> (String, Option<Timestamp>) {
    if let Some(muted) = finding.muted.as_deref() {
        let because = format!("{} ({})", muted.justification, muted.owner);
        return (because, Some(muted.expires));
    }
    finding
        .attested
        .as_deref()
        .map_or((String::new(), None), |attested| {
            (findings_csv::because(attested), Some(attested.expires))
        })
}

fn matrix(report: &Report<'_>, workbook: &mut Workbook, styles: &Styles) -> Result<(), XlsxError> {
    let ids = control_ids(report);
    let known = controls(report.run);
    let version = report.run.policy.benchmark.as_str();
    let titles: Vec<String> = ids
        .iter()
        .map(|id| {
            let entry = known.get(id).and_then(|control| control.entry(version));
            let number = findings_csv::number(entry.map(|entry| entry.number.as_str()));
            format!("{number} {id}").trim().to_owned()
        })
        .collect();
    let mut columns = vec![
        ("account_id", 15.0),
        ("account_name", 24.0),
        ("ou", 26.0),
        ("worst", 16.0),
    ];
    columns.extend(titles.iter().map(|title| (title.as_str(), 18.0)));
    let mut sheet = Sheet::begin(workbook, "accounts x controls", &columns, styles)?;
    for findings in report.findings.accounts() {
        let Some(first) = findings.first() else {
            continue;
        };
        let mut cells = vec![
            owned(first.account.id.to_string()),
            text(first.account.name.as_deref()),
            unit(&first.account),
            Cell::Status(pivot::worst(findings)),
        ];
        for id in &ids {
            let mut of_account = findings.iter();
            let finding = of_account.find(|finding| finding.control.id == *id);
            cells.push(finding.map_or(text(None), |finding| Cell::Status(finding.status)));
        }
        sheet.row(cells)?;
    }
    sheet.end()
}

const TRAILS: [(&str, f64); 14] = [
    ("account_id", 15.0),
    ("account_name", 24.0),
    ("trail_arn", 60.0),
    ("owner_account", 15.0),
    ("home_region", 15.0),
    ("multi_region", 13.0),
    ("organization_trail", 18.0),
    ("global_service_events", 20.0),
    ("log_group_arn", 60.0),
    ("log_group_account", 18.0),
    ("log_group_region", 18.0),
    ("seen in regions", 16.0),
    ("observed_at (UTC)", 19.0),
    ("error", 60.0),
];

/// The columns of `trails.csv` that are the same in every region that shows a trail.
const OF_TRAIL: [&str; 12] = [
    "account_id",
    "account_name",
    "trail_arn",
    "owner_account",
    "home_region",
    "multi_region",
    "organization_trail",
    "global_service_events",
    "log_group_arn",
    "log_group_account",
    "log_group_region",
    "error",
];

/// A row for each account and trail, where `trails.csv` has one for each region, too.
fn trails(report: &Report<'_>, workbook: &mut Workbook, styles: &Styles) -> Result<(), Failure> {
    let mut sheet = Sheet::begin(workbook, "trails", &TRAILS, styles)?;
    // The rows come by account, so those of one account are all that is held.
    let mut of_account: BTreeMap<Vec<String>, (BTreeSet<String>, String)> = BTreeMap::new();
    let mut account = String::new();
    trails_csv::for_each_row(report, &mut |row| {
        let cell = |name: &str| trails_csv::cell(row, name).to_owned();
        if cell("account_id") != account {
            write_trails(&mut sheet, &mut of_account)?;
            account = cell("account_id");
        }
        let trail = OF_TRAIL.map(cell).to_vec();
        let (regions, observed) = of_account.entry(trail).or_default();
        regions.insert(cell("region"));
        *observed = cell("observed_at").max(std::mem::take(observed));
        Ok(())
    })?;
    write_trails(&mut sheet, &mut of_account)?;
    Ok(sheet.end()?)
}

fn write_trails(
    sheet: &mut Sheet<'_>,
    of_account: &mut BTreeMap<Vec<String>, (BTreeSet<String>, String)>,
) -> io::Result<()> {
    for (trail, (regions, observed)) in std::mem::take(of_account) {
        let mut cells: Vec<Cell<'_>> = OF_TRAIL
            .iter()
            .zip(&trail)
            .map(|(name, value)| {
                if name.ends_with("_arn") {
                    resource(value)
                } else {
                    text(Some(value))
                }
            })
            .collect();
        let error = cells.pop().unwrap_or(text(None));
        cells.push(Cell::Number(regions.len()));
        cells.push(observed.parse().map_or(owned(observed.clone()), Cell::Time));
        cells.push(error);
        sheet.row(cells).map_err(io::Error::other)?;
    }
    Ok(())
}

const RECIPIENTS: [(&str, f64); 10] = [
    ("endpoint", 36.0),
    ("protocol", 12.0),
    ("confirmed", 11.0),
    ("hears", 10.0),
    ("why", 40.0),
    ("account_id", 15.0),
    ("account_name", 24.0),
    ("controls", 60.0),
    ("topic_arn", 60.0),
    ("through", 40.0),
];

/// A row for each account, recipient and way, where `recipients.csv` has one for each control, too.
fn recipients(
    report: &Report<'_>,
    workbook: &mut Workbook,
    styles: &Styles,
) -> Result<(), Failure> {
    let mut sheet = Sheet::begin(workbook, "recipients", &RECIPIENTS, styles)?;
    let mut of_account: BTreeMap<[String; 9], Vec<String>> = BTreeMap::new();
    let mut account = String::new();
    recipients_csv::for_each_row(report, &mut |row| {
        let cell = |name: &str| recipients_csv::cell(row, name).to_owned();
        if cell("account_id") != account {
            write_recipients(&mut sheet, &mut of_account)?;
            account = cell("account_id");
        }
        let key = [
            "endpoint",
            "protocol",
            "confirmed",
            "hears",
            "why",
            "account_id",
            "account_name",
            "topic_arn",
            "through",
        ]
        .map(cell);
        of_account.entry(key).or_default().push(cell("control_id"));
        Ok(())
    })?;
    write_recipients(&mut sheet, &mut of_account)?;
    Ok(sheet.end()?)
}

fn write_recipients(
    sheet: &mut Sheet<'_>,
    of_account: &mut BTreeMap<[String; 9], Vec<String>>,
) -> io::Result<()> {
    for (row, controls) in std::mem::take(of_account) {
        let mut cells: Vec<Cell<'_>> = row.iter().map(|value| text(Some(value))).collect();
        if let Some(topic) = cells.get_mut(7) {
            *topic = row.get(7).map_or(text(None), |topic| resource(topic));
        }
        cells.insert(7, owned(controls.join(", ")));
        sheet.row(cells).map_err(io::Error::other)?;
    }
    Ok(())
}

/// What the run is: the conclusion, what limits it, the counts, the scope and the method.
fn about(report: &Report<'_>, workbook: &mut Workbook, styles: &Styles) -> Result<(), XlsxError> {
    let columns = [("what", 28.0), ("value", 110.0)];
    let mut sheet = Sheet::begin(workbook, "run", &columns, styles)?;
    let mut pair = |what: &str, value: Cell<'_>| {
        sheet.row(vec![Cell::Text(Cow::Owned(what.to_owned())), value])
    };
    let (verdict, because) = statement::conclusion(report);
    pair("Conclusion", owned(format!("{verdict} {because}")))?;
    for warning in statement::warnings(report) {
        pair("Note", owned(warning))?;
    }
    for status in Status::ALL {
        pair(
            status.as_str(),
            Cell::Number(report.summary().count(status)),
        )?;
    }
    if report.run.mask_endpoints {
        pair(
            "Addresses",
            text(Some(
                "pseudonyms in place of the addresses of subscriptions and accounts",
            )),
        )?;
    }
    for (what, value) in statement::scope(report) {
        pair(what, owned(value))?;
    }
    sheet.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Findings;
    use crate::formats::sample;
    use trailproof_core::evidence::Evidence;

    fn bytes(sample: &sample::Sample) -> Vec<u8> {
        let report = Report {
            run: &sample.run,
            findings: &Findings::kept(&sample.findings),
            evidence: &Evidence::default(),
        };
        workbook(&report).unwrap()
    }

    #[test]
    fn the_same_report_gives_the_same_workbook() {
        let sample = sample::organization();
        let first = bytes(&sample);
        assert!(first.starts_with(b"PK"));
        std::thread::sleep(std::time::Duration::from_millis(1100));
        assert_eq!(first, bytes(&sample));
    }

    #[test]
    fn hostile_names_fit_into_cells() {
        let mut sample = sample::hostile();
        for finding in &mut sample.findings {
            finding.message = finding.message.repeat(900).into();
        }
        let _ = bytes(&sample);
    }

    #[test]
    fn the_resource_that_broke_is_shown() {
        let finding = sample::finding("111111111111", "root-usage", Status::Fail);
        let shown = shown(&finding).unwrap();
        assert_eq!(shown.link, LinkName::Subscription);
        let mut finding = finding;
        let last = finding.chain.last_mut().unwrap();
        std::sync::Arc::make_mut(last).resource = None;
        assert_eq!(super::shown(&finding).unwrap().link, LinkName::Topic);
    }
}
