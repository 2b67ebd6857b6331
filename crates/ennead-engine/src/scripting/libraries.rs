//! The libraries that scripts find beside Lua's own.

mod bit;
mod call;
pub(super) mod cjson;
mod cmsgpack;
mod number;
mod structure;
#[cfg(test)]
mod tests;

use mlua::{Lua, Table};

/// The libraries by name.
pub(super) fn all(lua: &Lua, json: &cjson::SharedSettings) -> mlua::Result<Table> {
    let all = lua.create_table()?;
    all.raw_set("bit", bit::library(lua)?)?;
    all.raw_set("cjson", cjson::library(lua, json)?)?;
    all.raw_set("cmsgpack", cmsgpack::library(lua)?)?;
    all.raw_set("struct", structure::library(lua)?)?;
    Ok(all)
}
