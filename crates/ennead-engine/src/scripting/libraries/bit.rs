//! Operations on the bits of numbers, as the library BitOp has them: on 32 bits, with signed results.

use mlua::{Lua, MultiValue, Table};

use super::call::Call;

/// The lowest 32 bits of a number that is rounded to a whole one.
fn bits(number: f64) -> i32 {
    // Adding this leaves the number in the lowest bits of the mantissa.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    (number + SHIFT).to_bits() as u32 as i32
}

fn unary(lua: &Lua, operation: fn(i32) -> i32) -> mlua::Result<mlua::Function> {
    lua.create_function(move |lua, values: MultiValue| Ok(operation(bits(Call::new(lua, values).number(1)?))))
}

fn fold(lua: &Lua, operation: fn(i32, i32) -> i32) -> mlua::Result<mlua::Function> {
    lua.create_function(move |lua, values: MultiValue| {
        let call = Call::new(lua, values);
        let mut result = bits(call.number(1)?);
        for number in 2..=call.len() {
            result = operation(result, bits(call.number(number)?));
        }
        Ok(result)
    })
}

fn shift(lua: &Lua, operation: fn(i32, u32) -> i32) -> mlua::Result<mlua::Function> {
    lua.create_function(move |lua, values: MultiValue| {
        let call = Call::new(lua, values);
        let (number, count) = (bits(call.number(1)?), bits(call.number(2)?));
        Ok(operation(number, count as u32 & 31))
    })
}

fn hexadecimal(lua: &Lua, values: MultiValue) -> mlua::Result<String> {
    let call = Call::new(lua, values);
    let number = bits(call.number(1)?);
    let digits = if call.get(2).is_none() { 8 } else { bits(call.number(2)?) };
    let count = digits.unsigned_abs().min(8) as usize;
    let text = format!("{number:08x}");
    let text = text[8 - count..].to_owned();
    Ok(if digits < 0 { text.to_uppercase() } else { text })
}

pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    library.raw_set("tobit", unary(lua, |number| number)?)?;
    library.raw_set("bnot", unary(lua, |number| !number)?)?;
    library.raw_set("bswap", unary(lua, i32::swap_bytes)?)?;
    library.raw_set("band", fold(lua, |left, right| left & right)?)?;
    library.raw_set("bor", fold(lua, |left, right| left | right)?)?;
    library.raw_set("bxor", fold(lua, |left, right| left ^ right)?)?;
    library.raw_set("lshift", shift(lua, |number, count| number << count)?)?;
    library.raw_set("rshift", shift(lua, |number, count| (number as u32 >> count) as i32)?)?;
    library.raw_set("arshift", shift(lua, |number, count| number >> count)?)?;
    library.raw_set("rol", shift(lua, i32::rotate_left)?)?;
    library.raw_set("ror", shift(lua, i32::rotate_right)?)?;
    library.raw_set("tohex", lua.create_function(hexadecimal)?)?;
    Ok(library)
}
