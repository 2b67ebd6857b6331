//! The libraries that scripts find beside Lua's own.

mod bit;

use mlua::{Lua, Table};

/// The libraries by name.
pub(super) fn all(lua: &Lua) -> mlua::Result<Table> {
    let all = lua.create_table()?;
    all.raw_set("bit", bit::library(lua)?)?;
    Ok(all)
}
