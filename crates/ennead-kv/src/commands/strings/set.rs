//! SET and its options.

use crate::args::Args;
use crate::commands::deadline::{Unit, deadline};
use crate::context::{Context, Lookup};
use crate::entry::Hint;
use crate::error::{Error, Result};
use crate::reply::Reply;

#[derive(Default)]
struct Options {
    only_new: bool,
    only_existing: bool,
    get: bool,
    keep_ttl: bool,
    /// Unix ms.
    expiry: Option<u64>,
}

impl Options {
    fn parse(args: Args<'_>, now_ms: u64) -> Result<Options> {
        let mut options = Options::default();
        let mut words = args.iter_from(3);
        while let Some(word) = words.next() {
            let fresh = options.expiry.is_none() && !options.keep_ttl;
            if word.eq_ignore_ascii_case(b"nx") && !options.only_existing {
                options.only_new = true;
            } else if word.eq_ignore_ascii_case(b"xx") && !options.only_new {
                options.only_existing = true;
            } else if word.eq_ignore_ascii_case(b"get") {
                options.get = true;
            } else if word.eq_ignore_ascii_case(b"keepttl") && options.expiry.is_none() {
                options.keep_ttl = true;
            } else if let Some(unit) = Unit::from_option(word).filter(|_| fresh) {
                let amount = words.next().ok_or(Error::Syntax)?;
                options.expiry = Some(deadline(amount, unit, now_ms, "set")?);
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }
}

pub(super) fn set(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let options = if args.len() == 3 { Options::default() } else { Options::parse(args, context.now_ms())? };
    let (key, value) = (&args[1], &args[2]);
    let spot = context.find(key, if options.get { Lookup::Read } else { Lookup::Write })?;
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
    let expiry = if options.keep_ttl { context.expiry(spot) } else { options.expiry.unwrap_or(0) };
    if expiry != 0 && expiry <= context.now_ms() {
        // A deadline that has passed: the key is gone at once.
        context.delete(spot, key);
    } else {
        context.set_string(spot, key, value, expiry, Hint::Auto)?;
    }
    if !options.get {
        reply.ok();
    }
    Ok(())
}
