//! Libraries of functions: conversations, payloads that move between the servers, what restarts keep.

use crate::server::Server;
use crate::wire::{Reply, Wire, parse, show};

/// A library with functions of many kinds. Its variable shows that all callers meet the same one.
const LIBRARY: &str = "#!lua name=many
local count = 0
redis.register_function('plain', function(keys, args) count = count + 1 return {count, keys, args} end)
redis.register_function{function_name='reader', description='it reads', flags={'no-writes', 'ALLOW-STALE'},
  callback=function(keys) return redis.call('get', keys[1]) end}
redis.register_function{function_name='liar', flags={'no-writes'}, callback=function(keys) return redis.call('set', keys[1], 1) end}
redis.register_function{function_name='all', flags={'no-writes','allow-oom','allow-stale','no-cluster','allow-cross-slot-keys'},
  callback=function() return 1 end}
redis.register_function('writer', function(keys, args) redis.call('set', keys[1], args[1]) return redis.status_reply('wrote') end)
redis.register_function('throws', function() error('boom') end)
redis.register_function('throws_table', function() error({err='MY err'}) end)
redis.register_function('unknown', function() return redis.call('nosuch') end)
redis.register_function('caught', function() return redis.pcall('nosuch').err end)
redis.register_function('globals', function() return KEYS end)
redis.register_function('sets', function() x = 1 end)
redis.register_function('late', function() return redis.register_function('x', function() end) end)
redis.register_function('json', function(keys, args) return cjson.encode(cjson.decode(args[1])) end)
redis.register_function('map', function() redis.setresp(3) return {map={a=1}} end)
redis.register_function('tail', function() return redis.call('ping') end)
redis.register_function('deep', function() local x = nil; return x.y end)";

/// Libraries that cannot be loaded, or hardly; each takes the place of the former.
const LOADS: &[&str] = &[
    "#!lua name=x\nlocal a = string.len('x')",
    "#!lua name=x\nredis.call('ping')",
    "#!lua name=x\nreturn foo",
    "#!lua name=x\nfoo=1",
    "#!lua name=x\n_G.x=1",
    "#!lua name=x\nredis.x=1",
    "#!lua name=x\nredis.setresp(3)",
    "#!lua name=x\nlocal x = nil; x.y=1",
    "#!lua name=x\nfoo(",
    "#!lua name=x\nreturn 1",
    "#!lua name=x\n\n\nredis.register_function()",
    "#!lua name=x\nredis.register_function(1,2,3)",
    "#!lua name=x\nredis.register_function({})",
    "#!lua name=x\nredis.register_function('a')",
    "#!lua name=x\nredis.register_function(1,2)",
    "#!lua name=x\nredis.register_function({}, function() end)",
    "#!lua name=x\nredis.register_function('a-b', function() end)",
    "#!lua name=x\nredis.register_function('', function() end)",
    "#!lua name=x\nredis.register_function('a', function() end) redis.register_function('a', function() end)",
    "#!lua name=x\nredis.register_function{function_name='a'}",
    "#!lua name=x\nredis.register_function{callback=function() end}",
    "#!lua name=x\nredis.register_function{function_name={}}",
    "#!lua name=x\nredis.register_function{callback=1}",
    "#!lua name=x\nredis.register_function{description={}}",
    "#!lua name=x\nredis.register_function{flags='no-writes'}",
    "#!lua name=x\nredis.register_function{flags={'bogus'}}",
    "#!lua name=x\nredis.register_function{flags={{}}}",
    "#!lua name=x\nredis.register_function{bogus=1}",
    "#!lua name=x\nredis.register_function{[{}]=1}",
    "#!lua name=x\nwhile true do end",
    "#!lua name=x\nredis.register_function('plain', function() end)",
    "#!lua name=x\nredis.register_function('ok', function() return redis.REDIS_VERSION_NUM > 0 end) redis.log(redis.LOG_DEBUG, 'x')",
    "#!LUA NAME=\"x\"\nlocal r = redis.register_function r('saved', function() return r('y', function() end) end)",
    "x",
    "#!lua",
    "#!lua\n",
    "#!lua name=\n",
    "#!lua name='a b'\n",
    "#!lua name=a name=b\n",
    "#!lua name=a foo\n",
    "#!luax name=a\n",
    "#! name=a\n",
    "#!lua name=\"a\n",
];

const REQUESTS: &[&[&str]] = &[
    &["FUNCTION", "LOAD", LIBRARY],
    &["FUNCTION", "LOAD", "REPLACE", LIBRARY],
    &["FCALL", "plain", "1", "k", "a", "b"],
    &["FCALL", "PLAIN", "0"],
    &["FCALL", "writer", "1", "w", "1"],
    &["FCALL", "reader", "1", "w"],
    &["FCALL_RO", "reader", "1", "w"],
    &["FCALL_RO", "plain", "1", "w"],
    &["FCALL_RO", "liar", "1", "w"],
    &["FCALL", "liar", "1", "w"],
    &["FCALL", "all", "0"],
    &["FCALL", "throws", "0"],
    &["FCALL", "throws_table", "0"],
    &["FCALL", "unknown", "0"],
    &["FCALL", "caught", "0"],
    &["FCALL", "globals", "0"],
    &["FCALL", "sets", "0"],
    &["FCALL", "late", "0"],
    &["FCALL", "saved", "0"],
    &["FCALL", "ok", "0"],
    &["FCALL", "json", "0", "[1, {\"a\":null}]"],
    &["FCALL", "map", "0"],
    &["FCALL", "tail", "0"],
    &["FCALL", "deep", "0"],
    &["FCALL", "nosuch", "x"],
    &["FCALL", "plain", "x"],
    &["FCALL", "plain", "-1"],
    &["FCALL", "plain", "1"],
    &["FCALL", "plain"],
    &["MULTI"],
    &["FCALL", "writer", "1", "m", "5"],
    &["FCALL", "throws", "0"],
    &["FCALL_RO", "reader", "1", "m"],
    &["FUNCTION", "LOAD", "#!lua name=inmulti\nredis.register_function('inmulti', function() return 9 end)"],
    &["FCALL", "inmulti", "0"],
    &["FUNCTION", "DELETE", "inmulti"],
    &["FCALL", "inmulti", "0"],
    &["EXEC"],
    &["GET", "m"],
    &["EVAL", "return redis.call('fcall', 'plain', 0)", "0"],
    &["EVAL", "return redis.call('function', 'list')", "0"],
    &["EVAL_RO", "#!lua\nreturn 1", "0"],
    &["EVAL_RO", "#!lua flags=no-writes\nreturn 1", "0"],
    &["EVAL", "#!lua flags=no-writes,allow-oom\nreturn 1", "0"],
    &["EVAL", "#!lua flags=no-writes,\nreturn 1", "0"],
    &["EVAL", "#!lua flags=\nreturn 1", "0"],
    &["EVAL", "#!lua \"flags=no-writes\"\nreturn 1", "0"],
    &["EVAL", "#!lua \"flags\nreturn 1", "0"],
    &["EVAL", "#!lua", "0"],
    &["EVAL", "#!/usr/bin/lua\nreturn 1", "0"],
    &["FUNCTION", "STATS"],
    &["FUNCTION", "LIST"],
    &["FUNCTION", "LIST", "LIBRARYNAME", "MAN*"],
    &["FUNCTION", "LIST", "WITHCODE", "LIBRARYNAME", "x"],
    &["FUNCTION", "LIST", "x"],
    &["FUNCTION", "LIST", "LIBRARYNAME"],
    &["FUNCTION", "LIST", "WITHCODE", "WITHCODE"],
    &["FUNCTION", "LOAD", "REPLACE"],
    &["FUNCTION", "LOAD"],
    &["FUNCTION", "LOAD", "a", "b"],
    &["FUNCTION", "LOAD", "REPLACE", "#!lua name=other\nredis.register_function('plain', function() end)"],
    &["FUNCTION", "DELETE", "nosuch"],
    &["FUNCTION", "DELETE", "MANY"],
    &["FUNCTION", "RESTORE", "x"],
    &["FUNCTION", "RESTORE", "x", "y"],
    &["FUNCTION", "RESTORE", "x", "append", "z"],
    &["FUNCTION", "KILL"],
    &["FUNCTION", "FLUSH", "x"],
    &["FUNCTION", "FLUSH", "sync", "x"],
    &["FUNCTION", "DUMP", "x"],
    &["FUNCTION", "bogus"],
    &["FUNCTION", "DELETE", "many"],
    &["FCALL", "plain", "0"],
    &["FUNCTION", "FLUSH", "async"],
    &["FUNCTION", "LIST"],
    &["FUNCTION", "DUMP"],
    &["COMMAND", "GETKEYS", "FCALL", "f", "2", "a", "b", "c"],
    &["COMMAND", "GETKEYSANDFLAGS", "FCALL_RO", "f", "1", "a", "c"],
];

fn call(wire: &mut Wire, words: &[&str]) -> Vec<u8> {
    let bytes: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    wire.send(&crate::wire::request(&bytes)).unwrap();
    wire.reply().unwrap()
}

/// A reply, what has no order in order.
fn shown(bytes: &[u8]) -> String {
    let text = show(bytes);
    if !text.contains("library_name") {
        return text;
    }
    ordered(&parse(bytes))
}

fn ordered(reply: &Reply) -> String {
    match reply {
        Reply::List(items) => {
            let mut items: Vec<String> = items.iter().map(ordered).collect();
            if items.first().is_some_and(|item| item.starts_with('[')) {
                items.sort();
            }
            format!("[{}]", items.join(", "))
        }
        other => format!("{other:?}"),
    }
}

fn replies(server: &Server, protocol: &str) -> Vec<(String, String)> {
    let mut wire = server.connect();
    call(&mut wire, &["FLUSHALL"]);
    call(&mut wire, &["FUNCTION", "FLUSH"]);
    call(&mut wire, &["HELLO", protocol]);
    let loads = LOADS.iter().map(|text| vec!["FUNCTION", "LOAD", "REPLACE", text]);
    let requests = REQUESTS[..1].iter().map(|words| words.to_vec()).chain(loads);
    requests
        .chain(REQUESTS[1..].iter().map(|words| words.to_vec()))
        .map(|words| (words.join(" "), shown(&call(&mut wire, &words))))
        .collect()
}

#[test]
fn functions_get_the_replies_of_redis() {
    let Some(peer) = Server::redis(&[]) else { return };
    let ours = Server::subject(&[]);
    for protocol in ["2", "3"] {
        let differences: Vec<String> = replies(&peer, protocol)
            .into_iter()
            .zip(replies(&ours, protocol))
            .filter(|(peers, own)| peers != own)
            .map(|((request, peers), (_, own))| format!("{request}\n  redis:  {peers}\n  ennead: {own}"))
            .collect();
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }
}

fn bulk(bytes: &[u8]) -> Vec<u8> {
    match parse(bytes) {
        Reply::Bulk(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn payloads_of_functions_go_both_ways() {
    let Some(peer) = Server::redis(&[]) else { return };
    let ours = Server::subject(&[]);
    let long =
        format!("#!lua name=long\n-- {}\nredis.register_function('long', function() return 7 end)", "x".repeat(70_000));
    for (from, to) in [(&peer, &ours), (&ours, &peer)] {
        let (mut from, mut to) = (from.connect(), to.connect());
        call(&mut from, &["FUNCTION", "FLUSH"]);
        call(&mut to, &["FUNCTION", "FLUSH"]);
        for text in [LIBRARY, &long, "#!lua name=s\nredis.register_function('s', function() return 1 end)"] {
            call(&mut from, &["FUNCTION", "LOAD", text]);
        }
        let payload = bulk(&call(&mut from, &["FUNCTION", "DUMP"]));
        let mut restore = |policy: &str| {
            let words: [&[u8]; 4] = [b"FUNCTION", b"RESTORE", &payload, policy.as_bytes()];
            to.send(&crate::wire::request(&words)).unwrap();
            String::from_utf8(to.reply().unwrap()).unwrap()
        };
        assert_eq!(restore("APPEND"), "+OK\r\n");
        assert!(restore("APPEND").ends_with("already exists\r\n"));
        assert_eq!(restore("REPLACE"), "+OK\r\n");
        assert_eq!(restore("FLUSH"), "+OK\r\n");
        assert_eq!(call(&mut to, &["FCALL", "long", "0"]), b":7\r\n");
        let list = ["FUNCTION", "LIST", "WITHCODE"];
        assert_eq!(shown(&call(&mut to, &list)), shown(&call(&mut from, &list)));
    }
}

#[test]
fn one_library_makes_the_same_payload() {
    let Some(peer) = Server::redis(&[]) else { return };
    let ours = Server::subject(&[]);
    let mut payloads = [&peer, &ours].map(|server| {
        let mut wire = server.connect();
        call(&mut wire, &["FUNCTION", "LOAD", LIBRARY]);
        call(&mut wire, &["FUNCTION", "DUMP"])
    });
    let [first, second] = &mut payloads;
    assert_eq!(show(first), show(second));
    // A bit that is wrong.
    let mut payload = bulk(first);
    payload[20] ^= 1;
    let words: [&[u8]; 3] = [b"FUNCTION", b"RESTORE", &payload];
    for server in [&peer, &ours] {
        let mut wire = server.connect();
        wire.send(&crate::wire::request(&words)).unwrap();
        assert_eq!(wire.reply().unwrap(), b"-ERR DUMP payload version or checksum are wrong\r\n");
    }
}
