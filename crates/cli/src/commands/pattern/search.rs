//! `trailproof pattern match`: a search of log files for the events that patterns match.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use serde_json::{Value, json};
use trailproof_core::pattern::Match;
use trailproof_core::pattern::logs::{Kind, LogError, Search, Seen, Tally};

use super::files;
use super::firing::Periods;
use super::{ControlArguments, Format, parse};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Find the events that filter patterns match, in CloudTrail log files or anything like them.
///
/// Reads one event per line, JSON arrays, CloudTrail log files, and what CloudWatch Logs,
/// CloudTrail, Firehose and Athena hand out, compressed with gzip or not; folders with all that is
/// in them; stdin without FILE. Matching events go to stdout, a summary to stderr. Ends with 4 when
/// a file cannot be read to its end or, with --control, has no CloudTrail event in it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A pattern; several are looked for at once.
    #[arg(
        long,
        short,
        value_name = "PATTERN",
        allow_hyphen_values = true,
        required_unless_present = "control"
    )]
    pattern: Vec<String>,

    #[command(flatten)]
    control: ControlArguments,

    /// Files and folders.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How to write events.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Write the summary to stdout, and no events.
    #[arg(long)]
    count: bool,

    /// Tell how often an alarm would have fired that sums up periods of this many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    period: Option<u32>,

    /// How many matching events within a period would make the alarm fire [default: 1].
    #[arg(long, value_name = "EVENTS", requires = "period", value_parser = clap::value_parser!(u64).range(1..))]
    threshold: Option<u64>,
}

/// What a worker has to tell of a file.
enum Message {
    /// Lines for stdout.
    Lines(Vec<u8>),
    /// The end of the file, or why it could not be read to its end.
    End(Tally, Vec<Periods>, Option<LogError>),
}

/// One place to read from.
enum Source {
    Stdin,
    File(PathBuf),
}

impl Source {
    fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

struct Job {
    search: Search,
    format: Format,
    silent: bool,
    period: Option<u32>,
    /// Only events of CloudTrail are of use: a control asks for them.
    cloudtrail_only: bool,
}

impl Job {
    fn periods(&self) -> Vec<Periods> {
        self.period
            .map(|seconds| vec![Periods::new(seconds); self.search.patterns().len()])
            .unwrap_or_default()
    }

    /// What is wrong with a log that was read to its end.
    fn complaint(&self, tally: &Tally) -> Option<&'static str> {
        (self.cloudtrail_only && tally.read > 0 && !tally.knows_cloudtrail()).then_some(
            "nothing in it looks like a CloudTrail event: export the events as JSON, with all their members",
        )
    }
}

/// How many bytes a worker gathers before it passes them on.
const CHUNK: usize = 1 << 16;

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, CliError> {
    let mut patterns = arguments
        .pattern
        .iter()
        .map(|text| parse("--pattern", text))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(control) = arguments.control.load()? {
        let text = control.pattern_for(&arguments.control.benchmark);
        patterns.push(parse("the control's pattern", text)?);
    }
    let mut sources = Vec::new();
    for path in &arguments.files {
        let found = files::files(path).map_err(|error| {
            CliError::usage(format_args!("cannot read `{}`: {error}", path.display()))
        })?;
        sources.extend(found.into_iter().map(Source::File));
    }
    if arguments.files.is_empty() {
        sources.push(Source::Stdin);
    }
    let job = Job {
        search: Search::new(patterns),
        format: arguments.format,
        silent: arguments.count,
        period: arguments.period,
        cloudtrail_only: arguments.control.control.is_some(),
    };
    let mut total = Tally::new(job.search.patterns().len());
    let mut periods = job.periods();
    let mut failures: Vec<String> = Vec::new();
    output.data(|out| {
        search(&job, &sources, |source, message| match message {
            Message::Lines(lines) => out.write_all(&lines),
            Message::End(tally, dates, failure) => {
                let name = source.name();
                if let Some(failure) = failure {
                    failures.push(format!("cannot read all of `{name}`: {failure}"));
                } else if let Some(complaint) = job.complaint(&tally) {
                    failures.push(format!("`{name}` was searched in vain: {complaint}"));
                }
                total.merge(&tally);
                for (mine, theirs) in periods.iter_mut().zip(dates) {
                    mine.merge(theirs);
                }
                Ok(())
            }
        })
    })?;
    let threshold = arguments.threshold.unwrap_or(1);
    let summary = |out: &mut dyn Write, format: Format| {
        summary(out, &job, format, &total, &periods, threshold)
    };
    if arguments.count {
        output.data(|out| summary(out, job.format))?;
    } else {
        let mut text = Vec::new();
        // Writing to memory does not fail.
        let _ = summary(&mut text, Format::Text);
        output.note(String::from_utf8_lossy(&text).trim_end());
    }
    for line in apart(&total) {
        output.note(&line);
    }
    for failure in &failures {
        output.warn(failure);
    }
    if !failures.is_empty() {
        return Err(CliError::failed(format_args!(
            "{} of {} files could not be searched to the end",
            failures.len(),
            sources.len()
        )));
    }
    if job.cloudtrail_only && total.cloudtrail + total.oversized == 0 {
        return Err(CliError::failed("no event of CloudTrail was read")
            .hint("name log files with events of the accounts and days in question"));
    }
    Ok(Exit::Success)
}

/// What is told of events that stand apart.
fn apart(total: &Tally) -> Vec<String> {
    let several = |count: u64, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {many}")),
    };
    [
        several(
            total.oversized,
            "event over 256 KB is not counted: CloudTrail does not send it to CloudWatch Logs",
            "events over 256 KB are not counted: CloudTrail does not send them to CloudWatch Logs",
        ),
        several(
            total.insights,
            "of the events read is an Insights event",
            "of the events read are Insights events",
        ),
        several(
            total.digests,
            "digest file holds checksums of log files, and no events",
            "digest files hold checksums of log files, and no events",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Reads the sources side by side; what is told of them comes in their order.
fn search(
    job: &Job,
    sources: &[Source],
    mut tell: impl FnMut(&Source, Message) -> io::Result<()>,
) -> io::Result<()> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    // Each file has a channel of its own, so a later file waits when its reader is ahead of us.
    let (senders, receivers): (Vec<SyncSender<Message>>, Vec<Receiver<Message>>) =
        sources.iter().map(|_| sync_channel(16)).unzip();
    let next = AtomicUsize::new(0);
    let senders: Vec<_> = senders
        .into_iter()
        .map(|sender| std::sync::Mutex::new(Some(sender)))
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..workers.min(sources.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(source), Some(slot)) = (sources.get(index), senders.get(index))
                    else {
                        break;
                    };
                    let sender = slot.lock().ok().and_then(|mut slot| slot.take());
                    let Some(sender) = sender else {
                        break;
                    };
                    if !read(job, source, &sender) {
                        break;
                    }
                }
            });
        }
        for (source, receiver) in sources.iter().zip(receivers) {
            for message in receiver {
                if let Err(error) = tell(source, message) {
                    // Nobody listens any more; the workers notice when their channels close.
                    next.store(usize::MAX / 2, Ordering::Relaxed);
                    for slot in &senders {
                        drop(slot.lock().ok().and_then(|mut slot| slot.take()));
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    })
}

/// Reads one source to its end. False when nobody listens any more.
fn read(job: &Job, source: &Source, sender: &SyncSender<Message>) -> bool {
    let mut reading = Reading {
        job,
        name: source.name(),
        periods: job.periods(),
        lines: Vec::with_capacity(CHUNK * 2),
        sender,
        abandoned: false,
    };
    let (tally, failure) = match source {
        Source::Stdin => job
            .search
            .run(io::BufReader::with_capacity(CHUNK, io::stdin()), |seen| {
                reading.event(seen)
            }),
        Source::File(path) => match files::open(path) {
            Ok(input) => job.search.run(input, |seen| reading.event(seen)),
            Err(error) => (Tally::new(0), Some(LogError::Io(error))),
        },
    };
    let Reading {
        periods,
        lines,
        abandoned,
        ..
    } = reading;
    !abandoned
        && (lines.is_empty() || sender.send(Message::Lines(lines)).is_ok())
        && sender.send(Message::End(tally, periods, failure)).is_ok()
}

struct Reading<'a> {
    job: &'a Job,
    name: String,
    periods: Vec<Periods>,
    lines: Vec<u8>,
    sender: &'a SyncSender<Message>,
    abandoned: bool,
}

impl Reading<'_> {
    fn event(&mut self, seen: &Seen<'_>) -> io::Result<()> {
        let several = seen.outcomes.len() > 1;
        for (number, outcome) in seen.outcomes.iter().enumerate() {
            if *outcome == Match::Yes
                && let Some(periods) = self.periods.get_mut(number)
            {
                periods.add(seen.time);
            }
            if self.job.format == Format::Json && !self.job.silent {
                let mut line = json!({
                    "file": self.name,
                    "index": seen.index,
                    "match": outcome.as_bool(),
                });
                if let Value::Object(members) = &mut line {
                    if several {
                        members.insert("pattern".to_owned(), number.into());
                    }
                    if seen.kind == Kind::Oversized {
                        members.insert("oversized".to_owned(), true.into());
                    }
                }
                writeln!(self.lines, "{line}")?;
            }
        }
        let wanted = seen.outcomes.contains(&Match::Yes);
        if wanted && self.job.format == Format::Text && !self.job.silent {
            writeln!(self.lines, "{}", crate::untrusted::visible(seen.message))?;
        }
        if self.lines.len() >= CHUNK {
            let lines = std::mem::replace(&mut self.lines, Vec::with_capacity(CHUNK * 2));
            if self.sender.send(Message::Lines(lines)).is_err() {
                self.abandoned = true;
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        Ok(())
    }
}

/// The summary of every pattern.
fn summary(
    out: &mut dyn Write,
    job: &Job,
    format: Format,
    total: &Tally,
    periods: &[Periods],
    threshold: u64,
) -> io::Result<()> {
    for (number, pattern) in job.search.patterns().iter().enumerate() {
        let of = |counts: &[u64]| counts.get(number).copied().unwrap_or_default();
        let (matched, undocumented) = (of(&total.matched), of(&total.undocumented));
        let firing = periods.get(number).map(|periods| periods.firing(threshold));
        if format == Format::Json {
            let mut line = json!({
                "pattern": pattern.to_string(),
                "events": total.read,
                "matched": matched,
                "undocumented": undocumented,
                "unreadable": total.unreadable,
                "oversized": total.oversized,
                "insights": total.insights,
                "digests": total.digests,
            });
            if let (Value::Object(members), Some(firing)) = (&mut line, &firing) {
                members.insert(
                    "alarm".to_owned(),
                    json!({
                        "period": job.period,
                        "threshold": threshold,
                        "fired": firing.times,
                        "breaching_periods": firing.periods,
                        "first": firing.between.map(|(first, _)| first.to_string()),
                        "last": firing.between.map(|(_, last)| last.to_string()),
                        "undated": firing.undated,
                    }),
                );
            }
            writeln!(out, "{line}")?;
            continue;
        }
        let shown = match pattern.to_string() {
            empty if empty.is_empty() => "(every event)".to_owned(),
            text => text,
        };
        writeln!(out, "{shown}")?;
        write!(out, "  {} events read, {matched} matched", total.read)?;
        if undocumented > 0 {
            write!(out, ", {undocumented} not documented by AWS")?;
        }
        writeln!(out, ", {} unreadable as JSON", total.unreadable)?;
        if let (Some(firing), Some(period)) = (firing, job.period) {
            write!(
                out,
                "  an alarm on {threshold} or more within {period} seconds would have fired {} times",
                firing.times
            )?;
            if let Some((first, last)) = firing.between {
                write!(out, ", from {first} to {last}")?;
            }
            writeln!(out)?;
            if firing.undated > 0 {
                writeln!(
                    out,
                    "  {} matching events have no eventTime",
                    firing.undated
                )?;
            }
        }
    }
    Ok(())
}
