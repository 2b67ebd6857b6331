//! PFMERGE.

use super::view;
use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::entry::Hint;
use crate::error::Result;
use crate::hyperloglog::{Form, Registers, Sketch};
use crate::notice::EventClass;
use crate::reply::Reply;

pub(super) fn pfmerge(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let mut registers = Registers::new();
    let mut dense = false;
    for key in args.iter_from(1) {
        let spot = context.find_key(key, Lookup::Read)?;
        if let Some(sketch) = view(context, spot)? {
            dense |= sketch.form() == Form::Dense;
            sketch.merge_into(&mut registers)?;
        }
    }
    let key = &args[1];
    let sparse_max = context.keyspace().settings().hll_sparse_max_bytes();
    let spot = context.find_key(key, Lookup::Write)?;
    let mut sketch = view(context, spot)?.map_or_else(Sketch::new, Sketch::copy);
    if dense {
        sketch.make_dense()?;
    }
    for (index, value) in registers.iter().enumerate().filter(|(_, value)| *value != 0) {
        sketch.raise(index, value, sparse_max)?;
    }
    sketch.invalidate();
    let expiry = context.expiry(spot);
    context.set_string(spot, key, sketch.bytes(), expiry, Hint::Raw)?;
    context.notify(EventClass::String, "pfadd", key);
    reply.ok();
    Ok(())
}
