//! What each command does with its keys, and which of its words are channels: what COMMAND shows, and what the rights of
//! a user are compared with. Where the keys stand is said by the command's row.

#[cfg(test)]
mod tests;

use std::ops::Range;

use ennead_kv::{Args, Flag, Spec};

/// What happens to a key, in the words of COMMAND GETKEYSANDFLAGS: first `RO`, `RW`, `OW` or `RM`, which are about the
/// key as a whole, then what is done with the user's data in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyAccess(pub(crate) &'static [&'static str]);

const READS: KeyAccess = KeyAccess(&["RO", "access"]);
const LOOKS: KeyAccess = KeyAccess(&["RO"]);
const CHANGES: KeyAccess = KeyAccess(&["RW", "access", "update"]);
const OVERWRITES: KeyAccess = KeyAccess(&["OW", "update"]);
const CREATES: KeyAccess = KeyAccess(&["OW", "insert"]);
const REMOVES: KeyAccess = KeyAccess(&["RM", "delete"]);
const COUNTS: KeyAccess = KeyAccess(&["RW", "access"]);
const TAKES: KeyAccess = KeyAccess(&["RW", "access", "delete"]);
const DELETES: KeyAccess = KeyAccess(&["RW", "delete"]);
const INSERTS: KeyAccess = KeyAccess(&["RW", "insert"]);
const UPDATES: KeyAccess = KeyAccess(&["RW", "update"]);
const MERGES: KeyAccess = KeyAccess(&["RW", "access", "insert"]);
/// Of shard channels, which have a place in a cluster like a key.
const NO_KEY: KeyAccess = KeyAccess(&["not_key"]);

impl KeyAccess {
    /// Of the key of this number, counted from 0, whatever the request's options are.
    pub(crate) fn declared(spec: &Spec, number: usize) -> KeyAccess {
        match (spec.name, number) {
            ("rename" | "georadius" | "georadiusbymember" | "copy", 1..) | ("sort", 2) => OVERWRITES,
            ("renamenx", 1) => CREATES,
            ("blmove" | "brpoplpush" | "lmove" | "rpoplpush" | "smove", 1) => INSERTS,
            ("pfmerge", 0) => MERGES,
            ("sinterstore", 0) => UPDATES,
            ("bitop" | "geosearchstore" | "sdiffstore" | "sunionstore", 0) => OVERWRITES,
            ("zdiffstore" | "zinterstore" | "zrangestore" | "zunionstore", 0) => OVERWRITES,
            ("bitop" | "geosearchstore" | "sdiffstore" | "sinterstore" | "sunionstore" | "pfmerge", _) => READS,
            ("zdiffstore" | "zinterstore" | "zrangestore" | "zunionstore", _) => READS,
            ("copy" | "georadius" | "georadiusbymember" | "sort" | "xreadgroup", _) => READS,
            ("rename" | "renamenx" | "migrate" | "smove", _) => TAKES,
            (name, _) => Self::of_each_key(name, spec.is(Flag::Write)),
        }
    }

    /// Of commands that do the same with all of their keys.
    fn of_each_key(name: &str, writes: bool) -> KeyAccess {
        match name {
            "msetnx" | "setnx" => CREATES,
            "mset" | "psetex" | "restore" | "restore-asking" | "setex" => OVERWRITES,
            "del" | "unlink" => REMOVES,
            "exists" | "hexists" | "hlen" | "hstrlen" | "llen" | "memory|usage" | "scard" | "sismember" => LOOKS,
            "strlen" | "touch" | "type" | "watch" | "xlen" | "zcard" => LOOKS,
            "object|encoding" | "object|freq" | "object|idletime" | "object|refcount" => LOOKS,
            "pfcount" | "pfdebug" => COUNTS,
            "blmove" | "blmpop" | "blpop" | "brpop" | "brpoplpush" | "lmove" | "lmpop" | "lpop" => TAKES,
            "rpop" | "rpoplpush" | "bzmpop" | "bzpopmax" | "bzpopmin" | "getdel" | "spop" => TAKES,
            "zmpop" | "zpopmax" | "zpopmin" => TAKES,
            "hdel" | "lrem" | "ltrim" | "srem" | "xautoclaim" | "xdel" | "xtrim" | "zrem" => DELETES,
            "xgroup|delconsumer" | "xgroup|destroy" => DELETES,
            "zremrangebylex" | "zremrangebyrank" | "zremrangebyscore" => DELETES,
            "append" | "hsetnx" | "linsert" | "lpush" | "lpushx" | "pfadd" | "rpush" | "rpushx" | "sadd" => INSERTS,
            "xgroup|create" | "xgroup|createconsumer" => INSERTS,
            "expire" | "expireat" | "persist" | "pexpire" | "pexpireat" | "setrange" | "lset" => UPDATES,
            "geoadd" | "hmset" | "hset" | "zadd" | "xack" | "xadd" | "xclaim" | "xgroup|setid" | "xsetid" => UPDATES,
            "eval" | "evalsha" | "fcall" => CHANGES,
            "spublish" | "ssubscribe" | "sunsubscribe" => NO_KEY,
            _ if writes => CHANGES,
            _ => READS,
        }
    }

    /// Of the key of this number in a request.
    pub(crate) fn of(spec: &Spec, number: usize, args: Args<'_>) -> KeyAccess {
        match spec.name {
            // In a request, the keys that patterns stand for are not among those that it names.
            "sort" if number == 1 => OVERWRITES,
            // The former value is read only when it is asked for.
            "set" if !args.iter_from(3).any(|word| word.eq_ignore_ascii_case(b"get")) => OVERWRITES,
            "bitfield" if only_gets(args) => READS,
            _ => Self::declared(spec, number),
        }
    }

    /// Whether the user's data in the key become known.
    pub(crate) fn reads(self) -> bool {
        self.0.contains(&"access")
    }

    /// Whether they change.
    pub(crate) fn writes(self) -> bool {
        ["insert", "update", "delete"].iter().any(|word| self.0.contains(word))
    }
}

/// Whether a BITFIELD has no operation that writes. One that is not understood counts as writing.
fn only_gets(args: Args<'_>) -> bool {
    let mut at = 2;
    while let Some(word) = args.get(at) {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        let left = args.len() - at - 1;
        at += match (is("get"), is("overflow")) {
            (true, _) if left >= 2 => 3,
            (_, true) if left >= 1 => 2,
            _ => return false,
        };
    }
    true
}

/// The keys of a request: their word numbers, and what happens to each.
pub(crate) fn keys<'a>(spec: &'a Spec, args: Args<'a>) -> impl Iterator<Item = (usize, KeyAccess)> + use<'a> {
    let keys = spec.keys.positions(args).enumerate();
    keys.map(move |(number, word)| (word, KeyAccess::of(spec, number, args))).filter(|(_, access)| *access != NO_KEY)
}

/// The words of a request that name channels which the user must have the right to, and whether they are patterns. To
/// unsubscribe needs no right.
pub(crate) fn channels(spec: &Spec, args: Args<'_>) -> (Range<usize>, bool) {
    match spec.name {
        "publish" | "spublish" => (1..2.min(args.len()), false),
        "subscribe" | "ssubscribe" => (1..args.len(), false),
        "psubscribe" => (1..args.len(), true),
        _ => (0..0, false),
    }
}
