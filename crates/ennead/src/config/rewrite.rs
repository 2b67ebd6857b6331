//! `CONFIG REWRITE`: brings the file up to what was changed while the server ran. Comments and order stay.

use std::io::Write;
use std::path::Path;

use ennead_engine::settings::{Kind, PASSWORD_FILE, Setting, Settings, TABLE};

use super::{file, reason};

/// Writes the live settings whose value is not the file's into it.
///
/// # Errors
/// A text for the client; the file is as it was then.
///
/// # Durability
/// On disk when it returns; a crash leaves the old file or the new one.
pub(crate) fn rewrite(path: &Path, settings: &Settings) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {}", path.display(), reason(&error));
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let changed =
        changed(&text, settings).map_err(|(line, message)| format!("{}:{line}: {message}", path.display()))?;
    let beside = path.with_extension("toml.new");
    let write = || {
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(changed.as_bytes())?;
        file.set_permissions(std::fs::metadata(path)?.permissions())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(failed)
}

pub(super) fn changed(text: &str, settings: &Settings) -> Result<String, (usize, String)> {
    let entries = file::entries(text)?;
    let mut replaced = Vec::new();
    let mut added = Vec::new();
    let from_password_file = settings.is_set(PASSWORD_FILE);
    for setting in TABLE.iter().filter(|setting| setting.live) {
        if matches!(setting.kind, Kind::Secret) && from_password_file {
            continue;
        }
        let Some(value) = settings.get(setting.name) else { continue };
        match entries.iter().find(|entry| entry.name == setting.name) {
            Some(entry) if !same(setting, &entry.value, &value) => {
                replaced.push((entry.place.clone(), literal(setting, &value)));
            }
            None if value != setting.default => added.push((setting, literal(setting, &value))),
            _ => {}
        }
    }
    let mut text = text.to_owned();
    replaced.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    for (place, value) in replaced {
        text.replace_range(place, &value);
    }
    for (setting, value) in added {
        insert(&mut text, setting, &value);
    }
    Ok(text)
}

/// Whether two texts are the same value, in whatever unit.
fn same(setting: &Setting, left: &str, right: &str) -> bool {
    setting.kind.parse(left) == setting.kind.parse(right)
}

fn literal(setting: &Setting, value: &str) -> String {
    if setting.kind.quoted() { toml::Value::from(value).to_string() } else { value.to_owned() }
}

/// Under the section's header, or with a new one at the end.
fn insert(text: &mut String, setting: &Setting, value: &str) {
    let header = format!("[{}]", setting.section());
    let line = format!("{} = {value}\n", setting.key());
    let mut at = 0;
    for present in text.split_inclusive('\n') {
        at += present.len();
        if present.split('#').next().map(str::trim) == Some(header.as_str()) {
            let newline = if present.ends_with('\n') { "" } else { "\n" };
            text.insert_str(at, &format!("{newline}{line}"));
            return;
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&format!("\n{header}\n{line}"));
}
