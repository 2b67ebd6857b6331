//! The files that are made from tables in the code, so that they cannot say something else: configuration, reference
//! pages, the list of what is compatible, man page and completions. A test compares them with what is checked in.

mod compatibility;
mod redis_suite;
mod reference;
mod routes;

use std::path::Path;

use clap::{Command, CommandFactory, ValueEnum};
use clap_complete::Shell;
use ennead_engine::settings;

use crate::arguments::Arguments;

/// Writes all of them below the repository's root.
///
/// # Errors
/// The file that could not be written.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    for (path, content) in files() {
        let path = root.join(path);
        let write = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&path, content)
        };
        write().map_err(|error| format!("{}: {}", path.display(), crate::config::reason(&error)))?;
    }
    Ok(())
}

/// The manual pages of a command and of its own commands.
fn manual(command: &Command, above: &str, files: &mut Vec<(String, Vec<u8>)>) {
    let name = format!("{above}-{}", command.get_name());
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command.clone()).title(name.to_uppercase());
    // Writing into memory does not fail.
    if man.render(&mut page).is_ok() {
        files.push((format!("packaging/man/{name}.1"), page));
    }
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        manual(subcommand, &name, files);
    }
}

/// Paths and contents.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = [
        ("config/ennead.toml", settings::config_file()),
        ("docs/reference/config.md", settings::reference_page()),
        ("docs/reference/commands.md", reference::page()),
        ("docs/reference/http.md", routes::page()),
        ("COMPATIBILITY.md", compatibility::page()),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.into_bytes()))
    .collect();
    let mut command = Arguments::command();
    command.build();
    let mut page = Vec::new();
    // Writing into memory does not fail.
    if clap_mangen::Man::new(command.clone()).render(&mut page).is_ok() {
        files.push(("packaging/man/ennead.1".to_owned(), page));
    }
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        if subcommand.get_name() == "help" {
            continue;
        }
        manual(subcommand, "ennead", &mut files);
    }
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let name = shell.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "ennead", &mut script);
        files.push((format!("packaging/completions/ennead.{name}"), script));
    }
    files
}
