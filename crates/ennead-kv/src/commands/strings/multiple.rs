//! Commands on several strings at once.

use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::entry::Hint;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::reply::Reply;

pub(super) fn mget(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    reply.array(args.len() - 1);
    for key in args.iter_from(1) {
        let spot = context.find_key(key, Lookup::Read)?;
        match context.string(spot) {
            Ok(Some(value)) => reply.bulk(value),
            // A value of another kind is no string, and no error here.
            Ok(None) | Err(Error::WrongType) => reply.null(),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn pairs<'a>(args: Args<'a>) -> Result<impl Iterator<Item = (&'a [u8], &'a [u8])>> {
    if args.len().is_multiple_of(2) {
        let name = String::from_utf8_lossy(&args[0]).to_ascii_lowercase();
        return Err(Error::Arity(name));
    }
    Ok(args.iter_from(1).step_by(2).zip(args.iter_from(2).step_by(2)))
}

fn set_all(context: &mut Context<'_>, args: Args<'_>) -> Result {
    for (key, value) in pairs(args)? {
        let spot = context.find_key(key, Lookup::Write)?;
        context.set_string(spot, key, value, 0, Hint::Auto)?;
        context.notify(EventClass::String, "set", key);
    }
    Ok(())
}

pub(super) fn mset(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    set_all(context, args)?;
    reply.ok();
    Ok(())
}

pub(super) fn msetnx(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    for (key, _) in pairs(args)? {
        if context.find_key(key, Lookup::Write)?.exists() {
            reply.integer(0);
            return Ok(());
        }
    }
    set_all(context, args)?;
    reply.integer(1);
    Ok(())
}
