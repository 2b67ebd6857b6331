//! JSON's text in pieces. A zero byte ends it, as it ends the strings of C.

use super::settings::Settings;
use crate::scripting::libraries::number;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    String(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    /// What is wrong.
    Error(&'static str),
}

impl Token {
    /// What messages call it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Token::ObjectBegin => "T_OBJ_BEGIN",
            Token::ObjectEnd => "T_OBJ_END",
            Token::ArrayBegin => "T_ARR_BEGIN",
            Token::ArrayEnd => "T_ARR_END",
            Token::String(_) => "T_STRING",
            Token::Number(_) => "T_NUMBER",
            Token::Boolean(_) => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::Colon => "T_COLON",
            Token::Comma => "T_COMMA",
            Token::End => "T_END",
            Token::Error(what) => what,
        }
    }
}

pub(super) struct Tokens<'t> {
    text: &'t [u8],
    /// Of the next byte.
    pub(super) at: usize,
    /// Where the last token begins, or where it went wrong.
    pub(super) token_at: usize,
    settings: Settings,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t [u8], settings: Settings) -> Tokens<'t> {
        Tokens { text, at: 0, token_at: 0, settings }
    }

    /// So many bytes behind the next one; 0 behind the end.
    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&mut self, what: &'static str) -> Token {
        self.token_at = self.at;
        Token::Error(what)
    }

    pub(super) fn next(&mut self) -> Token {
        while matches!(self.peek(0), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.token_at = self.at;
        let token = match self.peek(0) {
            0 => return Token::End,
            b'{' => Token::ObjectBegin,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayBegin,
            b']' => Token::ArrayEnd,
            b',' => Token::Comma,
            b':' => Token::Colon,
            b'"' => return self.string(),
            b'-' | b'0'..=b'9' if !self.settings.decode_invalid && self.is_invalid_number() => {
                return self.error("invalid number");
            }
            b'-' | b'0'..=b'9' => return self.number(),
            b'f' | b'i' | b'I' | b'n' | b'N' | b't' | b'+' => return self.word(),
            _ => return self.error("invalid token"),
        };
        self.at += 1;
        token
    }

    fn word(&mut self) -> Token {
        for (word, token) in
            [(&b"true"[..], Token::Boolean(true)), (b"false", Token::Boolean(false)), (b"null", Token::Null)]
        {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return token;
            }
        }
        if self.settings.decode_invalid && self.is_invalid_number() {
            return self.number();
        }
        self.error("invalid token")
    }

    /// Whether a number follows that JSON does not have, though C does.
    fn is_invalid_number(&self) -> bool {
        let sign = match self.peek(0) {
            b'+' => return true,
            b'-' => 1,
            _ => 0,
        };
        let begins = |name: &[u8]| {
            self.rest().get(sign..sign + name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
        };
        match self.peek(sign) {
            b'0' => matches!(self.peek(sign + 1), b'x' | b'X' | b'0'..=b'9'),
            ..=b'9' => false,
            _ => begins(b"inf") || begins(b"nan"),
        }
    }

    fn number(&mut self) -> Token {
        let (number, len) = number::parse(self.rest());
        if len == 0 {
            return self.error("invalid number");
        }
        self.at += len;
        Token::Number(number)
    }

    fn string(&mut self) -> Token {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let byte = match self.peek(0) {
                b'"' => break,
                0 => return self.error("unexpected end of string"),
                b'\\' => match self.peek(1) {
                    byte @ (b'"' | b'\\' | b'/') => byte,
                    b'b' => 8,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'f' => 12,
                    b'r' => b'\r',
                    b'u' => match self.unicode(&mut bytes) {
                        Some(len) => {
                            self.at += len;
                            continue;
                        }
                        None => return self.error("invalid unicode escape code"),
                    },
                    _ => return self.error("invalid escape code"),
                },
                byte => byte,
            };
            self.at += if self.peek(0) == b'\\' { 2 } else { 1 };
            bytes.push(byte);
        }
        self.at += 1;
        Token::String(bytes)
    }

    /// Appends the character of an escape, or of a pair of them, as UTF-8; the length of the escape.
    fn unicode(&self, bytes: &mut Vec<u8>) -> Option<usize> {
        let first = self.hexadecimal(2)?;
        let (code, len) = if first & 0xf800 == 0xd800 {
            if first & 0x400 != 0 || self.peek(6) != b'\\' || self.peek(7) != b'u' {
                return None;
            }
            let second = self.hexadecimal(8).filter(|second| second & 0xfc00 == 0xdc00)?;
            (((first & 0x3ff) << 10 | (second & 0x3ff)) + 0x1_0000, 12)
        } else {
            (first, 6)
        };
        let character = char::from_u32(code)?;
        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Some(len)
    }

    fn hexadecimal(&self, ahead: usize) -> Option<u32> {
        (0..4).try_fold(0, |code, digit| Some(code << 4 | (self.peek(ahead + digit) as char).to_digit(16)?))
    }
}
