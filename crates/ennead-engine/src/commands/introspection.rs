//! COMMAND: the table, in the shapes that clients read.

use ennead_kv::{Args, Category, Error, Flag, Group, KeySpec, Result, Spec, glob};

use super::syntax::{self, Argument};
use super::{PLAIN, Row, SERVER, help, is};
use crate::key_access::KeyAccess;
use crate::registry::{Command, Lookup, Registry};
use crate::session::{Output, Request, Session};

const COMMAND: Spec = Spec {
    flags: PLAIN,
    categories: &[Category::Connection],
    since: "2.8.13",
    complexity: "O(N) where N is the total number of commands",
    ..SERVER
};

macro_rules! rows {
    ($($name:literal $arity:literal $since:literal $syntax:literal $summary:literal $run:expr;)+) => {
        &[$(Row {
            spec: Spec { name: $name, arity: $arity, since: $since, syntax: $syntax, summary: $summary, ..COMMAND },
            run: $run,
        }),+]
    };
}

pub(super) const ROWS: &[Row] = rows! {
    "command" -1 "2.8.13" "" "Returns detailed information about all commands." all;
    "command|count" 2 "2.8.13" "" "Returns a count of commands." count;
    "command|docs" -2 "7.0.0" "[command-name [command-name ...]]" "Returns documentary information about one, multiple or all commands." docs;
    "command|getkeys" -3 "2.8.13" "command [arg [arg ...]]" "Extracts the key names from an arbitrary command." getkeys;
    "command|getkeysandflags" -3 "7.0.0" "command [arg [arg ...]]" "Extracts the key names and access flags for an arbitrary command." getkeysandflags;
    "command|help" 2 "5.0.0" "" "Returns helpful text about the different subcommands." help::help;
    "command|info" -2 "2.8.13" "[command-name [command-name ...]]" "Returns information about one, multiple or all commands." info;
    "command|list" -2 "7.0.0" "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]" "Returns a list of command names." list;
};

/// Commands that are no subcommands.
fn top() -> impl Iterator<Item = &'static Command> {
    Registry::get().commands().iter().filter(|command| command.parent.is_none())
}

fn all(_session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.array(top().count());
    for command in top() {
        describe(command, reply);
    }
    Ok(())
}

fn count(_session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.integer(top().count() as i64);
    Ok(())
}

fn info(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    if request.args.len() == 2 {
        return all(session, request, reply);
    }
    reply.array(request.args.len() - 2);
    for name in request.args.iter_from(2) {
        match Registry::get().find(name) {
            Some(command) => describe(command, reply),
            None => reply.null_array(),
        }
    }
    Ok(())
}

/// One command, as COMMAND INFO shows it.
fn describe(command: &Command, reply: &mut dyn Output) {
    let spec = &command.spec;
    let (first, last, step) = match spec.keys {
        KeySpec::Range { first, last, step } => (first as i64, last as i64, step as i64),
        KeySpec::OneOrBehind { index, .. } => (index as i64, index as i64, 1),
        KeySpec::TargetAndCounted | KeySpec::OneAndStored { .. } | KeySpec::Sorted { .. } => (1, 1, 1),
        KeySpec::None | KeySpec::Counted { .. } | KeySpec::HalfBehindStreams { .. } => (0, 0, 0),
    };
    reply.array(10);
    reply.bulk(spec.name.as_bytes());
    reply.integer(spec.arity.into());
    reply.set(spec.flags.len());
    for flag in spec.flags {
        reply.simple(flag_name(*flag));
    }
    reply.integer(first);
    reply.integer(last);
    reply.integer(step);
    let categories = command.categories();
    reply.set(categories.len());
    for category in categories {
        reply.simple(&format!("@{category}"));
    }
    reply.array(0);
    describe_keys(spec, reply);
    reply.array(command.children.len());
    for child in &command.children {
        describe(&Registry::get().commands()[*child], reply);
    }
}

/// Where the keys of a request are looked for.
enum Search {
    /// From this word on.
    Index(i64),
    /// Behind the keyword, which stands in the words from this one on.
    Keyword(&'static str, i64),
    /// What the options say, or what other keys hold.
    Unknown,
}

/// How many keys are found there: the name of the way, and its numbers.
type Find = (&'static str, Vec<(&'static str, i64)>);

fn describe_keys(spec: &Spec, reply: &mut dyn Output) {
    let range = |last: i64, step: i64| ("range", vec![("lastkey", last), ("keystep", step), ("limit", 0)]);
    let counted = || ("keynum", vec![("keynumidx", 0), ("firstkey", 1), ("keystep", 1)]);
    let first = || (Search::Index(1), range(0, 1));
    let unknown = || (Search::Unknown, ("unknown", Vec::new()));
    let searches = match spec.keys {
        KeySpec::None => Vec::new(),
        KeySpec::Range { first, last, step } => {
            let last = if last < 0 { last as i64 } else { last as i64 - first as i64 };
            vec![(Search::Index(first as i64), range(last, step as i64))]
        }
        KeySpec::OneOrBehind { index, .. } => vec![(Search::Index(index as i64), range(0, 1))],
        KeySpec::Counted { count } => vec![(Search::Index(count as i64), counted())],
        KeySpec::TargetAndCounted => vec![first(), (Search::Index(2), counted())],
        KeySpec::HalfBehindStreams { from } => {
            let half = ("range", vec![("lastkey", -1), ("keystep", 1), ("limit", 2)]);
            vec![(Search::Keyword("STREAMS", from as i64), half)]
        }
        KeySpec::OneAndStored { from } => {
            let behind = |keyword| (Search::Keyword(keyword, from as i64), range(0, 1));
            vec![first(), behind("STORE"), behind("STOREDIST")]
        }
        KeySpec::Sorted { stores: true } => vec![first(), unknown(), unknown()],
        KeySpec::Sorted { stores: false } => vec![first(), unknown()],
    };
    reply.array(searches.len());
    for (number, (search, find)) in searches.into_iter().enumerate() {
        reply.map(3);
        reply.bulk(b"flags");
        let KeyAccess(flags) = KeyAccess::declared(spec, number);
        reply.set(flags.len());
        for flag in flags {
            reply.simple(flag);
        }
        describe_search(&search, &find, reply);
    }
}

fn describe_search(search: &Search, (kind, numbers): &Find, reply: &mut dyn Output) {
    let names: (&str, &[&str]) = match search {
        Search::Index(_) => ("index", &["index"]),
        Search::Keyword(..) => ("keyword", &["keyword", "startfrom"]),
        Search::Unknown => ("unknown", &[]),
    };
    reply.bulk(b"begin_search");
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(names.0.as_bytes());
    reply.bulk(b"spec");
    reply.map(names.1.len());
    for name in names.1 {
        reply.bulk(name.as_bytes());
        match search {
            Search::Keyword(keyword, _) if *name == "keyword" => reply.bulk(keyword.as_bytes()),
            Search::Keyword(_, from) => reply.integer(*from),
            Search::Index(index) => reply.integer(*index),
            Search::Unknown => {}
        }
    }
    reply.bulk(b"find_keys");
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(numbers.len());
    for (name, value) in numbers {
        reply.bulk(name.as_bytes());
        reply.integer(*value);
    }
}

fn flag_name(flag: Flag) -> &'static str {
    match flag {
        Flag::Write => "write",
        Flag::ReadOnly => "readonly",
        Flag::DenyOom => "denyoom",
        Flag::Admin => "admin",
        Flag::PubSub => "pubsub",
        Flag::NoScript => "noscript",
        Flag::Blocking => "blocking",
        Flag::Loading => "loading",
        Flag::Stale => "stale",
        Flag::SkipMonitor => "skip_monitor",
        Flag::SkipSlowlog => "skip_slowlog",
        Flag::Fast => "fast",
        Flag::NoAuth => "no_auth",
        Flag::AllowBusy => "allow_busy",
        Flag::NoMandatoryKeys => "no_mandatory_keys",
        Flag::MovableKeys => "movablekeys",
        Flag::NoAsyncLoading => "no_async_loading",
        Flag::NoMulti => "no_multi",
        Flag::Asking => "asking",
    }
}

/// ACL categories: those that follow from flags and group, and those of the row.
pub(crate) fn categories(spec: &Spec) -> Vec<&'static str> {
    let mut names = Vec::new();
    let mut add = |name: &'static str, holds: bool| {
        if holds && !names.contains(&name) {
            names.push(name);
        }
    };
    let has = |category: Category| spec.categories.contains(&category);
    let is_sort = matches!(spec.keys, KeySpec::Sorted { .. });
    let about_connection = spec.group == Group::Connection || has(Category::Connection);
    add("keyspace", spec.group == Group::Generic && !about_connection && !is_sort || has(Category::Keyspace));
    // Redis has the read-only forms of EVAL among scripts only.
    add("read", spec.is(Flag::ReadOnly) && spec.group != Group::Scripting);
    add("write", spec.is(Flag::Write));
    add("bitmap", spec.group == Group::Bitmap);
    add("hyperloglog", spec.group == Group::HyperLogLog);
    add("string", spec.group == Group::String);
    add("pubsub", spec.is(Flag::PubSub));
    add("admin", spec.is(Flag::Admin) || has(Category::Admin));
    add("fast", spec.is(Flag::Fast));
    add("slow", !spec.is(Flag::Fast));
    add("blocking", spec.is(Flag::Blocking));
    add("dangerous", spec.is(Flag::Admin) || has(Category::Dangerous));
    add("hash", spec.group == Group::Hash);
    add("list", spec.group == Group::List || has(Category::List));
    add("set", spec.group == Group::Set || has(Category::Set));
    add("sortedset", spec.group == Group::SortedSet || has(Category::SortedSet));
    add("scripting", spec.group == Group::Scripting);
    add("geo", spec.group == Group::Geo);
    add("stream", spec.group == Group::Stream);
    add("connection", about_connection);
    add("transaction", spec.group == Group::Transactions);
    names
}

fn docs(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let chosen: Vec<&Command> = match request.args.len() {
        2 => top().collect(),
        _ => request.args.iter_from(2).filter_map(|name| Registry::get().find(name)).collect(),
    };
    reply.map(chosen.len());
    for command in chosen {
        document(command, reply);
    }
    Ok(())
}

fn document(command: &Command, reply: &mut dyn Output) {
    let spec = &command.spec;
    let arguments = syntax::parse(spec.syntax);
    let group = if command.is_pubsub() { "pubsub" } else { spec.group.name() };
    reply.bulk(spec.name.as_bytes());
    reply.map(4 + usize::from(!arguments.is_empty()) + usize::from(!command.children.is_empty()));
    let fields = [("summary", spec.summary), ("since", spec.since), ("group", group), ("complexity", spec.complexity)];
    for (name, text) in fields {
        reply.bulk(name.as_bytes());
        reply.bulk(text.as_bytes());
    }
    if !arguments.is_empty() {
        reply.bulk(b"arguments");
        document_arguments(&arguments, reply);
    }
    if !command.children.is_empty() {
        reply.bulk(b"subcommands");
        reply.map(command.children.len());
        for child in &command.children {
            document(&Registry::get().commands()[*child], reply);
        }
    }
}

fn document_arguments(arguments: &[Argument], reply: &mut dyn Output) {
    reply.array(arguments.len());
    for argument in arguments {
        let is_key = argument.kind == "key";
        let flags: Vec<&str> = [("optional", argument.optional), ("multiple", argument.multiple)]
            .into_iter()
            .filter_map(|(name, set)| set.then_some(name))
            .collect();
        let optional_fields = [is_key, argument.token.is_some(), !flags.is_empty(), !argument.arguments.is_empty()];
        reply.map(2 + optional_fields.iter().filter(|present| **present).count());
        reply.bulk(b"name");
        reply.bulk(argument.name.as_bytes());
        reply.bulk(b"type");
        reply.bulk(argument.kind.as_bytes());
        if is_key {
            reply.bulk(b"key_spec_index");
            reply.integer(0);
        }
        if let Some(token) = &argument.token {
            reply.bulk(b"token");
            reply.bulk(token.as_bytes());
        }
        if !flags.is_empty() {
            reply.bulk(b"flags");
            reply.set(flags.len());
            for flag in flags {
                reply.simple(flag);
            }
        }
        if !argument.arguments.is_empty() {
            reply.bulk(b"arguments");
            document_arguments(&argument.arguments, reply);
        }
    }
}

/// The request that a request describes, and its keys.
fn described<'a>(args: Args<'a>) -> Result<(&'static Command, Vec<&'a [u8]>)> {
    let inner = args.skip(2);
    let Lookup::Found(command) = Registry::get().lookup(&inner) else {
        return Err(Error::text("ERR Invalid command specified"));
    };
    if matches!(command.spec.keys, KeySpec::None) || command.has(Flag::PubSub) {
        return Err(Error::text("ERR The command has no key arguments"));
    }
    if !command.spec.accepts(inner.len()) {
        return Err(Error::text("ERR Invalid number of arguments specified for command"));
    }
    let keys: Vec<&[u8]> = command.spec.keys(inner).collect();
    if keys.is_empty() && !command.has(Flag::NoMandatoryKeys) {
        return Err(Error::text("ERR Invalid arguments specified for command"));
    }
    Ok((command, keys))
}

fn getkeys(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let (_, keys) = described(request.args)?;
    reply.array(keys.len());
    for key in keys {
        reply.bulk(key);
    }
    Ok(())
}

fn getkeysandflags(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let (command, keys) = described(request.args)?;
    reply.array(keys.len());
    for (number, key) in keys.into_iter().enumerate() {
        let KeyAccess(flags) = KeyAccess::of(&command.spec, number, request.args.skip(2));
        reply.array(2);
        reply.bulk(key);
        reply.set(flags.len());
        for flag in flags {
            reply.simple(flag);
        }
    }
    Ok(())
}

fn list(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let args = request.args;
    let mut chosen: Vec<&Command> = Registry::get().commands().iter().collect();
    match args.len() {
        2 => {}
        5 if is(&args[2], "filterby") => {
            let wanted = args[4].to_ascii_lowercase();
            if is(&args[3], "module") {
                chosen.clear();
            } else if is(&args[3], "aclcat") {
                chosen.retain(|command| command.categories().iter().any(|name| name.as_bytes() == wanted));
            } else if is(&args[3], "pattern") {
                chosen.retain(|command| glob::matches(&wanted, command.spec.name.as_bytes()));
            } else {
                return Err(Error::Syntax);
            }
        }
        _ => return Err(Error::Syntax),
    }
    reply.array(chosen.len());
    for command in chosen {
        reply.bulk(command.spec.name.as_bytes());
    }
    Ok(())
}
