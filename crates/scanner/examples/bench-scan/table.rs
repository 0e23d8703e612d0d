//! The results: what was measured, what it had to be at least, and the ratio of the two.

use std::fmt;
use std::num::NonZero;
use std::time::Duration;

use serde_json::Value;

use crate::process::Usage;
use crate::{Network, Outcome};

/// One scan.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) accounts: usize,
    pub(crate) usage: Usage,
    /// Processor time of the simulator meanwhile.
    served: Duration,
    /// The least wall time that documented quotas and latency allow.
    bound: Duration,
    /// Requests the simulator counted.
    pub(crate) calls: u64,
    /// The fewest that give the same verdicts, where the simulator says.
    minimum: Option<u64>,
    pub(crate) throttles: u64,
    /// Connections the simulator counted.
    pub(crate) connections: u64,
    /// Processor time of a program of the SDK alone that makes as many calls over as many connections.
    bare: Duration,
    /// TLS handshakes, those that went on with a session included.
    handshakes: u64,
}

/// The heading of the table on the terminal.
pub(crate) const HEADER: &str = "accounts   wall s  bound s  ratio     calls  minimum  ratio  \
                                 throttles  CPU/call us  bare us  ratio  peak MiB  handshakes   busy";

/// With less of the processors to spare, a scan and its simulator wait for each other's.
const BUSY: f64 = 0.9;

impl Row {
    /// What the scan took and, meanwhile, the processor time of the simulator; `run` is what the scan
    /// says of itself, the others are what the simulator counted, and the fewest calls and the least
    /// time that it computed. The bare calls are to be measured apart.
    pub(crate) fn new(
        accounts: usize,
        usage: Usage,
        served: Duration,
        run: &Value,
        statistics: &Value,
        minimum: &Value,
    ) -> Outcome<Self> {
        let counted = run
            .pointer("/statistics/calls")
            .and_then(Value::as_u64)
            .ok_or("run.json has no count of calls")?;
        let by_account = statistics.get("by_account").and_then(Value::as_object);
        let sum = |member: &str| -> Option<u64> {
            Some(
                by_account?
                    .values()
                    .filter_map(|it| it.get(member)?.as_u64())
                    .sum(),
            )
        };
        let calls = sum("requests").ok_or("the simulator counted nothing")?;
        if calls != counted {
            return Err(format!("the scan counted {counted} calls, the simulator {calls}").into());
        }
        let connections = |member: &str| {
            let connections = statistics.get("connections");
            let count = connections.and_then(|it| it.get(member)?.as_u64());
            count.unwrap_or_default()
        };
        let path = minimum
            .get("critical_path_ms")
            .and_then(Value::as_f64)
            .ok_or("the simulator computed no critical path")?;
        Ok(Self {
            accounts,
            usage,
            served,
            bound: Duration::from_secs_f64(path / 1000.0),
            calls,
            minimum: minimum.get("calls").and_then(Value::as_u64),
            throttles: sum("throttled").unwrap_or_default(),
            connections: connections("made"),
            bare: Duration::ZERO,
            handshakes: connections("handshakes"),
        })
    }

    /// This scan and another one of the same, with the processor time of the bare calls between them:
    /// the mean of what both took, and the worse of everything else.
    pub(crate) fn and(mut self, other: &Self, bare: Duration) -> Self {
        self.usage.cpu = (self.usage.cpu + other.usage.cpu) / 2;
        self.served = (self.served + other.served) / 2;
        self.usage.wall = self.usage.wall.max(other.usage.wall);
        self.usage.peak_memory = self.usage.peak_memory.max(other.usage.peak_memory);
        self.calls = self.calls.max(other.calls);
        self.throttles = self.throttles.max(other.throttles);
        self.handshakes = self.handshakes.max(other.handshakes);
        self.bare = bare;
        self
    }

    /// The share of all processors' time that scan and simulator took.
    fn busy(&self) -> f64 {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let taken = self.usage.cpu + self.served;
        taken.as_secs_f64() / (self.usage.wall.as_secs_f64() * processors as f64)
    }

    /// Whether nothing could have been faster on these processors.
    pub(crate) fn is_processor_bound(&self) -> bool {
        self.busy() > BUSY
    }

    /// How much longer the scan took than it had to.
    pub(crate) fn wall_ratio(&self) -> f64 {
        self.usage.wall.as_secs_f64() / self.bound.as_secs_f64()
    }

    /// How much more processor time the scan took than the bare calls.
    pub(crate) fn cpu_ratio(&self) -> f64 {
        self.usage.cpu.as_secs_f64() / self.bare.as_secs_f64()
    }

    /// How many calls were made for each that had to be.
    pub(crate) fn calls_ratio(&self) -> Option<f64> {
        Some(self.calls as f64 / self.minimum? as f64)
    }

    pub(crate) fn cpu_per_call(&self) -> Duration {
        self.per_call(self.usage.cpu)
    }

    fn per_call(&self, cpu: Duration) -> Duration {
        let calls = u32::try_from(self.calls.max(1)).unwrap_or(u32::MAX);
        cpu / calls
    }

    fn cells(&self) -> [String; 14] {
        let ratio = |ratio: f64| format!("{ratio:.2}");
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        [
            self.accounts.to_string(),
            format!("{:.1}", self.usage.wall.as_secs_f64()),
            format!("{:.1}", self.bound.as_secs_f64()),
            ratio(self.wall_ratio()),
            self.calls.to_string(),
            or_dash(self.minimum.map(|minimum| minimum.to_string())),
            or_dash(self.calls_ratio().map(|ratio| format!("{ratio:.3}"))),
            self.throttles.to_string(),
            self.cpu_per_call().as_micros().to_string(),
            self.per_call(self.bare).as_micros().to_string(),
            ratio(self.cpu_ratio()),
            (self.usage.peak_memory / 1024).to_string(),
            self.handshakes.to_string(),
            format!(
                "{:.2}{}",
                self.busy(),
                if self.is_processor_bound() {
                    " processor-bound"
                } else {
                    ""
                }
            ),
        ]
    }
}

/// How much each cost grew from one row to the next, beside the growth of the organization.
pub(crate) fn growth(rows: &[Row]) -> Vec<String> {
    let factor = |before: f64, after: f64| format!("x{:.2}", after / before);
    rows.windows(2)
        .filter_map(|pair| {
            let [before, after] = pair else { return None };
            let seconds = |of: fn(&Row) -> Duration| {
                factor(of(before).as_secs_f64(), of(after).as_secs_f64())
            };
            Some(format!(
                "{} to {} accounts ({}): wall {}, calls {}, CPU {}, peak memory {}",
                before.accounts,
                after.accounts,
                factor(before.accounts as f64, after.accounts as f64),
                seconds(|row| row.usage.wall),
                factor(before.calls as f64, after.calls as f64),
                seconds(|row| row.usage.cpu),
                factor(
                    before.usage.peak_memory as f64,
                    after.usage.peak_memory as f64
                ),
            ))
        })
        .collect()
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = [8, 8, 8, 6, 9, 8, 6, 10, 12, 8, 6, 9, 11, 6];
        for (cell, width) in self.cells().iter().zip(widths) {
            write!(formatter, "{cell:>width$} ")?;
        }
        Ok(())
    }
}

/// The same as a table in Markdown.
pub(crate) fn markdown(rows: &[Row], sweep: &str, network: Network) -> String {
    use std::fmt::Write as _;
    let mut text = format!(
        "## {sweep} sweep, {network}\n\n\
         | accounts | wall s | lower bound s | ratio | calls | minimum | ratio | throttles \
         | CPU per call µs | bare SDK call µs | ratio | peak MiB | TLS handshakes | processors busy |\n\
         |---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
    );
    for row in rows {
        let _ = writeln!(text, "| {} |", row.cells().join(" | "));
    }
    let growth = growth(rows);
    if !growth.is_empty() {
        let _ = writeln!(text, "\nGrowth:\n");
        for line in growth {
            let _ = writeln!(text, "- {line}");
        }
    }
    text
}
