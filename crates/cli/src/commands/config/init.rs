//! `trailproof config init`: a file with every setting, commented out.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// What the file is made of: the example of the documentation, which tests read. `cargo xtask codegen`
/// copies it here, because a published package has no file of another folder.
const EXAMPLE: &str = include_str!("trailproof.toml");

/// Write a configuration file in which everything is commented out: nothing changes until a line is
/// uncommented.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file to write, or `-` for stdout.
    #[arg(long, short, value_name = "FILE", default_value = "trailproof.toml")]
    out: PathBuf,

    /// Replace a file that is there already.
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        out: path,
        overwrite,
    } = arguments;
    let text = commented();
    if path == Path::new("-") {
        output.data(|out| out.write_all(text.as_bytes()))?;
        return Ok(Exit::Success);
    }
    if path.exists() && !overwrite {
        return Err(
            CliError::usage(format_args!("`{}` is there already", path.display()))
                .hint("choose another name with --out, or replace it with --overwrite"),
        );
    }
    trailproof_files::create_anew(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| {
            CliError::failed(format_args!("cannot write `{}`: {error}", path.display()))
        })?;
    output.data(|out| writeln!(out, "{}", path.display()))?;
    output.note("uncomment what you want; `trailproof config show` says what holds then");
    Ok(Exit::Success)
}

/// The example with every setting commented out: words stand behind `# `, settings behind `#`.
fn commented() -> String {
    let mut text = String::from(
        "# trailproof.toml. Words stand behind `# `; remove the `#` before a setting or a table to use\n\
         # it. All values are examples. The keys: docs/configuration.md, docs/schema/config.schema.json.\n\n",
    );
    for line in EXAMPLE.lines() {
        let comment = line.is_empty() || line.starts_with('#');
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}{line}", if comment { "" } else { "#" });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_holds_until_it_is_uncommented() {
        let text = commented();
        let table: toml::Table = toml::from_str(&text).unwrap();
        assert!(table.is_empty(), "{table}");
        let uncommented: String = text
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(setting) if !setting.starts_with(' ') => format!("{setting}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let read = |text: &str| toml::from_str::<toml::Table>(text).unwrap();
        assert_eq!(read(&uncommented), read(EXAMPLE));
    }
}
