//! Which commands may be run: a bit for each, and the rules that led to them.
//!
//! The rules are kept as they were given, so that ACL LIST shows them and a later version, which knows more commands,
//! reads the same intent from them. Invariant: applying the rules to the base gives the bits.

use std::collections::{BTreeMap, BTreeSet};

use super::rule_error::Refusal;
use crate::registry::{Command, Registry};

/// The ACL categories, in Redis's order.
pub(crate) const CATEGORIES: &[&str] = &[
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandRights {
    /// By the command's index in the registry.
    bits: Box<[u64]>,
    /// From `+@all` on, no rule takes anything away.
    all: bool,
    /// The rules begin with `+@all`, not with `-@all`.
    from_all: bool,
    /// Commands without subcommands that are allowed with some first words only, in lower case: `+select|0`.
    first_words: BTreeMap<usize, BTreeSet<Vec<u8>>>,
    /// With their sign, in lower case.
    rules: Vec<Vec<u8>>,
}

impl CommandRights {
    /// To run nothing.
    pub(super) fn none() -> CommandRights {
        let words = Registry::get().commands().len().div_ceil(64);
        CommandRights {
            bits: vec![0; words].into(),
            all: false,
            from_all: false,
            first_words: BTreeMap::new(),
            rules: Vec::new(),
        }
    }

    /// Whether every command may be run, those of later versions as well.
    pub(super) fn is_all(&self) -> bool {
        self.all
    }

    /// Whether a command may be run; `word` is the one behind its name.
    pub(super) fn allow(&self, command: &Command, word: Option<&[u8]>) -> bool {
        let index = command.index;
        let first_word = || {
            let (word, allowed) = (word?, self.first_words.get(&index)?);
            Some(allowed.contains(&word.to_ascii_lowercase()))
        };
        self.all || self.bits[index / 64] & 1 << (index % 64) != 0 || first_word().unwrap_or(false)
    }

    /// `+@all` or `-@all`.
    pub(super) fn set_all(&mut self, allow: bool) {
        self.bits.fill(if allow { u64::MAX } else { 0 });
        (self.all, self.from_all) = (allow, allow);
        self.first_words.clear();
        self.rules.clear();
    }

    /// A rule that begins with `+` or `-`, other than those of [`CommandRights::set_all`].
    pub(super) fn apply(&mut self, rule: &[u8]) -> Result<(), Refusal> {
        let (allow, name) = (rule[0] == b'+', &rule[1..]);
        if let Some(category) = name.strip_prefix(b"@") {
            return self.apply_category(allow, name, category);
        }
        let bar = name.iter().rposition(|byte| *byte == b'|');
        match bar {
            Some(bar) if allow => self.allow_part(name, &name[..bar], &name[bar + 1..]),
            _ => {
                let command = Registry::get().find(name).ok_or(Refusal::Unknown)?;
                self.change(command, allow);
                self.keep_rule(allow, command.spec.name.as_bytes());
                Ok(())
            }
        }
    }

    fn apply_category(&mut self, allow: bool, name: &[u8], category: &[u8]) -> Result<(), Refusal> {
        let known = CATEGORIES.iter().find(|known| known.as_bytes().eq_ignore_ascii_case(category));
        let known = known.ok_or(Refusal::Unknown)?;
        for command in Registry::get().commands() {
            if command.categories().contains(known) {
                self.change(command, allow);
            }
        }
        self.keep_rule(allow, name);
        Ok(())
    }

    /// `+container|subcommand`, or a command with a first word.
    fn allow_part(&mut self, name: &[u8], container: &[u8], word: &[u8]) -> Result<(), Refusal> {
        let command = Registry::get().find(container).ok_or(Refusal::Unknown)?;
        if command.parent.is_some() {
            return Err(Refusal::FirstWordOfSubcommand);
        }
        // Rules are shown and stored with blanks between them.
        if word.is_empty() || super::has_blank(word) {
            return Err(Refusal::Syntax);
        }
        if command.children.is_empty() {
            self.first_words.entry(command.index).or_default().insert(word.to_ascii_lowercase());
        } else {
            self.change(Registry::get().find(name).ok_or(Refusal::Unknown)?, true);
        }
        self.keep_rule(true, name);
        Ok(())
    }

    /// A command with its subcommands.
    fn change(&mut self, command: &Command, allow: bool) {
        self.first_words.remove(&command.index);
        for index in command.children.iter().chain([&command.index]) {
            let (word, bit) = (&mut self.bits[index / 64], 1 << (index % 64));
            *word = if allow { *word | bit } else { *word & !bit };
        }
    }

    /// Adds a rule and drops those that it makes void: of the same name, and of its subcommands and first words.
    fn keep_rule(&mut self, allow: bool, name: &[u8]) {
        let name = name.to_ascii_lowercase();
        self.rules.retain(|rule| match rule[1..].strip_prefix(name.as_slice()) {
            Some(rest) => !rest.is_empty() && rest[0] != b'|',
            None => true,
        });
        self.rules.push([if allow { b"+" } else { b"-" }, name.as_slice()].concat());
        // By the rules that are left, not by those that were given: the former are what is read after a restart.
        self.all = self.from_all && self.rules.iter().all(|rule| rule[0] == b'+');
    }

    /// The rules that lead from nothing to these rights.
    pub(super) fn rules(&self) -> Vec<Vec<u8>> {
        let base: &[u8] = if self.from_all { b"+@all" } else { b"-@all" };
        std::iter::once(base.to_vec()).chain(self.rules.iter().cloned()).collect()
    }
}
