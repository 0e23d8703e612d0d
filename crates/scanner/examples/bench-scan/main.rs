//! Scans simulated organizations of growing size with the real binary over real HTTP, and sets what
//! that took against what it had to take. Run it with `cargo xtask bench scan`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark talks to a person, reads the environment, and rounds"
)]

mod bare;
mod control;
mod process;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use process::Usage;
use table::Row;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "\
usage: cargo xtask bench scan [-- OPTIONS]
  --accounts N,N,...   sizes of the organizations (default 100,1000)
  --regions N          regions of every account (default 17)
  --sweep full|adaptive
  --latency-ms N       how long every answer takes (default 30)
  --seed N             (default 7)
  --markdown FILE      write the results there, too
  --binaries DIR       where trailproof and trailproof-simulator are; built when absent";

/// What to measure.
#[derive(Debug)]
struct Options {
    accounts: Vec<usize>,
    regions: usize,
    sweep: String,
    latency: Duration,
    seed: u64,
    markdown: Option<PathBuf>,
    binaries: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((word, rest)) if word == "bare-calls" => bare::run(rest),
        _ => options(&arguments).and_then(|options| measure(&options)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn options(arguments: &[String]) -> Outcome<Options> {
    let mut options = Options {
        accounts: vec![100, 1000],
        regions: 17,
        sweep: "full".to_owned(),
        latency: Duration::from_millis(30),
        seed: 7,
        markdown: None,
        binaries: None,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--accounts" => {
                options.accounts = value()?
                    .split(',')
                    .map(str::parse)
                    .collect::<Result<_, _>>()?;
            }
            "--regions" => options.regions = value()?.parse()?,
            "--sweep" => options.sweep.clone_from(value()?),
            "--latency-ms" => options.latency = Duration::from_millis(value()?.parse()?),
            "--seed" => options.seed = value()?.parse()?,
            "--markdown" => options.markdown = Some(value()?.into()),
            "--binaries" => options.binaries = Some(value()?.into()),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    Ok(options)
}

fn measure(options: &Options) -> Outcome<()> {
    let binaries = match &options.binaries {
        Some(folder) => folder.clone(),
        None => build()?,
    };
    println!("{}", table::HEADER);
    let mut rows = Vec::new();
    for accounts in &options.accounts {
        let row = one(options, &binaries, *accounts)?;
        println!("{row}");
        rows.push(row);
    }
    for line in table::growth(&rows) {
        println!("{line}");
    }
    if let Some(file) = &options.markdown {
        std::fs::write(
            file,
            table::markdown(&rows, &options.sweep, options.latency),
        )?;
    }
    Ok(())
}

/// Builds the two binaries for release and says where they are.
fn build() -> Outcome<PathBuf> {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--package", "trailproof"])
        .args(["--package", "trailproof-simulator"])
        .status()?;
    if !status.success() {
        return Err("the binaries could not be built".into());
    }
    // This example is in `examples` beside them.
    let here = std::env::current_exe()?;
    let folder = here.parent().and_then(Path::parent);
    Ok(folder.ok_or("no target folder")?.to_owned())
}

/// One organization, served by a simulator in a process of its own.
fn one(options: &Options, binaries: &Path, accounts: usize) -> Outcome<Row> {
    let mut command = Command::new(binaries.join("trailproof-simulator"));
    command
        .args(["--accounts", &accounts.to_string()])
        .args(["--regions", &options.regions.to_string()])
        .args(["--seed", &options.seed.to_string()])
        .args(["--latency-ms", &options.latency.as_millis().to_string()])
        .args(["--quotas", "on"]);
    let simulator = control::Simulator::start(&mut command)?;

    let before = bare_cost(options, binaries)?;
    let out = std::env::temp_dir().join(format!("trailproof-bench-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&out);
    let mut scan = Command::new(binaries.join("trailproof"));
    simulator.environment(&mut scan);
    scan.args(["scan", "--quiet", "--overwrite", "--sweep", &options.sweep])
        .arg("--out")
        .arg(&out)
        .stdout(Stdio::null());
    let usage = process::measure(&mut scan)?;
    // 0, 1 and 3 are verdicts; anything else means that there was no complete scan.
    if !matches!(usage.code, Some(0 | 1 | 3)) {
        return Err(format!("the scan ended with {:?}", usage.code).into());
    }
    let statistics = control::get(&simulator.address, "statistics")?;
    let run: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("run.json"))?)?;
    let minimum = control::get(
        &simulator.address,
        &format!("minimum?sweep={}", options.sweep),
    )
    .ok()
    .and_then(|answer| answer.get("calls")?.as_u64());
    let _ = std::fs::remove_dir_all(&out);
    // What a call costs drifts with the machine: before and after count alike.
    let bare = (before + bare_cost(options, binaries)?) / 2;
    Row::new(accounts, options, usage, bare, &run, &statistics, minimum)
}

/// What one call of a bare, shared SDK client costs, against a simulator without quotas.
fn bare_cost(options: &Options, binaries: &Path) -> Outcome<Duration> {
    let mut command = Command::new(binaries.join("trailproof-simulator"));
    command.args(["--latency-ms", &options.latency.as_millis().to_string()]);
    let simulator = control::Simulator::start(&mut command)?;
    let calls = 4000;
    let cost = |calls: u32| -> Outcome<Usage> {
        let mut command = Command::new(std::env::current_exe()?);
        simulator.environment(&mut command);
        command.args(["bare-calls", &calls.to_string()]);
        let usage = process::measure(&mut command)?;
        match usage.code {
            Some(0) => Ok(usage),
            code => Err(format!("the bare calls ended with {code:?}").into()),
        }
    };
    // Starting a process and the first connections are no part of a call.
    let (few, many) = (cost(64)?, cost(64 + calls)?);
    Ok(many.cpu.saturating_sub(few.cpu) / calls)
}
