//! PFDEBUG.

use super::view;
use crate::args::Args;
use crate::context::{Context, Lookup, Spot};
use crate::entry::Hint;
use crate::error::{Error, Result};
use crate::hyperloglog::{Form, REGISTERS, Registers, Sketch};
use crate::reply::Reply;

pub(super) fn pfdebug(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (name, key) = (args[1].to_ascii_lowercase(), &args[2]);
    let spot = context.find_key(key, Lookup::Write)?;
    let sketch = view(context, spot)?.ok_or(Error::text("ERR The specified key does not exist"))?;
    match name.as_slice() {
        b"getreg" => {
            let mut registers = Registers::new();
            sketch.merge_into(&mut registers)?;
            make_dense(context, spot, key)?;
            reply.array(REGISTERS);
            registers.iter().for_each(|value| reply.integer(i64::from(value)));
            return Ok(());
        }
        b"decode" if sketch.form() == Form::Sparse => reply.bulk(sketch.decode().as_bytes()),
        b"decode" => return Err(Error::text("ERR HLL encoding is not sparse")),
        b"encoding" => reply.simple(match sketch.form() {
            Form::Dense => "dense",
            Form::Sparse => "sparse",
        }),
        b"todense" => {
            let changed = make_dense(context, spot, key)?;
            reply.integer(i64::from(changed));
            return Ok(());
        }
        _ => {
            let name = String::from_utf8_lossy(&args[1]);
            return Err(Error::Text(format!("ERR Unknown PFDEBUG subcommand '{name}'").into()));
        }
    }
    context.note_raw(spot);
    Ok(())
}

/// Writes a sparse sketch in the dense form; whether it was one.
fn make_dense(context: &mut Context<'_>, spot: Spot, key: &[u8]) -> Result<bool> {
    let Some(sketch) = view(context, spot)?.filter(|sketch| sketch.form() == Form::Sparse) else {
        context.note_raw(spot);
        return Ok(false);
    };
    let mut sketch = Sketch::copy(sketch);
    sketch.make_dense()?;
    let expiry = context.expiry(spot);
    context.set_string(spot, key, sketch.bytes(), expiry, Hint::Raw)?;
    Ok(true)
}
