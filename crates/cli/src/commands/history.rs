//! `trailproof history`: how the pass rate went over several runs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use comfy_table::{CellAlignment, Table, presets};
use jiff::Timestamp;
use serde_json::json;
use trailproof_core::finding::Status;
use trailproof_report::findings_json::read_summary;
use trailproof_report::run::{RunDirectory, file};

use super::controls::PrintFormat;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::untrusted::visible;

/// Show the pass rate over several runs, as a table and a small chart.
///
/// Runs are ordered by the time they were judged for. A folder may be that of a run, or one that
/// holds the folders of runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folders of runs, or folders that hold them.
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,

    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: PrintFormat,
}

/// A run, in numbers.
struct Row {
    folder: String,
    evaluated_at: Timestamp,
    complete: bool,
    counts: [usize; 6],
}

impl Row {
    /// Findings that passed, in per cent of those that apply, rounded down: 100 is said only when
    /// nothing is missing.
    fn pass_rate(&self) -> Option<usize> {
        let [failed, unseen, passed, attested, muted, _] = self.counts;
        (passed * 100).checked_div(failed + unseen + passed + attested + muted)
    }
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments { folders, format } = arguments;
    let mut rows = Vec::new();
    for path in &folders {
        for folder in runs_in(path) {
            match read(&folder) {
                Ok(row) => rows.push(row),
                // One damaged or half-written run must not hide the others.
                Err(error) => output.warn(format_args!("left out: {error}")),
            }
        }
    }
    if rows.is_empty() {
        return Err(CliError::usage("there is no finished run in these folders")
            .hint("name the folders that `trailproof scan --out` wrote"));
    }
    rows.sort_by(|one, other| {
        (one.evaluated_at, &one.folder).cmp(&(other.evaluated_at, &other.folder))
    });
    if format == PrintFormat::Json {
        let list: Vec<_> = rows.iter().map(as_json).collect();
        output.data(|out| {
            serde_json::to_writer_pretty(&mut *out, &list)?;
            writeln!(out)
        })?;
    } else {
        output.data(|out| write!(out, "{}", text(&rows)))?;
    }
    Ok(Exit::Success)
}

/// The folder itself where it is a run, else the runs in it.
fn runs_in(path: &Path) -> Vec<PathBuf> {
    if RunDirectory::is_run(path) {
        return vec![path.to_owned()];
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| RunDirectory::is_run(path))
        .collect();
    found.sort();
    if found.is_empty() {
        found.push(path.to_owned());
    }
    found
}

fn read(folder: &Path) -> Result<Row, CliError> {
    let (directory, _) = RunDirectory::open(folder)?;
    let (run, summary) =
        read_summary(&directory.file(file::FINDINGS_JSON)).map_err(CliError::usage)?;
    let count = |status: Status| {
        summary
            .by_status
            .get(status.as_str())
            .copied()
            .unwrap_or_default()
    };
    Ok(Row {
        folder: folder.display().to_string(),
        evaluated_at: run.policy.evaluated_at,
        complete: run.complete,
        counts: Status::ALL.map(count),
    })
}

fn as_json(row: &Row) -> serde_json::Value {
    let counts: serde_json::Map<_, _> = Status::ALL
        .iter()
        .zip(row.counts)
        .map(|(status, count)| (status.as_str().to_owned(), json!(count)))
        .collect();
    json!({
        "folder": row.folder,
        "evaluated_at": row.evaluated_at,
        "complete": row.complete,
        "by_status": counts,
        "pass_rate": row.pass_rate(),
    })
}

fn text(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(vec![
        "judged", "FAIL", "UNKNOWN", "PASS", "MUTED", "N/A", "passed", "", "run",
    ]);
    for row in rows {
        let mut cells = vec![row.evaluated_at.strftime("%Y-%m-%d %H:%M").to_string()];
        cells.extend(row.counts.map(|count| count.to_string()));
        cells.push(
            row.pass_rate()
                .map_or_else(|| "-".to_owned(), |rate| format!("{rate} %")),
        );
        cells.push(bar(row.pass_rate()));
        let note = if row.complete { "" } else { " (not complete)" };
        cells.push(format!("{}{note}", visible(&row.folder)));
        table.add_row(cells);
    }
    for column in table.column_iter_mut().skip(1).take(6) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    let mut text = format!("{}\n", table.trim_fmt());
    if rows.len() > 1 {
        let chart: String = rows.iter().map(|row| block(row.pass_rate())).collect();
        let rate = |row: Option<&Row>| {
            row.and_then(Row::pass_rate)
                .map_or_else(|| "-".to_owned(), |rate| format!("{rate} %"))
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "\npassed  {} {chart} {}",
            rate(rows.first()),
            rate(rows.last())
        );
    }
    text
}

/// Twenty steps of five per cent.
fn bar(rate: Option<usize>) -> String {
    let full = rate.unwrap_or_default() / 5;
    format!(
        "{}{}",
        "█".repeat(full),
        "·".repeat(20_usize.saturating_sub(full))
    )
}

/// One character between the lowest and the highest block.
fn block(rate: Option<usize>) -> char {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let place = rate.map(|rate| rate * (BLOCKS.len() - 1) / 100);
    place
        .and_then(|place| BLOCKS.get(place))
        .copied()
        .unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_is_full_only_at_a_hundred() {
        assert_eq!(bar(Some(99)), format!("{}·", "█".repeat(19)));
        assert_eq!(bar(Some(100)), "█".repeat(20));
        assert_eq!(bar(None), "·".repeat(20));
        assert_eq!(
            (block(Some(0)), block(Some(99)), block(Some(100))),
            ('▁', '▇', '█')
        );
    }
}
