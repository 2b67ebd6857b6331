//! `ennead import`: from a redis-server that is written to all the time, interrupted and started again; from files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::content::{Content, assert_same, content, fill};
use super::writer::{StopAtEnd, Writer};
use crate::daemon::process::{ennead, output, refusal};
use crate::random::Random;
use crate::server::Server;
use crate::wait;
use crate::wire::{Reply, request};

/// An import at work.
struct Import {
    child: Child,
    log: PathBuf,
}

impl Import {
    fn start(folder: &Path, source: &Server, target: &Server, flags: &[&str]) -> Import {
        let log = folder.join("import.log");
        let file = std::fs::File::create(&log).unwrap();
        let mut command = ennead();
        command.args([
            "import",
            &format!("redis://{}", source.address),
            "--to",
            &target.address.to_string(),
            "--state",
        ]);
        command.arg(folder.join("import.state")).args(flags);
        command.stdout(file.try_clone().unwrap()).stderr(file);
        Import { child: command.spawn().unwrap(), log }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn wait_for(&mut self, text: &str) {
        wait::until(text, || {
            let said = self.said();
            let ended = self.child.try_wait().unwrap();
            assert!(said.contains(text) || ended.is_none(), "{ended:?}, no {text:?} in:\n{said}");
            said.contains(text).then_some(())
        });
    }

    fn interrupt(&mut self) {
        let status = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    fn end(mut self) -> (ExitStatus, String) {
        let status = wait::until("the end of the import", || self.child.try_wait().unwrap());
        (status, self.said())
    }

    fn succeed(self) -> String {
        let (status, said) = self.end();
        assert!(status.success(), "{said}");
        said
    }
}

/// What both have once short lives are over.
fn compare(source: &Server, target: &Server) -> Content {
    std::thread::sleep(Duration::from_millis(60));
    let expected = content(&mut source.connect());
    assert_same(&content(&mut target.connect()), &expected);
    expected
}

fn redis(flags: &[&str]) -> Option<Server> {
    let mut all = vec!["--repl-diskless-sync-delay", "0", "--repl-backlog-size", "64mb"];
    all.extend(flags);
    Server::redis(&all)
}

fn follow_a_busy_source(diskless: &str) {
    let Some(source) = redis(&["--repl-diskless-sync", diskless]) else { return };
    let target = Server::subject(&[]);
    let folder = tempfile::tempdir().unwrap();
    fill(&mut source.connect());
    let writer = Writer::new();
    std::thread::scope(|scope| {
        let _stop = StopAtEnd(&writer);
        for seed in 0..2 {
            let (writer, source) = (&writer, &source);
            scope.spawn(move || writer.run(source, seed));
        }
        writer.wait_for_writes();
        let mut import = Import::start(folder.path(), &source, &target, &[]);
        import.wait_for("following the source now");
        writer.wait_for_writes();
        import.interrupt();
        let said = import.succeed();
        assert!(said.contains("full copy of") && said.contains("commands followed"), "{said}");
        writer.wait_for_writes();
        // Killed connections are made again.
        let mut import = Import::start(folder.path(), &source, &target, &[]);
        import.wait_for("nothing is copied again");
        writer.wait_for_writes();
        source.connect().call(&[b"CLIENT", b"KILL", b"TYPE", b"replica"]).unwrap();
        import.wait_for("trying again");
        writer.wait_for_writes();
        import.interrupt();
        let said = import.succeed();
        assert!(!said.contains("full copy"), "{said}");
        writer.wait_for_writes();
    });
    let said = Import::start(folder.path(), &source, &target, &["--until-caught-up"]).succeed();
    assert!(said.contains("nothing is copied again") && said.contains("caught up"), "{said}");
    let held = compare(&source, &target);
    eprintln!("{} writes, {} keys the same in both", writer.done.load(SeqCst), held.len());
}

#[test]
fn a_redis_that_is_written_to_is_copied_and_followed() {
    follow_a_busy_source("no");
}

#[test]
fn a_snapshot_that_redis_sends_without_a_file_is_taken() {
    follow_a_busy_source("yes");
}

#[test]
fn what_the_source_no_longer_has_is_copied_again() {
    let Some(source) = redis(&["--repl-backlog-size", "16kb"]) else { return };
    let target = Server::subject(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut wire = source.connect();
    wire.call(&[b"MSET", b"a", b"1", b"gone", b"2"]).unwrap();
    Import::start(folder.path(), &source, &target, &["--until-caught-up"]).succeed();
    wire.call(&[b"DEL", b"gone"]).unwrap();
    for number in 0..100 {
        wire.call(&[b"SET", format!("key {number}").as_bytes(), &[b'x'; 1000]]).unwrap();
    }
    // Without a word about what is there already nothing is touched.
    let (status, said) = Import::start(folder.path(), &source, &target, &["--until-caught-up"]).end();
    assert!(!status.success() && said.contains("starting the full copy again"), "{said}");
    assert!(said.contains("the target is not empty") && said.contains("--flush"), "{said}");
    let said = Import::start(folder.path(), &source, &target, &["--until-caught-up", "--flush"]).succeed();
    assert!(said.contains("full copy of"), "{said}");
    compare(&source, &target);
}

/// After a kill nobody knows what was carried out: nothing is carried out twice.
#[test]
fn a_killed_import_copies_again() {
    let Some(source) = redis(&[]) else { return };
    let target = Server::subject(&[]);
    let folder = tempfile::tempdir().unwrap();
    source.connect().call(&[b"INCR", b"counter"]).unwrap();
    let mut import = Import::start(folder.path(), &source, &target, &[]);
    import.wait_for("following the source now");
    import.child.kill().unwrap();
    import.child.wait().unwrap();
    source.connect().call(&[b"INCR", b"counter"]).unwrap();
    let said = Import::start(folder.path(), &source, &target, &["--until-caught-up", "--flush"]).succeed();
    assert!(said.contains("had no chance to say how far it was"), "{said}");
    compare(&source, &target);
}

#[test]
fn a_stop_during_the_copy_is_told() {
    let Some(source) = redis(&["--repl-diskless-sync", "no"]) else { return };
    let target = Server::subject(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut wire = source.connect();
    wire.call(&[b"DEBUG", b"POPULATE", b"300000"]).unwrap();
    let mut import = Import::start(folder.path(), &source, &target, &[]);
    import.wait_for("full copy of");
    import.interrupt();
    let said = import.succeed();
    assert!(said.contains("stopped before the copy was whole"), "{said}");
    let said = Import::start(folder.path(), &source, &target, &["--until-caught-up", "--merge"]).succeed();
    assert!(said.contains("300000 keys copied"), "{said}");
    let size = |server: &Server| server.connect().call(&[b"DBSIZE"]).unwrap();
    assert_eq!(size(&target), size(&source));
}

#[test]
fn one_database_is_imported_with_user_and_password() {
    let Some(source) = redis(&[]) else { return };
    let target = Server::subject(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut wire = source.connect();
    fill(&mut wire);
    let words = ["ACL", "SETUSER", "copier", "on", ">p@ss", "+psync", "+replconf", "+ping", "+info"];
    assert_eq!(wire.call(&words.map(str::as_bytes)).unwrap(), Reply::Simple(b"OK".into()));
    let mut command = ennead();
    command.args(["import", &format!("redis://copier:p%40ss@{}/3", source.address), "--until-caught-up", "--state"]);
    command.arg(folder.path().join("state")).args(["--to", &target.address.to_string()]);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let expected: Content = content(&mut wire).into_iter().filter(|((db, _), _)| *db == 3).collect();
    assert_eq!(expected.len(), 2);
    assert_same(&content(&mut target.connect()), &expected);
}

#[test]
fn large_values_are_imported_in_pieces() {
    let Some(source) = redis(&[]) else { return };
    let target = Server::subject(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut wire = source.connect();
    let noise = Random::new(1).bytes(20 << 20);
    wire.call(&[b"SET", b"string", &noise]).unwrap();
    for part in noise.chunks(1000) {
        let score = u64::from_le_bytes(part[..8].try_into().unwrap()).to_string();
        let requests = [
            request(&[&b"RPUSH"[..], b"list", part]),
            request(&[&b"SADD"[..], b"set", part]),
            request(&[&b"HSET"[..], b"hash", &part[..500], &part[500.min(part.len())..]]),
            request(&[&b"ZADD"[..], b"zset", score.as_bytes(), part]),
        ];
        wire.send(&requests.concat()).unwrap();
        (0..4).for_each(|_| drop(wire.reply().unwrap()));
    }
    wire.call(&[b"PEXPIREAT", b"set", b"4102444800000"]).unwrap();
    Import::start(folder.path(), &source, &target, &["--until-caught-up"]).succeed();
    assert_eq!(compare(&source, &target).len(), 5);
}

fn import_file(file: &Path, target: &Server, flags: &[&str]) -> std::process::Output {
    let address = target.address.to_string();
    let mut arguments = vec!["import", file.to_str().unwrap(), "--to", &address];
    arguments.extend(flags);
    output(&arguments)
}

/// The files of Redis's own tests, where they are at hand (`make suite-redis` fetches them).
#[test]
fn files_of_older_versions_are_imported_as_redis_loads_them() {
    let Some(home) = std::env::var_os("HOME") else { return };
    let assets = Path::new(&home).join(".cache/ennead/suites/redis/redis-7.0.15/tests/assets");
    if !assets.is_dir() {
        eprintln!("\n*** NOT TESTED: {} is not there ***\n", assets.display());
        return;
    }
    for name in ["encodings", "hash-ziplist", "hash-zipmap", "list-quicklist", "zset-ziplist", "corrupt_empty_keys"] {
        let folder = tempfile::tempdir().unwrap();
        let file = assets.join(format!("{name}.rdb"));
        std::fs::copy(&file, folder.path().join("dump.rdb")).unwrap();
        let Some(redis) = Server::redis_in(folder.path(), &[]) else { return };
        let target = Server::subject(&[]);
        let done = import_file(&file, &target, &[]);
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        let held = compare(&redis, &target);
        eprintln!("{name}: {} keys the same in both", held.len());
    }
}

/// Fields with deadlines of Redis 7.4, a module's value: what cannot be kept is said and counted, and the exit code tells.
#[test]
fn what_a_file_has_and_the_target_cannot_keep_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let target = Server::subject(&[]);
    let mut file = std::fs::File::create(folder.path().join("dump.rdb")).unwrap();
    // Deadlines in the year 2100, relative to the first.
    let first = 4_102_444_800_000u64.to_le_bytes();
    let parts: [&[u8]; 7] = [
        b"REDIS0012\xfe\x00\xfb\x03\x00\x00\x01a\x01x\x18\x01h",
        &first,
        b"\x02\x00\x01a\x011\x01\x01b\x012",
        b"\x07\x01m\x81\x00\x00\x00\x00\x00\x00\x04\x01\x02\x05\x00",
        b"\x01\x01e\x00",
        b"\xff",
        &[0; 8],
    ];
    file.write_all(&parts.concat()).unwrap();
    let done = import_file(&folder.path().join("dump.rdb"), &target, &[]);
    let (said, problem) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
    let mut wire = target.connect();
    assert_eq!(wire.call(&[b"GET", b"a"]).unwrap(), Reply::Bulk(b"x".to_vec()));
    assert_eq!(wire.call(&[b"HGET", b"h", b"b"]).unwrap(), Reply::Bulk(b"2".to_vec()));
    assert!(said.contains("2 keys copied (hash 1, string 1)"), "{said}");
    assert!(said.contains("1 THINGS SKIPPED") && said.contains("key m: module type"), "{said}");
    assert!(said.contains("1 keys left out: they have no value"), "{said}");
    let kept = matches!(wire.call(&[b"HPEXPIRETIME", b"h", b"FIELDS", b"1", b"b"]).unwrap(), Reply::List(_));
    assert!(kept || said.contains("1 DEADLINES OF FIELDS DROPPED"), "{said}");
    assert!(!done.status.success() && problem.contains("not everything of the source is on the target"), "{problem}");
}

#[test]
fn an_import_says_what_is_wrong() {
    let target = Server::subject(&[]);
    let to = target.address.to_string();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let state = folder.path().join("state").display().to_string();
    for (source, text) in [
        ("nothing.rdb".to_owned(), "a source is a snapshot file, or redis://host:port"),
        (file("page", "<html>  "), "no snapshot file of Redis"),
        (file("newer", "REDIS0099\x7f"), "version 99"),
        (file("short", "REDIS0011\x02"), "ends too early"),
        (format!("redis://{to}"), "source and target are both"),
        ("redis://127.0.0.1:1".to_owned(), "is the server running there?"),
    ] {
        let line = refusal(&["import", &source, "--to", &to, "--state", &state]);
        assert!(line.contains(text), "{source}: {line}");
    }
    target.connect().call(&[b"SET", b"a", b"1"]).unwrap();
    let line = refusal(&["import", &file("fine", "REDIS0003\x7f"), "--to", &to]);
    assert!(line.contains("the target is not empty: database 0 has keys=1"), "{line}");
}

/// Another Ennead cannot be followed, which must not look like an import of nothing.
#[test]
fn a_source_that_takes_no_replica_is_refused() {
    let (source, target) = (Server::subject(&[]), Server::subject(&[]));
    let folder = tempfile::tempdir().unwrap();
    let (status, said) = Import::start(folder.path(), &source, &target, &[]).end();
    assert!(!status.success() && said.contains("does not let a replica copy it"), "{said}");
}
