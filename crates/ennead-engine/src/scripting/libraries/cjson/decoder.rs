//! JSON as Lua's values. As in the encoder, depth is limited by settings and by the original's stack.

use mlua::{LuaString, Table, Value};

use super::Call;
use super::settings::Settings;
use super::token::{Token, Tokens};
use crate::scripting::libraries::call::STACK_SLOTS_MAX;

pub(super) fn decode(call: &Call<'_>, settings: Settings) -> mlua::Result<Value> {
    if call.len() != 1 {
        return Err(call.argument_error(1, "expected 1 argument"));
    }
    let text = call.string(1)?;
    let text = text.as_bytes();
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return Err(call.error("JSON parser does not support UTF-16 or UTF-32"));
    }
    let mut decoder = Decoder { call, settings, tokens: Tokens::new(&text, settings), open: Vec::new(), slots: 1 };
    let value = decoder.document()?;
    match decoder.tokens.next() {
        Token::End => Ok(value),
        other => Err(decoder.unexpected("the end", &other)),
    }
}

struct Decoder<'c, 'l> {
    call: &'c Call<'l>,
    settings: Settings,
    tokens: Tokens<'c>,
    open: Vec<Open>,
    /// Places of the stack that the original would use.
    slots: usize,
}

/// An array or object that is not complete.
enum Open {
    Array { table: Table, len: i64 },
    Object { table: Table, key: LuaString },
}

impl Decoder<'_, '_> {
    fn document(&mut self) -> mlua::Result<Value> {
        let mut token = self.tokens.next();
        loop {
            let mut value = match token {
                Token::ArrayBegin => match self.begin_array()? {
                    Ok(next) => {
                        token = next;
                        continue;
                    }
                    Err(empty) => Value::Table(empty),
                },
                Token::ObjectBegin => match self.begin_object()? {
                    Some(empty) => Value::Table(empty),
                    None => {
                        token = self.tokens.next();
                        continue;
                    }
                },
                token => self.scalar(&token)?,
            };
            // Whatever ends with this value ends, too.
            token = loop {
                match self.put(value)? {
                    Put::Next(next) => break next,
                    Put::Complete(table) => value = Value::Table(table),
                    Put::Document(value) => return Ok(value),
                }
            };
        }
    }

    fn scalar(&self, token: &Token) -> mlua::Result<Value> {
        Ok(match token {
            Token::String(bytes) => Value::String(self.call.lua.create_string(bytes)?),
            Token::Number(number) => Value::Number(*number),
            Token::Boolean(value) => Value::Boolean(*value),
            Token::Null => Value::NULL,
            other => return Err(self.unexpected("value", other)),
        })
    }

    fn unexpected(&self, expected: &str, found: &Token) -> mlua::Error {
        let text = format!("Expected {expected} but found {} at character {}", found.name(), self.tokens.token_at + 1);
        self.call.error(&text)
    }

    /// # Errors
    /// So many in each other are not allowed. `needed` is what the original asks of its stack.
    fn descend(&mut self, needed: usize) -> mlua::Result<Table> {
        let depth = self.open.len() + 1;
        if depth > self.settings.decode_depth_max as usize || self.slots + needed > STACK_SLOTS_MAX {
            let place = self.tokens.at;
            let text = format!("Found too many nested data structures ({depth}) at character {place}");
            return Err(self.call.error(&text));
        }
        self.call.lua.create_table()
    }

    /// The first token of the first item, or the table if it is empty.
    fn begin_array(&mut self) -> mlua::Result<Result<Token, Table>> {
        let table = self.descend(2)?;
        let token = self.tokens.next();
        if token == Token::ArrayEnd {
            return Ok(Err(table));
        }
        self.open.push(Open::Array { table, len: 0 });
        self.slots += 1;
        Ok(Ok(token))
    }

    /// The table if it is empty; else the value of the first member follows.
    fn begin_object(&mut self) -> mlua::Result<Option<Table>> {
        let table = self.descend(3)?;
        let token = self.tokens.next();
        if token == Token::ObjectEnd {
            return Ok(Some(table));
        }
        let key = self.key(&token)?;
        self.open.push(Open::Object { table, key });
        self.slots += 2;
        Ok(None)
    }

    fn key(&mut self, token: &Token) -> mlua::Result<LuaString> {
        let Token::String(bytes) = token else { return Err(self.unexpected("object key string", token)) };
        let key = self.call.lua.create_string(bytes)?;
        match self.tokens.next() {
            Token::Colon => Ok(key),
            other => Err(self.unexpected("colon", &other)),
        }
    }

    /// Puts a value into what it belongs to.
    fn put(&mut self, value: Value) -> mlua::Result<Put> {
        let (is_object, end) = match self.open.last_mut() {
            None => return Ok(Put::Document(value)),
            Some(Open::Array { table, len }) => {
                *len += 1;
                table.raw_set(*len, value)?;
                (false, Token::ArrayEnd)
            }
            Some(Open::Object { table, key }) => {
                table.raw_set(&*key, value)?;
                (true, Token::ObjectEnd)
            }
        };
        match self.tokens.next() {
            Token::Comma => {}
            token if token == end => return Ok(self.ascend()),
            other => {
                let expected = if is_object { "comma or object end" } else { "comma or array end" };
                return Err(self.unexpected(expected, &other));
            }
        }
        let mut token = self.tokens.next();
        if is_object {
            let next = self.key(&token)?;
            if let Some(Open::Object { key, .. }) = self.open.last_mut() {
                *key = next;
            }
            token = self.tokens.next();
        }
        Ok(Put::Next(token))
    }

    fn ascend(&mut self) -> Put {
        match self.open.pop() {
            Some(Open::Array { table, .. }) => {
                self.slots -= 1;
                Put::Complete(table)
            }
            Some(Open::Object { table, .. }) => {
                self.slots -= 2;
                Put::Complete(table)
            }
            None => Put::Document(Value::Nil),
        }
    }
}

enum Put {
    /// The token that the next value begins with.
    Next(Token),
    /// The array or object that ended.
    Complete(Table),
    Document(Value),
}
