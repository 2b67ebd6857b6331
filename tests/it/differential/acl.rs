//! Users with random rules on both servers: the same rules are taken and shown, and the same requests are
//! allowed, or denied for the same reason.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::generator::{self, Words};
use crate::random::{Random, setting};
use crate::server::Server;
use crate::wire::{Reply, Wire, parse, request, show};

/// How long random users are tried; `ENNEAD_DIFFERENTIAL_SECONDS` says otherwise.
const SECONDS: u64 = 8;
const REQUESTS_PER_USER: usize = 40;
/// What changes who the connection is or how it answers, needs another moment on each server, or takes a word less in 7.2.
/// ZRANK and ZREVRANK take more words since 7.2 than 7.0 allows; of a PFMERGE with one key 7.0 checks none; where a
/// number of keys is not one, the two look for keys in different words.
const SKIPPED: &[&str] = &[
    "acl",
    "auth",
    "hello",
    "reset",
    "quit",
    "client",
    "debug",
    "migrate",
    "command",
    "post",
    "host:",
    "",
    "zrank",
    "zrevrank",
    "pfmerge",
    "zunion",
    "zinter",
    "zdiff",
    "zunionstore",
    "zinterstore",
    "zdiffstore",
    "zintercard",
    "zmpop",
    "lmpop",
    "sintercard",
    "georadius",
    "georadiusbymember",
];

/// Runs for some seconds from a random seed, or once for a given one.
pub(super) fn compare(peer: &Server, ours: &Server, replay: Option<u64>) {
    let time = Duration::from_secs(setting("ENNEAD_DIFFERENTIAL_SECONDS").unwrap_or(SECONDS));
    let first = replay.unwrap_or_else(|| Random::new(u64::from(std::process::id())).next() >> 32);
    let known = commands(ours);
    let start = Instant::now();
    let mut denied = 0;
    for seed in first.. {
        let mut pair = Pair::open(peer, ours);
        denied += pair.try_user(&mut Random::new(seed), seed, &known);
        if replay.is_some() || start.elapsed() > time {
            eprintln!("users from seed {first} to {seed}: {denied} requests were denied");
            break;
        }
    }
    assert!(replay.is_some() || denied > 0, "nothing was ever denied");
}

/// The names that a server has, subcommands as `container|sub`.
fn commands(server: &Server) -> BTreeSet<Vec<u8>> {
    let all = server.connect().call(&[b"COMMAND", b"LIST", b"FILTERBY", b"PATTERN", b"*"]).unwrap();
    let Reply::List(names) = all else { panic!("COMMAND LIST gives a list") };
    names.into_iter().map(|name| if let Reply::Bulk(name) = name { name } else { panic!("a name") }).collect()
}

/// Of each server a connection of the administrator and one of the user.
struct Pair {
    administrators: [Wire; 2],
    users: [Wire; 2],
}

impl Pair {
    fn open(peer: &Server, ours: &Server) -> Pair {
        let mut administrators = [peer.connect(), ours.connect()];
        for wire in &mut administrators {
            for words in [&["FLUSHALL"][..], &["ACL", "DELUSER", "ann"], &["ACL", "SETUSER", "ann", "on", "nopass"]] {
                wire.call(&words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>()).unwrap();
            }
        }
        Pair { administrators, users: [peer.connect(), ours.connect()] }
    }

    /// Gives the number of requests that were denied.
    fn try_user(&mut self, random: &mut Random, seed: u64, known: &BTreeSet<Vec<u8>>) -> usize {
        let mut rules = Vec::new();
        for _ in 0..1 + random.below(8) {
            let rule = generator::acl_rule(random);
            // Of commands that only one server has there is nothing to compare.
            if is_about(&rule, known) {
                let words: Words = vec![b"ACL".to_vec(), b"SETUSER".to_vec(), b"ann".to_vec(), rule];
                let [peers, own] = both(&mut self.administrators, &words);
                assert_eq!(show(&peers), show(&own), "seed {seed}: {}", show(&words.join(&b' ')));
                rules.push(words[3].clone());
            }
        }
        let rules = show(&rules.join(&b' '));
        let shown = words(&["ACL", "GETUSER", "ann"]);
        let [peers, own] = both(&mut self.administrators, &shown).map(|reply| without_version(parse(&reply)));
        assert_eq!(peers, own, "seed {seed}: user with {rules}");
        both(&mut self.administrators, &words(&["ACL", "SETUSER", "ann", "on", "nopass"]));
        both(&mut self.users, &words(&["AUTH", "ann", "x"]));
        let mut denied = 0;
        for _ in 0..REQUESTS_PER_USER {
            let request = generator::request(random);
            let name = request[0].to_ascii_lowercase();
            if known.contains(&name) && !SKIPPED.iter().any(|skipped| skipped.as_bytes() == name) {
                denied += usize::from(self.try_request(&request, &format!("seed {seed}: user with {rules}")));
            }
        }
        denied
    }

    /// Whether the request was denied, by both.
    fn try_request(&mut self, request: &Words, user: &str) -> bool {
        let replies = both(&mut self.users, request);
        let [peers, own] = replies.clone().map(|reply| denial(&reply));
        let text = format!("{user}: {}: {} and {}", show(&request.join(&b' ')), show(&replies[0]), show(&replies[1]));
        assert_eq!(peers, own, "{text}");
        let mut dry = words(&["ACL", "DRYRUN", "ann"]);
        dry.extend(request.iter().cloned());
        let dry = both(&mut self.administrators, &dry).map(|reply| modern(&reply));
        // 7.0 shows a key up to its first zero byte.
        let shown_whole = !request.iter().any(|word| word.contains(&0));
        assert!(dry[0] == dry[1] || !shown_whole, "{text}, dry {dry:?}");
        peers.is_some()
    }
}

fn words(texts: &[&str]) -> Words {
    texts.iter().map(|text| Vec::from(*text)).collect()
}

fn both(wires: &mut [Wire; 2], words: &Words) -> [Vec<u8>; 2] {
    let mut side = ["redis", "ennead"].iter();
    wires.each_mut().map(|wire| {
        let side = side.next().unwrap_or(&"");
        wire.send(&request(words)).unwrap();
        wire.reply().unwrap_or_else(|error| panic!("{side}: {error} after {}", show(&words.join(&b' '))))
    })
}

/// Whether both servers know what the rule is about, or neither.
fn is_about(rule: &[u8], known: &BTreeSet<Vec<u8>>) -> bool {
    let inner = rule.strip_prefix(b"(").unwrap_or(rule);
    let inner = inner.strip_suffix(b")").unwrap_or(inner);
    inner.split(|byte| *byte == b' ').all(|word| match word {
        [b'+' | b'-', name @ ..] if !name.starts_with(b"@") => {
            let name = name.to_ascii_lowercase();
            let first = name.split(|byte| *byte == b'|').next().unwrap_or_default().to_vec();
            known.contains(&first) || first == b"nosuch"
        }
        _ => true,
    })
}

/// The text of a denial as 7.2 words it.
fn denial(reply: &[u8]) -> Option<String> {
    reply.starts_with(b"-NOPERM").then(|| modern(reply))
}

/// Texts of 7.0 as 7.2 words them.
fn modern(reply: &[u8]) -> String {
    let text = match parse(reply) {
        Reply::Bulk(text) | Reply::Simple(text) | Reply::Error(text) => String::from_utf8_lossy(&text).into_owned(),
        other => format!("{other:?}"),
    };
    if text.starts_with("NOPERM this user has no permissions to access one of the keys") {
        return "NOPERM No permissions to access a key".to_owned();
    }
    if text.starts_with("NOPERM this user has no permissions to access one of the channels") {
        return "NOPERM No permissions to access a channel".to_owned();
    }
    text.replace("NOPERM this user has", "NOPERM User ann has").replace("This user has", "User ann has")
}

/// A user without what 7.2 shows otherwise: a flag more, and the rules about commands as they were given.
fn without_version(user: Reply) -> Vec<Reply> {
    let Reply::List(fields) = user else { return vec![user] };
    let mut kept: Vec<Reply> = Vec::new();
    for field in fields.chunks(2) {
        match field {
            [Reply::Bulk(name), _] if name == b"commands" => {}
            [Reply::Bulk(name), Reply::List(flags)] if name == b"flags" => {
                let mut flags = flags.clone();
                flags.retain(|flag| *flag != Reply::Bulk(b"sanitize-payload".to_vec()));
                kept.push(Reply::List(flags));
            }
            [Reply::Bulk(name), Reply::List(selectors)] if name == b"selectors" => {
                kept.extend(selectors.iter().flat_map(|selector| without_version(selector.clone())));
            }
            other => kept.extend(other.iter().cloned()),
        }
    }
    kept
}

/// The commands of each category that one of the servers lacks there, among those that both have.
pub(super) fn categories(peer: &Server, ours: &Server) -> String {
    let both: BTreeSet<Vec<u8>> = commands(peer).intersection(&commands(ours)).cloned().collect();
    let of = |server: &Server, category: &[u8]| -> BTreeSet<Vec<u8>> {
        let Reply::List(names) = server.connect().call(&[b"ACL", b"CAT", category]).unwrap() else { panic!("a list") };
        let name = |name: Reply| if let Reply::Bulk(name) = name { name } else { panic!("a name: {name:?}") };
        names.into_iter().map(name).filter(|name| both.contains(name)).collect()
    };
    let all = |server: &Server| server.connect().call(&[b"ACL", b"CAT"]).unwrap();
    assert_eq!(all(peer), all(ours));
    let Reply::List(names) = all(peer) else { panic!("ACL CAT gives a list") };
    let mut text = String::new();
    for name in names {
        let Reply::Bulk(name) = name else { panic!("a category: {name:?}") };
        for command in of(peer, &name).symmetric_difference(&of(ours, &name)) {
            text += &format!("{} in one {} only\n", show(command), show(&name));
        }
    }
    text
}
