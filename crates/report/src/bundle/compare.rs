//! Whether a file is what its writer would write, without holding either of them.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use crate::format::{Format, Report};

/// Writes a report once more and holds it against a file: the number of the first line that
/// differs, counted from one, or `None` where every byte is the same.
///
/// An error means that the file cannot be read, or that the report cannot be written from what the
/// run tells.
pub fn first_difference(
    format: &dyn Format,
    report: &Report<'_>,
    path: &Path,
) -> io::Result<Option<u64>> {
    let mut against = Against {
        file: BufReader::with_capacity(1 << 16, File::open(path)?),
        line: 1,
        differs: false,
        beside: Vec::new(),
    };
    format.write(report, &mut against)?;
    against.finish()
}

/// Takes bytes and compares them with those of a file.
struct Against<R> {
    file: R,
    /// The line that the next byte belongs to, or the one that differs.
    line: u64,
    differs: bool,
    /// What the file has in the place of the bytes at hand.
    beside: Vec<u8>,
}

impl<R: Read> Against<R> {
    fn compare(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.differs {
            return Ok(());
        }
        self.beside.clear();
        let length = bytes.len() as u64;
        self.file
            .by_ref()
            .take(length)
            .read_to_end(&mut self.beside)?;
        let same = bytes
            .iter()
            .zip(&self.beside)
            .take_while(|(one, other)| one == other)
            .count();
        let before = bytes.iter().take(same);
        self.line += before.filter(|byte| **byte == b'\n').count() as u64;
        self.differs = same < bytes.len();
        Ok(())
    }

    /// The file may go on where the report ends.
    fn finish(mut self) -> io::Result<Option<u64>> {
        let more = !self.differs && self.file.read(&mut [0])? > 0;
        Ok((self.differs || more).then_some(self.line))
    }
}

impl<R: Read> Write for Against<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.compare(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(file: &str, writes: &[&str]) -> Option<u64> {
        let mut against = Against {
            file: file.as_bytes(),
            line: 1,
            differs: false,
            beside: Vec::new(),
        };
        for text in writes {
            against.write_all(text.as_bytes()).unwrap();
        }
        against.finish().unwrap()
    }

    #[test]
    fn the_first_line_that_differs_is_named() {
        let file = "one\ntwo\nthree\n";
        assert_eq!(compared(file, &["one\nt", "wo\nthree\n"]), None);
        assert_eq!(compared(file, &["One\ntwo\nthree\n"]), Some(1));
        assert_eq!(compared(file, &["one\n", "twO\nthree\n"]), Some(2));
        assert_eq!(compared(file, &["one\ntwo\n"]), Some(3));
        assert_eq!(compared(file, &[file, "four\n"]), Some(4));
        assert_eq!(compared("", &[]), None);
    }
}
