//! Requests about users, and rules for them. Nobody logs in here: what users may do is compared in [`super::super::acl`].

use super::{Words, pick};
use crate::random::Random;

pub(super) fn request(random: &mut Random) -> Words {
    const CALLS: &[&[&str]] = &[
        &["ACL", "WHOAMI"],
        &["ACL", "USERS"],
        &["ACL", "LIST"],
        &["ACL", "CAT"],
        &["ACL", "CAT", "read"],
        &["ACL", "CAT", "nosuch"],
        &["ACL", "CAT", "read", "write"],
        &["ACL", "DELUSER", "ann"],
        &["ACL", "DELUSER", "ann", "bob", "ann"],
        &["ACL", "DELUSER", "default"],
        &["ACL", "GETUSER", "ann"],
        &["ACL", "GETUSER", "nosuch"],
        &["ACL", "GENPASS"],
        &["ACL", "GENPASS", "5"],
        &["ACL", "GENPASS", "0"],
        &["ACL", "GENPASS", "4097"],
        &["ACL", "GENPASS", "x"],
        &["ACL", "LOG"],
        &["ACL", "LOG", "RESET"],
        &["ACL", "LOG", "-1"],
        &["ACL", "LOG", "x"],
        &["ACL", "LOG", "1", "2"],
        &["ACL", "SAVE"],
        &["ACL", "LOAD"],
        &["ACL", "HELP"],
        &["ACL", "bogus"],
        &["ACL"],
        &["ACL", "DRYRUN", "nosuch", "get", "a"],
        &["ACL", "DRYRUN", "ann", "nosuch"],
        &["ACL", "DRYRUN", "ann", "get"],
        &["ACL", "DRYRUN", "ann", "get", "a"],
        &["ACL", "DRYRUN", "ann", "config", "get", "x"],
        &["ACL", "DRYRUN", "ann", "config", "nosuch", "x"],
        &["ACL", "SETUSER", "a b", "on"],
        &["CONFIG", "GET", "acllog-max-len"],
        &["CONFIG", "GET", "acl-pubsub-default"],
        &["CONFIG", "SET", "acl-pubsub-default", "bogus"],
    ];
    if random.one_in(2) {
        return random.pick(CALLS).iter().map(|word| Vec::from(*word)).collect();
    }
    let mut words: Words = ["ACL", "SETUSER"].iter().map(|word| Vec::from(*word)).collect();
    words.push(pick(random, &["ann", "ann", "bob"]));
    words.extend((0..random.below(5)).map(|_| rule(random, false)));
    words
}

/// A rule of ACL SETUSER. `inner` ones may stand in parentheses.
pub(in super::super) fn rule(random: &mut Random, inner: bool) -> Vec<u8> {
    const KINDS: &[&str] = &[
        "keyspace",
        "read",
        "write",
        "string",
        "fast",
        "slow",
        "connection",
        "transaction",
        "dangerous",
        "admin",
        "x",
    ];
    const COMMANDS: &[&str] = &[
        "get",
        "set",
        "mget",
        "mset",
        "del",
        "copy",
        "rename",
        "incr",
        "exists",
        "expire",
        "config",
        "config|get",
        "CLIENT",
        "client|id",
        "object",
        "object|encoding",
        "select",
        "multi",
        "exec",
        "select|0",
        "ping|x",
        "select|",
        "nosuch",
        "config|nosuch",
        "config|get|x",
        "echo",
        "scan",
        "keys",
        "flushall",
        "acl|whoami",
        "command",
    ];
    const PATTERNS: &[&str] = &["*", "a*", "a", "b", "[a-c]", "{t}?", "k y", "*x", "", "caf*"];
    const PASSWORDS: &[&str] = &[
        ">one",
        ">two",
        "<one",
        "<nobody",
        "nopass",
        "resetpass",
        "#abc",
        "!abc",
        "#81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9",
        "!81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9",
    ];
    let joined =
        |random: &mut Random, sign: &[&str], names: &[&str]| [pick(random, sign), pick(random, names)].concat();
    match random.below(if inner { 17 } else { 24 }) {
        0..=2 => joined(random, &["+@", "+@", "-@"], KINDS),
        3..=7 => joined(random, &["+", "+", "-"], COMMANDS),
        8 => pick(random, &["allcommands", "nocommands", "+@all", "-@all", "ALLCOMMANDS"]),
        9..=13 => joined(random, &["~", "%R~", "%W~", "%RW~", "%r~", "%RR~", "%"], PATTERNS),
        14 => pick(random, &["allkeys", "resetkeys", "~*"]),
        15 => joined(random, &["&"], PATTERNS),
        16 => pick(random, &["allchannels", "resetchannels", "&*"]),
        17..=18 => pick(random, PASSWORDS),
        19 => pick(random, &["on", "off", "ON", "skip-sanitize-payload", "sanitize-payload", "", "bogus"]),
        20 => pick(random, &["reset", "clearselectors", "(", ")", "()"]),
        _ => {
            let rules: Vec<Vec<u8>> = (0..1 + random.below(4)).map(|_| rule(random, true)).collect();
            [b"(", rules.join(&b' ').as_slice(), b")"].concat()
        }
    }
}
