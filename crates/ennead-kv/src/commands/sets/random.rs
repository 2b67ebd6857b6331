//! SPOP and SRANDMEMBER.

use crate::args::Args;
use crate::commands::sampling::{Wanted, below, distinct};
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::parse_integer;
use crate::reply::Reply;

pub(super) fn srandmember(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let wanted = match args.len() {
        2 => None,
        3 => Some(Wanted::parse(args, 2)?),
        _ => return Err(Error::Syntax),
    };
    let spot = context.find(&args[1], Lookup::Read)?;
    let len = context.view(spot, Kind::Set)?.len();
    let chosen: Vec<usize> = match wanted {
        _ if len == 0 => Vec::new(),
        None => vec![below(context, len)],
        Some(Wanted::Distinct(count)) if count >= len => (0..len).collect(),
        Some(Wanted::Distinct(count)) => distinct(context, len, count),
        Some(Wanted::Repeated(count)) => (0..count).map(|_| below(context, len)).collect(),
    };
    let view = context.view(spot, Kind::Set)?;
    if wanted.is_some() {
        reply.array(chosen.len());
    } else if chosen.is_empty() {
        reply.null();
    }
    chosen.into_iter().filter_map(|index| view.nth(index)).for_each(|member| reply.bulk(member));
    Ok(())
}

pub(super) fn spop(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    const POSITIVE: Error = Error::text("ERR value is out of range, must be positive");
    let count = match args.len() {
        2 => None,
        3 => {
            let count = parse_integer(&args[2]).ok_or(POSITIVE)?;
            Some(usize::try_from(count).map_err(|_| POSITIVE)?)
        }
        _ => return Err(Error::Syntax),
    };
    let key = &args[1];
    let spot = context.find(key, Lookup::Write)?;
    let view = context.view(spot, Kind::Set)?;
    let len = view.len();
    let wanted = count.unwrap_or(1).min(len);
    let members: Vec<Vec<u8>> = if wanted == len {
        view.items().map(<[u8]>::to_vec).collect()
    } else {
        let chosen = distinct(context, len, wanted);
        let view = context.view(spot, Kind::Set)?;
        chosen.into_iter().filter_map(|index| view.nth(index)).map(<[u8]>::to_vec).collect()
    };
    if wanted > 0 {
        context.notify(EventClass::Set, "spop", key);
    }
    if wanted == len {
        context.delete_told(spot, key);
    } else {
        let mut edit = context.open(spot, Kind::Set)?;
        for member in &members {
            context.set_remove(&mut edit, member)?;
        }
        context.close(edit, key)?;
    }
    if count.is_some() {
        reply.set(members.len());
    } else if members.is_empty() {
        reply.null();
    }
    members.iter().for_each(|member| reply.bulk(member));
    Ok(())
}
