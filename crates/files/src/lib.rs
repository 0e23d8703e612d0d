//! Files and folders that only their owner may read: evidence, findings, plans and journals name
//! the accounts of an organization, and the people who are told.
//!
//! Modes exist on Unix alone. Elsewhere a file has the permissions that its folder hands on.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// The mode of a file that its owner alone may read and write; in archives, too.
pub const FILE_MODE: u32 = 0o600;
/// The mode of a folder that its owner alone may enter, and of a script that the owner runs.
#[cfg(unix)]
const OWNERS_MODE: u32 = 0o700;

/// How a private file is opened. The caller says whether it is read, written or created: the mode
/// counts only for a file that is created, an existing one keeps its own.
#[must_use]
pub fn options() -> OpenOptions {
    #[cfg_attr(not(unix), allow(unused_mut, reason = "the mode is set on unix alone"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(FILE_MODE);
    }
    options
}

/// Creates a private file to write to, or empties one that is there.
///
/// # Errors
///
/// When the file can be neither created nor opened.
pub fn create(path: &Path) -> io::Result<File> {
    options().write(true).create(true).truncate(true).open(path)
}

/// Creates a private file in the place of whatever has its name: a file that others can read does
/// not stay readable, and a link is replaced, not followed.
///
/// # Errors
///
/// When what is there cannot be removed, or somebody is quicker to put something there.
pub fn create_anew(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    create_new(path)
}

/// Creates a private file that was not there before.
///
/// # Errors
///
/// [`io::ErrorKind::AlreadyExists`] when something has its name, also a link to nothing; and when
/// it cannot be created.
pub fn create_new(path: &Path) -> io::Result<File> {
    options().write(true).create_new(true).open(path)
}

/// Opens a file or folder to read it, unless others may write to it: what it says has to be what
/// its owner put there.
///
/// # Errors
///
/// [`io::ErrorKind::PermissionDenied`] when it belongs to somebody else than the user or the
/// superuser, or its mode lets group or others write; and when it cannot be opened.
pub fn open_unshared(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    refuse_writers(&file)?;
    Ok(file)
}

/// Refuses an open file that others may write to. The open one is looked at, so that nobody puts
/// another in its place between the two.
#[cfg(unix)]
fn refuse_writers(file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    const OTHERS_WRITE: u32 = 0o022;
    let metadata = file.metadata()?;
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    let message = if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        format!("it belongs to another user (uid {owner})")
    } else if mode & OTHERS_WRITE != 0 {
        format!("others may write to it (mode {mode:04o})")
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

/// Elsewhere who may write is not looked at.
#[cfg(not(unix))]
fn refuse_writers(_: &File) -> io::Result<()> {
    Ok(())
}

/// Creates a private folder and those it lies in. One that exists keeps its mode.
///
/// # Errors
///
/// When a folder cannot be created, or something else has its name; and
/// [`io::ErrorKind::PermissionDenied`] when it is there and belongs to somebody else, who could
/// exchange what is written to it.
pub fn create_folder(path: &Path) -> io::Result<()> {
    folders().recursive(true).create(path)?;
    refuse_others(path)
}

/// Refuses a folder of somebody else.
#[cfg(unix)]
fn refuse_others(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    let owner = fs::metadata(path)?.uid();
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    let message = format!(
        "the folder belongs to another user (uid {owner}), who could exchange what is written to it; name a folder that is not there yet"
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

/// Elsewhere a folder's owner is not looked at.
#[cfg(not(unix))]
fn refuse_others(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates a private folder that nobody had before.
///
/// # Errors
///
/// [`io::ErrorKind::AlreadyExists`] when there is one, which may be somebody else's; and when it
/// cannot be created.
pub fn create_new_folder(path: &Path) -> io::Result<()> {
    folders().create(path)
}

/// Lets the owner run a file, and nobody else read it.
///
/// # Errors
///
/// When the file is not there or not the user's.
pub fn make_executable(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(OWNERS_MODE))
    }
    #[cfg(not(unix))]
    {
        fs::metadata(path).map(drop)
    }
}

fn folders() -> DirBuilder {
    #[cfg_attr(not(unix), allow(unused_mut, reason = "the mode is set on unix alone"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(OWNERS_MODE);
    }
    builder
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_created_is_private_and_what_exists_keeps_its_mode() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a/b");
        create_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(folder.parent().unwrap()), 0o700);

        let path = folder.join("file");
        create(&path).unwrap().write_all(b"content").unwrap();
        assert_eq!(mode(&path), 0o600);
        make_executable(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        create(&path).unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap().len()), (0o700, 0));

        fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).unwrap();
        create_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o750);
    }

    #[test]
    fn a_file_in_the_place_of_a_link_leaves_what_the_link_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let (theirs, link) = (folder.path().join("theirs"), folder.path().join("link"));
        fs::write(&theirs, "theirs").unwrap();
        std::os::unix::fs::symlink(&theirs, &link).unwrap();
        let again = create_new(&link).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        create_anew(&link).unwrap().write_all(b"ours").unwrap();
        assert_eq!(fs::read(&theirs).unwrap(), b"theirs");
        assert_eq!(fs::read(&link).unwrap(), b"ours");
        assert_eq!(mode(&link), 0o600);
        // A file that everybody could read is made anew, too.
        fs::set_permissions(&theirs, fs::Permissions::from_mode(0o644)).unwrap();
        create_anew(&theirs).unwrap();
        assert_eq!(mode(&theirs), 0o600);
    }

    /// Only a superuser can give a folder away, so for others `/` stands for a folder of somebody
    /// else.
    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let given_away = parent.path().join("theirs");
        create_new_folder(&given_away).unwrap();
        let theirs = match std::os::unix::fs::chown(&given_away, Some(12_345), None) {
            Ok(()) => given_away.as_path(),
            Err(_) => Path::new("/"),
        };
        let refused = create_folder(theirs).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        assert!(refused.to_string().contains("another user"), "{refused}");
    }

    #[test]
    fn what_others_may_write_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("listing");
        create(&path).unwrap();
        for (mode, opens) in [
            (0o600, true),
            (0o444, true),
            (0o755, true),
            (0o620, false),
            (0o602, false),
            (0o666, false),
        ] {
            for path in [path.as_path(), folder.path()] {
                // A folder has to be one that its owner may enter.
                let mode = if path.is_dir() { mode | 0o500 } else { mode };
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
                let opened = open_unshared(path);
                assert_eq!(opened.is_ok(), opens, "{mode:o}");
                if let Err(error) = opened {
                    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
                    assert!(error.to_string().contains("others may write"), "{error}");
                }
            }
        }
        assert!(open_unshared(&folder.path().join("missing")).is_err());
    }

    #[test]
    fn a_new_folder_is_nobody_elses() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("scratch");
        create_new_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        let again = create_new_folder(&folder).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert!(make_executable(&parent.path().join("missing")).is_err());
    }
}
