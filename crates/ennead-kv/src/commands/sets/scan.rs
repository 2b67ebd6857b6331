//! SSCAN.

use crate::args::Args;
use crate::commands::scan::{ScanOptions, first_fragment, page, parse_cursor, write_page};
use crate::context::collections::View;
use crate::context::{Context, Lookup};
use crate::entry::{Hint, Kind};
use crate::error::Result;
use crate::object::Object;
use crate::reply::Reply;

pub(super) fn sscan(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let cursor = parse_cursor(&args[2])?;
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::Set)?;
    if !spot.exists() {
        write_page(reply, 0, 0);
        return Ok(());
    }
    let options = ScanOptions::parse(args, 3, false)?;
    let large = context.entry(spot).is_some_and(|entry| entry.hint() == Hint::Text);
    let (members, next) = match (view, first_fragment(cursor)) {
        (View::Long(Object::Set(set)), Some(fragment)) if large => {
            page(set.iter_from(fragment).map(|(fragment, member, _)| (fragment, member)), options.count)
        }
        (View::Long(_), None) if large => (Vec::new(), 0),
        // As in Redis a small one comes in one page, whatever the cursor.
        _ => (view.items().collect(), 0),
    };
    let found: Vec<&[u8]> = members.into_iter().filter(|member| options.matches(member)).collect();
    write_page(reply, next, found.len());
    found.into_iter().for_each(|member| reply.bulk(member));
    Ok(())
}
