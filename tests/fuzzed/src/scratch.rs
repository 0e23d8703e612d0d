//! Files for readers that take a path.

use std::cell::RefCell;
use std::path::Path;

use tempfile::TempDir;

thread_local! {
    static FOLDER: RefCell<Option<TempDir>> = const { RefCell::new(None) };
}

/// Does something in the folder of a target, which is kept from one input to the next.
pub(crate) fn with_folder<T>(target: &str, act: impl FnOnce(&Path) -> T) -> T {
    FOLDER.with_borrow_mut(|folder| {
        let folder = folder.get_or_insert_with(|| tempfile::tempdir().expect("a folder for files"));
        let folder = folder.path().join(target);
        trailproof_files::create_folder(&folder).expect("a folder can be made");
        act(&folder)
    })
}

/// Puts a private file into a folder, in the place of whatever is there.
pub(crate) fn put(path: &Path, content: &[u8]) {
    use std::io::Write as _;

    let mut file = trailproof_files::create(path).expect("the file can be created");
    file.write_all(content).expect("the file can be written");
}
