//! PFADD.

use super::view;
use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::entry::Hint;
use crate::error::Result;
use crate::hyperloglog::Sketch;
use crate::notice::EventClass;
use crate::reply::Reply;

pub(super) fn pfadd(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let sparse_max = context.keyspace().settings().hll_sparse_max_bytes();
    let spot = context.find_key(key, Lookup::Write)?;
    let former = view(context, spot)?;
    // Most elements have been seen: then nothing is copied.
    let mut changed = former.is_none();
    if !former.is_some_and(|sketch| sketch.has_all(args.iter_from(2))) {
        let mut sketch = former.map_or_else(Sketch::new, Sketch::copy);
        for element in args.iter_from(2) {
            changed |= sketch.add(element, sparse_max)?;
        }
        if changed {
            sketch.invalidate();
            let expiry = context.expiry(spot);
            context.set_string(spot, key, sketch.bytes(), expiry, Hint::Raw)?;
            context.notify(EventClass::String, "pfadd", key);
        }
    }
    if !changed {
        context.note_raw(spot);
    }
    reply.integer(i64::from(changed));
    Ok(())
}
