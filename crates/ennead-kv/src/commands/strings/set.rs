//! SET and its options.

use crate::args::Args;
use crate::commands::deadline::{Unit, deadline};
use crate::context::{Context, Lookup};
use crate::entry::Hint;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::reply::Reply;

#[derive(Default)]
struct Options<'a> {
    only_new: bool,
    only_existing: bool,
    get: bool,
    keep_ttl: bool,
    expiry: Option<(&'a [u8], Unit)>,
}

impl<'a> Options<'a> {
    fn parse(args: Args<'a>) -> Result<Options<'a>> {
        let mut options = Options::default();
        let mut words = args.iter_from(3);
        while let Some(word) = words.next() {
            if word.eq_ignore_ascii_case(b"nx") && !options.only_existing {
                options.only_new = true;
            } else if word.eq_ignore_ascii_case(b"xx") && !options.only_new {
                options.only_existing = true;
            } else if word.eq_ignore_ascii_case(b"get") {
                options.get = true;
            } else if word.eq_ignore_ascii_case(b"keepttl") && options.expiry.is_none() {
                options.keep_ttl = true;
            } else if let Some(unit) = Unit::from_option(word)
                && !options.keep_ttl
                && options.expiry.is_none_or(|(_, known)| known == unit)
            {
                options.expiry = Some((words.next().ok_or(Error::Syntax)?, unit));
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }
}

pub(super) fn set(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let options = if args.len() == 3 { Options::default() } else { Options::parse(args)? };
    let (key, value) = (&args[1], &args[2]);
    let expiry = match options.expiry {
        Some((amount, unit)) => deadline(amount, unit, context.now_ms(), "set")?,
        None => 0,
    };
    let spot = context.find_key(key, if options.get { Lookup::Read } else { Lookup::Write })?;
    if options.get {
        match context.string(spot)? {
            Some(former) => reply.bulk(former),
            None => reply.null(),
        }
    }
    if (options.only_new && spot.exists()) || (options.only_existing && !spot.exists()) {
        if !options.get {
            reply.null();
        }
        return Ok(());
    }
    let expiry = if options.keep_ttl { context.expiry(spot) } else { expiry };
    // A deadline that has passed is kept like any other; the next who meets the key deletes it.
    context.set_string(spot, key, value, expiry, Hint::Auto)?;
    context.notify(EventClass::String, "set", key);
    if options.expiry.is_some() {
        context.notify(EventClass::Generic, "expire", key);
    }
    if !options.get {
        reply.ok();
    }
    Ok(())
}

pub(super) fn setnx(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (key, value) = (&args[1], &args[2]);
    let spot = context.find_key(key, Lookup::Write)?;
    if !spot.exists() {
        context.set_string(spot, key, value, 0, Hint::Auto)?;
        context.notify(EventClass::String, "set", key);
    }
    reply.integer(i64::from(!spot.exists()));
    Ok(())
}

pub(super) fn setex(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    set_with_expiry(context, args, Unit::Seconds, "setex", reply)
}

pub(super) fn psetex(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    set_with_expiry(context, args, Unit::Milliseconds, "psetex", reply)
}

fn set_with_expiry(
    context: &mut Context<'_>,
    args: Args<'_>,
    unit: Unit,
    command: &str,
    reply: &mut dyn Reply,
) -> Result {
    let (key, amount, value) = (&args[1], &args[2], &args[3]);
    let expiry = deadline(amount, unit, context.now_ms(), command)?;
    let spot = context.find_key(key, Lookup::Write)?;
    context.set_string(spot, key, value, expiry, Hint::Auto)?;
    context.notify(EventClass::String, "set", key);
    context.notify(EventClass::Generic, "expire", key);
    reply.ok();
    Ok(())
}

pub(super) fn getset(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (key, value) = (&args[1], &args[2]);
    let spot = context.find_key(key, Lookup::Read)?;
    match context.string(spot)? {
        Some(former) => reply.bulk(former),
        None => reply.null(),
    }
    context.set_string(spot, key, value, 0, Hint::Auto)?;
    context.notify(EventClass::String, "set", key);
    Ok(())
}
