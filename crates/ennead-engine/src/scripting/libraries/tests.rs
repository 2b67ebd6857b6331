//! Text by chance, whatever the depth it asks for: libraries answer or raise an error, and what they made they can read.

use arbtest::arbitrary::Unstructured;
use mlua::{Function, Lua, LuaString, MultiValue, Table, Value};

use super::cjson::SharedSettings;

fn libraries() -> (Lua, Table) {
    let lua = Lua::new();
    let all = super::all(&lua, &SharedSettings::default()).unwrap();
    (lua, all)
}

fn function(all: &Table, library: &str, name: &str) -> Function {
    all.raw_get::<Table>(library).unwrap().raw_get(name).unwrap()
}

/// Bytes that are mostly those of an alphabet.
fn text(draw: &mut Unstructured<'_>, alphabet: &[u8]) -> arbtest::arbitrary::Result<Vec<u8>> {
    draw.arbitrary_iter::<(bool, u8)>()?
        .map(|drawn| drawn.map(|(any, byte)| if any { byte } else { alphabet[usize::from(byte) % alphabet.len()] }))
        .collect()
}

fn bytes(lua: &Lua, text: &[u8]) -> LuaString {
    lua.create_string(text).unwrap()
}

#[test]
fn any_json_is_read_or_refused_and_what_was_read_is_written() {
    let (lua, all) = libraries();
    let (decode, encode) = (function(&all, "cjson", "decode"), function(&all, "cjson", "encode"));
    arbtest::arbtest(|draw| {
        let text = text(draw, b"[]{}:,\"\"\\u0d8c1-+.eE truefalsnif")?;
        let Ok(value) = decode.call::<Value>(bytes(&lua, &text)) else { return Ok(()) };
        if let Ok(written) = encode.call::<LuaString>(value) {
            decode.call::<Value>(written).unwrap();
        }
        Ok(())
    });
}

#[test]
fn any_message_is_read_or_refused_and_what_was_read_is_written() {
    let (lua, all) = libraries();
    let (unpack, pack) = (function(&all, "cmsgpack", "unpack"), function(&all, "cmsgpack", "pack"));
    arbtest::arbtest(|draw| {
        let text = text(draw, b"\x80\x81\x90\x91\x92\xa0\xa1\xc0\xc2\xcb\xcc\xd9\xdc\xde\xdd\xdf\0\x01\x02")?;
        let Ok(values) = unpack.call::<MultiValue>(bytes(&lua, &text)) else { return Ok(()) };
        if !values.is_empty() {
            unpack.call::<MultiValue>(pack.call::<LuaString>(values).unwrap()).unwrap();
        }
        Ok(())
    });
}

#[test]
fn any_format_of_a_structure_is_followed_or_refused() {
    let (lua, all) = libraries();
    let (pack, unpack) = (function(&all, "struct", "pack"), function(&all, "struct", "unpack"));
    let size = function(&all, "struct", "size");
    arbtest::arbtest(|draw| {
        let format = text(draw, b"<>!12345678xbBhHlLTiIcsfd ")?;
        let data: Vec<u8> = draw.arbitrary()?;
        let place: i64 = draw.arbitrary()?;
        drop(size.call::<Value>(bytes(&lua, &format)));
        drop(unpack.call::<MultiValue>((bytes(&lua, &format), bytes(&lua, &data))));
        drop(unpack.call::<MultiValue>((bytes(&lua, &format), bytes(&lua, &data), place)));
        let arguments = (bytes(&lua, &format), 1, 2.5, -3, "4", 5, 6, 7, 8);
        if let Ok(packed) = pack.call::<LuaString>(arguments) {
            drop(unpack.call::<MultiValue>((bytes(&lua, &format), packed)));
        }
        Ok(())
    });
}

#[test]
fn depth_that_the_settings_allow_does_not_end_the_thread() {
    let (lua, all) = libraries();
    for name in ["encode_max_depth", "decode_max_depth"] {
        function(&all, "cjson", name).call::<()>(i32::MAX).unwrap();
    }
    let decode = function(&all, "cjson", "decode");
    for (begin, end) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [100, 3000, 1_000_000] {
            let text = format!("{}1{}", begin.repeat(depth), end.repeat(depth));
            let decoded = decode.call::<Value>(text);
            assert_eq!(decoded.is_ok(), depth < 1_000_000);
            if let Ok(value) = decoded {
                function(&all, "cjson", "encode").call::<LuaString>(value).unwrap();
            }
        }
    }
    let unpack = function(&all, "cmsgpack", "unpack");
    for begin in [&b"\x91"[..], b"\x81\x01"] {
        unpack.call::<MultiValue>(bytes(&lua, &begin.repeat(1_000_000))).unwrap_err();
    }
}

#[test]
fn tables_that_hold_each_other_often_do_not_fill_memory() {
    let (lua, all) = libraries();
    let mut table = lua.create_table().unwrap();
    table.raw_set(1, "x".repeat(1 << 20)).unwrap();
    for _ in 0..12 {
        let outer = lua.create_table().unwrap();
        (1..=2).for_each(|index| outer.raw_set(index, &table).unwrap());
        table = outer;
    }
    for (library, name) in [("cjson", "encode"), ("cmsgpack", "pack")] {
        let refused = function(&all, library, name).call::<LuaString>(&table).unwrap_err();
        assert!(refused.to_string().contains("not enough memory"), "{refused}");
    }
}
