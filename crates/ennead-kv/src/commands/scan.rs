//! What SCAN, HSCAN, SSCAN and ZSCAN have in common: the cursor and the options.

use crate::args::Args;
use crate::error::{Error, Result};
use crate::glob;
use crate::number::parse_integer;
use crate::reply::Reply;

/// How much a scan visits unless COUNT says otherwise.
const COUNT: usize = 10;

#[derive(Debug)]
pub(super) struct ScanOptions<'a> {
    /// None matches everything.
    pub(super) pattern: Option<&'a [u8]>,
    pub(super) count: usize,
    /// Only for SCAN itself.
    pub(super) type_name: Option<&'a [u8]>,
}

impl<'a> ScanOptions<'a> {
    /// The words from `from` on. TYPE is an option only where keys are scanned.
    pub(super) fn parse(args: Args<'a>, from: usize, keys: bool) -> Result<ScanOptions<'a>> {
        let mut options = ScanOptions { pattern: None, count: COUNT, type_name: None };
        let mut words = args.iter_from(from);
        while let Some(word) = words.next() {
            let value = words.next().ok_or(Error::Syntax)?;
            if word.eq_ignore_ascii_case(b"count") {
                let wanted = parse_integer(value).ok_or(Error::NotInteger)?;
                options.count = usize::try_from(wanted).ok().filter(|count| *count > 0).ok_or(Error::Syntax)?;
            } else if word.eq_ignore_ascii_case(b"match") {
                options.pattern = Some(value).filter(|pattern| *pattern != b"*");
            } else if keys && word.eq_ignore_ascii_case(b"type") {
                options.type_name = Some(value);
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }

    /// Whether a key of this type is wanted.
    pub(super) fn admits(&self, type_name: &str, key: &[u8]) -> bool {
        self.type_name.is_none_or(|name| name.eq_ignore_ascii_case(type_name.as_bytes())) && self.matches(key)
    }

    pub(super) fn matches(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name))
    }
}

/// A cursor as C's `strtoul` reads it: up to a zero byte, nothing is 0, and a minus sign wraps around.
pub(super) fn parse_cursor(word: &[u8]) -> Result<u64> {
    const INVALID: Error = Error::text("ERR invalid cursor");
    let word = word.split(|byte| *byte == 0).next().unwrap_or_default();
    let (negative, digits) = match word {
        [] => return Ok(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+')).ok_or(INVALID)?;
    let number: u64 = text.parse().map_err(|_| INVALID)?;
    Ok(if negative { number.wrapping_neg() } else { number })
}

/// The head of a scan's reply; its items follow.
pub(super) fn write_page(reply: &mut dyn Reply, cursor: u64, items: usize) {
    reply.array(2);
    reply.bulk(itoa::Buffer::new().format(cursor).as_bytes());
    reply.array(items);
}

/// One page of a collection whose members come by fragment: those from the cursor on, and where the next page begins.
/// Members of one fragment stay together, so that a cursor is one.
pub(super) fn page<T>(members: impl Iterator<Item = (u32, T)>, count: usize) -> (Vec<T>, u64) {
    let mut page: Vec<T> = Vec::new();
    let mut last = 0;
    for (fragment, member) in members {
        if page.len() >= count && fragment != last {
            return (page, u64::from(fragment));
        }
        last = fragment;
        page.push(member);
    }
    (page, 0)
}

/// Where a page of a collection begins; none beyond the last fragment.
pub(super) fn first_fragment(cursor: u64) -> Option<u32> {
    u32::try_from(cursor).ok()
}
