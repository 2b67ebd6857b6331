//! Scripts beside those of redis-server: values both ways, errors with their places, what scripts may not do.

mod functions;
mod libraries;

use crate::server::Server;
use crate::wire::show;

/// Run one after the other, without keys and arguments. Not here: numbers drawn by chance, and `os`, which 7.2 has.
const SCRIPTS: &[&str] = &[
    r#"return foo"#,
    r#"foo=1"#,
    r#"return redis.call('nosuch')"#,
    r#"return redis.call('set','a')"#,
    r#"return redis.call('hget','str','x')"#,
    r#"local t = redis.pcall('hget','str','x'); return t.err"#,
    r#"redis.call('rpush','numbers',1,-7,1e15,1e16,-1e16,0.5) return redis.call('lpop','numbers',9)"#,
    r#"return redis.call('get',{})"#,
    r#"return redis.call()"#,
    r#"return {1,2,{3,'four'},nil,5}"#,
    r#"return error('boom')"#,
    r#"return error({err='MY err'})"#,
    r#"return {err='MY err'}"#,
    r#"retur n"#,
    r#"return redis.error_reply('My Err')"#,
    r#"return redis.error_reply('-My Err')"#,
    r#"return redis.status_reply('fine')"#,
    r#"return redis.error_reply('')"#,
    r#"return redis.error_reply('-')"#,
    r#"return redis.error_reply('Word')"#,
    r#"return redis.error_reply('--x y')"#,
    r#"return {err='-MY err'}"#,
    r#"local s = '' for k, v in pairs(redis.error_reply('a')) do s = s .. k .. v end return s"#,
    r#"return tostring(redis.pcall('nosuch').ignore_error_stats_update)"#,
    r#"return 3.99"#,
    r#"return -3.99"#,
    r#"local x = nil; return x.y"#,
    r#"return redis.call()"#,
    r#"redis.x=1"#,
    r#"return redis.call('set', {}, 1)"#,
    r#"return redis.pcall('set','a')"#,
    r#"return pcall(redis.call,'set','a')"#,
    r#"print(1)"#,
    r#"return _VERSION"#,
    r#"return redis.sha1hex('')"#,
    r#"return redis.sha1hex('a','b')"#,
    r#"return bit.tohex(65535,4)"#,
    r#"return {bit.band(1,3), bit.bor(1,2), bit.bxor(5,1), bit.lshift(1,31), bit.rshift(-1,28), bit.arshift(-256,4), bit.rol(1,33), bit.bswap(1), bit.tobit(4294967295)}"#,
    r#"return redis.call('incrby','n',3)"#,
    r#"return redis.call('get','n')"#,
    r#"return redis.call('get','missing')"#,
    r#"return redis.call('mget','n','missing','str')"#,
    r#"return redis.call('hgetall','missing')"#,
    r#"return redis.call('ping')"#,
    r#"return redis.call('echo','x')"#,
    r#"return type(redis.call('get','missing'))"#,
    r#"return tostring(redis.call('set','k','v').ok)"#,
    r#"return true"#,
    r#"return false"#,
    r#"return nil"#,
    r#"return ''"#,
    r#"return {ok='yes'}"#,
    r#"return {double=3.5}"#,
    r#"return {map={a=1}}"#,
    r#"return {set={a=true}}"#,
    r#"redis.setresp(3); return redis.call('hgetall','h1')"#,
    r#"redis.setresp(3); return true"#,
    r#"redis.setresp(4)"#,
    r#"redis.setresp()"#,
    r#"return redis.log(1)"#,
    r#"redis.log(redis.LOG_WARNING,'x')"#,
    r#"redis.log('a','x')"#,
    r#"redis.log(9,'x')"#,
    r#"return redis.set_repl(redis.REPL_ALL)"#,
    r#"return redis.replicate_commands()"#,
    r#"return loadstring('return 5+6')()"#,
    r#"return load(function() return nil end)"#,
    r#"local f = loadstring('return foo'); return f()"#,
    r#"return tostring(pcall(function() error({err='x'}) end))"#,
    r#"string.foo = 1"#,
    r#"return table.concat({1,2,3},',')"#,
    r#"return string.format('%d %s', 5, 'x')"#,
    r#"return select('#', 1,2,3)"#,
    r#"rawset(_G,'x',1)"#,
    r#"setmetatable(_G, {})"#,
    r#"return tostring(KEYS[1])"#,
    r#"return #ARGV"#,
    r#"for i=1,3 do redis.call('rpush','list',i) end return redis.call('lrange','list',0,-1)"#,
    r#"return redis.call('lrange','list',0,-1)[2]"#,
    r#"redis.call('set','before','1'); error('stop')"#,
    r#"return redis.call('get','before')"#,
    r#"redis.call('select','3'); redis.call('set','in3','x'); return redis.call('get','in3')"#,
    r#"return redis.call('get','in3')"#,
    r#"return redis.call('config','get','maxmemory')"#,
    r#"return redis.call('multi')"#,
    r#"return {1,{2,{3,{4}}}}"#,
    r#"return 12345678901234567890"#,
    r#"return tonumber('0x10')"#,
    r#"return redis.call('set','f',3.5)"#,
    r#"return redis.call('get','f')"#,
    r#"return redis.call('get','f')"#,
    r#"return redis.call('set','f',100000000000000000000)"#,
    r#"return redis.call('get','f')"#,
    r#"return redis.call('exists', KEYS[1])"#,
    r#"local a = {} a[1]=1 a[3]=3 return a"#,
    r#"return {a=1}"#,
    r#"return redis.REDIS_VERSION_NUM > 0"#,
    r#"return require('x')"#,
    r#"return coroutine.wrap(function() return 7 end)()"#,
    r#"return unpack({1,2})"#,
    "#!lua flags=no-writes\nreturn redis.call('set','a','b')",
    "#!lua flags=bogus\nreturn 1",
    "#!luaj\nreturn 1",
    "#!lua name=x\nreturn 1",
    "#!lua\nreturn foo",
];

/// Other requests of the family.
const REQUESTS: &[&[&str]] = &[
    &["EVAL", "return {KEYS[1],KEYS[2],ARGV[1],ARGV[2]}", "2", "k1", "k2", "a1", "a2"],
    &["EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"],
    &["SCRIPT", "LOAD", "return 1"],
    &["SCRIPT", "EXISTS", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "x"],
    &["EVALSHA", "E0E1f9fabfc9d4800c877a703b823ac0578ff8db", "0"],
    &["EVALSHA_RO", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"],
    &["SCRIPT", "LOAD", "retur 1"],
    &["SCRIPT", "FLUSH", "bogus"],
    &["SCRIPT", "FLUSH", "sync"],
    &["EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"],
    &["EVAL_RO", "return redis.call('set','a','b')", "0"],
    &["EVAL_RO", "return redis.call('publish','a','b')", "0"],
    &["EVAL_RO", "return redis.call('pfcount','a')", "0"],
    &["EVAL", "return 1", "2", "a"],
    &["EVAL", "return 1", "-1"],
    &["EVAL", "return 1", "x"],
    &["EVAL", "return 1"],
    &["SCRIPT", "KILL"],
    &["SCRIPT", "bogus"],
    &["MULTI"],
    &["SET", "m", "1"],
    &["EVAL", "return redis.call('incr',KEYS[1])", "1", "m"],
    &["EVAL", "return foo", "0"],
    &["GET", "m"],
    &["EXEC"],
];

fn replies(server: &Server, protocol: &[u8]) -> Vec<(String, String)> {
    let mut wire = server.connect();
    wire.call(&[b"FLUSHALL"]).unwrap();
    wire.call(&[b"HELLO", protocol]).unwrap();
    wire.call(&[b"SET", b"str", b"x"]).unwrap();
    wire.call(&[b"HSET", b"h1", b"a", b"1"]).unwrap();
    let scripts = SCRIPTS.iter().chain(libraries::SCRIPTS).map(|script| vec!["EVAL", script, "0"]);
    let requests = REQUESTS.iter().map(|words| words.to_vec());
    scripts
        .chain(requests)
        .map(|words| {
            let bytes: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
            wire.send(&crate::wire::request(&bytes)).unwrap();
            let mut reply = show(&wire.reply().unwrap());
            if reply.starts_with("+table: ") || reply.contains("table: 0x") {
                reply = "the address of a table".to_owned();
            }
            (words.join(" "), reply)
        })
        .collect()
}

#[test]
fn scripts_get_the_replies_of_redis() {
    let Some(peer) = Server::redis(&[]) else { return };
    let ours = Server::subject(&[]);
    for protocol in [&b"2"[..], b"3"] {
        let differences: Vec<String> = replies(&peer, protocol)
            .into_iter()
            .zip(replies(&ours, protocol))
            .filter(|(peers, own)| peers != own)
            .map(|((request, peers), (_, own))| format!("{request}\n  redis:  {peers}\n  ennead: {own}"))
            .collect();
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }
}
