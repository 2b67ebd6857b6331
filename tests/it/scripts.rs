//! Scripts and functions that do not end: what others are told meanwhile, and who may end them. And what of functions is
//! left after a kill.

use crate::server::Server;
use crate::wait;
use crate::wire::{Reply, Wire};

const BUSY_SCRIPT: &str = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const BUSY_FUNCTION: &str = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
const UNKILLABLE: &str = "UNKILLABLE Sorry the script already executed write commands against the dataset. You can \
                          either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE \
                          command.";
const LIBRARY: &str = "#!lua name=slow
redis.register_function('spin', function() while true do end end)
redis.register_function('catches', function() while true do pcall(function() while true do end end) end end)
redis.register_function('writes', function(keys) redis.call('set', keys[1], 1) while redis.call('time')[1] < keys[2] do end return 'done' end)";

fn words<'w>(request: &'w [&str]) -> Vec<&'w [u8]> {
    request.iter().map(|word| word.as_bytes()).collect()
}

fn call(wire: &mut Wire, request: &[&str]) -> Reply {
    wire.call(&words(request)).unwrap()
}

fn error(text: &str) -> Reply {
    Reply::Error(text.as_bytes().to_vec())
}

fn ok() -> Reply {
    Reply::Simple(b"OK".to_vec())
}

/// A connection that runs what does not end, and one that has been told so.
fn busy(server: &Server, request: &[&str], busy: &str) -> (Wire, Wire) {
    let (mut runner, mut other) = (server.connect(), server.connect());
    runner.send(&crate::wire::request(&words(request))).unwrap();
    wait::until("the script to be busy", || (call(&mut other, &["GET", "x"]) == error(busy)).then_some(()));
    (runner, other)
}

/// The reply to what was ended.
fn last(runner: &mut Wire) -> String {
    String::from_utf8(runner.reply().unwrap()).unwrap()
}

fn scenarios(server: &Server) -> Vec<String> {
    let mut wire = server.connect();
    assert_eq!(call(&mut wire, &["CONFIG", "SET", "busy-reply-threshold", "50"]), ok());
    assert_eq!(call(&mut wire, &["FUNCTION", "LOAD", LIBRARY]), Reply::Bulk(b"slow".to_vec()));
    let mut ends = Vec::new();

    let spin = "while true do pcall(function() while true do end end) end";
    let (mut runner, mut other) = busy(server, &["EVAL", spin, "0"], BUSY_SCRIPT);
    assert_eq!(call(&mut other, &["FUNCTION", "KILL"]), error(BUSY_SCRIPT));
    assert_eq!(call(&mut other, &["FUNCTION", "STATS"]), error(BUSY_SCRIPT));
    assert_eq!(call(&mut other, &["PING"]), error(BUSY_SCRIPT));
    assert_eq!(call(&mut other, &["SCRIPT", "KILL"]), ok());
    ends.push(last(&mut runner));
    assert_eq!(call(&mut other, &["SCRIPT", "KILL"]), error("NOTBUSY No scripts in execution right now."));

    for name in ["spin", "catches"] {
        let (mut runner, mut other) = busy(server, &["FCALL", name, "0", "word"], BUSY_FUNCTION);
        assert_eq!(call(&mut other, &["SCRIPT", "KILL"]), error(BUSY_FUNCTION));
        let Reply::List(stats) = call(&mut other, &["FUNCTION", "STATS"]) else { panic!("no stats") };
        let Reply::List(running) = &stats[1] else { panic!("nothing runs") };
        assert_eq!(running[1], Reply::Bulk(name.into()));
        let command = ["FCALL", name, "0", "word"].map(|word| Reply::Bulk(word.into()));
        assert_eq!(running[3], Reply::List(command.into()));
        assert_eq!(call(&mut other, &["FUNCTION", "KILL"]), ok());
        ends.push(last(&mut runner));
        assert_eq!(call(&mut other, &["GET", "x"]), Reply::Nil);
    }

    // After a write it goes on to its end, which the last key tells it.
    let Reply::List(time) = call(&mut wire, &["TIME"]) else { panic!("no time") };
    let Reply::Bulk(seconds) = &time[0] else { panic!("no seconds") };
    let end = (String::from_utf8(seconds.clone()).unwrap().parse::<u64>().unwrap() + 5).to_string();
    let script = "redis.call('set', KEYS[1], 1) while redis.call('time')[1] < KEYS[2] do end return 'done'";
    for (request, kill, text) in [
        (["EVAL", script, "2", "written", &end], ["SCRIPT", "KILL"], BUSY_SCRIPT),
        (["FCALL", "writes", "2", "written", "0"], ["FUNCTION", "KILL"], ""),
    ] {
        if text.is_empty() {
            assert_eq!(call(&mut wire, &request), Reply::Bulk(b"done".to_vec()));
            assert_eq!(call(&mut wire, &kill), error("NOTBUSY No scripts in execution right now."));
            continue;
        }
        let (mut runner, mut other) = busy(server, &request, text);
        assert_eq!(call(&mut other, &kill), error(UNKILLABLE));
        ends.push(last(&mut runner));
        assert_eq!(call(&mut other, &["GET", "written"]), Reply::Bulk(b"1".to_vec()));
    }
    ends
}

#[test]
fn what_does_not_end_can_be_ended_until_it_writes() {
    let ours = scenarios(&Server::subject(&[]));
    // Where the error was raised depends on the moment, but all of it is in one line.
    assert!(ours[0].starts_with("-ERR Script killed by user with SCRIPT KILL... script: "), "{}", ours[0]);
    assert!(ours[1].starts_with("-ERR Script killed by user with SCRIPT KILL... script: spin, on @user_function:2."));
    assert!(
        ours[2].starts_with("-ERR Script killed by user with SCRIPT KILL... script: catches, on @user_function:3.")
    );
    assert_eq!(ours[3], "$4\r\ndone\r\n");
    if let Some(peer) = Server::redis(&[]) {
        assert_eq!(scenarios(&peer), ours);
    }
}

#[test]
fn functions_are_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::restartable(folder.path(), "always", &[]);
    let mut wire = server.connect();
    let library = |name: &str, result: &str| {
        format!("#!lua name={name}\nredis.register_function('{name}', function() return {result} end)")
    };
    for name in ["stays", "changes", "goes"] {
        call(&mut wire, &["FUNCTION", "LOAD", &library(name, "1")]);
    }
    call(&mut wire, &["FUNCTION", "LOAD", "REPLACE", &library("changes", "2")]);
    call(&mut wire, &["FUNCTION", "DELETE", "goes"]);
    call(&mut wire, &["FLUSHALL"]);
    let list = call(&mut wire, &["FUNCTION", "LIST", "WITHCODE"]);
    server.kill();
    let server = Server::restartable(folder.path(), "always", &[]);
    let mut wire = server.connect();
    assert_eq!(call(&mut wire, &["FUNCTION", "LIST", "WITHCODE"]), list);
    assert_eq!(call(&mut wire, &["FCALL", "stays", "0"]), Reply::Integer(1));
    assert_eq!(call(&mut wire, &["FCALL", "changes", "0"]), Reply::Integer(2));
    assert_eq!(call(&mut wire, &["FCALL", "goes", "0"]), error("ERR Function not found"));
    assert_eq!(call(&mut wire, &["FUNCTION", "FLUSH"]), ok());
    drop(server);
    let server = Server::restartable(folder.path(), "always", &[]);
    assert_eq!(call(&mut server.connect(), &["FUNCTION", "LIST"]), Reply::List(Vec::new()));
}
