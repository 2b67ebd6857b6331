//! A set of rights: commands, keys and channels. A request needs one selector that allows all of it.

use ennead_kv::glob;

use super::command_rights::CommandRights;
use super::has_blank;
use super::rule_error::Refusal;
use crate::key_access::KeyAccess;

/// Keys that may be read, written or both.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KeyPattern {
    pattern: Vec<u8>,
    read: bool,
    write: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(super) commands: CommandRights,
    pub(super) all_keys: bool,
    keys: Vec<KeyPattern>,
    pub(super) all_channels: bool,
    channels: Vec<Vec<u8>>,
}

impl Selector {
    /// To do nothing, except with channels when `all_channels` says so.
    pub(super) fn new(all_channels: bool) -> Selector {
        Selector {
            commands: CommandRights::none(),
            all_keys: false,
            keys: Vec::new(),
            all_channels,
            channels: Vec::new(),
        }
    }

    /// From a rule in parentheses. `apply` puts one rule of it into effect.
    pub(super) fn parse(
        rule: &[u8],
        all_channels: bool,
        apply: impl Fn(&mut Selector, &[u8]) -> Result<(), Refusal>,
    ) -> Result<Selector, Refusal> {
        let mut selector = Selector::new(all_channels);
        let inner = &rule[1..rule.len() - 1];
        for word in inner.split(|byte| super::is_blank(*byte)).filter(|word| !word.is_empty()) {
            apply(&mut selector, word)?;
        }
        Ok(selector)
    }

    /// One rule about commands, keys or channels.
    pub(super) fn apply(&mut self, rule: &[u8]) -> Result<(), Refusal> {
        let is = |names: [&str; 2]| names.iter().any(|name| rule.eq_ignore_ascii_case(name.as_bytes()));
        if is(["allkeys", "~*"]) || is(["resetkeys", "resetkeys"]) {
            self.all_keys = !is(["resetkeys", "resetkeys"]);
            self.keys.clear();
        } else if is(["allchannels", "&*"]) || is(["resetchannels", "resetchannels"]) {
            self.all_channels = !is(["resetchannels", "resetchannels"]);
            self.channels.clear();
        } else if is(["allcommands", "+@all"]) {
            self.commands.set_all(true);
        } else if is(["nocommands", "-@all"]) {
            self.commands.set_all(false);
        } else {
            match rule.first() {
                Some(b'~' | b'%') => self.add_keys(rule)?,
                Some(b'&') => self.add_channels(&rule[1..])?,
                Some(b'+' | b'-') => self.commands.apply(rule)?,
                _ => return Err(Refusal::Syntax),
            }
        }
        Ok(())
    }

    /// `~pattern`, or `%`, letters and `~pattern`.
    fn add_keys(&mut self, rule: &[u8]) -> Result<(), Refusal> {
        if self.all_keys {
            return Err(Refusal::AllKeys);
        }
        let (mut read, mut write, mut at) = (true, true, 1);
        if rule[0] == b'%' {
            (read, write) = (false, false);
            while let Some(letter) = rule.get(at) {
                at += 1;
                match letter.to_ascii_uppercase() {
                    b'R' if !read => read = true,
                    b'W' if !write => write = true,
                    b'~' => break,
                    _ => return Err(Refusal::Syntax),
                }
            }
        }
        let pattern = &rule[at..];
        if has_blank(pattern) || !(read || write) {
            return Err(Refusal::Syntax);
        }
        match self.keys.iter_mut().find(|known| known.pattern == pattern) {
            Some(known) => {
                known.read |= read;
                known.write |= write;
            }
            None => self.keys.push(KeyPattern { pattern: pattern.to_vec(), read, write }),
        }
        Ok(())
    }

    fn add_channels(&mut self, pattern: &[u8]) -> Result<(), Refusal> {
        if self.all_channels {
            return Err(Refusal::AllChannels);
        }
        if has_blank(pattern) {
            return Err(Refusal::Syntax);
        }
        if !self.channels.iter().any(|known| known == pattern) {
            self.channels.push(pattern.to_vec());
        }
        Ok(())
    }

    /// Whether everything is allowed.
    pub(super) fn is_all(&self) -> bool {
        self.commands.is_all() && self.all_keys && self.all_channels
    }

    pub(super) fn allows_key(&self, key: &[u8], access: KeyAccess) -> bool {
        self.all_keys
            || self.keys.iter().any(|known| {
                (known.read || !access.reads()) && (known.write || !access.writes()) && fits(&known.pattern, key)
            })
    }

    /// A pattern of channels must stand among the user's as it is: whether one pattern covers another is not worked out.
    pub(super) fn allows_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        self.all_channels
            || self.channels.iter().any(|known| match is_pattern {
                true => known == channel,
                false => fits(known, channel),
            })
    }

    /// Whether all keys may be read, whatever they are called.
    pub(super) fn reads_all_keys(&self) -> bool {
        self.all_keys || self.keys.iter().any(|known| known.read && known.pattern == b"*")
    }

    /// The rules about keys. As in Redis `~*` can be the pattern that `%RW~*` adds, and then be followed by others.
    pub(crate) fn key_rules(&self) -> Vec<Vec<u8>> {
        if self.all_keys {
            return vec![b"~*".to_vec()];
        }
        let rules = self.keys.iter().map(|KeyPattern { pattern, read, write }| {
            let prefix: &[u8] = match (read, write) {
                (true, true) => b"~",
                (true, false) => b"%R~",
                _ => b"%W~",
            };
            [prefix, pattern].concat()
        });
        rules.collect()
    }

    /// The rules about channels.
    pub(crate) fn channel_rules(&self) -> Vec<Vec<u8>> {
        if self.all_channels {
            return vec![b"&*".to_vec()];
        }
        self.channels.iter().map(|pattern| [b"&", pattern.as_slice()].concat()).collect()
    }

    /// The rules about commands.
    pub(crate) fn command_rules(&self) -> Vec<Vec<u8>> {
        self.commands.rules()
    }

    /// The rules that lead from nothing to these rights.
    pub(super) fn rules(&self) -> Vec<Vec<u8>> {
        let mut rules = self.key_rules();
        if !self.all_channels {
            rules.push(b"resetchannels".to_vec());
        }
        rules.extend(self.channel_rules());
        rules.extend(self.command_rules());
        rules
    }
}

/// As Redis compares: an empty name fits an empty pattern only, not even a star.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    name.is_empty() == pattern.is_empty() && glob::matches(pattern, name)
}
