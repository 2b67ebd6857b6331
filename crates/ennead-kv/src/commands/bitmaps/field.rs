//! BITFIELD and BITFIELD_RO: numbers of any width anywhere in a string.

use super::bit_offset;
use super::overflow::{Encoding, Overflow};
use crate::args::Args;
use crate::bits::{self, FIELD_BYTES};
use crate::context::{Context, Lookup, SHORT_MAX, Spot};
use crate::entry::Hint;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::parse_integer;
use crate::reply::Reply;

#[derive(Debug, Clone, Copy)]
enum Action {
    Get,
    Set(i64),
    Add(i64),
}

/// One operation of a request.
#[derive(Debug, Clone, Copy)]
struct Operation {
    action: Action,
    encoding: Encoding,
    /// The first bit.
    offset: usize,
    overflow: Overflow,
}

impl Operation {
    fn parse_all(context: &Context<'_>, args: Args<'_>) -> Result<Vec<Operation>> {
        let mut operations = Vec::new();
        let mut overflow = Overflow::default();
        let mut words = args.iter_from(2);
        while let Some(word) = words.next() {
            let left = words.len();
            if word.eq_ignore_ascii_case(b"overflow") && left >= 1 {
                overflow = Overflow::parse(words.next().ok_or(Error::Syntax)?)?;
                continue;
            }
            let with_number: Option<fn(i64) -> Action> = if word.eq_ignore_ascii_case(b"get") && left >= 2 {
                None
            } else if word.eq_ignore_ascii_case(b"set") && left >= 3 {
                Some(Action::Set)
            } else if word.eq_ignore_ascii_case(b"incrby") && left >= 3 {
                Some(Action::Add)
            } else {
                return Err(Error::Syntax);
            };
            let encoding = Encoding::parse(words.next().ok_or(Error::Syntax)?)?;
            let offset = bit_offset(context, words.next().ok_or(Error::Syntax)?, Some(encoding.width))?;
            let action = match with_number {
                None => Action::Get,
                Some(action) => action(words.next().and_then(parse_integer).ok_or(Error::NotInteger)?),
            };
            operations.push(Operation { action, encoding, offset, overflow });
        }
        Ok(operations)
    }

    /// Bytes that a string must have for this operation; none if it only reads.
    fn needs(&self) -> Option<usize> {
        match self.action {
            Action::Get => None,
            Action::Set(_) | Action::Add(_) => Some((self.offset + self.encoding.width as usize).div_ceil(8)),
        }
    }

    fn read(&self, bytes: &[u8], offset: usize) -> i64 {
        self.encoding.decode(bits::read(bytes, offset, self.encoding.width))
    }

    /// Does it at bit `offset` of the bytes. What is to be answered; none when the number does not fit. `changes` becomes
    /// true if the number is another one then.
    fn run(&self, bytes: &mut [u8], offset: usize, changes: &mut bool) -> Option<i64> {
        let former = self.read(bytes, offset);
        let (number, increment) = match self.action {
            Action::Get => return Some(former),
            Action::Set(number) => (number, 0),
            Action::Add(increment) => (former, increment),
        };
        let changed = self.encoding.add(number, increment, self.overflow)?;
        *changes |= changed != former;
        bits::write(bytes, offset, self.encoding.width, changed as u64);
        Some(if let Action::Set(_) = self.action { former } else { changed })
    }
}

pub(super) fn bitfield(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let operations = Operation::parse_all(context, args)?;
    match operations.iter().filter_map(Operation::needs).max() {
        None => get_all(context, &args[1], &operations, reply),
        Some(needed) => change(context, &args[1], &operations, needed, reply),
    }
}

pub(super) fn bitfield_ro(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let operations = Operation::parse_all(context, args)?;
    if operations.iter().any(|operation| operation.needs().is_some()) {
        return Err(Error::text("ERR BITFIELD_RO only supports the GET subcommand"));
    }
    get_all(context, &args[1], &operations, reply)
}

fn get_all(context: &mut Context<'_>, key: &[u8], operations: &[Operation], reply: &mut dyn Reply) -> Result {
    let spot = context.find_key(key, Lookup::Read)?;
    let bytes = context.string(spot)?.unwrap_or_default();
    reply.array(operations.len());
    for operation in operations {
        reply.integer(operation.read(bytes, operation.offset));
    }
    Ok(())
}

/// The string grows to what the operations need, also when none of them changes anything in the end.
fn change(
    context: &mut Context<'_>,
    key: &[u8],
    operations: &[Operation],
    needed: usize,
    reply: &mut dyn Reply,
) -> Result {
    let spot = context.find_key(key, Lookup::Write)?;
    let len = context.string(spot)?.map_or(0, <[u8]>::len);
    let told = if len.max(needed) <= SHORT_MAX {
        change_short(context, spot, key, operations, needed, reply)?
    } else {
        if len < needed {
            context.write_string(spot, key, needed - 1, &[0])?;
        }
        let spot = context.again(spot, key);
        reply.array(operations.len());
        let mut told = false;
        for operation in operations {
            let mut changes = len < needed;
            answer(reply, change_long(context, spot, key, operation, &mut changes)?, changes, &mut told, operation);
        }
        context.note_raw(spot);
        told
    };
    if told {
        // Two operations may have undone one another.
        context.note_changed(key);
        context.notify(EventClass::String, "setbit", key);
    }
    Ok(())
}

/// Writes the answer of an operation; `told` becomes true if it has changed something.
fn answer(reply: &mut dyn Reply, number: Option<i64>, changes: bool, told: &mut bool, operation: &Operation) {
    match number {
        Some(number) => {
            *told |= changes && operation.needs().is_some();
            reply.integer(number);
        }
        None => reply.null(),
    }
}

/// All operations at once in a string that is one row; whether one of them has changed something.
fn change_short(
    context: &mut Context<'_>,
    spot: Spot,
    key: &[u8],
    operations: &[Operation],
    needed: usize,
    reply: &mut dyn Reply,
) -> Result<bool> {
    let former = context.string(spot)?.unwrap_or_default();
    let grows = former.len() < needed;
    let mut bytes = former.to_vec();
    bytes.resize(former.len().max(needed), 0);
    reply.array(operations.len());
    let mut told = false;
    for operation in operations {
        let mut changes = grows;
        answer(reply, operation.run(&mut bytes, operation.offset, &mut changes), changes, &mut told, operation);
    }
    if bytes == former {
        context.note_raw(spot);
    } else {
        let expiry = context.expiry(spot);
        context.set_string(spot, key, &bytes, expiry, Hint::Raw)?;
    }
    Ok(told)
}

/// One operation in a long string: only the bytes that it changes are written.
fn change_long(
    context: &mut Context<'_>,
    spot: Spot,
    key: &[u8],
    operation: &Operation,
    changes: &mut bool,
) -> Result<Option<i64>> {
    let bytes = context.string(spot)?.unwrap_or_default();
    let start = bytes.len().min(operation.offset / 8);
    let former = &bytes[start..bytes.len().min(start + FIELD_BYTES)];
    let mut window = [0; FIELD_BYTES];
    window[..former.len()].copy_from_slice(former);
    let before = window;
    let answer = operation.run(&mut window, operation.offset % 8, changes);
    let changed = window.iter().zip(before).rposition(|(byte, former)| *byte != former);
    if let Some(last) = changed {
        context.write_string(spot, key, start, &window[..=last])?;
    }
    Ok(answer)
}
