//! Where reports go, and in which formats.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use serde::Deserialize;
use trailproof_report::format::{self, Format};

use super::{list_or_file, or_file};
use crate::error::CliError;

/// Where reports go, and in which formats.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
#[command(next_help_heading = "Reports")]
pub(crate) struct ReportSettings {
    /// Formats to write beside those of every run: json, csv, trails and recipients.
    #[arg(
        long,
        value_name = "FORMAT",
        value_delimiter = ',',
        num_args = 1..,
        value_parser = PossibleValuesParser::new(format::ALL.iter().map(|format| format.name()))
    )]
    pub(crate) format: Vec<String>,

    /// The folder of the run, which is created and private to you; or `-` to write the one
    /// --format to stdout and no files.
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Write pseudonyms in place of the addresses of subscriptions and accounts, in evidence and reports: the
    /// same for an address in every run.
    #[arg(long)]
    pub(crate) mask_endpoints: bool,
}

/// Where reports go.
#[derive(Clone)]
pub(crate) enum Destination {
    /// Into a folder.
    Folder {
        /// The folder, when the user named one.
        path: Option<PathBuf>,
        /// The formats.
        formats: Vec<&'static dyn Format>,
    },
    /// To stdout.
    Stdout(&'static dyn Format),
}

impl ReportSettings {
    /// These settings, with what they leave open taken from the file.
    pub(crate) fn or(mut self, file: Self) -> Self {
        let Self {
            format,
            out,
            mask_endpoints,
        } = file;
        list_or_file(&mut self.format, format);
        or_file(&mut self.out, out);
        self.mask_endpoints |= mask_endpoints;
        self
    }

    /// Where reports go.
    pub(crate) fn destination(&self) -> Result<Destination, CliError> {
        let named = self.formats()?;
        if self.out.as_deref() == Some(Path::new("-")) {
            return match named.as_slice() {
                [format] => Ok(Destination::Stdout(*format)),
                _ => Err(CliError::usage(
                    "--out - writes one report to stdout, and needs one --format",
                )
                .hint("such as --out - --format json")),
            };
        }
        let mut formats: Vec<_> = format::DEFAULT
            .iter()
            .filter_map(|name| format::by_name(name))
            .collect();
        for format in named {
            if !formats.iter().any(|known| known.name() == format.name()) {
                formats.push(format);
            }
        }
        Ok(Destination::Folder {
            path: self.out.clone(),
            formats,
        })
    }

    /// Whether a folder was named.
    pub(crate) fn is_folder(&self) -> bool {
        self.out.as_deref().is_some_and(|out| out != Path::new("-"))
    }

    /// Refuses a folder for the reports that holds what is judged: replacing it would destroy the
    /// evidence before it was copied.
    pub(crate) fn apart_from(&self, sources: &[PathBuf]) -> Result<(), CliError> {
        let Some(out) = self.out.as_deref().and_then(|out| out.canonicalize().ok()) else {
            return Ok(());
        };
        let inside = |source: &PathBuf| {
            source
                .canonicalize()
                .is_ok_and(|source| source.starts_with(&out) || out.starts_with(source))
        };
        match sources.iter().find(|source| inside(source)) {
            None => Ok(()),
            Some(source) => Err(CliError::usage(format_args!(
                "the reports would replace what is judged: `{}`",
                source.display()
            ))
            .hint("name another folder with --out")),
        }
    }

    /// The formats that were named.
    pub(crate) fn formats(&self) -> Result<Vec<&'static dyn Format>, CliError> {
        self.format
            .iter()
            .map(|name| {
                format::by_name(name).ok_or_else(|| {
                    let names: Vec<_> = format::ALL.iter().map(|format| format.name()).collect();
                    CliError::usage(format_args!("`{name}` is not a format"))
                        .hint(format_args!("the formats are {}", names.join(", ")))
                })
            })
            .collect()
    }
}
