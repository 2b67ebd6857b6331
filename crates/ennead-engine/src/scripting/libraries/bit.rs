//! Operations on the bits of numbers, as the library BitOp has them: on 32 bits, with signed results.

use mlua::{Lua, Table, Variadic};

/// The lowest 32 bits of a number that is rounded to a whole one.
fn bits(number: f64) -> i32 {
    // Adding this leaves the number in the lowest bits of the mantissa.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    (number + SHIFT).to_bits() as u32 as i32
}

fn fold(lua: &Lua, operation: fn(i32, i32) -> i32) -> mlua::Result<mlua::Function> {
    lua.create_function(move |_, numbers: Variadic<f64>| {
        let mut numbers = numbers.iter().copied().map(bits);
        let first =
            numbers.next().ok_or_else(|| mlua::Error::RuntimeError("number expected, got no value".to_owned()))?;
        Ok(numbers.fold(first, operation))
    })
}

fn shift(lua: &Lua, operation: fn(i32, u32) -> i32) -> mlua::Result<mlua::Function> {
    lua.create_function(move |_, (number, count): (f64, f64)| Ok(operation(bits(number), bits(count) as u32 & 31)))
}

pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    library.raw_set("tobit", lua.create_function(|_, number: f64| Ok(bits(number)))?)?;
    library.raw_set("bnot", lua.create_function(|_, number: f64| Ok(!bits(number)))?)?;
    library.raw_set("bswap", lua.create_function(|_, number: f64| Ok(bits(number).swap_bytes()))?)?;
    library.raw_set("band", fold(lua, |left, right| left & right)?)?;
    library.raw_set("bor", fold(lua, |left, right| left | right)?)?;
    library.raw_set("bxor", fold(lua, |left, right| left ^ right)?)?;
    library.raw_set("lshift", shift(lua, |number, count| number << count)?)?;
    library.raw_set("rshift", shift(lua, |number, count| (number as u32 >> count) as i32)?)?;
    library.raw_set("arshift", shift(lua, |number, count| number >> count)?)?;
    library.raw_set("rol", shift(lua, i32::rotate_left)?)?;
    library.raw_set("ror", shift(lua, i32::rotate_right)?)?;
    library.raw_set(
        "tohex",
        lua.create_function(|_, (number, digits): (f64, Option<f64>)| {
            let digits = digits.map_or(8, bits);
            let count = digits.unsigned_abs().min(8) as usize;
            let text = format!("{:08x}", bits(number));
            let text = text[8 - count..].to_owned();
            Ok(if digits < 0 { text.to_uppercase() } else { text })
        })?,
    )?;
    Ok(library)
}
