//! Where a setting's value comes from: a flag, an environment variable, the file, the default, the first of these that
//! has it. The settings themselves are the engine's; this module only reads texts and says where a bad one stands.

mod file;
mod rewrite;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ennead_engine::settings::{self, Setting, Settings, TABLE};

use crate::arguments::ServeArguments;

pub(crate) use rewrite::rewrite;

/// Variables beside the settings' own.
const OTHER_VARIABLES: &[&str] = &["ENNEAD_CONFIG"];

/// What the server starts with.
pub(crate) struct Config {
    pub(crate) settings: Arc<Settings>,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// Of each setting that is not at its default.
    pub(crate) origins: BTreeMap<&'static str, Origin>,
    /// Variables that look like ours and are none.
    pub(crate) unknown_variables: Vec<String>,
}

/// Where a value was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag(String),
    Variable(String),
    File(PathBuf, usize),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(flag) => write!(f, "{flag}"),
            Origin::Variable(name) => write!(f, "{name}"),
            Origin::File(path, line) => write!(f, "{}:{line}", path.display()),
        }
    }
}

impl Config {
    /// Reads all sources, lowest first, so that the later one wins.
    ///
    /// # Errors
    /// One line that names the place and the reason, for the first value that is wrong.
    pub(crate) fn load(
        arguments: &ServeArguments,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, String> {
        let mut config = Config {
            settings: Arc::new(Settings::new()),
            file: arguments.config.clone(),
            origins: BTreeMap::new(),
            unknown_variables: Vec::new(),
        };
        if let Some(path) = &arguments.config {
            config.read_file(path)?;
        }
        config.read_environment(environment)?;
        for (flag, name, value) in arguments.overrides()? {
            config.put(&name, &value, Origin::Flag(flag))?;
        }
        config.read_password_file()?;
        Ok(config)
    }

    fn put(&mut self, name: &str, value: &str, origin: Origin) -> Result<(), String> {
        self.settings.preset(name, value).map_err(|error| format!("{origin}: {error}"))?;
        if let Some(setting) = TABLE.iter().find(|setting| setting.name == name) {
            self.origins.insert(setting.name, origin);
        }
        Ok(())
    }

    fn read_file(&mut self, path: &Path) -> Result<(), String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read the configuration {}: {}", path.display(), reason(&error)))?;
        for entry in file::entries(&text).map_err(|(line, message)| format!("{}:{line}: {message}", path.display()))? {
            self.put(&entry.name, &entry.value, Origin::File(path.to_owned(), entry.line))?;
        }
        Ok(())
    }

    fn read_environment(&mut self, environment: impl IntoIterator<Item = (String, String)>) -> Result<(), String> {
        let mut long = Vec::new();
        for (variable, value) in environment.into_iter().filter(|(name, _)| name.starts_with("ENNEAD_")) {
            let by_short = |setting: &&Setting| setting.short_variable == Some(variable.as_str());
            if let Some(setting) = TABLE.iter().find(by_short) {
                self.put(setting.name, &value, Origin::Variable(variable))?;
            } else if let Some(setting) = TABLE.iter().find(|setting| setting.variable() == variable) {
                long.push((setting.name, variable, value));
            } else if !OTHER_VARIABLES.contains(&variable.as_str()) {
                self.unknown_variables.push(variable);
            }
        }
        // The full name wins over the short one, whatever their order.
        for (name, variable, value) in long {
            self.put(name, &value, Origin::Variable(variable))?;
        }
        Ok(())
    }

    fn read_password_file(&mut self) -> Result<(), String> {
        let path = self.settings.read(settings::PASSWORD_FILE);
        if path.is_empty() {
            return Ok(());
        }
        if self.settings.is_set(settings::PASSWORD) {
            return Err("server.password and server.password_file are both set; remove one of them".to_owned());
        }
        let text = std::fs::read_to_string(path.as_str())
            .map_err(|error| format!("cannot read server.password_file {path}: {}", reason(&error)))?;
        let password = text.lines().next().unwrap_or_default();
        if password.is_empty() {
            return Err(format!("server.password_file {path}: its first line is empty; write the password there"));
        }
        self.settings.preset(settings::PASSWORD.name(), password).map_err(|error| error.to_string())
    }
}

/// An operating system's error as people word it.
pub(crate) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
