//! What a user is not allowed of a request, and how that is said.

use ennead_kv::{Args, Flag};
use smallvec::SmallVec;

use super::selector::Selector;
use super::user::User;
use crate::key_access::{self, KeyAccess};
use crate::registry::Command;

/// What is not allowed; of several selectors the one counts that comes furthest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    Command,
    Key,
    /// A login that failed: only in the log.
    Login,
    Channel,
}

/// A request that is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Denial {
    pub(crate) cause: Cause,
    /// The word of the key or channel.
    pub(crate) word: usize,
}

type Keys = SmallVec<[(usize, KeyAccess); 4]>;

impl User {
    /// Whether the user may run this request, which the command's arity accepts.
    pub(super) fn check(&self, command: &Command, args: Args<'_>) -> Result<(), Denial> {
        let mut keys = None;
        let mut worst = Denial { cause: Cause::Command, word: 0 };
        for selector in self.selectors() {
            match selector.check(command, args, &mut keys) {
                Ok(()) => return Ok(()),
                Err(denial) => worst = worst.max(denial),
            }
        }
        Err(worst)
    }

    /// Whether one selector allows the request and reading all keys, which SORT with patterns of keys needs.
    pub(super) fn reads_everything(&self, command: &Command, args: Args<'_>) -> bool {
        let mut keys = None;
        self.selectors().any(|selector| selector.reads_all_keys() && selector.check(command, args, &mut keys).is_ok())
    }
}

impl Selector {
    /// `keys` are those of the request, once they are known.
    fn check(&self, command: &Command, args: Args<'_>, keys: &mut Option<Keys>) -> Result<(), Denial> {
        let word = args.get(if command.parent.is_some() { 2 } else { 1 });
        if !command.has(Flag::NoAuth) && !self.commands.allow(command, word) {
            return Err(Denial { cause: Cause::Command, word: 0 });
        }
        if !self.all_keys {
            let keys = keys.get_or_insert_with(|| key_access::keys(&command.spec, args).collect());
            for (word, access) in keys.iter() {
                if !self.allows_key(&args[*word], *access) {
                    return Err(Denial { cause: Cause::Key, word: *word });
                }
            }
        }
        if !self.all_channels {
            let (words, are_patterns) = key_access::channels(&command.spec, args);
            for word in words {
                if !self.allows_channel(&args[word], are_patterns) {
                    return Err(Denial { cause: Cause::Channel, word });
                }
            }
        }
        Ok(())
    }
}

impl Denial {
    /// As a client that sent the request is told.
    pub(crate) fn message(&self, user: &[u8], command: &Command) -> String {
        match self.cause {
            Cause::Key => "No permissions to access a key".to_owned(),
            Cause::Channel => "No permissions to access a channel".to_owned(),
            Cause::Command | Cause::Login => self.detail(user, command, b""),
        }
    }

    /// With the key or channel, `object`: as whoever may see the rules is told.
    pub(crate) fn detail(&self, user: &[u8], command: &Command, object: &[u8]) -> String {
        let (user, object) = (String::from_utf8_lossy(user), String::from_utf8_lossy(object));
        match self.cause {
            Cause::Key => format!("User {user} has no permissions to access the '{object}' key"),
            Cause::Channel => format!("User {user} has no permissions to access the '{object}' channel"),
            Cause::Command | Cause::Login => {
                format!("User {user} has no permissions to run the '{}' command", command.spec.name)
            }
        }
    }

    /// As EXEC says it of a request that was allowed when it was queued.
    pub(crate) fn change(&self) -> String {
        let reason = match self.cause {
            Cause::Command | Cause::Login => "no permission to execute the command or subcommand",
            Cause::Key => "no permission to touch the specified keys",
            Cause::Channel => "no permission to access one of the channels used as arguments",
        };
        format!(
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
             command is no longer allowed for the following reason: {reason}"
        )
    }
}
