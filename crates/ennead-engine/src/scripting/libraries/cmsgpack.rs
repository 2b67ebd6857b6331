//! MessagePack for scripts, as the library lua-cmsgpack 0.4.0 has it: `cmsgpack`.

mod packing;
mod unpacking;

use mlua::{Lua, Table};

use super::call::Call;

pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    library.raw_set("pack", lua.create_function(|lua, values| packing::pack(&Call::new(lua, values)))?)?;
    library.raw_set("unpack", lua.create_function(|lua, values| unpacking::unpack(&Call::new(lua, values)))?)?;
    library.raw_set("unpack_one", lua.create_function(|lua, values| unpacking::one(&Call::new(lua, values)))?)?;
    library.raw_set("unpack_limit", lua.create_function(|lua, values| unpacking::limited(&Call::new(lua, values)))?)?;
    library.raw_set("_NAME", "cmsgpack")?;
    library.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    library.raw_set("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo")?;
    library.raw_set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    Ok(library)
}
