//! Why a setting could not be changed. The reasons are worded as Redis words them, since `CONFIG SET` repeats them.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    #[error("unknown setting '{name}'{}", did_you_mean(.nearest))]
    Unknown { name: String, nearest: Option<&'static str> },
    #[error("{name}: {reason}")]
    Invalid { name: String, reason: String },
    #[error("{0}: can't be changed while the server runs; set it in ennead.toml and restart")]
    Immutable(String),
    /// A Redis parameter for which this server has one fixed behaviour.
    #[error("{name}: only '{value}' is supported: {reason}")]
    Fixed { name: String, value: &'static str, reason: &'static str },
    /// The same parameter twice in one change.
    #[error("{0}: duplicate parameter")]
    Duplicate(String),
}

fn did_you_mean(nearest: &Option<&'static str>) -> String {
    nearest.map(|name| format!("; did you mean '{name}'?")).unwrap_or_default()
}

impl SettingError {
    pub(super) fn unknown(name: &str) -> Self {
        SettingError::Unknown { name: name.to_owned(), nearest: super::nearest(name) }
    }

    pub(super) fn invalid(name: &str, reason: impl Into<String>) -> Self {
        SettingError::Invalid { name: name.to_owned(), reason: reason.into() }
    }

    /// The setting or parameter it is about.
    pub fn name(&self) -> &str {
        match self {
            SettingError::Unknown { name, .. }
            | SettingError::Invalid { name, .. }
            | SettingError::Immutable(name)
            | SettingError::Fixed { name, .. }
            | SettingError::Duplicate(name) => name,
        }
    }

    /// The reason alone, as the tail of Redis's `CONFIG SET failed` message.
    pub fn reason(&self) -> String {
        match self {
            SettingError::Unknown { .. } => "unknown option".to_owned(),
            SettingError::Invalid { reason, .. } => reason.clone(),
            SettingError::Immutable(_) => "can't set immutable config".to_owned(),
            SettingError::Fixed { value, reason, .. } => format!("only '{value}' is supported: {reason}"),
            SettingError::Duplicate(_) => "duplicate parameter".to_owned(),
        }
    }
}
