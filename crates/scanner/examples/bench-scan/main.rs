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
mod targets;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use process::Usage;
use table::Row;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "\
usage: cargo xtask bench scan [-- OPTIONS]
  --full N,N,...       organizations to scan in full, by their accounts (default 100,1000)
  --adaptive N,N,...   organizations to scan adaptively (default 1000)
  --regions N          regions of every account (default 17)
  --latency-ms N       how long every answer takes (default 30)
  --seed N             (default 7)
  --markdown FILE      write the results there, too
  --binaries DIR       where trailproof and trailproof-simulator are; built when absent";

/// What to measure.
#[derive(Debug)]
struct Options {
    full: Vec<usize>,
    adaptive: Vec<usize>,
    regions: usize,
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
        full: vec![100, 1000],
        adaptive: vec![1000],
        regions: 17,
        latency: Duration::from_millis(30),
        seed: 7,
        markdown: None,
        binaries: None,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--full" => options.full = numbers(value()?)?,
            "--adaptive" => options.adaptive = numbers(value()?)?,
            "--regions" => options.regions = value()?.parse()?,
            "--latency-ms" => options.latency = Duration::from_millis(value()?.parse()?),
            "--seed" => options.seed = value()?.parse()?,
            "--markdown" => options.markdown = Some(value()?.into()),
            "--binaries" => options.binaries = Some(value()?.into()),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    Ok(options)
}

fn numbers(text: &str) -> Outcome<Vec<usize>> {
    let numbers = text.split(',').filter(|number| !number.is_empty());
    Ok(numbers.map(str::parse).collect::<Result<_, _>>()?)
}

fn measure(options: &Options) -> Outcome<()> {
    let binaries = match &options.binaries {
        Some(folder) => folder.clone(),
        None => build()?,
    };
    let mut results = Vec::new();
    for (sweep, sizes) in [("full", &options.full), ("adaptive", &options.adaptive)] {
        let mut rows = Vec::new();
        println!("{sweep} sweep\n{}", table::HEADER);
        for accounts in sizes {
            let row = one(options, &binaries, sweep, *accounts)?;
            println!("{row}");
            rows.push(row);
        }
        for line in table::growth(&rows) {
            println!("{line}");
        }
        println!();
        results.push((sweep, rows));
    }
    let targets = targets::check(&results);
    println!("{targets}");
    if let Some(file) = &options.markdown {
        let tables = results
            .iter()
            .map(|(sweep, rows)| table::markdown(rows, sweep, options.latency));
        let text: Vec<String> = std::iter::once(targets).chain(tables).collect();
        std::fs::write(file, text.join("\n"))?;
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
fn one(options: &Options, binaries: &Path, sweep: &str, accounts: usize) -> Outcome<Row> {
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
    scan.args(["scan", "--quiet", "--overwrite", "--sweep", sweep])
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
    let minimum = control::get(&simulator.address, &format!("minimum?sweep={sweep}"))
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
