//! `trailproof.toml`.

use crate::scratch;

/// A configuration file is read, or the error is not empty; where it names a line, the file has it.
pub(crate) fn configuration(data: &[u8]) {
    scratch::with_folder("configuration", |folder| {
        let path = folder.join("trailproof.toml");
        scratch::put(&path, data);
        let Err(error) = trailproof::check_configuration(&path) else {
            return;
        };
        assert!(!error.is_empty());
        let place = format!("{}:", path.display());
        let line = error
            .strip_prefix(&place)
            .and_then(|rest| rest.split(':').next());
        if let Some(Ok(line)) = line.map(str::parse::<usize>) {
            let lines = data.split(|byte| *byte == b'\n').count();
            assert!((1..=lines).contains(&line), "{error}");
        }
    });
}
