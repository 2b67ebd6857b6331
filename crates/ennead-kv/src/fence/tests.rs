use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::*;
use crate::error::Error;
use crate::probe::{Probe, Text, with_args};

/// One that tests open and close.
#[derive(Debug, Default)]
struct Gate {
    closed: AtomicBool,
    passed: AtomicU64,
}

impl Fence for Gate {
    fn guard(&self, commit: &mut dyn FnMut() -> Result<Sequence>) -> Result<Sequence> {
        if self.closed.load(Relaxed) {
            return Err(Error::text("FENCED closed"));
        }
        self.passed.fetch_add(1, Relaxed);
        commit()
    }
}

fn fenced() -> (Probe, Arc<Gate>) {
    let (mut probe, gate) = (Probe::new(), Arc::new(Gate::default()));
    probe.call.fence = Some(Arc::clone(&gate) as Arc<dyn Fence>);
    (probe, gate)
}

const FILLED: &str = r#"
    set s 1 -> OK
    hset h f 1 -> (1)
    rpush l a b -> (2)
    sadd t a b -> (2)
    zadd z 1 a -> (1)
    set gone 1 PX 1000 -> OK
"#;

/// What is there when nothing was changed.
const UNCHANGED: &str = r#"
    get s -> "1"
    hgetall h -> ["f" "1"]
    lrange l 0 -1 -> ["a" "b"]
    scard t -> (2)
    zrange z 0 -1 WITHSCORES -> [["a" 1]]
    ttl s -> (-1)
    exists x -> (0)
"#;

#[test]
fn writes_are_committed_while_it_is_open_and_change_nothing_when_it_is_closed() {
    let (mut probe, gate) = fenced();
    probe.check(FILLED);
    assert_eq!(gate.passed.load(Relaxed), 6);
    gate.closed.store(true, Relaxed);
    for request in [
        "set s 2",
        "incr s",
        "append s 2",
        "del s h",
        "unlink l",
        "expire s 10",
        "hset h g 2",
        "hincrby h f 1",
        "rpush l c",
        "lpop l",
        "sadd t c",
        "srem t a",
        "smove t x a",
        "zadd z 2 b",
        "zincrby z 1 a",
        "zpopmin z",
        "rename s x",
        "copy s x",
        "setbit x 1 1",
        "pfadd x a",
        "xadd x 1-1 f v",
        "geoadd x 1 1 a",
        "sort l ALPHA STORE x",
        "lmove l x left left",
        "flushdb",
        "flushall",
        "swapdb 0 1",
    ] {
        assert_eq!(probe.run(request), "-FENCED closed", "{request}");
        probe.check(UNCHANGED);
    }
    // What changes nothing passes.
    probe.check("del none -> (0)\n set s 2 NX -> nil");
    // A key that is due is deleted by whoever meets it; a reader is not refused for that.
    probe.call.now_ms += 2000;
    probe.check("get gone -> nil\n exists gone -> (0)");
    probe.reopen_store();
    probe.check(UNCHANGED);
    gate.closed.store(false, Relaxed);
    probe.check("incr s -> (2)\n get gone -> nil");
}

#[test]
fn a_transaction_is_committed_behind_it_as_a_whole() {
    let (mut probe, gate) = fenced();
    probe.check(FILLED);
    let run = |probe: &Probe, close: bool| {
        let mut reply = Text::default();
        let ran = probe.keyspace.transaction(&probe.call, true, |transaction| {
            for words in [[b"set" as &[u8], b"s", b"2"], [b"rpush", b"l", b"c"]] {
                with_args(&words, |command, args| transaction.execute(command, &probe.call, args, &mut reply))?;
            }
            // It falls while the transaction runs.
            gate.closed.store(close, Relaxed);
            Ok(())
        });
        ran.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(run(&probe, true), Err("FENCED closed".to_owned()));
    probe.check(UNCHANGED);
    assert_eq!(run(&probe, false), Ok(()));
    probe.check(r#"get s -> "2""#);
    assert_eq!(gate.passed.load(Relaxed), 7);
}
