//! HSCAN.

use crate::args::Args;
use crate::commands::scan::{ScanOptions, first_fragment, page, parse_cursor, write_page};
use crate::context::collections::View;
use crate::context::{Context, Lookup};
use crate::entry::{Hint, Kind};
use crate::error::Result;
use crate::object::Object;
use crate::reply::Reply;

pub(super) fn hscan(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let cursor = parse_cursor(&args[2])?;
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::Hash)?;
    if !spot.exists() {
        write_page(reply, 0, 0);
        return Ok(());
    }
    let options = ScanOptions::parse(args, 3, false)?;
    let large = context.entry(spot).is_some_and(|entry| entry.hint() == Hint::Text);
    let (fields, next) = match (view, first_fragment(cursor)) {
        (View::Long(Object::Hash(hash)), Some(fragment)) if large => {
            page(hash.iter_from(fragment).map(|(fragment, field, value)| (fragment, (field, value))), options.count)
        }
        (View::Long(_), None) if large => (Vec::new(), 0),
        // As in Redis a small one comes in one page, whatever the cursor.
        _ => (view.fields().collect(), 0),
    };
    let found: Vec<_> = fields.into_iter().filter(|(field, _)| options.matches(field)).collect();
    write_page(reply, next, found.len() * 2);
    for (field, value) in found {
        reply.bulk(field);
        reply.bulk(value);
    }
    Ok(())
}
