//! Where a bundle is unpacked.

use std::path::PathBuf;

use crate::error::CliError;

/// A private folder that is gone when the command ends.
pub(super) struct Scratch {
    pub(super) path: PathBuf,
}

impl Scratch {
    pub(super) fn new() -> Result<Self, CliError> {
        /// Folders that a killed process of the same number may have left.
        const ATTEMPTS: usize = 100;
        let parent = std::env::temp_dir();
        for attempt in 0..ATTEMPTS {
            let path = parent.join(format!(
                "trailproof-verify-{}-{attempt}",
                std::process::id()
            ));
            // A folder that is there already belongs to somebody else.
            match trailproof_files::create_new_folder(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(CliError::failed(format_args!(
                        "cannot create `{}`: {error}",
                        path.display()
                    )));
                }
            }
        }
        Err(CliError::failed(format_args!(
            "no free name for a folder in `{}`",
            parent.display()
        )))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder that cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
