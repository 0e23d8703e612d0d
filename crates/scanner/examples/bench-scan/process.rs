//! What a process took: wall time, CPU time, and the most memory it had.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Outcome;

/// What a process took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) wall: Duration,
    /// User and system time of all its threads.
    pub(crate) cpu: Duration,
    /// The largest resident set, in KiB.
    pub(crate) peak_memory: u64,
    pub(crate) code: Option<i32>,
}

/// How often a running process is looked at.
const INTERVAL: Duration = Duration::from_millis(10);

/// Runs a program to its end. Reads what Linux tells under `/proc`.
pub(crate) fn measure(command: &mut Command) -> Outcome<Usage> {
    let began = Instant::now();
    let mut child = command.spawn()?;
    let folder = format!("/proc/{}", child.id());
    let mut peak_memory = 0;
    loop {
        let (state, cpu) = state_and_cpu(child.id())?;
        // A zombie still tells its times, and waits for `wait` below.
        if state == "Z" {
            let wall = began.elapsed();
            let code = child.wait()?.code();
            return Ok(Usage {
                wall,
                cpu,
                peak_memory,
                code,
            });
        }
        if let Ok(status) = fs::read_to_string(format!("{folder}/status"))
            && let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))
            && let Some(kibibytes) = peak.split_whitespace().next()
        {
            peak_memory = kibibytes.parse()?;
        }
        std::thread::sleep(INTERVAL);
    }
}

/// User and system time of all threads of a process so far.
pub(crate) fn cpu_of(process: u32) -> Outcome<Duration> {
    Ok(state_and_cpu(process)?.1)
}

fn state_and_cpu(process: u32) -> Outcome<(String, Duration)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything; fields are counted after it.
    let (_, fields) = stat.rsplit_once(')').ok_or("unreadable /proc")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |index: usize| -> Outcome<u64> {
        Ok(fields.get(index).ok_or("unreadable /proc")?.parse()?)
    };
    // utime and stime, in ticks of 10 ms.
    let cpu = Duration::from_millis(10 * (ticks(11)? + ticks(12)?));
    Ok((fields.first().copied().unwrap_or_default().to_owned(), cpu))
}
