//! ZSCAN.

use crate::args::Args;
use crate::commands::scan::{ScanOptions, first_fragment, page, parse_cursor, write_page};
use crate::context::collections::View;
use crate::context::{Context, Lookup};
use crate::entry::{Hint, Kind};
use crate::error::Result;
use crate::number::double::{seventeen_digits, with_double_text};
use crate::object::Object;
use crate::reply::Reply;

pub(super) fn zscan(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let cursor = parse_cursor(&args[2])?;
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::Zset)?;
    if !spot.exists() {
        write_page(reply, 0, 0);
        return Ok(());
    }
    let options = ScanOptions::parse(args, 3, false)?;
    let large = context.entry(spot).is_some_and(|entry| entry.hint() == Hint::Text);
    let (members, next) = match (view, first_fragment(cursor)) {
        (View::Long(Object::Zset(zset)), Some(fragment)) if large => {
            page(zset.scan_from(fragment).map(|(fragment, member, score)| (fragment, (member, score))), options.count)
        }
        (View::Long(_), None) if large => (Vec::new(), 0),
        // As in Redis a small one comes in one page, whatever the cursor.
        _ => (view.members().collect(), 0),
    };
    let found: Vec<_> = members.into_iter().filter(|(member, _)| options.matches(member)).collect();
    write_page(reply, next, found.len() * 2);
    for (member, score) in found {
        reply.bulk(member);
        // Redis prints the scores of its two encodings differently.
        if large {
            reply.bulk(seventeen_digits(score).as_bytes());
        } else {
            with_double_text(score, |text| reply.bulk(text.as_bytes()));
        }
    }
    Ok(())
}
