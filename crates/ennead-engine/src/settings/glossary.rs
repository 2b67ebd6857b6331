//! What people read about settings, made from the table: `config/ennead.toml` and `docs/reference/config.md`, and the
//! nearest name for one that is mistyped.

use std::fmt::Write;

use super::{FIXED, KEPT, Kind, Setting, TABLE};

/// The commented `ennead.toml` with every setting at its default.
pub fn config_file() -> String {
    let mut file = String::from(
        "# Settings of Ennead, each with its default. A setting that is left out has that default.\n\
         # Flags win over ENNEAD_* environment variables, these over this file.\n\
         # Sizes: 1k is 1000 bytes, 1kb is 1024, the same for m, mb, g and gb. Durations: ms, s, m, h, d.\n",
    );
    let mut section = "";
    for setting in TABLE {
        if setting.section() != section {
            section = setting.section();
            let _ = write!(file, "\n[{section}]\n");
        } else {
            file.push('\n');
        }
        for line in setting.doc.lines() {
            let _ = writeln!(file, "#{line}");
        }
        let live = if setting.live { "can change while the server runs" } else { "read at start" };
        let _ = writeln!(file, "# Unit or values: {}. {} ({live}).", setting.kind.describe(), setting.variable());
        let _ = writeln!(file, "{} = {}", setting.key(), literal(setting));
    }
    file
}

/// The default as TOML.
fn literal(setting: &Setting) -> String {
    if setting.kind.quoted() { format!("\"{}\"", setting.default) } else { setting.default.to_owned() }
}

/// The reference page.
pub fn reference_page() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         This page is generated from the table in `crates/ennead-engine/src/settings/table.rs`; `make docs` rewrites it.\n\n\
         A value is taken from the first of: a flag, an environment variable, the file given by `--config`, the default.\n\
         Any setting can be given as a flag by `--set section.key=value`. Those marked *live* also change while the server\n\
         runs, by `CONFIG SET` with Redis's name.\n",
    );
    let mut section = "";
    for setting in TABLE {
        if setting.section() != section {
            section = setting.section();
            let _ = write!(page, "\n## {section}\n");
        }
        let default = if setting.default.is_empty() { "empty".to_owned() } else { format!("`{}`", setting.default) };
        let live = if setting.live { "live" } else { "read at start" };
        let _ = write!(page, "\n### {}\n\n", setting.name);
        let _ = writeln!(page, "{}\n", setting.doc.lines().map(str::trim).collect::<Vec<_>>().join("\n"));
        let _ = writeln!(page, "- Values: {}", values(&setting.kind));
        let _ = writeln!(page, "- Default: {default}, {live}");
        let short = setting.short_variable.map(|name| format!(" or `{name}`")).unwrap_or_default();
        let _ = writeln!(page, "- Environment: `{}`{short}", setting.variable());
        if !setting.redis.is_empty() {
            let names: Vec<_> = setting.redis.iter().map(|(name, _)| format!("`{name}`")).collect();
            let _ = writeln!(page, "- Redis: {}", names.join(", "));
        }
    }
    page.push_str(
        "\n## Parameters of Redis with one value\n\n\
         `CONFIG GET` answers these, and `CONFIG SET` accepts their value and refuses every other.\n\n\
         | parameter | value | why |\n|---|---|---|\n",
    );
    for (name, value, why) in FIXED {
        let value = if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") };
        let _ = writeln!(page, "| `{name}` | {value} | {why} |");
    }
    page.push_str(
        "\n## Parameters of Redis that change nothing\n\n\
         `CONFIG SET` keeps these until the next start, for clients that set them, and `CONFIG GET` answers them.\n\n\
         | parameter | default | why |\n|---|---|---|\n",
    );
    for (name, value, why) in KEPT {
        let _ = writeln!(page, "| `{name}` | `{value}` | {why} |");
    }
    page
}

fn values(kind: &Kind) -> String {
    match kind {
        Kind::Choice(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        _ => kind.describe(),
    }
}

/// The known name that is most like `name`, if one is like it at all: of our settings, and of Redis's.
pub fn nearest(name: &str) -> Option<&'static str> {
    let ours = TABLE.iter().map(|setting| setting.name);
    let theirs = TABLE.iter().flat_map(|setting| setting.redis.iter().map(|(name, _)| *name));
    let key = name.rsplit('.').next().unwrap_or(name);
    ours.chain(theirs)
        .map(|known| {
            let last = known.rsplit('.').next().unwrap_or(known);
            (distance(name, known).min(distance(key, last) + usize::from(key != last)), known)
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 1 + key.len() / 4)
        .map(|(_, known)| known)
}

/// Levenshtein's: insertions, deletions and replacements between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
