//! BITOP: whole strings with one another.

use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::entry::Hint;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::reply::Reply;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
}

impl Operation {
    const ALL: [(&str, Operation); 4] =
        [("and", Operation::And), ("or", Operation::Or), ("xor", Operation::Xor), ("not", Operation::Not)];

    fn parse(word: &[u8]) -> Result<Operation> {
        let known = Operation::ALL.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
        known.map(|(_, operation)| *operation).ok_or(Error::Syntax)
    }

    /// Joins another string to what came of those before it. The shorter of the two goes on with zeros.
    fn join(self, result: &mut Vec<u8>, other: &[u8]) {
        result.resize(result.len().max(other.len()), 0);
        let (both, rest) = result.split_at_mut(other.len());
        let pairs = both.iter_mut().zip(other);
        match self {
            Operation::And => {
                pairs.for_each(|(byte, other)| *byte &= other);
                rest.fill(0);
            }
            Operation::Or => pairs.for_each(|(byte, other)| *byte |= other),
            Operation::Xor => pairs.for_each(|(byte, other)| *byte ^= other),
            Operation::Not => {}
        }
    }
}

pub(super) fn bitop(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let operation = Operation::parse(&args[1])?;
    if operation == Operation::Not && args.len() != 4 {
        return Err(Error::text("ERR BITOP NOT must be called with a single source key."));
    }
    let mut result = Vec::new();
    for (number, key) in args.iter_from(3).enumerate() {
        let spot = context.find_key(key, Lookup::Read)?;
        let bytes = context.string(spot)?.unwrap_or_default();
        if number == 0 {
            result = bytes.to_vec();
        } else {
            operation.join(&mut result, bytes);
        }
    }
    if operation == Operation::Not {
        result.iter_mut().for_each(|byte| *byte = !*byte);
    }
    let key = &args[2];
    let spot = context.find_key(key, Lookup::Write)?;
    if result.is_empty() {
        context.delete_told(spot, key);
    } else {
        context.set_string(spot, key, &result, 0, Hint::Raw)?;
        context.notify(EventClass::String, "set", key);
    }
    reply.integer(result.len() as i64);
    Ok(())
}
