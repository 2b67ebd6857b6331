//! Numbers and strings as the bytes of a C structure, and back, as the library struct 0.2 has it: `struct`.

mod format;
mod packing;
mod unpacking;

use mlua::{Lua, Table};

use super::call::Call;

pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    library.raw_set("pack", lua.create_function(|lua, values| packing::pack(&Call::new(lua, values)))?)?;
    library.raw_set("unpack", lua.create_function(|lua, values| unpacking::unpack(&Call::new(lua, values)))?)?;
    library.raw_set("size", lua.create_function(|lua, values| format::size(&Call::new(lua, values)))?)?;
    Ok(library)
}
