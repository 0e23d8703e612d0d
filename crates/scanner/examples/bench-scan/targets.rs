//! What a scan has to reach, set against what was measured.

use std::fmt::Write as _;

use crate::table::Row;
use crate::{Latency, Results};

/// What was measured beside scans one by one: of what, the limit, and the figure.
pub(crate) type Figure = (&'static str, f64, f64);

/// From how many accounts on a call's processor time says more of calls than of starting.
const MANY: usize = 100;

/// How much faster than it must a cost may grow and still count as linear: the same scan, repeated,
/// takes up to a tenth more or less processor time.
const LINEAR: f64 = 1.2;

/// A table in Markdown: each target, the worst figure measured, and whether it is met. What was
/// not measured is left out.
pub(crate) fn check(results: &Results, others: &[Figure]) -> String {
    let all = || results.iter().flat_map(|(.., rows)| rows);
    let sweep = |wanted: &'static str| {
        let rows = results.iter().filter(move |(sweep, ..)| *sweep == wanted);
        rows.flat_map(|(_, network, rows)| rows.iter().map(move |row| (network.latency, row)))
    };
    let full = |accounts: usize| sweep("full").filter(move |(_, row)| row.accounts == accounts);
    let cpu = |wanted: &'static str| {
        let many = sweep(wanted).filter(|(_, row)| row.accounts >= MANY);
        worst(many.map(|(_, row)| row.cpu_ratio()))
    };
    // What the processors did not get done in time says nothing of how calls are made.
    let wall = |accounts: usize, world: bool| {
        let rows = full(accounts).filter(move |(latency, _)| (*latency == Latency::World) == world);
        let bound = |row: &Row| row.is_processor_bound();
        let rows: Vec<&Row> = rows.map(|(_, row)| row).collect();
        let free = rows.iter().filter(|row| !bound(row));
        worst(free.map(|row| row.wall_ratio()))
    };
    let pairs = || results.iter().flat_map(|(.., rows)| rows.windows(2));
    let grew = |relative: fn(&Row) -> f64| {
        worst(pairs().filter_map(move |pair| {
            let [before, after] = pair else { return None };
            Some(relative(after) / relative(before))
        }))
    };
    let mebibytes = |row: &Row| row.usage.peak_memory as f64 / 1024.0;
    let figures = [
        (
            "calls made / minimum",
            1.02,
            worst(all().filter_map(Row::calls_ratio)),
        ),
        (
            "wall time / lower bound, full sweep of 100 accounts, world latencies",
            1.5,
            wall(100, true),
        ),
        (
            "wall time / lower bound, full sweep of 1,000 accounts",
            1.25,
            wall(1000, false),
        ),
        (
            "wall time / lower bound, full sweep of 1,000 accounts, world latencies",
            1.25,
            wall(1000, true),
        ),
        (
            "wall time / lower bound, full sweep of 10,000 accounts, world latencies",
            1.15,
            wall(10_000, true),
        ),
        (
            "throttles",
            0.0,
            worst(all().map(|row| row.throttles as f64)),
        ),
        (
            "CPU / the same calls and connections by the SDK alone, full sweep, from 100 accounts on",
            1.3,
            cpu("full"),
        ),
        (
            "CPU / the same calls and connections by the SDK alone, adaptive sweep, from 100 accounts on",
            1.3,
            cpu("adaptive"),
        ),
        (
            "peak memory in MiB, full sweep of 10,000 accounts",
            256.0,
            worst(full(10_000).map(|(_, row)| mebibytes(row))),
        ),
        (
            "growth of wall time / growth of the lower bound",
            LINEAR,
            grew(Row::wall_ratio),
        ),
        (
            "growth of CPU time / growth of calls",
            LINEAR,
            grew(|row| row.cpu_per_call().as_secs_f64()),
        ),
    ];
    let bound_rows = all().filter(|row| row.is_processor_bound()).count();
    let mut text = "| | at most | worst measured | |\n|---|---:|---:|---|\n".to_owned();
    let others = others
        .iter()
        .map(|(what, limit, measured)| (*what, *limit, Some(*measured)));
    for (what, limit, measured) in figures.into_iter().chain(others) {
        let Some(measured) = measured else { continue };
        let met = if measured <= limit { "met" } else { "missed" };
        let _ = writeln!(text, "| {what} | {limit} | {measured:.2} | {met} |");
    }
    if bound_rows > 0 {
        let _ = writeln!(
            text,
            "\n{bound_rows} rows are processor-bound; their wall times are left out here."
        );
    }
    text
}

fn worst(figures: impl Iterator<Item = f64>) -> Option<f64> {
    figures.max_by(f64::total_cmp)
}
