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
mod memory;
mod parts;
mod process;
mod table;
mod targets;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use table::Row;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "\
usage: cargo xtask bench scan [-- OPTIONS]
  --full N,N,...       organizations to scan in full, by their accounts (default 100,1000)
  --adaptive N,N,...   organizations to scan adaptively (default 1000)
  --parts N,N,...      scan in so many processes with one listing, too, beside one that lists the
                       accounts itself
  --parts-accounts N   of how many accounts (default 10000)
  --memory             measure the most memory of large runs, too; takes some ten minutes
  --regions N          regions of every account (default 17)
  --latency WORD,...   uniform, where every region answers after the same time, or world, where each
                       takes its round trip from us-east-1 (default uniform,world)
  --latency-ms N       how long every answer takes with uniform (default 30)
  --transport WORD     tls, where hosts are reached as those of AWS are: by name, over TLS, through a
                       proxy that takes them all to the simulator; or http (default tls)
  --seed N             (default 7)
  --markdown FILE      write the results there, too
  --binaries DIR       where trailproof and trailproof-simulator are; built when absent";

/// How far away regions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Latency {
    /// All of them as far.
    Uniform(Duration),
    /// As far as from us-east-1.
    World,
}

impl Latency {
    /// What the simulator is told.
    fn argument(self) -> String {
        match self {
            Self::Uniform(time) => time.as_millis().to_string(),
            Self::World => "world".to_owned(),
        }
    }
}

impl std::fmt::Display for Latency {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Uniform(time) => write!(formatter, "{} ms everywhere", time.as_millis()),
            Self::World => formatter.write_str("world latencies"),
        }
    }
}

/// The way to the simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) latency: Latency,
    pub(crate) tls: bool,
}

impl std::fmt::Display for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let transport = if self.tls { "TLS" } else { "HTTP" };
        write!(formatter, "{}, {transport}", self.latency)
    }
}

/// The rows of one sweep on one network.
pub(crate) type Results = Vec<(&'static str, Network, Vec<Row>)>;

/// What to measure.
#[derive(Debug)]
struct Options {
    full: Vec<usize>,
    adaptive: Vec<usize>,
    parts: Vec<usize>,
    parts_accounts: usize,
    memory: bool,
    regions: usize,
    /// How far away regions are, one after the other.
    latencies: Vec<Latency>,
    /// How far away all of them are.
    uniform: Duration,
    tls: bool,
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
        parts: Vec::new(),
        parts_accounts: 10_000,
        memory: false,
        regions: 17,
        latencies: Vec::new(),
        uniform: Duration::from_millis(30),
        tls: true,
        seed: 7,
        markdown: None,
        binaries: None,
    };
    let mut words_of_latency = "uniform,world".to_owned();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--full" => options.full = numbers(value()?)?,
            "--adaptive" => options.adaptive = numbers(value()?)?,
            "--parts" => options.parts = numbers(value()?)?,
            "--memory" => options.memory = true,
            "--parts-accounts" => options.parts_accounts = value()?.parse()?,
            "--regions" => options.regions = value()?.parse()?,
            "--latency" => words_of_latency.clone_from(value()?),
            "--latency-ms" => options.uniform = Duration::from_millis(value()?.parse()?),
            "--transport" => {
                options.tls = match value()?.as_str() {
                    "tls" => true,
                    "http" => false,
                    other => return Err(format!("`{other}` is neither tls nor http").into()),
                }
            }
            "--seed" => options.seed = value()?.parse()?,
            "--markdown" => options.markdown = Some(value()?.into()),
            "--binaries" => options.binaries = Some(value()?.into()),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    for word in words_of_latency.split(',') {
        options.latencies.push(match word {
            "uniform" => Latency::Uniform(options.uniform),
            "world" => Latency::World,
            other => return Err(format!("`{other}` is neither uniform nor world").into()),
        });
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
    let mut results = Results::new();
    let mut texts = Vec::new();
    let mut figures = Vec::new();
    for &latency in &options.latencies {
        let network = Network {
            latency,
            tls: options.tls,
        };
        for (sweep, sizes) in [("full", &options.full), ("adaptive", &options.adaptive)] {
            let mut rows = Vec::new();
            println!("{sweep} sweep, {network}\n{}", table::HEADER);
            for accounts in sizes {
                let row = one(options, network, &binaries, sweep, *accounts)?;
                println!("{row}");
                rows.push(row);
            }
            for line in table::growth(&rows) {
                println!("{line}");
            }
            println!();
            results.push((sweep, network, rows));
        }
        if !options.parts.is_empty() {
            let accounts = options.parts_accounts;
            let (text, limited) =
                parts::measure(options, network, &binaries, accounts, &options.parts)?;
            texts.push(text);
            figures.extend(limited);
        }
    }
    if options.memory {
        figures.extend(memory::measure(options, &binaries)?);
    }
    let targets = targets::check(&results, &figures);
    println!("{targets}");
    if let Some(file) = &options.markdown {
        let tables = results
            .iter()
            .map(|(sweep, network, rows)| table::markdown(rows, sweep, *network));
        let text: Vec<String> = std::iter::once(targets)
            .chain(tables)
            .chain(texts)
            .collect();
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

/// One organization, scanned before and after the bare calls: what a call costs drifts with the
/// machine.
fn one(
    options: &Options,
    network: Network,
    binaries: &Path,
    sweep: &str,
    accounts: usize,
) -> Outcome<Row> {
    let scan = || scanned(options, network, binaries, sweep, accounts);
    let before = scan()?;
    let bare = bare_cost(options, network, binaries, &before)?;
    Ok(before.and(&scan()?, bare))
}

/// One scan, served by a simulator in a process of its own.
fn scanned(
    options: &Options,
    network: Network,
    binaries: &Path,
    sweep: &str,
    accounts: usize,
) -> Outcome<Row> {
    let simulator = organization(options, network, binaries, accounts)?;

    let out = std::env::temp_dir().join(format!("trailproof-bench-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&out);
    let mut scan = Command::new(binaries.join("trailproof"));
    simulator.environment(&mut scan);
    scan.args(["scan", "--quiet", "--overwrite", "--sweep", sweep])
        .arg("--out")
        .arg(&out)
        .stdout(Stdio::null());
    let idle = simulator.cpu()?;
    let usage = process::measure(&mut scan)?;
    let served = simulator.cpu()?.saturating_sub(idle);
    // 0, 1 and 3 are verdicts; anything else means that there was no complete scan.
    if !matches!(usage.code, Some(0 | 1 | 3)) {
        return Err(format!("the scan ended with {:?}", usage.code).into());
    }
    let statistics = control::get(&simulator.address, "statistics")?;
    let run: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("run.json"))?)?;
    let minimum = control::get(&simulator.address, &format!("minimum?sweep={sweep}"))?;
    let _ = std::fs::remove_dir_all(&out);
    Row::new(accounts, usage, served, &run, &statistics, &minimum)
}

/// An organization, with the quotas of AWS.
fn organization(
    options: &Options,
    network: Network,
    binaries: &Path,
    accounts: usize,
) -> Outcome<control::Simulator> {
    let mut command = Command::new(binaries.join("trailproof-simulator"));
    command
        .args(["--accounts", &accounts.to_string()])
        .args(["--regions", &options.regions.to_string()])
        .args(["--seed", &options.seed.to_string()])
        .args(["--latency-ms", &network.latency.argument()])
        .args(["--quotas", "on"]);
    control::Simulator::start(&mut command, network.tls)
}

/// The processor time of a program that makes as many calls over as many connections with the SDK
/// alone, against a simulator without quotas.
fn bare_cost(options: &Options, network: Network, binaries: &Path, row: &Row) -> Outcome<Duration> {
    let mut command = Command::new(binaries.join("trailproof-simulator"));
    command
        .args(["--regions", &options.regions.to_string()])
        .args(["--latency-ms", &network.latency.argument()]);
    let simulator = control::Simulator::start(&mut command, network.tls)?;
    let mut command = Command::new(std::env::current_exe()?);
    simulator.environment(&mut command);
    command.arg("bare-calls");
    command.args([row.calls, row.connections].map(|count| count.to_string()));
    command.arg(options.regions.to_string());
    let usage = process::measure(&mut command)?;
    match usage.code {
        Some(0) => Ok(usage.cpu),
        code => Err(format!("the bare calls ended with {code:?}").into()),
    }
}
