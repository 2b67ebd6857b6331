//! The types of settings: how a text becomes a value and a value a text.

use super::{EventClasses, Parsed};

/// The type of a setting's value, with its limits.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `true` or `false` (`yes` and `no` are understood).
    Bool,
    Integer {
        min: i64,
        max: i64,
    },
    /// A number of bytes; `1k` is 1,000 and `1kb` is 1,024, as in Redis, the same for m and g.
    Bytes {
        min: i64,
        max: i64,
    },
    /// A number with `ms`, `s`, `m`, `h` or `d`; milliseconds.
    Duration {
        max: i64,
    },
    Choice(&'static [&'static str]),
    Text,
    /// A text that is never shown.
    Secret,
    /// `host:port`, or `off`.
    Address,
    /// Classes of keyspace events, a letter each.
    Events,
}

/// The form a value has behind one of Redis's names.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// `yes`/`no`, a number, a number of bytes, a word.
    Plain,
    /// A duration as a number of seconds.
    Seconds,
    /// A duration as a number of milliseconds.
    Milliseconds,
    /// Words that differ: Redis's, ours.
    Words(&'static [(&'static str, &'static str)]),
    /// The port of an address; 0 when it is off.
    Port,
    /// The host of an address.
    Host,
    /// A boolean, turned round.
    Not,
}

const BYTE_UNITS: &[(&str, i64)] = &[
    ("gb", 1 << 30),
    ("mb", 1 << 20),
    ("kb", 1 << 10),
    ("g", 1_000_000_000),
    ("m", 1_000_000),
    ("k", 1_000),
    ("b", 1),
    ("", 1),
];

const DURATION_UNITS: &[(&str, i64)] = &[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Kind {
    /// # Errors
    /// The reason why the text is no value of this kind.
    pub fn parse(&self, text: &str) -> Result<Parsed, String> {
        match *self {
            Kind::Bool => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" => Ok(Parsed::Word(1)),
                "false" | "no" => Ok(Parsed::Word(0)),
                _ => Err("argument must be 'yes' or 'no'".to_owned()),
            },
            Kind::Integer { min, max } => {
                let number: i64 = text.parse().map_err(|_| "argument couldn't be parsed into an integer".to_owned())?;
                bounded(number, min, max, "").map(Parsed::Word)
            }
            Kind::Bytes { min, max } => {
                let number = with_unit(text, BYTE_UNITS).ok_or("argument must be a memory value")?;
                bounded(number, min, max, " bytes").map(Parsed::Word)
            }
            Kind::Duration { max } => {
                let number = if text == "0" { Some(0) } else { with_unit(text, DURATION_UNITS) };
                let number = number.ok_or("argument must be a duration: a number with ms, s, m, h or d")?;
                bounded(number, 0, max, " ms").map(Parsed::Word)
            }
            Kind::Choice(words) => words
                .iter()
                .position(|word| word.eq_ignore_ascii_case(text))
                .map(|index| Parsed::Word(index as i64))
                .ok_or_else(|| format!("argument(s) must be one of the following: {}", words.join(", "))),
            Kind::Text | Kind::Secret if text.contains('\0') => Err("argument contains a NUL byte".to_owned()),
            Kind::Text | Kind::Secret => Ok(Parsed::Text(text.to_owned())),
            Kind::Events => EventClasses::parse(text).map(|classes| Parsed::Word(classes.bits().into())),
            Kind::Address => match text {
                "off" => Ok(Parsed::Text(text.to_owned())),
                _ => host_and_port(text)
                    .map(|_| Parsed::Text(text.to_owned()))
                    .ok_or_else(|| "argument must be host:port, [ipv6]:port or off".to_owned()),
            },
        }
    }

    /// The text of a value that is one word, in the form of `ennead.toml`.
    pub(super) fn format(&self, word: i64) -> String {
        match *self {
            Kind::Bool => if word != 0 { "true" } else { "false" }.to_owned(),
            Kind::Bytes { .. } => shortest(word, &BYTE_UNITS[..3], ""),
            Kind::Duration { .. } => shortest(word, DURATION_UNITS, "ms"),
            Kind::Choice(words) => words.get(word as usize).copied().unwrap_or_default().to_owned(),
            Kind::Events => EventClasses::of(word).to_string(),
            Kind::Integer { .. } | Kind::Text | Kind::Secret | Kind::Address => word.to_string(),
        }
    }

    /// What a reader of the reference is told about possible values.
    pub fn describe(&self) -> String {
        match *self {
            Kind::Bool => "true or false".to_owned(),
            Kind::Integer { min, max: i64::MAX } => format!("integer, at least {min}"),
            Kind::Integer { min, max } => format!("integer, {min} to {max}"),
            Kind::Bytes { min: 0, max: i64::MAX } => "bytes".to_owned(),
            Kind::Bytes { min, max: i64::MAX } => format!("bytes, at least {}", self.format(min)),
            Kind::Bytes { min, max } => format!("bytes, {} to {}", self.format(min), self.format(max)),
            Kind::Duration { .. } => "duration".to_owned(),
            Kind::Choice(words) => words.join(", "),
            Kind::Text => "text".to_owned(),
            Kind::Secret => "text, never shown".to_owned(),
            Kind::Address => "host:port, or off".to_owned(),
            Kind::Events => "letters of g$lshzxetdnKEmA".to_owned(),
        }
    }

    /// Whether the value stands in quotes in `ennead.toml`.
    pub fn quoted(&self) -> bool {
        !matches!(self, Kind::Bool | Kind::Integer { .. })
    }
}

/// Splits `host:port` or `[ipv6]:port`.
pub(super) fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bare {
        Some(bare) => Some((bare, port)),
        None if host.is_empty() || host.contains(':') => None,
        None => Some((host, port)),
    }
}

fn bounded(number: i64, min: i64, max: i64, unit: &str) -> Result<i64, String> {
    if (min..=max).contains(&number) {
        Ok(number)
    } else {
        Err(format!("argument must be between {min} and {max} inclusive{unit}"))
    }
}

fn with_unit(text: &str, units: &[(&str, i64)]) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1;
    number.parse::<i64>().ok()?.checked_mul(factor)
}

fn shortest(value: i64, units: &[(&str, i64)], zero: &str) -> String {
    if value == 0 {
        return "0".to_owned();
    }
    match units.iter().find(|(_, factor)| value % factor == 0) {
        Some((unit, factor)) => format!("{}{unit}", value / factor),
        None => format!("{value}{zero}"),
    }
}
