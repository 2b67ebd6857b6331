//! What a command is, said once: dispatch, arity errors, key positions, ACL categories, COMMAND and COMMAND DOCS,
//! metrics and the reference page are derived from its [`Spec`].

/// The group a command is listed under, in Redis's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    Generic,
    String,
    Connection,
    Server,
}

/// Facts about a command, in Redis's words (`COMMAND INFO`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flag {
    Write,
    ReadOnly,
    DenyOom,
    Admin,
    PubSub,
    NoScript,
    Blocking,
    Loading,
    Stale,
    SkipMonitor,
    SkipSlowlog,
    Fast,
    NoAuth,
    AllowBusy,
    MovableKeys,
    NoAsyncLoading,
    NoMulti,
}

/// ACL categories that do not follow from flags and group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    Dangerous,
    Keyspace,
    Bitmap,
}

/// Where a request names its keys.
#[derive(Debug, Clone, Copy)]
pub enum KeySpec {
    None,
    /// As `COMMAND INFO` gives them: word numbers from 1; a negative `last` counts from the end.
    Range {
        first: usize,
        last: isize,
        step: usize,
    },
    /// A number of keys at word `count`, then the keys.
    Counted {
        count: usize,
    },
}

/// One row of the command table.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// In lower case; a subcommand is `container|sub`.
    pub name: &'static str,
    /// Words with the name; negative: at least so many.
    pub arity: i32,
    pub keys: KeySpec,
    pub flags: &'static [Flag],
    pub categories: &'static [Category],
    pub group: Group,
    /// The version of Redis that brought it.
    pub since: &'static str,
    pub complexity: &'static str,
    pub summary: &'static str,
    /// The syntax after the name, as Redis's manual writes it.
    pub syntax: &'static str,
}

impl Spec {
    /// Whether a request of so many words, the name among them, can be this command.
    pub fn accepts(&self, words: usize) -> bool {
        if self.arity >= 0 { words == self.arity as usize } else { words >= self.arity.unsigned_abs() as usize }
    }
}
