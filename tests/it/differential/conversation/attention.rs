//! Conversations about what clients hear of one another's requests: CLIENT TRACKING and MONITOR.
//!
//! A client that is told of its own changes by their prefix is left out: Redis tells it when it has nothing else to do.

use super::Step;
use crate::random::Random;

type Script = Vec<(usize, &'static str)>;

pub(super) fn scripts() -> Vec<Script> {
    vec![of_keys(), of_transactions(), redirected(), by_choice(), by_prefix(), refused(), monitored(), listed()]
}

fn of_keys() -> Script {
    vec![
        (2, "CLIENT TRACKING ON\r\nGET a\r\nGET b\r\nMGET a b c\r\nCLIENT TRACKINGINFO\r\n"),
        (0, "SET a 1\r\nSET a 2\r\nMSET b 1 c 1\r\nDEL nothing\r\nINFO nothing\r\n"),
        (2, "GET a\r\nSET a 5\r\nGET a\r\nEXPIRE a 100\r\nGET a\r\nEXPIRE a 0\r\nGET a\r\n"),
        (2, "CLIENT TRACKING ON NOLOOP\r\nSET a 6\r\nGET a\r\nSET a 7\r\nGET a\r\nCLIENT TRACKINGINFO\r\n"),
        (0, "SET a 8\r\nFLUSHALL\r\n"),
        (2, "FLUSHDB\r\nHSET h f v\r\nHGETALL h\r\nEXISTS h nothing\r\nTYPE h\r\n"),
        (0, "HSET h f w\r\nSET nothing 1\r\nRENAME h i\r\n"),
        (3, "CLIENT TRACKING ON\r\nLRANGE l 0 -1\r\nSMEMBERS s\r\nZRANGE z 0 -1\r\nGETBIT k 1\r\n"),
        (0, "RPUSH l a\r\nSADD s a\r\nZADD z 1 a\r\nSETBIT k 1 0\r\nSETBIT k 1 0\r\n"),
        (3, "LRANGE l 0 -1\r\nGETBIT k 1\r\nLRANGE l 0\r\nGET l\r\n"),
        (0, "SETBIT k 1 0\r\nLTRIM l 0 -1\r\nLPOP l\r\nSWAPDB 0 1\r\nSWAPDB 0 1\r\n"),
        (3, "GET gone\r\nCLIENT TRACKING OFF\r\nCLIENT TRACKINGINFO\r\nCLIENT GETREDIR\r\n"),
        (0, "SET gone 1\r\nSET k 1\r\n"),
    ]
}

fn of_transactions() -> Script {
    vec![
        (2, "CLIENT TRACKING ON\r\nGET a\r\nMULTI\r\nSET a 6\r\nGET a\r\nINCR a\r\nSET b 1\r\nGET b\r\nEXEC\r\n"),
        (0, "MULTI\r\nSET b 2\r\nSET b 3\r\nGET b\r\nEXEC\r\n"),
        (2, "GET a\r\nEVAL \"redis.call('get', 'a') return redis.call('set', 'a', '2')\" 1 a\r\n"),
        (0, "SET b 4\r\nSET a 3\r\n"),
        (2, "MULTI\r\nFLUSHALL\r\nEXEC\r\nMULTI\r\nGET a\r\nDISCARD\r\n"),
        (0, "SET a 1\r\n"),
        (2, "WATCH a\r\nGET a\r\n"),
        (0, "SET a 1\r\n"),
        (2, "MULTI\r\nGET a\r\nEXEC\r\n"),
    ]
}

fn redirected() -> Script {
    vec![
        (1, "SUBSCRIBE __redis__:invalidate\r\n"),
        (0, "CLIENT TRACKING ON REDIRECT {id:1}\r\nGET a\r\nCLIENT TRACKINGINFO\r\n"),
        (0, "ECHO getredir\r\nCLIENT GETREDIR\r\n"),
        (3, "SET a 1\r\nFLUSHALL\r\nSET a 1\r\n"),
        (1, "PING\r\n"),
        (0, "GET a\r\nSET a 2\r\nGET a\r\n"),
        (1, "UNSUBSCRIBE\r\n"),
        (3, "SET a 3\r\nPUBLISH __redis__:invalidate hi\r\n"),
        (0, "GET a\r\nCLIENT TRACKING ON REDIRECT {id:2}\r\nGET a\r\n"),
        (3, "SET a 4\r\n"),
        (2, "PING\r\n"),
        (0, "CLIENT TRACKING OFF\r\nCLIENT TRACKING ON\r\nGET a\r\nSET a 5\r\nGET a\r\n"),
        (3, "SET a 6\r\n"),
    ]
}

fn by_choice() -> Script {
    vec![
        (2, "CLIENT TRACKING ON OPTIN\r\nGET a\r\nCLIENT CACHING YES\r\nGET b\r\nGET c\r\n"),
        (0, "MSET a 1 b 1 c 1\r\n"),
        (2, "CLIENT CACHING YES\r\nCLIENT TRACKINGINFO\r\nGET a\r\nCLIENT TRACKINGINFO\r\n"),
        (2, "CLIENT CACHING YES\r\nMULTI\r\nGET d\r\nGET e\r\nEXEC\r\nGET f\r\nCLIENT CACHING YES\r\nFOO\r\nGET g\r\n"),
        (0, "MSET a 1 d 1 e 1 f 1 g 1\r\n"),
        (3, "CLIENT TRACKING ON OPTOUT\r\nGET a\r\nCLIENT CACHING NO\r\nGET b\r\nGET c\r\n"),
        (0, "MSET a 1 b 1 c 1\r\n"),
        (3, "CLIENT CACHING NO\r\nCLIENT TRACKINGINFO\r\nCLIENT TRACKING ON OPTOUT NOLOOP\r\nCLIENT TRACKINGINFO\r\n"),
    ]
}

fn by_prefix() -> Script {
    vec![
        (2, "CLIENT TRACKING ON BCAST PREFIX a PREFIX b\r\nCLIENT TRACKINGINFO\r\nGET c\r\n"),
        (3, "CLIENT TRACKING ON BCAST NOLOOP\r\n"),
        (0, "MSET b1 1 a2 2 a1 3 c 4 a 5\r\n"),
        (2, "PING\r\n"),
        (3, "MSET a1 1 x 1\r\n"),
        (2, "PING\r\n"),
        (0, "MULTI\r\nSET a1 1\r\nSET a1 2\r\nDEL b1\r\nDEL b1\r\nLPUSH d 1\r\nEXEC\r\n"),
        (0, "RENAME a1 b\r\n"),
        (3, "FLUSHALL\r\n"),
        (0, "DEL nothing\r\n"),
    ]
}

fn refused() -> Script {
    vec![
        (
            0,
            "CLIENT TRACKING\r\nCLIENT TRACKING maybe\r\nCLIENT TRACKING ON REDIRECT 99999999\r\nCLIENT TRACKING ON REDIRECT x\r\n\
             CLIENT TRACKING ON REDIRECT 0\r\nCLIENT TRACKING ON REDIRECT {id:1} REDIRECT {id:1}\r\nCLIENT TRACKING ON REDIRECT\r\n\
             CLIENT TRACKING ON PREFIX a\r\nCLIENT TRACKING ON BCAST PREFIX\r\nCLIENT TRACKING ON BCAST OPTIN\r\n\
             CLIENT TRACKING ON OPTIN OPTOUT\r\nCLIENT TRACKING ON BOGUS\r\nCLIENT TRACKING OFF BOGUS\r\nCLIENT TRACKING OFF\r\n",
        ),
        (
            0,
            "CLIENT CACHING YES\r\nCLIENT CACHING\r\nCLIENT TRACKING ON OPTIN\r\nCLIENT CACHING NO\r\nCLIENT CACHING maybe\r\n\
             CLIENT TRACKING ON OPTOUT\r\nCLIENT TRACKING ON BCAST\r\nCLIENT TRACKING ON\r\nCLIENT CACHING YES\r\n",
        ),
        (
            0,
            "CLIENT TRACKING OFF\r\nCLIENT TRACKING ON BCAST PREFIX abc PREFIX abcd\r\nCLIENT TRACKING ON BCAST PREFIX x PREFIX y\r\n\
             CLIENT TRACKING ON BCAST PREFIX yz\r\nCLIENT TRACKING ON BCAST PREFIX z NOLOOP\r\nCLIENT TRACKINGINFO\r\n\
             CLIENT TRACKING ON\r\nCLIENT TRACKING ON BCAST\r\nRESET\r\nCLIENT TRACKINGINFO\r\nCLIENT GETREDIR extra\r\n",
        ),
    ]
}

fn monitored() -> Script {
    vec![
        (0, "MONITOR\r\nMONITOR\r\nMONITOR x\r\n"),
        (
            1,
            "SET a \"x\\ny\\x01\\\"\\\\\\a\\b\\t\\xff\"\r\nget a\r\nSELECT 3\r\nGET a\r\nMULTI\r\nINCR z\r\nFOO\r\nEXEC\r\n\
             MULTI\r\nINCR z\r\nGET z\r\nEXEC\r\nMULTI\r\nDISCARD\r\n",
        ),
        (
            1,
            "AUTH default secret\r\nHELLO 2 AUTH default secret BOGUS\r\nCONFIG GET maxclients\r\nFOO bar\r\nGET\r\n\
             LPUSH z x\r\nSET n 12\r\nINCRBYFLOAT n 1\r\nSET t v EX 100\r\nDEBUG JMAP\r\nCLIENT ID x\r\n",
        ),
        (
            1,
            "EVAL \"redis.call('SET', KEYS[1], 'v') return redis.pcall('LPUSH', KEYS[1], 1)\" 1 k\r\nEVAL \"return 1\" x\r\n\
             MULTI\r\nEVAL \"return redis.call('GET', KEYS[1])\" 1 k\r\nEXEC\r\nEVALSHA nothing 0\r\n",
        ),
        (2, "PING\r\nPUBLISH c m\r\nSUBSCRIBE c\r\nUNSUBSCRIBE c\r\n"),
        (0, "GET x\r\nMULTI\r\nMONITOR\r\nEXEC\r\nSELECT 2\r\n"),
        (2, "MONITOR\r\n"),
        (1, "GET y\r\n"),
        (0, "RESET\r\n"),
        (1, "GET unheard\r\n"),
        (0, "PING\r\n"),
    ]
}

/// The flags of CLIENT LIST, by what CLIENT KILL and CLIENT LIST pick.
fn listed() -> Script {
    vec![
        (0, "MONITOR\r\n"),
        (
            1,
            "CLIENT TRACKING ON BCAST\r\nCLIENT LIST ID {id:99}\r\nCLIENT LIST TYPE\r\nCLIENT LIST ID\r\nCLIENT LIST ID x\r\n",
        ),
        (
            1,
            "CLIENT KILL ID x\r\nCLIENT KILL ID 0\r\nCLIENT KILL TYPE x\r\nCLIENT KILL\r\nCLIENT KILL SKIPME maybe\r\nCLIENT KILL a b c\r\n",
        ),
        (
            1,
            "CLIENT KILL 1.2.3.4:5\r\nCLIENT KILL ADDR 1.2.3.4:5\r\nCLIENT KILL LADDR 1.2.3.4:5\r\nCLIENT KILL USER nobody\r\n",
        ),
        (
            1,
            "CLIENT NO-EVICT maybe\r\nCLIENT NO-EVICT ON\r\nCLIENT NO-EVICT OFF\r\nCLIENT REPLY maybe\r\nCLIENT REPLY SKIP\r\nGET a\r\nGET a\r\n",
        ),
        (1, "CLIENT REPLY OFF\r\nGET a\r\nCLIENT REPLY SKIP\r\nGET a\r\nCLIENT REPLY ON\r\n"),
        (
            1,
            "CLIENT PAUSE x\r\nCLIENT PAUSE -1\r\nCLIENT PAUSE 1 maybe\r\nCLIENT PAUSE\r\nCLIENT UNPAUSE x\r\nCLIENT PAUSE 0\r\nCLIENT PAUSE 10000 WRITE\r\nGET a\r\nCLIENT UNPAUSE\r\nSET a 1\r\n",
        ),
        (
            1,
            "CLIENT UNBLOCK x\r\nCLIENT UNBLOCK 1 maybe\r\nCLIENT UNBLOCK 99999999\r\nCLIENT SETNAME \"a b\"\r\nCLIENT SETNAME ab\r\nCLIENT GETNAME\r\n",
        ),
    ]
}

/// Readers that track, on the last two connections, and writers among all.
pub(super) fn random(seed: u64) -> Vec<Step> {
    let mut random = Random::new(seed);
    let begin = |who: usize| (who, "CLIENT TRACKING ON\r\n".to_owned());
    let count = 20 + random.below(60);
    [begin(2), begin(3)].into_iter().chain(std::iter::repeat_with(|| step(&mut random)).take(count)).collect()
}

fn step(random: &mut Random) -> Step {
    let who = random.below(4);
    if who >= 2 && random.one_in(6) {
        let mode = random.pick(&["CLIENT TRACKING ON NOLOOP", "CLIENT TRACKING ON", "CLIENT TRACKINGINFO"]);
        return (who, format!("{mode}\r\n"));
    }
    let lines = (0..1 + random.below(4)).map(|_| request(random, who >= 2)).collect::<String>();
    (who, if random.one_in(5) { format!("MULTI\r\n{lines}EXEC\r\n") } else { lines })
}

fn request(random: &mut Random, reads: bool) -> String {
    let mut key = || *random.pick(&["a", "b", "c", "d", "e"]);
    let (first, second) = (key(), key());
    let call = match random.below(if reads { 14 } else { 9 }) {
        0 => format!("SET {first} 1"),
        1 => format!("MSET {first} 1 {second} 2"),
        2 => format!("DEL {first} {second}"),
        3 => format!("INCR {first}"),
        4 => format!("RENAME {first} {second}"),
        5 => format!("EXPIRE {first} {}", random.below(2) * 1000),
        6 => format!("LPUSH {first} x"),
        7 => format!("COPY {first} {second}"),
        8 if random.one_in(4) => "FLUSHDB".to_owned(),
        8 => format!("APPEND {first} x"),
        9 => format!("GET {first}"),
        10 => format!("MGET {first} {second}"),
        11 => format!("LRANGE {first} 0 -1"),
        12 => format!("EXISTS {first} {second}"),
        _ => format!("STRLEN {first}"),
    };
    format!("{call}\r\n")
}
