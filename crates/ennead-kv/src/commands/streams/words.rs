//! Ids and other words of requests on streams.

use std::ops::RangeInclusive;

use crate::args::Args;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::number::parse_integer;
use crate::object::stream::Id;
use crate::reply::Reply;

pub(super) const INVALID_ID: Error = Error::text("ERR Invalid stream ID specified as stream command argument");
/// A longer word is no id.
const ID_BYTES_MAX: usize = 127;

/// An id as it may stand in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// `ms-*`
    Time(u64),
    Id(Id),
}

/// A number without a sign, and what strtoull takes besides: blanks, a sign and zeros in front.
fn natural(word: &[u8]) -> Option<u64> {
    if let Some(number) = parse_integer(word) {
        return u64::try_from(number).ok();
    }
    let blanks = word.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b).count();
    let (negative, digits) = match &word[blanks..] {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number =
        digits.iter().try_fold(0u64, |number, digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')))?;
    Some(if negative { number.wrapping_neg() } else { number })
}

/// `ms` or `ms-sequence`, with a number for the one that is missing; `ms-*` as well.
fn wish(word: &[u8], missing: u64) -> Result<Wish> {
    // What stands behind a zero is not seen.
    let word = word.split(|byte| *byte == 0).next().unwrap_or_default();
    let (ms, sequence) = match word.iter().position(|byte| *byte == b'-') {
        Some(at) => (&word[..at], Some(&word[at + 1..])),
        None => (word, None),
    };
    let ms = natural(ms).ok_or(INVALID_ID)?;
    match sequence {
        Some(b"*") => Ok(Wish::Time(ms)),
        Some(sequence) => Ok(Wish::Id(Id { ms, sequence: natural(sequence).ok_or(INVALID_ID)? })),
        None => Ok(Wish::Id(Id { ms, sequence: missing })),
    }
}

fn checked_wish(word: &[u8], missing: u64) -> Result<Wish> {
    if word.len() > ID_BYTES_MAX || matches!(word, b"-" | b"+") {
        return Err(INVALID_ID);
    }
    wish(word, missing)
}

/// The id that XADD is to give.
pub(super) fn added_id(word: &[u8]) -> Result<Wish> {
    checked_wish(word, 0)
}

/// An id, but not `-` or `+`.
pub(super) fn strict_id(word: &[u8], missing: u64) -> Result<Id> {
    match checked_wish(word, missing)? {
        Wish::Id(id) => Ok(id),
        Wish::Time(_) => Err(INVALID_ID),
    }
}

/// An id, or `-` or `+` for the lowest and the highest.
pub(super) fn any_id(word: &[u8], missing: u64) -> Result<Id> {
    match word {
        b"-" => Ok(Id::MIN),
        b"+" => Ok(Id::MAX),
        word => strict_id(word, missing),
    }
}

/// An end of an interval, and whether it is not part of it.
fn interval_end(word: &[u8], missing: u64) -> Result<(Id, bool)> {
    match word {
        [b'(', id @ ..] if !id.is_empty() => Ok((strict_id(id, missing)?, true)),
        word => Ok((any_id(word, missing)?, false)),
    }
}

/// Where an interval begins.
pub(super) fn start(word: &[u8]) -> Result<Id> {
    match interval_end(word, 0)? {
        (id, true) => id.next().ok_or(Error::text("ERR invalid start ID for the interval")),
        (id, false) => Ok(id),
    }
}

pub(super) fn interval(from: &[u8], to: &[u8]) -> Result<RangeInclusive<Id>> {
    let from = start(from)?;
    let to = match interval_end(to, u64::MAX)? {
        (id, true) => id.previous().ok_or(Error::text("ERR invalid end ID for the interval"))?,
        (id, false) => id,
    };
    Ok(from..=to)
}

/// The ids of the words from an index on.
pub(super) fn ids_from(args: Args<'_>, index: usize) -> Result<Vec<Id>> {
    args.iter_from(index).map(|word| strict_id(word, 0)).collect()
}

pub(super) fn integer(word: &[u8]) -> Result<i64> {
    parse_integer(word).ok_or(Error::NotInteger)
}

pub(super) fn is(word: &[u8], name: &str) -> bool {
    word.eq_ignore_ascii_case(name.as_bytes())
}

pub(super) fn write_id(reply: &mut dyn Reply, id: Id) {
    reply.bulk(&id.text());
}

/// Unix ms.
pub(super) fn now(context: &Context<'_>) -> i64 {
    context.now_ms() as i64
}

/// Names in errors.
pub(super) fn shown(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}

pub(super) fn unknown_subcommand(args: Args<'_>) -> Error {
    let (name, sub) = (shown(&args[0]).to_uppercase(), shown(&args[1]));
    let sub: String = sub.chars().take(128).collect();
    Error::Text(format!("ERR unknown subcommand or wrong number of arguments for '{sub}'. Try {name} HELP.").into())
}
