//! Compression and encodings of log files, told by their first bytes.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};
use flate2::bufread::GzDecoder;

use super::LogError;

const BUFFER: usize = 1 << 16;
/// How much of the input tells what it is, in bytes.
const HEAD: usize = 64;
/// The byte order mark of UTF-8.
pub(super) const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// What files begin with that are no logs, what they are, and what to do.
const FOREIGN: [(&[u8], &str, &str); 9] = [
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
    (
        b"\x28\xb5\x2f\xfd",
        "compressed with zstd",
        "decompress it first (zstd -d)",
    ),
    (
        b"BZh",
        "compressed with bzip2",
        "decompress it first (bunzip2)",
    ),
    (
        b"\xfd7zXZ\x00",
        "compressed with xz",
        "decompress it first (unxz)",
    ),
    (
        b"\x04\x22\x4d\x18",
        "compressed with lz4",
        "decompress it first (lz4 -d)",
    ),
    (
        b"\xff\x06\x00\x00sNaPpY",
        "compressed with snappy",
        "decompress it first",
    ),
    (b"PAR1", "a Parquet file", "export it as JSON"),
    (b"ORC", "an ORC file", "export it as JSON"),
    (b"Obj\x01", "an Avro file", "export it as JSON"),
];

/// What a page in place of a log begins with, in small letters.
const PAGES: [&[u8]; 4] = [b"<?xml", b"<!doctype", b"<html", b"<error"];

/// Looks through compression, byte order marks and encodings.
pub(super) fn decoded<'a>(
    mut input: Box<dyn BufRead + 'a>,
) -> Result<Box<dyn BufRead + 'a>, LogError> {
    // Gzip within gzip is what some deliveries leave behind.
    for _ in 0..3 {
        let head = head(&mut input)?;
        let compressed = head.starts_with(&[0x1f, 0x8b]);
        if !compressed {
            return plain(head, input);
        }
        let members = Members {
            decoder: Some(GzDecoder::new(Cursor::new(head).chain(input))),
        };
        input = Box::new(BufReader::with_capacity(BUFFER, members));
    }
    Err(LogError::TooDeep)
}

/// The first bytes, taken from the input.
fn head(input: &mut impl BufRead) -> Result<Vec<u8>, LogError> {
    let mut head = Vec::with_capacity(HEAD);
    while head.len() < HEAD {
        let bytes = input.fill_buf().map_err(LogError::of_reading)?;
        let taken = bytes.len().min(HEAD - head.len());
        if taken == 0 {
            break;
        }
        head.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        input.consume(taken);
    }
    Ok(head)
}

fn plain<'a>(
    mut head: Vec<u8>,
    input: Box<dyn BufRead + 'a>,
) -> Result<Box<dyn BufRead + 'a>, LogError> {
    if let Some((_, what, remedy)) = FOREIGN.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Err(LogError::Foreign { what, remedy });
    }
    let wide = match head.as_slice() {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        // Without a mark: the second byte of an ASCII character is zero, of padding all are.
        [b'{' | b'[' | b'"', 0, next, 0, ..] if *next != 0 => Some(UTF_16LE),
        [0xfe, 0xff, ..] | [0, b'{' | b'[' | b'"', 0, ..] => Some(UTF_16BE),
        _ => None,
    };
    if let Some(encoding) = wide {
        let transcoded = Transcoded {
            input: Cursor::new(head).chain(input),
            decoder: encoding.new_decoder_with_bom_removal(),
            ended: false,
        };
        return plain_text(Box::new(BufReader::with_capacity(BUFFER, transcoded)));
    }
    if head.starts_with(&BYTE_ORDER_MARK) {
        head.drain(..BYTE_ORDER_MARK.len());
    }
    not_a_page(&head)?;
    Ok(Box::new(Cursor::new(head).chain(input)))
}

fn plain_text(mut input: Box<dyn BufRead + '_>) -> Result<Box<dyn BufRead + '_>, LogError> {
    let head = head(&mut input)?;
    not_a_page(&head)?;
    Ok(Box::new(Cursor::new(head).chain(input)))
}

fn not_a_page(head: &[u8]) -> Result<(), LogError> {
    let start = head.trim_ascii_start().to_ascii_lowercase();
    if PAGES.iter().any(|page| start.starts_with(page)) {
        return Err(LogError::Foreign {
            what: "an HTML or XML page",
            remedy: "a download that failed leaves such an error page: get the file again",
        });
    }
    Ok(())
}

/// The members of a gzip file, one after the other, with zero bytes after each of them.
struct Members<R: BufRead> {
    decoder: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(decoder) = self.decoder.take() else {
                break;
            };
            let mut input = decoder.into_inner();
            loop {
                let zeros = input
                    .fill_buf()?
                    .iter()
                    .take_while(|byte| **byte == 0)
                    .count();
                if zeros == 0 {
                    break;
                }
                input.consume(zeros);
            }
            match input.fill_buf()?.first() {
                None => {}
                Some(0x1f) => self.decoder = Some(GzDecoder::new(input)),
                Some(_) => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "other bytes follow it",
                    ));
                }
            }
        }
        Ok(0)
    }
}

/// UTF-16 as UTF-8.
struct Transcoded<R> {
    input: R,
    decoder: Decoder,
    ended: bool,
}

impl<R: BufRead> Read for Transcoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The decoder needs room for a whole character.
        while !self.ended && buffer.len() >= 4 {
            let bytes = self.input.fill_buf()?;
            let last = bytes.is_empty();
            let (result, read, written, _) = self.decoder.decode_to_utf8(bytes, buffer, last);
            self.input.consume(read);
            self.ended = last && result == CoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}
