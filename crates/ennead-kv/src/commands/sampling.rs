//! Random members of a collection.

use std::collections::HashSet;

use crate::args::Args;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::number::parse_integer;

/// How many members a request wants.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// As many different ones, or all.
    Distinct(usize),
    /// As many, repeatedly maybe.
    Repeated(usize),
}

impl Wanted {
    /// A negative number asks for repetition.
    pub(super) fn parse(args: Args<'_>, index: usize) -> Result<Wanted> {
        const RANGE: Error =
            Error::text("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807");
        match parse_integer(&args[index]).ok_or(Error::NotInteger)? {
            i64::MIN => Err(RANGE),
            count @ 0.. => Ok(Wanted::Distinct(count as usize)),
            count => Ok(Wanted::Repeated(count.unsigned_abs() as usize)),
        }
    }

    /// Half of what a number can be is too much where each member has a value with it.
    pub(super) fn check_pairs(self) -> Result {
        let (Wanted::Distinct(count) | Wanted::Repeated(count)) = self;
        if count > i64::MAX as usize / 2 { Err(Error::text("ERR value is out of range")) } else { Ok(()) }
    }
}

/// `count` different numbers below `len`, which is not smaller, in random order.
pub(super) fn distinct(context: &mut Context<'_>, len: usize, count: usize) -> Vec<usize> {
    if count * 3 > len {
        let mut all: Vec<usize> = (0..len).collect();
        for index in 0..count {
            let other = index + below(context, len - index);
            all.swap(index, other);
        }
        all.truncate(count);
        return all;
    }
    let mut seen = HashSet::with_capacity(count);
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count {
        let index = below(context, len);
        if seen.insert(index) {
            chosen.push(index);
        }
    }
    chosen
}

/// A number below `len`, which is not 0.
pub(super) fn below(context: &mut Context<'_>, len: usize) -> usize {
    ((u128::from(context.random()) * len as u128) >> 64) as usize
}
