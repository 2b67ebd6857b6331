//! JSON for scripts, as the library Lua CJSON 2.1.0 has it: `cjson`.

mod decoder;
mod encoder;
mod settings;
mod token;

use std::sync::Arc;

use mlua::{Lua, MultiValue, Table, Value};
use parking_lot::Mutex;

use super::call::Call;
pub(crate) use settings::Settings;

/// The settings that the functions of one library table share.
pub(crate) type SharedSettings = Arc<Mutex<Settings>>;

/// A library with settings, which may be those of others, too.
pub(super) fn library(lua: &Lua, shared: &SharedSettings) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    let settings = Arc::clone(shared);
    let encode = move |lua: &Lua, values| encoder::encode(&Call::new(lua, values), *settings.lock());
    library.raw_set("encode", lua.create_function(encode)?)?;
    let settings = Arc::clone(shared);
    let decode = move |lua: &Lua, values| decoder::decode(&Call::new(lua, values), *settings.lock());
    library.raw_set("decode", lua.create_function(decode)?)?;
    for (name, change) in settings::SETTERS {
        let settings = Arc::clone(shared);
        let set = move |lua: &Lua, values| change(&Call::new(lua, values), &mut settings.lock());
        library.raw_set(*name, lua.create_function(set)?)?;
    }
    let new = |lua: &Lua, _: MultiValue| self::library(lua, &SharedSettings::default());
    library.raw_set("new", lua.create_function(new)?)?;
    library.raw_set("null", Value::NULL)?;
    library.raw_set("_NAME", "cjson")?;
    library.raw_set("_VERSION", "2.1.0")?;
    Ok(library)
}
