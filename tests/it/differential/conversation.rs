//! Several connections at once, for what one says to the others: fixed and random conversations. After each step its
//! connection asks for a PING with a word of its own, so all that the step led to there has come when that is answered;
//! what came to the others is read with their next steps.

mod attention;

use crate::random::Random;
use crate::server::Server;
use crate::wire::{Reply, Wire, parse, reply_length, show};

/// Connections of a conversation: the first two speak RESP2, the others RESP3.
const CONNECTIONS: usize = 4;

/// A connection and the lines it sends.
type Step = (usize, String);

/// The bytes that came back to each step.
type Record = Vec<Vec<u8>>;

fn play(server: &Server, steps: &[Step]) -> Record {
    let mut wires: Vec<Wire> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    wires[0].call(&[b"FLUSHALL"]).unwrap();
    let ids: Vec<String> = wires.iter_mut().map(id).collect();
    for wire in &mut wires[2..] {
        wire.call(&[b"HELLO", b"3"]).unwrap();
    }
    let last = (0..CONNECTIONS).map(|connection| (connection, String::new()));
    let steps = steps.iter().cloned().chain(last);
    steps
        .enumerate()
        .map(|(number, (connection, lines))| {
            let mark = format!("mark-{number:08}");
            let lines =
                ids.iter().enumerate().fold(lines, |lines, (at, id)| lines.replace(&format!("{{id:{at}}}"), id));
            wires[connection].send(format!("{lines}PING {mark}\r\n").as_bytes()).unwrap();
            let bytes = wires[connection].read_until(format!("{mark}\r\n").as_bytes()).unwrap().0;
            comparable(&bytes, &ids)
        })
        .collect()
}

fn id(wire: &mut Wire) -> String {
    let Reply::Integer(id) = wire.call(&[b"CLIENT", b"ID"]).unwrap() else { panic!("not a number") };
    id.to_string()
}

/// The lines with what is each server's own made equal: the ids of clients where they are shown, and in lines of MONITOR
/// the time and the address.
fn comparable(bytes: &[u8], ids: &[String]) -> Vec<u8> {
    let mut result = Vec::new();
    let mut before: &[u8] = b"";
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let shown = line.trim_ascii_end();
        let is_id = ["redirect", "tracking-redir-broken", "getredir"].iter().any(|word| before == word.as_bytes());
        let id = ids.iter().position(|id| is_id && shown == format!(":{id}").as_bytes());
        match (id, monitored(shown)) {
            (Some(at), _) => result.extend_from_slice(format!(":{{id:{at}}}\r\n").as_bytes()),
            (_, Some(text)) => result.extend_from_slice(format!("{text}\r\n").as_bytes()),
            _ => result.extend_from_slice(line),
        }
        before = shown;
    }
    result
}

/// A line of MONITOR without its time, and without the address of a client.
fn monitored(line: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(line).ok()?.strip_prefix('+')?;
    let (time, rest) = text.split_once(" [")?;
    let (origin, request) = rest.split_once("] ")?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (seconds, micros) = time.split_once('.').filter(|(seconds, micros)| digits(seconds) && digits(micros))?;
    let (database, sender) = origin.split_once(' ')?;
    let sender = if sender == "lua" { "lua" } else { "client" };
    Some(format!("+time {} {} [{database} {sender}] {request}", seconds.len(), micros.len()))
}

/// The first step that two servers answered differently.
fn difference(steps: &[Step], peers: &Record, ours: &Record, same: fn(&str, &[u8], &[u8]) -> bool) -> Option<String> {
    for (number, (peers, ours)) in peers.iter().zip(ours).enumerate() {
        let lines = steps.get(number).map_or("", |(_, lines)| lines);
        if !same(lines, peers, ours) {
            let before: Vec<String> =
                steps.iter().take(number + 1).map(|(who, lines)| format!("  [{who}] {}", lines.trim_end())).collect();
            return Some(format!(
                "{}\n  step {number}\n  redis:  {}\n  ennead: {}\n",
                before.join("\n"),
                show(peers),
                show(ours)
            ));
        }
    }
    None
}

fn scripts() -> Vec<Vec<(usize, &'static str)>> {
    vec![
        vec![
            (
                0,
                "SUBSCRIBE a a b\r\nGET x\r\nPING\r\nPING hi\r\nPING a b\r\nCLIENT LIST\r\nHELLO 3\r\nMULTI\r\nFOO\r\nGET\r\n",
            ),
            (1, "PUBLISH a 1\r\nPUBLISH nobody 1\r\nPUBSUB NUMSUB a b c\r\nPUBSUB NUMSUB\r\nPUBLISH a\r\n"),
            (0, "UNSUBSCRIBE b\r\nUNSUBSCRIBE b c\r\nUNSUBSCRIBE\r\nUNSUBSCRIBE\r\nUNSUBSCRIBE q r\r\nGET x\r\n"),
            (1, "PUBSUB CHANNELS\r\nPUBLISH a 1\r\n"),
        ],
        vec![
            (2, "PSUBSCRIBE a* \r\nSUBSCRIBE ab\r\nGET x\r\nPING\r\n"),
            (0, "PSUBSCRIBE ?b\r\n"),
            (
                1,
                "PUBLISH ab one\r\nPUBLISH ac two\r\nPUBLISH bb three\r\nPUBSUB NUMPAT\r\nPUBSUB CHANNELS a*\r\nPUBSUB CHANNELS x\r\n",
            ),
            (2, "PUNSUBSCRIBE a*\r\nPUNSUBSCRIBE nothing\r\nPUNSUBSCRIBE\r\nUNSUBSCRIBE\r\n"),
            (0, "PUNSUBSCRIBE\r\nGET x\r\n"),
        ],
        vec![
            (0, "SSUBSCRIBE s\r\nSUBSCRIBE s\r\n"),
            (3, "SSUBSCRIBE s t\r\n"),
            (
                1,
                "SPUBLISH s x\r\nPUBLISH s y\r\nPUBSUB SHARDCHANNELS s*\r\nPUBSUB SHARDNUMSUB s t u\r\nPUBSUB CHANNELS a b\r\n",
            ),
            (1, "PUBSUB SHARDCHANNELS a b\r\nPUBSUB NUMPAT x\r\nPUBSUB\r\nPUBSUB nope\r\nSPUBLISH s\r\nSSUBSCRIBE\r\n"),
            (0, "SUNSUBSCRIBE\r\nSUNSUBSCRIBE\r\nSUNSUBSCRIBE q\r\nUNSUBSCRIBE s\r\n"),
        ],
        vec![
            (0, "MULTI\r\nSUBSCRIBE x y\r\nGET a\r\nSSUBSCRIBE z\r\nUNSUBSCRIBE y\r\nEXEC\r\nGET a\r\n"),
            (1, "MULTI\r\nSET a 1\r\nPUBLISH x hello\r\nPUBSUB NUMSUB x\r\nEXEC\r\n"),
            (0, "RESET\r\nGET a\r\n"),
            (1, "PUBLISH x gone\r\nPUBSUB CHANNELS\r\nPUBSUB SHARDCHANNELS\r\n"),
            (2, "MULTI\r\nSUBSCRIBE x\r\nPSUBSCRIBE *\r\nPUNSUBSCRIBE\r\nEXEC\r\nHELLO 2 bogus\r\nGET a\r\n"),
        ],
        vec![
            (0, "CLIENT REPLY OFF\r\nSUBSCRIBE k\r\nCLIENT REPLY ON\r\nUNSUBSCRIBE\r\nCLIENT REPLY ON\r\n"),
            (1, "CLIENT REPLY SKIP\r\nSUBSCRIBE k\r\n"),
            (3, "PUBLISH k v\r\n"),
        ],
        vec![
            (0, "SUBSCRIBE k\r\n"),
            (2, "SUBSCRIBE k\r\n"),
            (1, "CLIENT KILL TYPE pubsub SKIPME yes ID 1\r\nCLIENT KILL TYPE nothing\r\nCLIENT LIST TYPE replica\r\n"),
        ],
        vec![
            (
                1,
                "CONFIG SET notify-keyspace-events Kq\r\nCONFIG SET notify-keyspace-events \"\"\r\nCONFIG GET notify-keyspace-events\r\n",
            ),
            (
                1,
                "CONFIG SET client-output-buffer-limit \"pubsub 1mb 512kb 1x\"\r\nCONFIG SET client-output-buffer-limit \"pubsub 1mb 512kb -1\"\r\n",
            ),
            (
                1,
                "CONFIG SET client-output-buffer-limit \"pubsub 1mb 512kb 1 normal 3mb 2mb 7\"\r\nCONFIG GET client-output-buffer-limit\r\n",
            ),
            (
                1,
                "CONFIG SET client-output-buffer-limit \"pubsub 1 2\"\r\nCONFIG SET client-output-buffer-limit \"master 1 0 0\"\r\nCONFIG SET client-output-buffer-limit \"\"\r\n",
            ),
            (
                1,
                "CONFIG SET client-output-buffer-limit \"pubsub 32mb 8mb 60 normal 0 0 0\"\r\nCONFIG GET client-output-buffer-limit\r\n",
            ),
            (1, "COMMAND GETKEYS SPUBLISH a b\r\nCOMMAND GETKEYS SSUBSCRIBE a\r\nCOMMAND GETKEYS PUBLISH a b\r\n"),
        ],
    ]
}

/// All differences in the fixed conversations.
pub(super) fn fixed_differences(peer: &Server, ours: &Server) -> String {
    let mut text = String::new();
    for script in scripts().into_iter().chain(attention::scripts()) {
        let steps: Vec<Step> = script.into_iter().map(|(who, lines)| (who, lines.to_owned())).collect();
        let found = difference(&steps, &play(peer, &steps), &play(ours, &steps), |_, peers, ours| peers == ours);
        text.extend(found);
    }
    text
}

/// A difference in the random conversations of a seed.
pub(super) fn random_difference(peer: &Server, ours: &Server, seed: u64) -> Option<String> {
    let steps = attention::random(seed);
    let found = difference(&steps, &play(peer, &steps), &play(ours, &steps), |_, peers, ours| peers == ours);
    if found.is_some() {
        return found;
    }
    let mut random = Random::new(seed);
    let count = 20 + random.below(60);
    let steps: Vec<Step> = (0..count).map(|_| step(&mut random)).collect();
    difference(&steps, &play(peer, &steps), &play(ours, &steps), same)
}

fn step(random: &mut Random) -> Step {
    let names = |random: &mut Random, choices: &[&str], least: usize| -> String {
        (0..least + random.below(3)).map(|_| format!(" {}", random.pick(choices))).collect()
    };
    // The last connection publishes and never subscribes: what one publishes to itself came earlier in 7.0.
    if random.one_in(2) {
        let channel = *random.pick(&["a", "ab", "b", "\"\"", "k1"]);
        let call = match random.below(8) {
            0..=4 => format!("PUBLISH {channel} {}", random.below(1000)),
            5 => format!("SPUBLISH {channel} {}", random.below(1000)),
            6 => "PUBSUB NUMSUB a ab b k1".to_owned(),
            _ => random
                .pick(&["PUBSUB NUMPAT", "PUBSUB CHANNELS", "PUBSUB CHANNELS a*", "PUBSUB SHARDCHANNELS"])
                .to_string(),
        };
        return (CONNECTIONS - 1, format!("{call}\r\n"));
    }
    let call = match random.below(8) {
        0 | 1 => "SUBSCRIBE".to_owned() + &names(random, &["a", "ab", "b", "\"\""], 1),
        2 | 3 => "PSUBSCRIBE".to_owned() + &names(random, &["a*", "*", "?", "[ab]", "k1", "\"\""], 1),
        4 => "SSUBSCRIBE".to_owned() + &names(random, &["a", "b", "k1"], 1),
        5 => "UNSUBSCRIBE".to_owned() + &names(random, &["a", "ab", "b"], 0),
        6 => "PUNSUBSCRIBE".to_owned() + &names(random, &["a*", "*", "?"], 0),
        _ => random.pick(&["SUNSUBSCRIBE", "SUNSUBSCRIBE a", "RESET", "GET nothing", "UNSUBSCRIBE"]).to_string(),
    };
    // RESET would leave RESP3.
    let who = random.below(if call == "RESET" { 2 } else { CONNECTIONS - 1 });
    (who, format!("{call}\r\n"))
}

/// Frames in any order, since patterns have none; where all subscriptions of a kind end, any count may go with any name.
fn same(lines: &str, peers: &[u8], ours: &[u8]) -> bool {
    if peers == ours {
        return true;
    }
    let words_alone = lines.starts_with("PUBSUB") || lines.trim_end().ends_with("UNSUBSCRIBE");
    sorted(peers, words_alone) == sorted(ours, words_alone)
}

fn sorted(mut bytes: &[u8], words_alone: bool) -> Vec<String> {
    let mut frames = Vec::new();
    while let Some(length) = reply_length_of(bytes) {
        match parse(&bytes[..length]) {
            Reply::List(parts) if words_alone => frames.extend(parts.iter().map(|part| format!("{part:?}"))),
            frame => frames.push(format!("{frame:?}")),
        }
        bytes = &bytes[length..];
    }
    frames.sort();
    frames
}

fn reply_length_of(bytes: &[u8]) -> Option<usize> {
    if bytes.is_empty() { None } else { reply_length(bytes) }
}
