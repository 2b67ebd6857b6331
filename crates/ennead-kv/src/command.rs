//! What a command is, said once: dispatch, arity errors, key positions, ACL categories, COMMAND and COMMAND DOCS,
//! metrics and the reference page are derived from its [`Spec`].

use crate::args::Args;
use crate::context::Context;
use crate::error::Result;
use crate::reply::Reply;

/// The group a command is listed under, in Redis's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    Generic,
    Cluster,
    String,
    Hash,
    List,
    Set,
    SortedSet,
    Scripting,
    Bitmap,
    HyperLogLog,
    Geo,
    Stream,
    Connection,
    Server,
    Transactions,
    /// Commands that no Redis has.
    Ennead,
}

impl Group {
    /// Its name in COMMAND DOCS.
    pub fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::Cluster => "cluster",
            Group::String => "string",
            Group::Hash => "hash",
            Group::List => "list",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Scripting => "scripting",
            Group::Bitmap => "bitmap",
            Group::HyperLogLog => "hyperloglog",
            Group::Geo => "geo",
            Group::Stream => "stream",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Transactions => "transactions",
            Group::Ennead => "ennead",
        }
    }
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
    NoMandatoryKeys,
    NoAsyncLoading,
    NoMulti,
    Asking,
}

/// ACL categories that do not follow from flags and group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    Admin,
    Connection,
    Dangerous,
    Keyspace,
    List,
    Set,
    SortedSet,
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
    /// The word at `index`, or when that is empty all words behind `keyword`, which is looked for in the words `from` on.
    OneOrBehind {
        index: usize,
        keyword: &'static str,
        from: usize,
    },
    /// A number of keys at word `count`, then the keys.
    Counted {
        count: usize,
    },
    /// The first word after the name, which is overwritten, then a number of keys at word 2 and the keys.
    TargetAndCounted,
    /// Behind the word STREAMS, which is looked for as XREAD takes its options: the first half of the words.
    HalfBehindStreams {
        /// Where COMMAND INFO says that it may begin.
        from: usize,
    },
    /// The first word after the name, and each word from `from` on behind STORE or STOREDIST, which is overwritten.
    OneAndStored {
        from: usize,
    },
    /// The first word after the name, and for SORT the word behind the last STORE, which is overwritten. Others are found by
    /// what those hold.
    Sorted {
        stores: bool,
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

impl KeySpec {
    /// The word numbers of the keys of a request that the command's arity accepts. A request whose count of keys is not
    /// a number, or too large, has none here; the command itself answers the error.
    pub fn positions(&self, args: Args<'_>) -> impl Iterator<Item = usize> + use<> {
        let words = args.len();
        let counted = |count: usize| {
            let keys = args.get(count).and_then(|word| std::str::from_utf8(word).ok()?.parse().ok()).unwrap_or(0);
            let first = count + 1;
            (first, if keys <= words.saturating_sub(first) { first + keys } else { first }, 1)
        };
        let mut target = None;
        let mut stored = Vec::new();
        let (first, end, step) = match *self {
            KeySpec::None => (0, 0, 1),
            KeySpec::Range { first, last, step } => {
                let last = if last < 0 { words.saturating_sub(last.unsigned_abs()) } else { last as usize };
                (first, (last + 1).min(words), step)
            }
            KeySpec::OneOrBehind { index, keyword, from } => {
                let found = args.iter_from(from).position(|word| word.eq_ignore_ascii_case(keyword.as_bytes()));
                match (found, args.get(index)) {
                    (None, _) => (index, (index + 1).min(words), 1),
                    (Some(between), Some([])) => (from + between + 1, words, 1),
                    // Both forms at once are an error.
                    (Some(_), _) => (0, 0, 1),
                }
            }
            KeySpec::Counted { count } => counted(count),
            KeySpec::TargetAndCounted => {
                let (first, end, step) = counted(2);
                target = (end > first).then_some(1);
                (first, end, step)
            }
            KeySpec::HalfBehindStreams { from } => match behind_streams(args, from) {
                Some(first) => (first, first + (words - first) / 2, 1),
                None => (0, 0, 1),
            },
            KeySpec::OneAndStored { from } => {
                let stores =
                    |word: &[u8]| word.eq_ignore_ascii_case(b"store") || word.eq_ignore_ascii_case(b"storedist");
                let behind = args.iter_from(from).zip(from + 1..words).filter(|(word, _)| stores(word));
                stored.extend(behind.map(|(_, index)| index));
                (1, words.min(2), 1)
            }
            KeySpec::Sorted { stores } => {
                stored.extend(sort_destination(args).filter(|_| stores));
                (1, words.min(2), 1)
            }
        };
        target.into_iter().chain((first..end.max(first)).step_by(step.max(1))).chain(stored)
    }
}

/// The word of a SORT behind the last STORE among its options.
fn sort_destination(args: Args<'_>) -> Option<usize> {
    let (mut at, mut destination) = (2, None);
    while let Some(word) = args.get(at) {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        if is("store") && at + 1 < args.len() {
            destination = Some(at + 1);
        }
        at += if is("limit") { 3 } else { 1 + usize::from(is("store") || is("by") || is("get")) };
    }
    destination
}

/// The word behind STREAMS in a request of XREAD or XREADGROUP: behind the options, or where those make no sense behind the
/// first word of this name, which is what rights are compared with.
fn behind_streams(args: Args<'_>, from: usize) -> Option<usize> {
    let mut at = 1;
    loop {
        let is = |name: &str| args.get(at).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()));
        at += match () {
            () if is("block") || is("count") => 2,
            () if is("group") => 3,
            () if is("noack") => 1,
            () if is("streams") => return Some(at + 1),
            () => {
                let mut words = args.iter_from(from);
                return words.position(|word| word.eq_ignore_ascii_case(b"streams")).map(|between| from + between + 1);
            }
        };
    }
}

impl Spec {
    /// Whether it has the flag.
    pub fn is(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }
    /// The keys of a request, in the order they are written.
    pub fn keys<'a>(&self, args: Args<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.keys.positions(args).filter_map(move |index| args.get(index))
    }
    /// Whether a request of so many words, the name among them, can be this command.
    pub fn accepts(&self, words: usize) -> bool {
        if self.arity >= 0 { words == self.arity as usize } else { words >= self.arity.unsigned_abs() as usize }
    }
}

/// What a command needs to hold while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The slots of the keys that its [`KeySpec`] finds.
    Keys,
    /// The whole keyspace: it has keys in several databases, or finds them as it goes.
    All,
    /// [`Access::All`] if an argument from word 3 on has an asterisk, as a pattern of keys has, else [`Access::Keys`].
    Patterns,
    /// Nothing: it works on databases as a whole and takes what it needs itself.
    Databases,
}

/// One row of the command table: what it is, and what it does.
#[derive(Debug)]
pub struct Command {
    pub spec: Spec,
    pub access: Access,
    /// The word with the first member of the collection that a request is about, where it usually stands; 0 for none.
    member: usize,
    /// Reads arguments, changes keys through the context, writes the reply. It changes nothing before all arguments
    /// are validated: an error means that nothing was done.
    pub run: fn(&mut Context<'_>, Args<'_>, &mut dyn Reply) -> Result,
}

impl Command {
    /// What a request needs to hold.
    pub(crate) fn access_for(&self, args: Args<'_>) -> Access {
        match self.access {
            Access::Patterns if args.iter_from(3).any(|word| word.contains(&b'*')) => Access::All,
            Access::Patterns => Access::Keys,
            access => access,
        }
    }

    /// The first member of its collection that a request names, to be fetched ahead: it need not be one.
    pub(crate) fn likely_member<'r>(&self, args: Args<'r>) -> Option<&'r [u8]> {
        if self.member == 0 { None } else { args.get(self.member) }
    }
}

/// Texts of a command's documentation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    pub(crate) since: &'static str,
    pub(crate) complexity: &'static str,
    pub(crate) syntax: &'static str,
    pub(crate) summary: &'static str,
}

pub(crate) type Run = fn(&mut Context<'_>, Args<'_>, &mut dyn Reply) -> Result;

/// The key is the first word after the name.
pub(crate) const FIRST: KeySpec = KeySpec::Range { first: 1, last: 1, step: 1 };
/// All words after the name are keys.
pub(crate) const ALL: KeySpec = KeySpec::Range { first: 1, last: -1, step: 1 };
/// The first two words after the name are keys.
pub(crate) const FIRST_TWO: KeySpec = KeySpec::Range { first: 1, last: 2, step: 1 };

pub(crate) const READ: &[Flag] = &[Flag::ReadOnly];
pub(crate) const READ_FAST: &[Flag] = &[Flag::ReadOnly, Flag::Fast];
pub(crate) const WRITE: &[Flag] = &[Flag::Write];
pub(crate) const WRITE_FAST: &[Flag] = &[Flag::Write, Flag::Fast];
pub(crate) const GROW: &[Flag] = &[Flag::Write, Flag::DenyOom];
pub(crate) const GROW_FAST: &[Flag] = &[Flag::Write, Flag::DenyOom, Flag::Fast];

impl Command {
    /// A command on strings with one key, its first argument.
    pub(crate) const fn string(
        name: &'static str,
        arity: i32,
        flags: &'static [Flag],
        text: Text,
        run: Run,
    ) -> Command {
        Command::new(Group::String, &[], name, arity, flags, text, run)
    }

    /// A command of a group with one key, its first argument.
    pub(crate) const fn of(
        group: Group,
        name: &'static str,
        arity: i32,
        flags: &'static [Flag],
        text: Text,
        run: Run,
    ) -> Command {
        Command::new(group, &[], name, arity, flags, text, run)
    }

    /// A command on keys of any kind with one key, its first argument.
    pub(crate) const fn generic(
        name: &'static str,
        arity: i32,
        flags: &'static [Flag],
        text: Text,
        run: Run,
    ) -> Command {
        Command::new(Group::Generic, &[Category::Keyspace], name, arity, flags, text, run)
    }

    const fn new(
        group: Group,
        categories: &'static [Category],
        name: &'static str,
        arity: i32,
        flags: &'static [Flag],
        text: Text,
        run: Run,
    ) -> Command {
        let Text { since, complexity, syntax, summary } = text;
        let spec = Spec { name, arity, keys: FIRST, flags, categories, group, since, complexity, summary, syntax };
        Command { spec, access: Access::Keys, member: 0, run }
    }

    /// Requests name a member of their collection in this word.
    pub(crate) const fn member(mut self, word: usize) -> Command {
        self.member = word;
        self
    }

    pub(crate) const fn keys(mut self, keys: KeySpec) -> Command {
        self.spec.keys = keys;
        self
    }

    pub(crate) const fn access(mut self, access: Access) -> Command {
        self.access = access;
        self
    }

    /// A command on whole databases.
    pub(crate) const fn on_databases(mut self) -> Command {
        self.spec.keys = KeySpec::None;
        self.access = Access::Databases;
        self
    }

    pub(crate) const fn group(mut self, group: Group) -> Command {
        self.spec.group = group;
        self
    }

    pub(crate) const fn categories(mut self, categories: &'static [Category]) -> Command {
        self.spec.categories = categories;
        self
    }
}
