//! Scans in parts of one listing: what each costs, and how often the accounts are listed.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::control;
use crate::targets::Figure;
use crate::{Network, Options, Outcome};

/// The accounts of a page of organizations:ListAccounts.
const PAGE: usize = 20;

/// A scan in parts.
#[derive(Debug)]
struct Row {
    /// How many parts; `None` for one process that lists the accounts itself.
    parts: Option<usize>,
    /// The time that listing the accounts took beforehand.
    listing: Duration,
    /// The time until the last part had ended.
    wall: Duration,
    calls: u64,
    /// Those of `organizations:ListAccounts` among them, listing beforehand included.
    list_calls: u64,
    throttles: u64,
}

/// Scans an organization in one process that lists the accounts, and then in each number of parts
/// with a listing, all at the same time. A table in Markdown, and what has limits.
pub(crate) fn measure(
    options: &Options,
    network: Network,
    binaries: &Path,
    accounts: usize,
    counts: &[usize],
) -> Outcome<(String, Vec<Figure>)> {
    let mut figures = Vec::new();
    let mut text = format!(
        "## {accounts} accounts in parts, adaptive sweep, {network}\n\n\
         | processes | listing beforehand s | wall s | of the first | calls | of these ListAccounts \
         | throttled |\n|---|---:|---:|---:|---:|---:|---:|\n"
    );
    let all = std::iter::once(None).chain(counts.iter().copied().map(Some));
    let mut first = None;
    for parts in all {
        let row = one(options, network, binaries, accounts, parts)?;
        let first = *first.get_or_insert(row.wall);
        let of_first = row.wall.as_secs_f64() / first.as_secs_f64();
        if row.parts == Some(1) {
            let what = "wall time with a listing / without, adaptive sweep";
            figures.push((what, 0.5, of_first));
        }
        if row.parts.is_some_and(|parts| parts > 1) {
            let pages = accounts.div_ceil(PAGE) as f64;
            let listed = row.list_calls as f64 / pages;
            figures.push((
                "calls of ListAccounts of all parts / pages of accounts",
                1.0,
                listed,
            ));
        }
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | {:.1} | {:.1} | {:.2} | {} | {} | {} |",
            match row.parts {
                None => "1, which lists the accounts".to_owned(),
                Some(count) => format!("{count} with a listing"),
            },
            row.listing.as_secs_f64(),
            row.wall.as_secs_f64(),
            of_first,
            row.calls,
            row.list_calls,
            row.throttles,
        );
    }
    println!("{text}");
    Ok((text, figures))
}

fn one(
    options: &Options,
    network: Network,
    binaries: &Path,
    accounts: usize,
    parts: Option<usize>,
) -> Outcome<Row> {
    let simulator = crate::organization(options, network, binaries, accounts)?;
    let folder = std::env::temp_dir().join(format!("trailproof-parts-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder)?;
    let command = |arguments: &[&str]| {
        let mut command = Command::new(binaries.join("trailproof"));
        simulator.environment(&mut command);
        command
            .args(arguments)
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    let began = Instant::now();
    if parts.is_some() {
        let listed = command(&["accounts", "list", "--out", "listing.json"]).status()?;
        if !listed.success() {
            return Err(format!("accounts list ended with {listed}").into());
        }
    }
    let listing = began.elapsed();
    let began = Instant::now();
    let mut running: Vec<Child> = Vec::new();
    for part in 0..parts.unwrap_or(1) {
        let out = format!("run-{part}");
        let mut scan = command(&["scan", "--quiet", "--sweep", "adaptive", "--out", &out]);
        if let Some(count) = parts {
            let shard = format!("{}/{count}", part + 1);
            scan.args(["--listing", "listing.json", "--shard", &shard]);
        }
        running.push(scan.spawn()?);
    }
    for mut scan in running {
        let code = scan.wait()?.code();
        if !matches!(code, Some(0 | 1 | 3)) {
            return Err(format!("a part ended with {code:?}").into());
        }
    }
    let wall = began.elapsed();
    let statistics = control::get(&simulator.address, "statistics")?;
    let _ = std::fs::remove_dir_all(&folder);
    let number = |pointer: &str| {
        let value = statistics.pointer(pointer).and_then(Value::as_u64);
        value.unwrap_or_default()
    };
    Ok(Row {
        parts,
        listing,
        wall,
        calls: number("/total/requests"),
        list_calls: number("/by_operation/organizations:ListAccounts/requests"),
        throttles: number("/total/throttled"),
    })
}
