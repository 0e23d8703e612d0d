//! `cargo xtask docs`: the documentation as a book.

use std::process::Command;

use xtask::{invocation, workspace};

use crate::ci;

/// Builds the book, which needs mdBook.
pub(crate) fn run() -> Result<(), String> {
    if !ci::installed("mdbook", "") {
        return Err("mdbook is not installed: `cargo install --locked mdbook`".to_owned());
    }
    invocation::run(
        Command::new("mdbook")
            .current_dir(workspace::root())
            .arg("build"),
    )
    .map_err(|failure| failure.to_string())
}

/// Builds the book where mdBook is installed. `tidy` has checked its links in any case.
pub(crate) fn build_where_possible() -> Result<(), String> {
    if ci::installed("mdbook", "") {
        return run();
    }
    ci::missing("mdbook", "whether the book builds");
    Ok(())
}
