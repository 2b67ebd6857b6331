//! The one table of commands: the keyspace's rows and the engine's own, with a lookup that neither allocates nor minds
//! the case of letters. Everything that depends on a command (figures, COMMAND, ACL categories) goes by its index here.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use ennead_kv::{Args, Flag, Group, Spec};

use crate::commands::{self, Run};

/// A command that sessions can execute.
#[derive(Debug)]
pub struct Command {
    pub spec: Spec,
    /// Its place in [`Registry::commands`].
    pub index: usize,
    /// The container of a subcommand.
    pub parent: Option<usize>,
    /// Subcommands, for a container.
    pub children: Vec<usize>,
    pub(crate) handler: Handler,
    flags: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Handler {
    Keyspace(&'static ennead_kv::Command),
    Engine(Run),
    /// A container whose own name is no request.
    Container,
}

impl Command {
    #[inline]
    pub fn has(&self, flag: Flag) -> bool {
        self.flags & (1 << flag as u32) != 0
    }

    /// Whether it is about messages. No model has a group of commands for these.
    pub fn is_pubsub(&self) -> bool {
        self.has(Flag::PubSub) || self.spec.name.starts_with("pubsub")
    }

    /// Whether it may have Redis send something to replicas although it is no write. COMMAND INFO does not show that.
    pub(crate) fn may_replicate(&self) -> bool {
        ["eval", "evalsha", "fcall", "pfcount", "publish", "spublish"].contains(&self.spec.name)
    }

    /// Whether it runs a script or a function: EVAL, FCALL and their like.
    pub(crate) fn runs_script(&self) -> bool {
        self.spec.group == Group::Scripting && self.has(Flag::MovableKeys)
    }

    /// Whether its requests have the keyspace to themselves for most of their time.
    #[inline]
    pub(crate) fn is_exclusive(&self) -> bool {
        self.runs_script() || self.spec.name == "exec"
    }

    /// The key of a request that has one, and whether it may be changed.
    #[inline]
    pub(crate) fn sole_key<'r>(&self, args: Args<'r>) -> Option<(&'r [u8], bool)> {
        match self.handler {
            Handler::Keyspace(row) => row.sole_key(args),
            Handler::Engine(_) if self.runs_script() => {
                let mut positions = self.spec.keys.positions(args);
                let first = positions.next().filter(|_| positions.next().is_none())?;
                Some((args.get(first)?, !self.has(Flag::ReadOnly)))
            }
            _ => None,
        }
    }

    /// Its ACL categories, without the `@`. A container has those of nobody: its subcommands have their own.
    pub fn categories(&self) -> Vec<&'static str> {
        match self.handler {
            Handler::Container => vec!["slow"],
            _ => commands::categories(&self.spec),
        }
    }

    /// The name after the container's, or the whole name.
    pub fn own_name(&self) -> &'static str {
        self.spec.name.split_once('|').map_or(self.spec.name, |(_, sub)| sub)
    }
}

/// What a request's first words name.
#[derive(Debug, Clone, Copy)]
pub enum Lookup {
    Found(&'static Command),
    UnknownSubcommand(&'static Command),
    Unknown,
}

/// All commands, sorted by name.
#[derive(Debug)]
pub struct Registry {
    commands: Vec<Command>,
    /// Open addressing by a hash of the lower-case name; containers and plain commands only.
    slots: Vec<u16>,
}

const EMPTY: u16 = u16::MAX;

impl Registry {
    /// The table, built on first use.
    #[inline]
    pub fn get() -> &'static Registry {
        static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);
        &REGISTRY
    }

    /// The keyspace's commands and the engine's.
    fn new() -> Self {
        let mut rows: Vec<(Spec, Handler)> = Vec::new();
        rows.extend(ennead_kv::commands().map(|command| (command.spec, Handler::Keyspace(command))));
        for row in commands::rows() {
            // A model's row wins over the engine's fallback of the same name.
            if !rows.iter().any(|(spec, _)| spec.name == row.spec.name) {
                rows.push((row.spec, Handler::Engine(row.run)));
            }
        }
        add_containers(&mut rows);
        rows.sort_by_key(|(spec, _)| spec.name);
        let mut commands: Vec<Command> = rows
            .into_iter()
            .enumerate()
            .map(|(index, (spec, handler))| Command {
                spec,
                index,
                parent: None,
                children: Vec::new(),
                handler,
                flags: spec.flags.iter().fold(0, |set, flag| set | 1 << *flag as u32),
            })
            .collect();
        for index in 0..commands.len() {
            let Some((container, _)) = commands[index].spec.name.split_once('|') else { continue };
            if let Ok(parent) = commands.binary_search_by(|command| command.spec.name.cmp(container)) {
                commands[index].parent = Some(parent);
                commands[parent].children.push(index);
            }
        }
        let slots = build_slots(&commands);
        Registry { commands, slots }
    }

    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The command of a request's first word, or of its first two.
    #[inline]
    pub fn lookup(&'static self, args: &Args<'_>) -> Lookup {
        let Some(command) = self.by_name(&args[0]) else { return Lookup::Unknown };
        if command.children.is_empty() {
            return Lookup::Found(command);
        }
        let Some(word) = args.get(1) else { return Lookup::Found(command) };
        match self.child(command, word) {
            Some(child) => Lookup::Found(child),
            None => Lookup::UnknownSubcommand(command),
        }
    }

    /// A command by its full name, `container|sub` included, in any case.
    pub fn find(&self, name: &[u8]) -> Option<&Command> {
        match memchr_bar(name) {
            None => self.by_name(name),
            Some(bar) => self.child(self.by_name(&name[..bar])?, &name[bar + 1..]),
        }
    }

    fn child(&self, command: &Command, word: &[u8]) -> Option<&Command> {
        command
            .children
            .iter()
            .map(|index| &self.commands[*index])
            .find(|child| child.own_name().as_bytes().eq_ignore_ascii_case(word))
    }

    #[inline]
    fn by_name(&self, name: &[u8]) -> Option<&Command> {
        let mask = self.slots.len() - 1;
        let mut at = hash(name) & mask;
        loop {
            let slot = self.slots[at];
            if slot == EMPTY {
                return None;
            }
            let command = &self.commands[slot as usize];
            if command.spec.name.as_bytes().eq_ignore_ascii_case(name) {
                return Some(command);
            }
            at = (at + 1) & mask;
        }
    }
}

/// A row for each container that only has rows for its subcommands.
fn add_containers(rows: &mut Vec<(Spec, Handler)>) {
    let mut index = 0;
    while index < rows.len() {
        let spec = rows[index].0;
        index += 1;
        let Some((container, _)) = spec.name.split_once('|') else { continue };
        if rows.iter().any(|(other, _)| other.name == container) {
            continue;
        }
        let row = Spec {
            name: container,
            arity: -2,
            keys: ennead_kv::KeySpec::None,
            flags: &[],
            categories: &[],
            complexity: "Depends on subcommand.",
            summary: "A container for commands.",
            syntax: "",
            ..spec
        };
        rows.push((row, Handler::Container));
    }
}

fn build_slots(commands: &[Command]) -> Vec<u16> {
    let mut slots = vec![EMPTY; (commands.len() * 4).next_power_of_two()];
    let mask = slots.len() - 1;
    for command in commands.iter().filter(|command| !command.spec.name.contains('|')) {
        let mut at = hash(command.spec.name.as_bytes()) & mask;
        while slots[at] != EMPTY {
            at = (at + 1) & mask;
        }
        slots[at] = command.index as u16;
    }
    slots
}

/// Of the first eight bytes with the bit that tells lower case from upper set, and of the length.
#[inline]
fn hash(name: &[u8]) -> usize {
    const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut word = name.len() as u64;
    for byte in &name[..name.len().min(10)] {
        word = word.rotate_left(7) ^ u64::from(byte | 0x20);
    }
    (word.wrapping_mul(MULTIPLIER) >> 40) as usize
}

fn memchr_bar(name: &[u8]) -> Option<usize> {
    name.iter().position(|byte| *byte == b'|')
}
