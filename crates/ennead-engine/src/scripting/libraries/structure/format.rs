//! The format of a structure: one letter an item, some with a number behind it. A zero byte ends it.
//!
//! `>` `<` the order of bytes, `!` with an alignment, a blank: nothing; `x` a byte of padding, `b` `B` `h` `H` `l` `L` `T` and
//! `i` `I` with a size: whole numbers, in lower case with a sign; `f` `d`; `c` with a length, `s` up to a zero byte: strings.

use super::Call;

const INTEGER_BYTES_MAX: i32 = 32;
/// What `!` alone aligns to.
const ALIGNMENT: i32 = 8;

pub(super) struct Format<'f, 'c, 'l> {
    call: &'c Call<'l>,
    text: &'f [u8],
    pub(super) big_endian: bool,
    alignment: usize,
}

/// A letter with the bytes it stands for, 0 where that depends on the value or it stands for none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) letter: u8,
    pub(super) size: usize,
}

impl Item {
    pub(super) fn is_integer(self) -> bool {
        matches!(self.letter, b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I')
    }
}

impl<'f, 'c, 'l> Format<'f, 'c, 'l> {
    pub(super) fn new(call: &'c Call<'l>, text: &'f [u8]) -> Format<'f, 'c, 'l> {
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        Format { call, text: &text[..end], big_endian: false, alignment: 1 }
    }

    /// # Errors
    /// A number that is too large.
    pub(super) fn next(&mut self) -> mlua::Result<Option<Item>> {
        let Some((&letter, rest)) = self.text.split_first() else { return Ok(None) };
        self.text = rest;
        let size = match letter {
            b'b' | b'B' | b'x' => 1,
            b'h' | b'H' => 2,
            b'f' => 4,
            b'l' | b'L' | b'T' | b'd' => 8,
            b'c' => self.number(1)?,
            b'i' | b'I' => {
                let size = self.number(4)?;
                if size > INTEGER_BYTES_MAX {
                    let text = format!("integral size {size} is larger than limit of {INTEGER_BYTES_MAX}");
                    return Err(self.call.error(&text));
                }
                size
            }
            _ => 0,
        };
        Ok(Some(Item { letter, size: size as usize }))
    }

    fn number(&mut self, default: i32) -> mlua::Result<i32> {
        let count = self.text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Ok(default);
        }
        let (digits, rest) = self.text.split_at(count);
        self.text = rest;
        digits
            .iter()
            .try_fold(0i32, |number, digit| number.checked_mul(10)?.checked_add(i32::from(digit - b'0')))
            .ok_or_else(|| self.call.error("integral size overflow"))
    }

    /// Bytes to leave out before an item at this place.
    pub(super) fn padding(&self, place: usize, item: Item) -> usize {
        if item.size == 0 || item.letter == b'c' {
            return 0;
        }
        let size = item.size.min(self.alignment);
        size.wrapping_sub(place & (size - 1)) & (size - 1)
    }

    /// A letter that stands for no value.
    ///
    /// # Errors
    /// There is none like it.
    pub(super) fn control(&mut self, letter: u8) -> mlua::Result<()> {
        match letter {
            b' ' => {}
            b'>' => self.big_endian = true,
            b'<' => self.big_endian = false,
            b'!' => {
                let alignment = self.number(ALIGNMENT)?;
                if alignment <= 0 || alignment & (alignment - 1) != 0 {
                    return Err(self.call.error(&format!("alignment {alignment} is not a power of 2")));
                }
                self.alignment = alignment as usize;
            }
            other => {
                let text = format!("invalid format option '{}'", String::from_utf8_lossy(&[other]));
                return Err(self.call.argument_error(1, &text));
            }
        }
        Ok(())
    }
}

/// How many bytes a format stands for.
pub(super) fn size(call: &Call<'_>) -> mlua::Result<i64> {
    let text = call.string(1)?;
    let text = text.as_bytes();
    let mut format = Format::new(call, &text);
    let mut place = 0usize;
    while let Some(item) = format.next()? {
        place += format.padding(place, item);
        match item {
            Item { letter: b's', .. } => return Err(call.argument_error(1, "option 's' has no fixed size")),
            Item { letter: b'c', size: 0 } => return Err(call.argument_error(1, "option 'c0' has no fixed size")),
            Item { letter, .. } if !letter.is_ascii_alphanumeric() => format.control(letter)?,
            _ => {}
        }
        place += item.size;
    }
    Ok(place as i64)
}
