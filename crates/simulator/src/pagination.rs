//! Pages and the opaque tokens that lead to the next.

use crate::failure::Failure;

/// How an answer is cut into pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paging {
    /// Not at all: everything at once.
    Merged,
    /// As AWS does.
    Pages {
        /// Whether a listing starts with an empty page that has a token, as AWS may do.
        empty_first: bool,
    },
}

/// One page of a listing.
#[derive(Debug)]
pub(crate) struct Page {
    /// The items before it.
    pub(crate) start: usize,
    /// How many it has.
    pub(crate) length: usize,
    /// The way to the next.
    pub(crate) next: Option<String>,
}

impl Paging {
    /// The page that a token asks for of a listing with `total` items, `size` on each page.
    /// `None` when the token is none that was handed out for it.
    pub(crate) fn page(
        self,
        listing: &str,
        token: Option<&str>,
        total: usize,
        size: usize,
    ) -> Option<Page> {
        let Self::Pages { empty_first } = self else {
            return Some(Page {
                start: 0,
                length: total,
                next: None,
            });
        };
        let start = match token {
            Some(token) => open(listing, token)?,
            None if empty_first => {
                return Some(Page {
                    start: 0,
                    length: 0,
                    next: Some(seal(listing, 0)),
                });
            }
            None => 0,
        };
        let end = start.saturating_add(size.max(1)).min(total);
        Some(Page {
            start,
            length: end.checked_sub(start)?,
            next: (end < total).then(|| seal(listing, end)),
        })
    }
}

/// A page size that a caller asked for, within the limits of the API.
pub(crate) fn size(
    asked: Option<i64>,
    limit: usize,
    default: usize,
    refused: impl FnOnce() -> Failure,
) -> Result<usize, Failure> {
    match asked.map(usize::try_from) {
        None => Ok(default),
        Some(Ok(size)) if (1..=limit).contains(&size) => Ok(size),
        Some(_) => Err(refused()),
    }
}

/// Tokens carry the position and a checksum over the listing, so that one of another listing, or
/// one that was made up, is refused as AWS does.
fn seal(listing: &str, position: usize) -> String {
    format!("AAAA{:016x}{position:08x}", checksum(listing, position))
}

fn open(listing: &str, token: &str) -> Option<usize> {
    let position = token.get(20..)?;
    let position = usize::from_str_radix(position, 16).ok()?;
    (seal(listing, position) == token).then_some(position)
}

/// FNV-1a.
fn checksum(listing: &str, position: usize) -> u64 {
    let bytes = listing.bytes().chain(position.to_be_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: Paging = Paging::Pages { empty_first: false };

    #[test]
    fn pages_cover_everything_once() {
        for total in [0, 1, 19, 20, 21, 40, 45] {
            let mut seen = Vec::new();
            let mut token = None;
            loop {
                let page = PAGES.page("a", token.as_deref(), total, 20).unwrap();
                seen.extend(page.start..page.start + page.length);
                token = page.next;
                if token.is_none() {
                    break;
                }
            }
            assert_eq!(seen, (0..total).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_empty_page_may_come_first() {
        let paging = Paging::Pages { empty_first: true };
        let first = paging.page("a", None, 3, 20).unwrap();
        assert_eq!(first.length, 0);
        let second = paging.page("a", first.next.as_deref(), 3, 20).unwrap();
        assert_eq!((second.start, second.length), (0, 3));
        assert!(second.next.is_none());
    }

    #[test]
    fn foreign_tokens_are_refused() {
        let token = PAGES.page("a", None, 30, 20).unwrap().next.unwrap();
        assert!(PAGES.page("b", Some(&token), 30, 20).is_none());
        assert!(PAGES.page("a", Some("made up"), 30, 20).is_none());
        assert!(PAGES.page("a", Some("é"), 30, 20).is_none());
    }
}
