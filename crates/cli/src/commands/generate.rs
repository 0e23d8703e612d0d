//! `trailproof generate`, hidden: what `cargo xtask codegen` checks in.

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Print a generated document of the source tree.
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Arguments {
    /// Which one.
    document: Document,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Document {
    /// `docs/schema/config.schema.json`.
    ConfigSchema,
    /// `docs/schema/findings.schema.json`.
    FindingsSchema,
    /// `docs/formats.md`.
    Formats,
    /// Manual pages, as a JSON object: the text of each by the name of its file.
    #[cfg(feature = "manual")]
    Manual,
    /// `docs/permissions.md`.
    Permissions,
    /// `docs/schema/plan.schema.json`.
    #[cfg(feature = "remediation")]
    PlanSchema,
    /// `docs/reasons.md`.
    Reasons,
    /// `docs/cli.md`.
    Reference,
    /// `docs/verdicts.md`.
    Verdicts,
}

#[cfg(feature = "manual")]
mod manual {
    use std::collections::BTreeMap;
    use std::io;

    use clap::{Command, CommandFactory};
    use clap_mangen::Man;

    /// A page for each command that the help text shows.
    pub(super) fn pages() -> io::Result<BTreeMap<String, String>> {
        let mut root = crate::arguments::Arguments::command().disable_help_subcommand(true);
        root.build();
        let mut pages = BTreeMap::new();
        add(&root, &mut pages)?;
        Ok(pages)
    }

    fn add(command: &Command, pages: &mut BTreeMap<String, String>) -> io::Result<()> {
        let page = Man::new(command.clone());
        let mut text = Vec::new();
        page.render(&mut text)?;
        pages.insert(
            page.get_filename(),
            String::from_utf8_lossy(&text).into_owned(),
        );
        command
            .get_subcommands()
            .filter(|nested| !nested.is_hide_set())
            .try_for_each(|nested| add(nested, pages))
    }
}

pub(crate) fn run(Arguments { document }: Arguments, output: &Output) -> Result<Exit, CliError> {
    output.data(|out| match document {
        Document::ConfigSchema => writeln!(out, "{:#}", crate::settings::schema()),
        Document::FindingsSchema => {
            let schema = trailproof_report::document::schema();
            serde_json::to_writer_pretty(&mut *out, &schema)?;
            writeln!(out)
        }
        Document::Formats => out.write_all(crate::pages::formats().as_bytes()),
        #[cfg(feature = "manual")]
        Document::Manual => {
            serde_json::to_writer(&mut *out, &manual::pages()?)?;
            writeln!(out)
        }
        Document::Permissions => out.write_all(crate::pages::permissions().as_bytes()),
        #[cfg(feature = "remediation")]
        Document::PlanSchema => {
            let schema = trailproof_report::remediation::Plan::schema();
            serde_json::to_writer_pretty(&mut *out, &schema)?;
            writeln!(out)
        }
        Document::Reasons => out.write_all(crate::links::markdown().as_bytes()),
        Document::Reference => out.write_all(crate::reference::markdown().as_bytes()),
        Document::Verdicts => out.write_all(crate::links::verdicts().as_bytes()),
    })?;
    Ok(Exit::Success)
}
