//! `trailproof controls`: what can be judged, and what it is called where.

use std::fmt::Write as _;

use comfy_table::{Table, presets};
use serde_json::{Value, json};
use trailproof_core::control::{self, Control};

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::ConfigurationArguments;
use crate::untrusted::{visible, visible_lines};

/// Show the controls: what has to be watched, and how each benchmark version calls it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,

    /// The benchmark version whose numbers and titles are shown.
    #[arg(long, value_name = "VERSION", default_value = trailproof_core::policy::Policy::DEFAULT_BENCHMARK, global = true)]
    benchmark: String,

    /// How to print.
    #[arg(long, value_enum, default_value_t, global = true)]
    format: PrintFormat,

    #[command(flatten)]
    configuration: ConfigurationArguments,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List every control, those of the configuration file included.
    List,
    /// Show one control in full: its pattern, numbers, and what other frameworks call it.
    Show {
        /// The control.
        id: String,
    },
}

/// For people or for programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PrintFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let version = control::version(&arguments.benchmark)
        .map_err(|error| CliError::usage(error).hint("such as --benchmark 7.0.0"))?;
    let catalogue = arguments.configuration.load(output)?.catalogue()?;
    let json = arguments.format == PrintFormat::Json;
    match arguments.action {
        Action::List if json => {
            let list: Vec<Value> = catalogue
                .iter()
                .map(|control| as_json(control, version))
                .collect();
            print_json(&json!(list), output)?;
        }
        Action::List => output.data(|out| writeln!(out, "{}", list(&catalogue, version)))?,
        Action::Show { id } => {
            let control = find(&catalogue, &id)?;
            if json {
                print_json(&as_json(&control, version), output)?;
            } else {
                output.data(|out| write!(out, "{}", describe(&control, version)))?;
            }
        }
    }
    Ok(Exit::Success)
}

/// The control of an id.
pub(crate) fn find(catalogue: &[Control], id: &str) -> Result<Control, CliError> {
    let mut found = control::select(catalogue, &[id.to_owned()]).map_err(CliError::usage)?;
    if found.len() == 1 {
        Ok(found.remove(0))
    } else {
        Err(CliError::usage("name one control").hint("`trailproof controls list` shows them"))
    }
}

fn print_json(value: &Value, output: &Output) -> Result<(), CliError> {
    output.data(|out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })
}

/// The control as its file has it, and what one benchmark version makes of it.
fn as_json(control: &Control, version: &str) -> Value {
    let mut value = json!(control);
    if let Some(members) = value.as_object_mut() {
        let entry = control.entry(version);
        let summary = control.summary(version);
        members.insert(
            "selected".to_owned(),
            json!({
                "benchmark": summary.benchmark,
                "number": summary.number,
                "title": summary.title,
                "level": entry.map(|entry| entry.level),
                "pattern": control.pattern_for(version),
                "texts": control.texts_for(version),
                "note": entry.and_then(|entry| entry.note.as_deref()),
            }),
        );
    }
    value
}

fn list(catalogue: &[Control], version: &str) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(vec![version, "control", "level", "Security Hub", "title"]);
    for control in catalogue {
        let entry = control.entry(version);
        table.add_row(vec![
            entry.map_or("-", |entry| entry.number.as_str()).to_owned(),
            control.id.clone(),
            entry.map_or_else(|| "-".to_owned(), |entry| entry.level.to_string()),
            control
                .security_hub
                .as_ref()
                .map_or_else(|| "-".to_owned(), |hub| hub.control.clone()),
            visible(control.title_for(version)),
        ]);
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    table.trim_fmt()
}

/// A control for people.
pub(crate) fn describe(control: &Control, version: &str) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = describe_into(&mut text, control, version);
    text
}

fn describe_into(text: &mut String, control: &Control, version: &str) -> std::fmt::Result {
    let summary = control.summary(version);
    let number = summary.number.map(|number| format!(" {number}"));
    writeln!(text, "{}", control.id)?;
    writeln!(text, "  {}", visible(&summary.title))?;
    writeln!(
        text,
        "  {}{}, severity {}",
        summary.benchmark,
        number.as_deref().unwrap_or_default(),
        control.severity.as_str()
    )?;
    if !control.description.is_empty() {
        writeln!(text, "\n{}", visible_lines(&control.description))?;
    }
    writeln!(
        text,
        "\nWhat has to be covered (an equivalent or broader pattern is accepted, and several \
         filters together):\n  {}",
        visible(control.pattern_for(version))
    )?;
    if let Some(facts) = &control.facts {
        writeln!(
            text,
            "\nTrue of every event of the control, so a filter may ask for it, too:\n  {}",
            visible(facts)
        )?;
    }
    if let Some(observation) = control.observation(version) {
        writeln!(text, "\n{}", observation.message)?;
        for printed in control.texts_for(version) {
            writeln!(text, "  {}", visible(printed))?;
        }
    }
    if !control.benchmarks.is_empty() {
        writeln!(text, "\nNumbers:")?;
        for entry in &control.benchmarks {
            let certain = if entry.sources.len() == 1 {
                " (one source)"
            } else {
                ""
            };
            writeln!(
                text,
                "  {:<5} level {}  CIS {}  read in {}{certain}",
                entry.number,
                entry.level,
                entry.versions.join(", "),
                entry.sources.join(", "),
            )?;
        }
    }
    if let Some(hub) = &control.security_hub {
        writeln!(text, "\nAWS Security Hub {}", hub.control)?;
        for requirement in &hub.requirements {
            writeln!(text, "  {}", visible(requirement))?;
        }
        if let Some(pattern) = &hub.pattern {
            writeln!(text, "  it compares the text itself: {}", visible(pattern))?;
        }
    }
    if !control.mappings.is_empty() {
        writeln!(text, "\nMapped to:")?;
        for mapping in &control.mappings {
            writeln!(
                text,
                "  {} {} (by {})",
                visible(&mapping.framework),
                visible(&mapping.requirements.join(", ")),
                visible(&mapping.source)
            )?;
        }
    }
    if !control.example.is_null() {
        let example = serde_json::to_string_pretty(&control.example).unwrap_or_default();
        writeln!(
            text,
            "\nAn event of the control:\n{}",
            visible_lines(&example)
        )?;
    }
    Ok(())
}
