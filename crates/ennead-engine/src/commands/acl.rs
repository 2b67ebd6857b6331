//! ACL: the users and what they may do.

use ennead_kv::{Args, Error, Result, Spec};

use super::{ADMIN, HARMLESS, PLAIN, Row, SERVER, error, help, integer, is};
use crate::registry::{Lookup, Registry};
use crate::session::{Hold, Output, Request, Session};
use crate::users::{CATEGORIES, Cause, Entry, Selector, Setting};

const BITS_DEFAULT: i64 = 256;
const BITS_MAX: i64 = 4096;
/// Entries of ACL LOG without a number.
const ENTRIES_DEFAULT: i64 = 10;
const OF_USERS: &str = "O(N). Where N is the number of configured users.";
const NO_FILE: Error = Error::text(
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER \
     command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users \
     in the Redis configuration.",
);

macro_rules! rows {
    ($($flags:ident $name:literal $arity:literal $since:literal $complexity:expr, $syntax:literal $summary:literal $run:expr;)+) => {
        &[$(Row {
            spec: Spec {
                name: concat!("acl|", $name),
                arity: $arity,
                flags: $flags,
                since: $since,
                complexity: $complexity,
                syntax: $syntax,
                summary: $summary,
                ..SERVER
            },
            run: $run,
        }),+]
    };
}

pub(super) const ROWS: &[Row] = rows! {
    HARMLESS "cat" -2 "6.0.0" "O(1) since the categories and commands are a fixed set.", "[category]" "Lists the ACL categories, or the commands inside a category." cat;
    ADMIN "deluser" -3 "6.0.0" "O(1) amortized time considering the typical user.", "username [username ...]" "Deletes ACL users, and terminates their connections." deluser;
    ADMIN "dryrun" -4 "7.0.0" "O(1).", "username command [arg [arg ...]]" "Simulates the execution of a command by a user, without executing the command." dryrun;
    HARMLESS "genpass" -2 "6.0.0" "O(1)", "[bits]" "Generates a pseudorandom, secure password that can be used to identify ACL users." genpass;
    ADMIN "getuser" 3 "6.0.0" "O(N). Where N is the number of password, command and pattern rules that the user has.", "username" "Lists the ACL rules of a user." getuser;
    PLAIN "help" 2 "6.0.0" "O(1)", "" "Returns helpful text about the different subcommands." help::help;
    ADMIN "list" 2 "6.0.0" OF_USERS, "" "Dumps the effective rules in ACL file format." list;
    ADMIN "load" 2 "6.0.0" OF_USERS, "" "Reloads the rules from the configured ACL file." no_file;
    ADMIN "log" -2 "6.0.0" "O(N) with N being the number of entries shown.", "[count | RESET]" "Lists recent security events generated due to ACL rules." log;
    ADMIN "save" 2 "6.0.0" OF_USERS, "" "Saves the effective ACL rules in the configured ACL file." no_file;
    ADMIN "setuser" -3 "6.0.0" "O(N). Where N is the number of rules provided.", "username [rule [rule ...]]" "Creates and modifies an ACL user and its rules." setuser;
    ADMIN "users" 2 "6.0.0" OF_USERS, "" "Lists all ACL users." users;
    HARMLESS "whoami" 2 "6.0.0" "O(1)", "" "Returns the authenticated username of the current connection." whoami;
};

/// Subcommands with an optional word answer this to one more.
fn check_words(args: Args<'_>, words_max: usize) -> Result {
    if args.len() <= words_max {
        return Ok(());
    }
    let word = String::from_utf8_lossy(&args[1]).into_owned();
    Err(error(format!("ERR unknown subcommand or wrong number of arguments for '{word}'. Try ACL HELP.")))
}

fn setuser(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let sequence = session.engine.users().change(&request.args[2], request.args.iter_from(3))?;
    session.held = Hold::Durable(sequence);
    reply.ok();
    Ok(())
}

fn deluser(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let names: Vec<&[u8]> = request.args.iter_from(2).collect();
    let (deleted, sequence) = session.engine.users().delete(names.iter().copied())?;
    if sequence > 0 {
        session.held = Hold::Durable(sequence);
    }
    for client in session.engine.clients().list() {
        if !client.account().is_deleted() {
            continue;
        }
        if client.id == session.client.id {
            session.closing = true;
        } else {
            client.kill();
        }
    }
    reply.integer(deleted.len() as i64);
    Ok(())
}

fn getuser(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let Some(account) = session.engine.users().find(&request.args[2]) else {
        reply.null();
        return Ok(());
    };
    let user = account.user();
    reply.map(6);
    reply.bulk(b"flags");
    let flags = user.flags();
    reply.set(flags.len());
    for flag in flags {
        reply.bulk(flag.as_bytes());
    }
    reply.bulk(b"passwords");
    let passwords = user.passwords();
    reply.array(passwords.len());
    for hash in passwords {
        reply.bulk(hash.as_bytes());
    }
    describe(user.root(), reply);
    reply.bulk(b"selectors");
    reply.array(user.others().len());
    for rights in user.others() {
        reply.map(3);
        describe(rights, reply);
    }
    Ok(())
}

/// Three fields of a map.
fn describe(rights: &Selector, reply: &mut dyn Output) {
    let fields =
        [("commands", rights.command_rules()), ("keys", rights.key_rules()), ("channels", rights.channel_rules())];
    for (name, rules) in fields {
        reply.bulk(name.as_bytes());
        reply.bulk(&rules.join(&b' '));
    }
}

fn list(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let accounts = session.engine.users().list();
    reply.array(accounts.len());
    for account in accounts {
        let rules = account.user().rules().join(&b' ');
        reply.bulk(&[b"user ", account.name(), b" ", &rules].concat());
    }
    Ok(())
}

fn users(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let accounts = session.engine.users().list();
    reply.array(accounts.len());
    for account in accounts {
        reply.bulk(account.name());
    }
    Ok(())
}

fn whoami(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.bulk(session.account.name());
    Ok(())
}

/// Users are kept with the data, so there is no file to load or save.
fn no_file(_session: &mut Session, _request: &Request<'_>, _reply: &mut dyn Output) -> Result {
    Err(NO_FILE)
}

fn cat(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    check_words(request.args, 3)?;
    let Some(word) = request.args.get(2) else {
        reply.array(CATEGORIES.len());
        for category in CATEGORIES {
            reply.bulk(category.as_bytes());
        }
        return Ok(());
    };
    let category = CATEGORIES.iter().find(|name| is(word, name)).ok_or_else(|| {
        let shown = String::from_utf8_lossy(&word[..word.len().min(128)]);
        error(format!("ERR Unknown category '{shown}'"))
    })?;
    let commands = Registry::get().commands().iter();
    let commands: Vec<_> = commands.filter(|command| command.categories().contains(category)).collect();
    reply.array(commands.len());
    for command in commands {
        reply.bulk(command.spec.name.as_bytes());
    }
    Ok(())
}

fn genpass(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    check_words(request.args, 3)?;
    let bits = request.args.get(2).map_or(Ok(BITS_DEFAULT), integer)?;
    if !(1..=BITS_MAX).contains(&bits) {
        return Err(error(format!(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to \
             {BITS_MAX}"
        )));
    }
    let digits = (bits as usize).div_ceil(4);
    let mut random = vec![0; digits.div_ceil(2)];
    getrandom::fill(&mut random).map_err(|reason| error(format!("ERR no random numbers to be had: {reason}")))?;
    let text: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    reply.bulk(&text.as_bytes()[..digits]);
    Ok(())
}

fn dryrun(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let (name, inner) = (&request.args[2], request.args.skip(3));
    let account = session
        .engine
        .users()
        .find(name)
        .ok_or_else(|| error(format!("ERR User '{}' not found", String::from_utf8_lossy(name))))?;
    let Lookup::Found(command) = Registry::get().lookup(&inner) else {
        return Err(error(format!("ERR Command '{}' not found", String::from_utf8_lossy(&inner[0]))));
    };
    if !command.spec.accepts(inner.len()) {
        return Err(error(format!("ERR wrong number of arguments for '{}' command", command.spec.name)));
    }
    match account.check(command, inner) {
        Ok(()) => reply.ok(),
        Err(denial) => {
            let object = inner.get(denial.word).unwrap_or_default();
            reply.bulk(denial.detail(account.name(), command, object).as_bytes());
        }
    }
    Ok(())
}

fn log(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    check_words(request.args, 3)?;
    let log = session.engine.users().log();
    let count = match request.args.get(2) {
        Some(word) if is(word, "reset") => {
            log.clear();
            reply.ok();
            return Ok(());
        }
        word => word.map_or(Ok(ENTRIES_DEFAULT), integer)?,
    };
    let entries = log.entries(usize::try_from(count).unwrap_or(0));
    reply.array(entries.len());
    for entry in entries {
        describe_entry(&entry, request.clock.unix_ms(), reply);
    }
    Ok(())
}

fn describe_entry(entry: &Entry, now_ms: i64, reply: &mut dyn Output) {
    let cause = match entry.cause {
        Cause::Command => "command",
        Cause::Key => "key",
        Cause::Channel => "channel",
        Cause::Login => "auth",
    };
    let setting = match entry.setting {
        Setting::TopLevel => "toplevel",
        Setting::Transaction => "multi",
        Setting::Script => "lua",
    };
    reply.map(10);
    reply.bulk(b"count");
    reply.integer(entry.count as i64);
    let texts: [(&str, &[u8]); 5] = [
        ("reason", cause.as_bytes()),
        ("context", setting.as_bytes()),
        ("object", &entry.object),
        ("username", &entry.user),
        ("client-info", entry.client.as_bytes()),
    ];
    for (name, text) in &texts[..4] {
        reply.bulk(name.as_bytes());
        reply.bulk(text);
    }
    reply.bulk(b"age-seconds");
    reply.double((now_ms - entry.updated_ms) as f64 / 1000.0);
    for (name, text) in &texts[4..] {
        reply.bulk(name.as_bytes());
        reply.bulk(text);
    }
    let numbers = [
        ("entry-id", entry.id as i64),
        ("timestamp-created", entry.created_ms),
        ("timestamp-last-updated", entry.updated_ms),
    ];
    for (name, number) in numbers {
        reply.bulk(name.as_bytes());
        reply.integer(number);
    }
}
