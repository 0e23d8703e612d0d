//! The most memory of large runs, whatever their time: no quota and no distance holds them up.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::targets::Figure;
use crate::{Latency, Network, Options, Outcome, control, process};

/// A run, and the most memory it may take.
struct Run {
    what: &'static str,
    most_mebibytes: f64,
    accounts: usize,
    mix: &'static str,
    controls: &'static str,
    /// Whether the scan's evidence is judged again, and that is what is measured.
    evaluated: bool,
}

const RUNS: [Run; 3] = [
    Run {
        what: "peak memory in MiB, every control of 10,000 accounts",
        most_mebibytes: 256.0,
        accounts: 10_000,
        mix: "realistic",
        controls: "all",
        evaluated: false,
    },
    Run {
        what: "peak memory in MiB, one control of 50,000 accounts",
        most_mebibytes: 400.0,
        accounts: 50_000,
        mix: "realistic",
        controls: "console-auth-failures",
        evaluated: false,
    },
    Run {
        what: "peak memory in MiB, `evaluate` of 50,000 accounts with a chain each",
        most_mebibytes: 512.0,
        accounts: 50_000,
        mix: "healthy",
        controls: "console-auth-failures",
        evaluated: true,
    },
];

/// Measures every run, in adaptive sweeps.
pub(crate) fn measure(options: &Options, binaries: &Path) -> Outcome<Vec<Figure>> {
    RUNS.iter().map(|run| one(run, options, binaries)).collect()
}

fn one(run: &Run, options: &Options, binaries: &Path) -> Outcome<Figure> {
    let mut simulator = Command::new(binaries.join("trailproof-simulator"));
    let nowhere = Network {
        latency: Latency::Uniform(Duration::ZERO),
        tls: options.tls,
    };
    simulator
        .args(["--accounts", &run.accounts.to_string(), "--mix", run.mix])
        .args(["--regions", &options.regions.to_string()])
        .args(["--seed", &options.seed.to_string()])
        .args(["--latency-ms", &nowhere.latency.argument()]);
    let simulator = control::Simulator::start(&mut simulator, nowhere.tls)?;
    let folder = std::env::temp_dir().join(format!("trailproof-memory-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let (scanned, judged) = (folder.join("scanned"), folder.join("judged"));
    std::fs::create_dir_all(&folder)?;

    let mut scan = Command::new(binaries.join("trailproof"));
    simulator.environment(&mut scan);
    scan.args(["scan", "--quiet", "--sweep", "adaptive"])
        .args(["--control", run.controls, "--out"])
        .arg(&scanned)
        .stdout(Stdio::null());
    let mut usage = process::measure(&mut scan)?;
    if run.evaluated && is_verdict(usage.code) {
        let mut evaluate = Command::new(binaries.join("trailproof"));
        evaluate
            .args(["evaluate", "--quiet", "--evidence"])
            .arg(&scanned)
            .arg("--out")
            .arg(&judged)
            .stdout(Stdio::null());
        usage = process::measure(&mut evaluate)?;
    }
    let _ = std::fs::remove_dir_all(&folder);
    if !is_verdict(usage.code) {
        return Err(format!("{}: the run ended with {:?}", run.what, usage.code).into());
    }
    let mebibytes = usage.peak_memory as f64 / 1024.0;
    println!(
        "{}: {mebibytes:.0} (at most {}), {:.1} s",
        run.what,
        run.most_mebibytes,
        usage.wall.as_secs_f64()
    );
    Ok((run.what, run.most_mebibytes, mebibytes))
}

/// Anything else means that there was no complete run.
fn is_verdict(code: Option<i32>) -> bool {
    matches!(code, Some(0 | 1 | 3))
}
