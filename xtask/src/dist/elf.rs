//! Which C library a program needs, read from the names of the versions that it asks for.

/// The newest version of the C library that a program asks for; `None` where it asks for none.
pub(super) fn newest_c_library(program: &[u8]) -> Option<(u32, u32)> {
    const NAME: &[u8] = b"GLIBC_";
    program
        .windows(NAME.len())
        .enumerate()
        .filter(|(_, window)| *window == NAME)
        .filter_map(|(start, _)| version(program.get(start + NAME.len()..)?))
        .max()
}

/// `2.17` and `2.2.5` as they end with a zero byte; the third number tells nothing here.
fn version(text: &[u8]) -> Option<(u32, u32)> {
    let end = text.iter().position(|byte| *byte == 0)?;
    let text = str::from_utf8(text.get(..end)?).ok()?;
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_counts() {
        let program = b"\0GLIBC_2.2.5\0GLIBC_2.17\0GLIBC_2.9\0GLIBC_PRIVATE\0GLIBC_3";
        assert_eq!(newest_c_library(program), Some((2, 17)));
        assert_eq!(newest_c_library(b"statically linked"), None);
    }
}
