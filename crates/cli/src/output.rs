//! Where words go: data to stdout, everything else to stderr.

use std::cell::Cell;
use std::io::{self, IsTerminal, StdoutLock, Write};
use std::process::{Command, Stdio};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use crate::arguments::GlobalArguments;
use crate::environment;
use crate::error::CliError;
use crate::untrusted::visible_lines;

/// The two streams, and how much to say on them.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    quiet: bool,
    verbosity: u8,
    choice: ColorChoice,
    stderr_is_terminal: bool,
}

/// The standard output, which knows whether its reader is gone: what writes a format may put the
/// error into one of its own.
struct Stdout<'a> {
    stream: AutoStream<StdoutLock<'static>>,
    gone: &'a Cell<bool>,
}

impl Stdout<'_> {
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            let gone = error.kind() == io::ErrorKind::BrokenPipe;
            self.gone.set(self.gone.get() || gone);
        })
    }
}

impl Write for Stdout<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.stream.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.stream.flush();
        self.note(flushed)
    }
}

impl Output {
    /// The output as the user wants it.
    pub(crate) fn new(global: &GlobalArguments) -> Self {
        let color = !global.no_color && environment::variable("NO_COLOR").is_none();
        Self {
            quiet: global.quiet,
            verbosity: global.verbose,
            choice: if color {
                ColorChoice::Auto
            } else {
                ColorChoice::Never
            },
            stderr_is_terminal: io::stderr().is_terminal(),
        }
    }

    /// Whether only errors are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// How often `-v` was given.
    pub(crate) fn verbosity(&self) -> u8 {
        self.verbosity
    }

    /// Whether color was not turned off. It shows only on a terminal all the same.
    pub(crate) fn color(&self) -> bool {
        self.choice != ColorChoice::Never
    }

    /// Whether stderr is a terminal, so that progress can be drawn in place.
    pub(crate) fn stderr_is_terminal(&self) -> bool {
        self.stderr_is_terminal
    }

    /// Writes data to stdout. A reader that went away (`| head`) is not an error.
    pub(crate) fn data(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CliError> {
        let gone = Cell::new(false);
        let stdout = Stdout {
            stream: AutoStream::new(io::stdout().lock(), self.choice),
            gone: &gone,
        };
        let mut out = io::BufWriter::new(stdout);
        match write(&mut out).and_then(|()| out.flush()) {
            Err(error) if !gone.get() => Err(CliError::failed(format_args!(
                "cannot write to stdout: {error}"
            ))),
            _ => Ok(()),
        }
    }

    /// Writes a text for people to stdout: through the pager where stdout is a terminal, as git does.
    /// `PAGER` names it, `cat` or nothing for none; without it that is `less`, told by `LESS` to end
    /// by itself where one screen is enough.
    pub(crate) fn paged(&self, text: &str) -> Result<(), CliError> {
        if io::stdout().is_terminal() && self.page(text).is_some() {
            return Ok(());
        }
        self.data(|out| out.write_all(text.as_bytes()))
    }

    /// Hands a text to the pager; `None` where there is none, and nothing was written.
    fn page(&self, text: &str) -> Option<()> {
        let pager = environment::pager()?;
        let mut shell = Command::new(if cfg!(windows) { "cmd" } else { "sh" });
        shell.arg(if cfg!(windows) { "/C" } else { "-c" });
        if environment::variable("LESS").is_none() {
            shell.env("LESS", "FRX");
        }
        let mut child = shell.arg(pager).stdin(Stdio::piped()).spawn().ok()?;
        let text = if self.color() {
            text.into()
        } else {
            anstream::adapter::strip_str(text).to_string()
        };
        if let Some(mut input) = child.stdin.take() {
            // Whoever leaves the pager before the end has read enough.
            let _ = input.write_all(text.as_bytes());
        }
        let status = child.wait().ok()?;
        // The shell's own code for a program that is not there.
        (status.code() != Some(127)).then_some(())
    }

    /// Says something on stderr, unless the user wants quiet.
    pub(crate) fn note(&self, text: impl std::fmt::Display) {
        if !self.quiet {
            self.say(format_args!("{text}"));
        }
    }

    /// Asks something on stderr, quiet or not; the answer follows on the same line.
    #[cfg(any(feature = "publish", feature = "remediation"))]
    #[allow(
        clippy::unused_self,
        reason = "as its siblings, so that commands have one way to speak"
    )]
    pub(crate) fn ask(&self, text: impl std::fmt::Display) {
        let mut out = anstream::stderr();
        // A stderr that is gone leaves nobody to ask; then nobody answers.
        let _ = write!(out, "{text}");
        let _ = out.flush();
    }

    /// Warns on stderr, quiet or not.
    pub(crate) fn warn(&self, text: impl std::fmt::Display) {
        let style = AnsiColor::Yellow.on_default().bold();
        let text = visible_lines(&text.to_string());
        self.say(format_args!("{style}warning{style:#}: {text}"));
    }

    /// Says on stderr why the command fails.
    pub(crate) fn error(&self, error: &CliError) {
        let style = AnsiColor::Red.on_default().bold();
        let text = visible_lines(&error.to_string());
        self.say(format_args!("{style}error{style:#}: {text}"));
        for hint in error.hints() {
            self.hint(hint);
        }
    }

    /// Says on stderr what to do about what was said before.
    pub(crate) fn hint(&self, text: impl std::fmt::Display) {
        let style = Style::new().bold();
        let text = visible_lines(&text.to_string());
        self.say(format_args!("{style}hint{style:#}: {text}"));
    }

    fn say(&self, text: std::fmt::Arguments<'_>) {
        // A stderr that is gone leaves nobody to tell.
        let _ = writeln!(AutoStream::new(io::stderr().lock(), self.choice), "{text}");
    }
}
