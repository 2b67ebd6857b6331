//! `ennead.toml` as a list of names, texts and line numbers. What a value means is not decided here.

use std::ops::Range;

use ennead_engine::settings::{Kind, Setting, TABLE, nearest};
use toml::de::{DeTable, DeValue};

#[derive(Debug)]
pub(super) struct Entry {
    /// `section.key`.
    pub(super) name: String,
    pub(super) value: String,
    /// From 1.
    pub(super) line: usize,
    /// The bytes of the file that are the value.
    pub(super) place: Range<usize>,
}

type Wrong = (usize, String);

/// All settings of the file, in its order.
///
/// # Errors
/// Line and reason of the first thing that is no TOML, no setting, or has a value of another type.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, Wrong> {
    let line_of = |position: usize| text[..position.min(text.len())].matches('\n').count() + 1;
    let document = DeTable::parse(text).map_err(|error| {
        let line = line_of(error.span().map_or(0, |span| span.start));
        (line, error.message().replace('\n', " "))
    })?;
    let mut entries = Vec::new();
    for (section, value) in document.get_ref() {
        let name = section.get_ref().as_ref();
        let line = line_of(section.span().start);
        let DeValue::Table(keys) = value.get_ref() else {
            return Err((line, format!("'{name}' stands outside of a section{}", suggestion(name))));
        };
        if !TABLE.iter().any(|setting| setting.section() == name) {
            return Err((line, unknown_section(name)));
        }
        for (key, value) in keys {
            let name = format!("{name}.{}", key.get_ref());
            let line = line_of(key.span().start);
            let setting = TABLE
                .iter()
                .find(|setting| setting.name == name)
                .ok_or_else(|| (line, format!("unknown setting '{name}'{}", suggestion(&name))))?;
            let place = value.span();
            let value = text_of(setting, value.get_ref()).map_err(|reason| (line, format!("{name}: {reason}")))?;
            entries.push(Entry { name, value, line, place });
        }
    }
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

/// The value's text, if its type in TOML is one that the setting may be written as.
fn text_of(setting: &Setting, value: &DeValue<'_>) -> Result<String, String> {
    match (setting.kind, value) {
        (Kind::Bool, DeValue::Boolean(value)) => Ok(value.to_string()),
        (Kind::Bool, _) => Err("expected true or false, without quotes".to_owned()),
        (Kind::Integer { .. } | Kind::Bytes { .. } | Kind::Duration { .. }, DeValue::Integer(number)) => {
            let number = i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| "number too large")?;
            Ok(number.to_string())
        }
        (Kind::Integer { .. }, _) => Err("expected an integer, without quotes".to_owned()),
        (_, DeValue::String(text)) => Ok(text.to_string()),
        _ => Err(format!("expected {} in quotes", setting.kind.describe())),
    }
}

fn unknown_section(name: &str) -> String {
    let mut sections: Vec<_> = TABLE.iter().map(Setting::section).collect();
    sections.dedup();
    format!("unknown section '[{name}]'; there are {}", sections.join(", "))
}

fn suggestion(name: &str) -> String {
    nearest(name).map(|known| format!("; did you mean '{known}'?")).unwrap_or_default()
}
