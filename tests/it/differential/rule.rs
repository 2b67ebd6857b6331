//! When two replies to one request count as the same. Byte for byte unless a rule here says why that cannot be asked:
//! an order that Redis leaves open, a clock, an identity of the process, or a text that Redis 7.2, which Ennead follows,
//! words otherwise than the 7.0 it is compared with.

use crate::wire::{Reply, parse};

use super::generator::Words;

/// Milliseconds that two servers asked one after the other may differ about a time to live.
const CLOCK_TOLERANCE_MS: i64 = 3000;

/// How a reply is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    Exact,
    /// All but how Redis's tree of a stream's chunks looks inside.
    StreamFacts,
    /// All but how many consumers a group has.
    Groups,
    /// The same of what is pending, but for how long.
    Pending,
    /// Keys come in the order of a hash table.
    AnyOrder,
    /// The same of a set that is not sorted; LIMIT takes any of it.
    Unsorted,
    /// The same of fields with their values.
    AnyOrderOfPairs,
    /// A page with a cursor and members in any order.
    Page,
    /// 7.0 prints scores with 17 digits, 7.2 with as many as are needed.
    Scores,
    /// The same with a cursor, and in any order.
    PageOfScores,
    /// Strings byte for byte; collections have several forms that all servers read.
    Dump,
    /// Numbers that a clock moves; the unit in milliseconds.
    Clock(i64),
    /// Only the type of the reply is promised: identities, clocks, sizes of memory, random choices, help texts.
    Type,
    /// The fields of a map must all be there; the values are the process's own.
    Fields,
    /// A page of a scan is the server's choice; a scan that was followed to its end has all keys.
    Scan,
    /// Redis compares text up to a zero byte only.
    UpToZero,
    /// The average time to live in INFO is a sample.
    Keyspace,
    /// Flags and categories of a command are sets.
    CommandInfo,
}

/// Texts that differ between 7.0 and 7.2, or for another reason named here: request prefix, the reply's text in each.
const VERSIONS: &[(&str, &str, &str)] = &[
    // 7.2 reads all options before it checks the password.
    ("hello 2 auth", "-WRONGPASS", "-ERR Syntax error in HELLO option"),
    ("hello 3 auth", "-WRONGPASS", "-ERR Syntax error in HELLO option"),
    ("hello 3 auth", "-WRONGPASS", "-ERR Client names cannot contain"),
    // 7.2 refuses the one number that has no opposite.
    ("lrem", ":", "-ERR value is out of range"),
    ("lrem", "-WRONGTYPE", "-ERR value is out of range"),
    ("lpos", "", "-ERR value is out of range"),
    // 7.2 has a compact encoding for sets of anything.
    ("object encoding", "hashtable", "listpack"),
    ("object encoding", "quicklist", "listpack"),
    // 7.2 looks at the arguments before it looks for the key.
    ("bitcount", "-WRONGTYPE", "-ERR"),
    ("bitpos", "-WRONGTYPE", "-ERR"),
    ("bitcount", ":0\r\n", "-ERR syntax error"),
    ("bitcount", ":0\r\n", "-ERR value is not an integer"),
    ("bitpos", ":0\r\n", "-ERR syntax error"),
    ("bitpos", ":0\r\n", "-ERR value is not an integer"),
    ("bitpos", ":-1\r\n", "-ERR syntax error"),
    ("bitpos", ":-1\r\n", "-ERR value is not an integer"),
    // 7.2 tells the score as well when it is asked to.
    ("zrank ", "-ERR wrong number of arguments for 'zrank' command", ""),
    ("zrevrank ", "-ERR wrong number of arguments for 'zrevrank' command", ""),
    // 7.2 names the user.
    ("acl dryrun", "This user has no permissions", "User ann has no permissions"),
    // 7.2 names the command as it is in the table.
    ("xread", "-ERR Unbalanced XREAD", "-ERR Unbalanced 'xread"),
    // The debugger that is not here cannot be used in a pipeline.
    ("script debug", "-ERR SCRIPT DEBUG must be called outside a pipeline", ""),
    // 7.2 takes a command without arguments here.
    ("command getkeys", "-ERR wrong number of arguments for 'command|getkeys", "-ERR"),
];

/// Requests whose replies are known to differ, from how many words on, and why that stays so for now.
const KNOWN: &[(&str, usize, &str)] = &[
    ("slowlog get", 4, "an argument too many is found after the first one was read"),
    ("client unblock", 5, "an argument too many is found after the others were read"),
];

/// Whether `ours` is a right answer where the peer gave `peers`.
pub(super) fn same(words: &Words, peers: &[u8], ours: &[u8]) -> bool {
    if peers == ours || known_version_difference(words, peers, ours) || known_difference(words) {
        return true;
    }
    let both_error = peers.first() == Some(&b'-') && ours.first() == Some(&b'-');
    if both_error {
        return same_error(peers, ours) || is_config_set(words) && same_bounds(peers, ours);
    }
    match rule(words) {
        Rule::Exact => is_payload_of_collection(words, peers) && is_payload_of_collection(words, ours),
        Rule::StreamFacts => stream_facts(parse(peers)) == stream_facts(parse(ours)),
        Rule::Groups => groups(parse(peers)) == groups(parse(ours)),
        Rule::Pending => without_times(parse(peers)) == without_times(parse(ours)),
        Rule::AnyOrder => sorted(parse(peers)) == sorted(parse(ours)),
        Rule::Unsorted => match (parse(peers), parse(ours)) {
            (Reply::List(peers), Reply::List(ours)) if has_word(words, b"limit") => peers.len() == ours.len(),
            (peers, ours) => sorted(peers) == sorted(ours),
        },
        Rule::AnyOrderOfPairs => pairs(parse(peers)) == pairs(parse(ours)),
        Rule::Page => page(parse(peers)) == page(parse(ours)),
        Rule::Scores => same_scores(&parse(peers), &parse(ours)),
        Rule::PageOfScores => same_scores(&in_order(parse(peers)), &in_order(parse(ours))),
        Rule::Dump => is_string_dump(peers) == is_string_dump(ours) && !is_string_dump(peers) && !is_nil(peers),
        Rule::Clock(unit) => match (parse(peers), parse(ours)) {
            (Reply::Integer(a), Reply::Integer(b)) => {
                // Below zero are the answers "no such key" and "no time to live".
                a >= 0 && b >= 0 && (a - b).abs() * unit <= CLOCK_TOLERANCE_MS
            }
            _ => false,
        },
        Rule::Type => peers.first() == ours.first() && is_nil(peers) == is_nil(ours),
        Rule::Fields => peers.first() == ours.first() && has_fields(&parse(peers), &parse(ours)),
        Rule::Scan => {
            let whole = |reply: &[u8]| reply.starts_with(b"*scanned");
            !whole(peers) && !whole(ours) && peers.first() == ours.first()
        }
        Rule::UpToZero => [peers, ours].iter().any(|reply| reply.contains(&0)) && peers.first() == ours.first(),
        Rule::Keyspace => without_averages(peers) == without_averages(ours),
        Rule::CommandInfo => command_facts(&parse(peers)) == command_facts(&parse(ours)),
    }
}

/// Whether Redis took the error of a number in an earlier request for one of a score: SORT does not forget it before it reads one.
pub(super) fn is_stale_error(words: &Words, peers: &[u8], ours: &[u8]) -> bool {
    words[0].to_ascii_lowercase().starts_with(b"sort")
        && peers.starts_with(b"-ERR One or more scores can't be converted into double")
        && !ours.starts_with(b"-")
}

/// A collection's payload has many forms. That ours is read by Redis is tested where both are asked what they read.
fn is_payload_of_collection(words: &Words, reply: &[u8]) -> bool {
    let payload = reply.iter().position(|byte| *byte == b'\n').map_or(&[][..], |end| &reply[end + 1..]);
    words[0].eq_ignore_ascii_case(b"dump") && payload.first().is_some_and(|kind| *kind != 0)
}

/// Errors quote the request as text: what is not UTF-8 shows as U+FFFD in ours, and Redis stops quoting at a zero byte.
fn same_error(peers: &[u8], ours: &[u8]) -> bool {
    let peers = String::from_utf8_lossy(peers);
    let ours = String::from_utf8_lossy(ours);
    match ours.split_once('\0') {
        Some((before, _)) => peers.starts_with(before),
        None => peers == ours,
    }
}

fn has_word(words: &Words, word: &[u8]) -> bool {
    words.iter().any(|other| other.eq_ignore_ascii_case(word))
}

/// Whether a SORT goes by a pattern that is the same for all elements, and its result is not stored.
fn is_unsorted(words: &Words) -> bool {
    let by = words.windows(2).rfind(|pair| pair[0].eq_ignore_ascii_case(b"by"));
    by.is_some_and(|pair| !pair[1].contains(&b'*')) && !has_word(words, b"store")
}

fn is_config_set(words: &Words) -> bool {
    let is = |at: usize, name: &[u8]| words.get(at).is_some_and(|word: &Vec<u8>| word.eq_ignore_ascii_case(name));
    is(0, b"config") && is(1, b"set")
}

/// Between which numbers a setting must be is Ennead's own; that it must is not.
fn same_bounds(peers: &[u8], ours: &[u8]) -> bool {
    let before = |text: &[u8]| {
        let text = String::from_utf8_lossy(text).into_owned();
        text.split_once(" argument must be between ").map(|(before, _)| before.to_owned())
    };
    before(peers).is_some() && before(peers) == before(ours)
}

fn rule(words: &Words) -> Rule {
    let word = |at: usize| words.get(at).map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    let (name, sub) = (word(0), word(1));
    match (name.as_slice(), sub.as_slice()) {
        (b"keys" | b"hkeys" | b"hvals" | b"smembers" | b"sinter" | b"sunion" | b"sdiff", _) => Rule::AnyOrder,
        (b"hgetall", _) => Rule::AnyOrderOfPairs,
        (b"hscan" | b"sscan", _) => Rule::Page,
        (b"zscan", _) => Rule::PageOfScores,
        (b"zrandmember", _) => Rule::Type,
        (name, _) if name.starts_with(b"z") => Rule::Scores,
        (b"hrandfield" | b"srandmember" | b"spop", _) => Rule::Type,
        // 7.2 tells more of consumers.
        (b"xinfo", b"stream") if words.len() > 3 => Rule::Type,
        (b"xinfo", b"stream") => Rule::StreamFacts,
        (b"xinfo", b"groups") => Rule::Groups,
        // 7.0 makes a consumer when it gets something, 7.2 when it asks.
        (b"xinfo", b"consumers") | (b"xgroup", b"createconsumer") => Rule::Type,
        (b"xpending", _) if words.len() > 3 => Rule::Pending,
        (b"dump", _) => Rule::Dump,
        (b"ttl" | b"expiretime", _) => Rule::Clock(1000),
        (b"pttl" | b"pexpiretime", _) => Rule::Clock(1),
        // Redis shares the objects of small integers, with one count of references and one access clock.
        (b"object", b"idletime" | b"refcount") => Rule::Type,
        (b"scan", _) => Rule::Scan,
        (b"sort" | b"sort_ro", _) if is_unsorted(words) => Rule::Unsorted,
        (b"sort" | b"sort_ro", _) => Rule::UpToZero,
        (b"info", b"keyspace") if words.len() == 2 => Rule::Keyspace,
        // The art is not Redis's.
        (b"randomkey" | b"time" | b"lastsave" | b"lolwut", _) => Rule::Type,
        (b"memory", b"usage") | (b"client", b"id" | b"info" | b"list") => Rule::Type,
        (b"info", _) | (_, b"help") => Rule::Type,
        // 7.2 shows rules as they were given, and not both servers have the same commands.
        (b"acl", b"list" | b"getuser" | b"cat" | b"genpass" | b"log") => Rule::Type,
        (b"hello", _) => Rule::Fields,
        // A pattern finds settings in the order of a hash table, and not every setting of Redis is one of ours.
        (b"config", b"get") if words.len() > 3 || word(2).contains(&b'*') => Rule::Type,
        // What the slow log holds depends on the machine's speed.
        (b"slowlog", b"get" | b"len") => Rule::Type,
        (b"command", b"info") if words.len() == 2 => Rule::Type,
        (b"command", b"" | b"list" | b"docs" | b"count") => Rule::Type,
        (b"command", b"info") => Rule::CommandInfo,
        _ => Rule::Exact,
    }
}

fn known_version_difference(words: &Words, peers: &[u8], ours: &[u8]) -> bool {
    let request = words.join(&b' ').to_ascii_lowercase();
    let holds = |bytes: &[u8], text: &str| String::from_utf8_lossy(bytes).contains(text);
    VERSIONS
        .iter()
        .any(|(prefix, old, new)| request.starts_with(prefix.as_bytes()) && holds(peers, old) && holds(ours, new))
}

fn known_difference(words: &Words) -> bool {
    let request = words.join(&b' ').to_ascii_lowercase();
    KNOWN.iter().any(|(prefix, least, _)| request.starts_with(prefix.as_bytes()) && words.len() >= *least)
}

/// The lines of a reply to INFO keyspace up to the average; the length in front of them depends on it, too.
fn without_averages(reply: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(reply);
    text.lines().skip(1).map(|line| line.split(",avg_ttl=").next().unwrap_or_default().to_owned()).collect()
}

fn is_nil(reply: &[u8]) -> bool {
    reply.starts_with(b"_") || reply.starts_with(b"$-1") || reply.starts_with(b"*-1")
}

/// Names and values of XINFO STREAM.
fn stream_facts(reply: Reply) -> Vec<Reply> {
    without_value(reply, b"radix-tree-nodes")
}

/// Names and values of XINFO GROUPS.
fn groups(reply: Reply) -> Vec<Vec<Reply>> {
    let Reply::List(groups) = reply else { return vec![vec![reply]] };
    groups.into_iter().map(|group| without_value(group, b"consumers")).collect()
}

fn without_value(reply: Reply, name: &[u8]) -> Vec<Reply> {
    let Reply::List(mut facts) = reply else { return vec![reply] };
    if let Some(at) = facts.iter().position(|fact| *fact == Reply::Bulk(name.to_vec())) {
        facts.remove(at + 1);
    }
    facts
}

/// Entries that are pending: id, consumer and number of deliveries.
fn without_times(reply: Reply) -> Vec<Reply> {
    let Reply::List(mut entries) = reply else { return vec![reply] };
    for entry in &mut entries {
        if let Reply::List(facts) = entry
            && facts.len() == 4
        {
            facts.remove(2);
        }
    }
    entries
}

fn sorted(reply: Reply) -> Vec<Vec<u8>> {
    let Reply::List(items) = reply else { return vec![format!("{reply:?}").into_bytes()] };
    let mut texts: Vec<_> = items.into_iter().map(|item| format!("{item:?}").into_bytes()).collect();
    texts.sort();
    texts
}

/// Items two by two, in an order of their own.
fn pairs(reply: Reply) -> Vec<String> {
    let Reply::List(items) = reply else { return vec![format!("{reply:?}")] };
    let mut pairs: Vec<String> = items.chunks(2).map(|pair| format!("{pair:?}")).collect();
    pairs.sort();
    pairs
}

fn page(reply: Reply) -> Vec<Vec<u8>> {
    let Reply::List(parts) = reply else { return vec![format!("{reply:?}").into_bytes()] };
    let [cursor, members] = parts.as_slice() else { return vec![format!("{parts:?}").into_bytes()] };
    let mut page = vec![format!("{cursor:?}").into_bytes()];
    page.extend(sorted(members.clone()));
    page
}

/// Whether two replies are the same but for the texts of numbers.
fn same_scores(peers: &Reply, ours: &Reply) -> bool {
    let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse::<f64>().ok().map(f64::to_bits);
    match (peers, ours) {
        (Reply::List(peers), Reply::List(ours)) => {
            peers.len() == ours.len() && peers.iter().zip(ours).all(|(peer, own)| same_scores(peer, own))
        }
        (Reply::Bulk(peers), Reply::Bulk(ours)) | (Reply::Scalar(b',', peers), Reply::Scalar(b',', ours)) => {
            peers == ours || number(peers).is_some() && number(peers) == number(ours)
        }
        _ => peers == ours,
    }
}

/// A page of members and scores, by member.
fn in_order(reply: Reply) -> Reply {
    let Reply::List(parts) = reply else { return reply };
    let [cursor, Reply::List(items)] = parts.as_slice() else { return Reply::List(parts) };
    let mut pairs: Vec<&[Reply]> = items.chunks(2).collect();
    pairs.sort_by_key(|pair| format!("{:?}", pair.first()));
    Reply::List(vec![cursor.clone(), Reply::List(pairs.concat())])
}

/// Whether a reply to DUMP has a string in it.
fn is_string_dump(reply: &[u8]) -> bool {
    let payload = reply.splitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default();
    payload.first() == Some(&0)
}

fn has_fields(peers: &Reply, ours: &Reply) -> bool {
    let (Reply::List(peers), Reply::List(ours)) = (peers, ours) else { return false };
    peers.iter().step_by(2).all(|field| ours.iter().step_by(2).any(|own| own == field))
}

fn compared(mut facts: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let flags =
        super::table::FLAGS_NOT_COMPARED.iter().map(|flag| format!("{:?}", Reply::Simple(flag.as_bytes().to_vec())));
    let flags: Vec<String> = flags.collect();
    facts.retain(|fact| !flags.iter().any(|flag| flag.as_bytes() == fact));
    facts
}

/// Name, arity, flags, first, last and step of each command; what stands behind them differs between the versions.
fn command_facts(reply: &Reply) -> Vec<Vec<Vec<u8>>> {
    let Reply::List(commands) = reply else { return Vec::new() };
    let facts = |command: &Reply| match command {
        Reply::List(parts) => parts.iter().take(6).flat_map(|part| compared(sorted(part.clone()))).collect(),
        other => vec![format!("{other:?}").into_bytes()],
    };
    commands.iter().map(facts).collect()
}
