//! `trailproof pattern match`: a search of log files for the events that patterns match.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use serde_json::{Value, json};
use trailproof_core::pattern::{Event, Match, Pattern, Projection, matches};

use super::events;
use super::firing::Periods;
use super::{ControlArguments, Format, parse};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Find the events that filter patterns match, in CloudTrail log files or anything like them.
///
/// Reads one event per line, JSON arrays, and CloudTrail log files, compressed or not; folders with
/// all that is in them; stdin without FILE. Matching events go to stdout, a summary to stderr.
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

/// What was seen of one pattern.
#[derive(Debug, Clone)]
struct Tally {
    read: u64,
    matched: u64,
    undocumented: u64,
    unreadable: u64,
    periods: Option<Periods>,
}

impl Tally {
    fn new(period: Option<u32>) -> Self {
        Self {
            read: 0,
            matched: 0,
            undocumented: 0,
            unreadable: 0,
            periods: period.map(Periods::new),
        }
    }

    fn merge(&mut self, other: Self) {
        self.read += other.read;
        self.matched += other.matched;
        self.undocumented += other.undocumented;
        self.unreadable += other.unreadable;
        if let (Some(mine), Some(theirs)) = (&mut self.periods, other.periods) {
            mine.merge(theirs);
        }
    }
}

/// What a worker has to tell of a file.
enum Message {
    /// Lines for stdout.
    Lines(Vec<u8>),
    /// The end of the file, or why it could not be read to its end.
    End(Vec<Tally>, Option<io::Error>),
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
    patterns: Vec<Pattern>,
    /// What is kept of an event.
    kept: Projection,
    format: Format,
    silent: bool,
    period: Option<u32>,
}

/// The member that says when an event happened.
const TIME: &str = "eventTime";
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
        let found = events::files(path).map_err(|error| {
            CliError::usage(format_args!("cannot read `{}`: {error}", path.display()))
        })?;
        sources.extend(found.into_iter().map(Source::File));
    }
    if arguments.files.is_empty() {
        sources.push(Source::Stdin);
    }
    let job = Job {
        kept: Projection::of(&patterns).with(TIME),
        patterns,
        format: arguments.format,
        silent: arguments.count,
        period: arguments.period,
    };
    let mut tallies = vec![Tally::new(job.period); job.patterns.len()];
    let mut failures: Vec<(String, io::Error)> = Vec::new();
    output.data(|out| {
        search(&job, &sources, |source, message| match message {
            Message::Lines(lines) => out.write_all(&lines),
            Message::End(seen, failure) => {
                for (tally, seen) in tallies.iter_mut().zip(seen) {
                    tally.merge(seen);
                }
                failures.extend(failure.map(|failure| (source.name(), failure)));
                Ok(())
            }
        })
    })?;
    let threshold = arguments.threshold.unwrap_or(1);
    if arguments.count {
        output.data(|out| summary(out, &job, &tallies, threshold))?;
    } else {
        let mut text = Vec::new();
        // Writing to memory does not fail.
        let _ = summary(
            &mut text,
            &Job {
                format: Format::Text,
                ..job
            },
            &tallies,
            threshold,
        );
        output.note(String::from_utf8_lossy(&text).trim_end());
    }
    for (name, failure) in &failures {
        output.warn(format_args!("cannot read all of `{name}`: {failure}"));
    }
    if failures.is_empty() {
        Ok(Exit::Success)
    } else {
        Err(CliError::failed(format_args!(
            "{} of {} files could not be read to the end",
            failures.len(),
            sources.len()
        )))
    }
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
        index: 0,
        tallies: vec![Tally::new(job.period); job.patterns.len()],
        lines: Vec::with_capacity(CHUNK * 2),
        sender,
        abandoned: false,
    };
    let input = match source {
        Source::Stdin => events::uncompressed(io::BufReader::with_capacity(CHUNK, io::stdin())),
        Source::File(path) => open(path),
    };
    let result = input.and_then(|input| events::for_each(input, |event| reading.event(event)));
    let Reading {
        tallies,
        lines,
        abandoned,
        ..
    } = reading;
    let failure = result.err();
    !abandoned
        && (lines.is_empty() || sender.send(Message::Lines(lines)).is_ok())
        && sender.send(Message::End(tallies, failure)).is_ok()
}

fn open(path: &Path) -> io::Result<Box<dyn io::BufRead>> {
    events::open(path)
}

struct Reading<'a> {
    job: &'a Job,
    name: String,
    index: u64,
    tallies: Vec<Tally>,
    lines: Vec<u8>,
    sender: &'a SyncSender<Message>,
    abandoned: bool,
}

impl Reading<'_> {
    fn event(&mut self, raw: &[u8]) -> io::Result<()> {
        let message = String::from_utf8_lossy(raw);
        let value = self.job.kept.read(&message);
        // CloudTrail sends events on one line; what was laid out for reading is put back on one.
        let compact = message
            .contains('\n')
            .then(|| serde_json::from_str::<Value>(&message).ok())
            .flatten()
            .map(|whole| whole.to_string());
        let message = compact.as_deref().unwrap_or(&message);
        let event = Event::from_parts(value.as_ref(), message.into());
        let several = self.job.patterns.len() > 1;
        let mut wanted = false;
        for (number, (pattern, tally)) in
            self.job.patterns.iter().zip(&mut self.tallies).enumerate()
        {
            let outcome = matches(pattern, &event);
            tally.read += 1;
            tally.unreadable += u64::from(value.is_none());
            match outcome {
                Match::Yes => {
                    wanted = true;
                    tally.matched += 1;
                    if let Some(periods) = &mut tally.periods {
                        let time = value.as_ref().and_then(|value| value.get(TIME));
                        periods.add(time.and_then(Value::as_str));
                    }
                }
                Match::Undocumented => tally.undocumented += 1,
                Match::No => {}
            }
            if self.job.format == Format::Json && !self.job.silent {
                let mut line = json!({
                    "file": self.name,
                    "index": self.index,
                    "match": outcome.as_bool(),
                });
                if let (Value::Object(members), true) = (&mut line, several) {
                    members.insert("pattern".to_owned(), number.into());
                }
                writeln!(self.lines, "{line}")?;
            }
        }
        if wanted && self.job.format == Format::Text && !self.job.silent {
            writeln!(self.lines, "{}", crate::untrusted::visible(message))?;
        }
        self.index += 1;
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
    out: &mut (impl Write + ?Sized),
    job: &Job,
    tallies: &[Tally],
    threshold: u64,
) -> io::Result<()> {
    for (pattern, tally) in job.patterns.iter().zip(tallies) {
        let firing = tally
            .periods
            .as_ref()
            .map(|periods| periods.firing(threshold));
        if job.format == Format::Json {
            let mut line = json!({
                "pattern": pattern.to_string(),
                "events": tally.read,
                "matched": tally.matched,
                "undocumented": tally.undocumented,
                "unreadable": tally.unreadable,
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
        write!(
            out,
            "  {} events read, {} matched",
            tally.read, tally.matched
        )?;
        if tally.undocumented > 0 {
            write!(out, ", {} not documented by AWS", tally.undocumented)?;
        }
        writeln!(out, ", {} unreadable as JSON", tally.unreadable)?;
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
