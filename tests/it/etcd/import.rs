//! `ennead import etcd`: from a real etcd that is written to meanwhile, copied as of one revision, or followed.

mod encrypted;
mod writer;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Instant;

use ennead_engine::coord::api::etcdserverpb as pb;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::gateway::web::Web;
use super::keeper::{Keeper, Kind};
use crate::daemon::process::{ennead, refusal};
use crate::grpc::{Client, runtime};
use crate::wait::until;

/// An import at work.
struct Import {
    child: Child,
    log: PathBuf,
    _folder: TempDir,
}

impl Import {
    fn start(arguments: &[&str]) -> Import {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let file = std::fs::File::create(&log).unwrap();
        let mut command = ennead();
        command.args(["import", "etcd"]).args(arguments).stdout(file.try_clone().unwrap()).stderr(file);
        Import { child: command.spawn().unwrap(), log, _folder: folder }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn wait_for(&mut self, text: &str) {
        until(text, || {
            let ended = self.child.try_wait().unwrap();
            let said = self.said();
            assert!(said.contains(text) || ended.is_none(), "{ended:?}, no {text:?} in:\n{said}");
            said.contains(text).then_some(())
        });
    }

    fn interrupt(&self) {
        let status = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    fn succeed(mut self) -> String {
        let status = until("the end of the import", || self.child.try_wait().unwrap());
        let said = self.said();
        assert!(status.success(), "{said}");
        said
    }
}

/// Value and lease of each key, as of a revision; 0 for now.
type Content = BTreeMap<Vec<u8>, (Vec<u8>, i64)>;

async fn content(client: &Client, revision: i64) -> Content {
    let request = pb::RangeRequest { key: "\0".into(), range_end: "\0".into(), revision, ..Default::default() };
    let pairs = client.call(request).await.unwrap().kvs;
    pairs.into_iter().map(|pair| (pair.key.to_vec(), (pair.value.to_vec(), pair.lease))).collect()
}

/// Granted and left seconds, and the keys, of each lease.
async fn leases(client: &Client) -> BTreeMap<i64, (i64, i64, Vec<Vec<u8>>)> {
    let mut found = BTreeMap::new();
    for lease in client.call(pb::LeaseLeasesRequest {}).await.unwrap().leases {
        let lease = client.call(pb::LeaseTimeToLiveRequest { id: lease.id, keys: true }).await.unwrap();
        let mut keys: Vec<Vec<u8>> = lease.keys.iter().map(|key| key.to_vec()).collect();
        keys.sort();
        found.insert(lease.id, (lease.granted_ttl, lease.ttl, keys));
    }
    found
}

/// Of both servers the same once the short ones are over, but that time goes on between two questions.
async fn assert_same_leases(source: &Client, target: &Client) {
    let long = |leases: BTreeMap<i64, (i64, i64, Vec<Vec<u8>>)>| -> BTreeMap<i64, (i64, i64, Vec<Vec<u8>>)> {
        leases.into_iter().filter(|(_, (granted, ..))| *granted > writer::SHORT_S).collect()
    };
    let (expected, found) = (long(leases(source).await), long(leases(target).await));
    let later = long(leases(source).await);
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (id, (granted, left, keys)) in &expected {
        let (found_granted, found_left, found_keys) = &found[id];
        assert_eq!((found_granted, found_keys), (granted, keys), "lease {id}");
        let fits = later[id].1 - 1..=left + 3;
        assert!(fits.contains(found_left), "lease {id}: {fits:?} s are left, {found_left} s here");
    }
}

/// What is not the same, told shortly.
fn assert_same(found: &Content, expected: &Content) {
    for (key, value) in expected {
        let here = found.get(key);
        assert!(here == Some(value), "{}: {:?}", key.escape_ascii(), here.map(|(value, lease)| (value.len(), lease)));
    }
    let more: Vec<String> =
        found.keys().filter(|key| !expected.contains_key(*key)).map(|key| key.escape_ascii().to_string()).collect();
    assert!(more.is_empty(), "only here: {more:?}");
}

/// A source, a target, and where clients of both run.
struct World {
    runtime: Runtime,
    source: Keeper,
    target: Keeper,
}

impl World {
    fn start() -> Option<World> {
        let source = Keeper::start(Kind::Etcd)?;
        Some(World { runtime: runtime(), source, target: Keeper::start(Kind::Ennead)? })
    }

    fn clients(&self) -> (Client, Client) {
        let connect = |keeper: &Keeper| self.runtime.block_on(Client::connect(keeper.address));
        (connect(&self.source), connect(&self.target))
    }

    /// They end here and there, not at the same moment.
    fn wait_for_short_leases(&self, source: &Client, target: &Client) {
        until("the short leases to be over", || {
            let shortest = |client| {
                let held = self.runtime.block_on(leases(client));
                held.values().map(|(granted, ..)| *granted).min().unwrap_or_default()
            };
            (shortest(source) > writer::SHORT_S && shortest(target) > writer::SHORT_S).then_some(())
        });
    }

    fn arguments(&self) -> Vec<String> {
        let (from, to) = (self.source.address.to_string(), self.target.address.to_string());
        ["--endpoint", &from, "--to", &to].map(str::to_owned).to_vec()
    }

    fn import(&self, further: &[&str]) -> Import {
        let arguments = self.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(further.iter().copied()).collect();
        Import::start(&arguments)
    }

    fn refusal(&self, further: &[&str]) -> String {
        let arguments = self.arguments();
        let own = ["import", "etcd"].into_iter().chain(arguments.iter().map(String::as_str));
        refusal(&own.chain(further.iter().copied()).collect::<Vec<_>>())
    }
}

/// The number behind a text.
fn number_behind(said: &str, text: &str) -> i64 {
    let rest = said.split_once(text).unwrap_or_else(|| panic!("no {text:?} in {said}")).1;
    rest.split(|char: char| !char.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[test]
fn a_busy_etcd_is_copied_as_of_one_revision() {
    let Some(world) = World::start() else { return };
    let (source, target) = world.clients();
    let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let said = std::thread::scope(|scope| {
        world.runtime.block_on(writer::fill(&source));
        let writing = scope.spawn(|| world.runtime.block_on(writer::write(&source, &stop, &count, 0)));
        until("writes", || (count.load(SeqCst) > 300).then_some(()));
        let said = world.import(&[]).succeed();
        stop.store(true, SeqCst);
        writing.join().unwrap();
        said
    });
    let revision = number_behind(&said, "as of revision ");
    world.wait_for_short_leases(&source, &target);
    world.runtime.block_on(async {
        let mut expected = content(&source, revision).await;
        // Keys whose lease ended during the copy end with it.
        let alive: Vec<i64> = leases(&source).await.into_keys().collect();
        let found = content(&target, 0).await;
        let all = expected.len();
        expected.retain(|key, (_, lease)| *lease == 0 || alive.contains(lease) || found.contains_key(key));
        assert!(all - expected.len() <= 200, "{all} keys, {} of them on leases that are alive or none", expected.len());
        assert_same(&found, &expected);
        let later = content(&source, 0).await;
        assert_ne!(later, expected, "nothing was written meanwhile");
        let held = leases(&target).await;
        assert_eq!(held[&writer::LONG].0, 5000);
        assert!((4900..=5000).contains(&held[&writer::LONG].1), "{said}");
        eprintln!("{} keys and {} leases the same\n{said}", found.len(), held.len());
    });
}

#[test]
fn a_busy_etcd_is_followed_until_told_to_stop() {
    let Some(world) = World::start() else { return };
    let (source, target) = world.clients();
    let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let said = std::thread::scope(|scope| {
        world.runtime.block_on(writer::fill(&source));
        let writing: Vec<_> = (0..2)
            .map(|seed| {
                let (world, source, stop, count) = (&world, &source, &stop, &count);
                scope.spawn(move || world.runtime.block_on(writer::write(source, stop, count, seed)))
            })
            .collect();
        until("writes", || (count.load(SeqCst) > 300).then_some(()));
        let mut import = world.import(&["--follow"]);
        import.wait_for("following the source now");
        // Leases are kept alive by the import longer than the shortest lasts.
        let (begun, before) = (Instant::now(), count.load(SeqCst));
        until("more writes", || (count.load(SeqCst) > before + 300 && begun.elapsed().as_secs() > 2).then_some(()));
        stop.store(true, SeqCst);
        writing.into_iter().for_each(|writing| writing.join().unwrap());
        let written = count.load(SeqCst);
        let mark = pb::PutRequest { key: "mark".into(), ..Default::default() };
        world.runtime.block_on(source.call(mark)).unwrap();
        until("the mark", || world.runtime.block_on(content(&target, 0)).contains_key(&b"mark"[..]).then_some(()));
        import.interrupt();
        format!("{}{written} writes", import.succeed())
    });
    world.runtime.block_on(assert_same_leases(&source, &target));
    world.wait_for_short_leases(&source, &target);
    world.runtime.block_on(async {
        let found = content(&target, 0).await;
        assert_same(&found, &content(&source, 0).await);
        eprintln!("{} keys the same\n{said}", found.len());
    });
}

#[test]
fn a_target_that_is_not_empty_is_left_alone_unless_told() {
    let Some(world) = World::start() else { return };
    let (source, target) = world.clients();
    let put = |key: &'static str, value: &'static str| pb::PutRequest {
        key: key.into(),
        value: value.into(),
        ..Default::default()
    };
    let texts = |content: Content| -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        content.iter().map(|(key, (value, _))| format!("{}={}", text(key), text(value))).collect()
    };
    world.runtime.block_on(async {
        source.call(put("a", "source")).await.unwrap();
        target.call(put("a", "target")).await.unwrap();
        target.call(put("b", "target")).await.unwrap();
        target.call(pb::LeaseGrantRequest { id: 5, ttl: 100 }).await.unwrap();
    });
    let line = world.refusal(&[]);
    assert!(line.contains("the target is not empty: it has 2 keys and 1 leases"), "{line}");
    world.import(&["--merge"]).succeed();
    assert_eq!(texts(world.runtime.block_on(content(&target, 0))), ["a=source", "b=target"]);
    world.import(&["--flush"]).succeed();
    assert_eq!(texts(world.runtime.block_on(content(&target, 0))), ["a=source"]);
    assert!(world.runtime.block_on(leases(&target)).is_empty());
}

#[test]
fn what_the_target_refuses_is_named() {
    let source = Keeper::start_with(Kind::Etcd, &["--max-request-bytes", "4000000"]);
    let (Some(source), Some(target)) = (source, Keeper::start(Kind::Ennead)) else { return };
    let world = World { runtime: runtime(), source, target };
    let (source, target) = world.clients();
    world.runtime.block_on(async {
        for (key, size) in [("large", 2_500_000), ("small", 5)] {
            let value = vec![b'x'; size].into();
            source.call(pb::PutRequest { key: key.into(), value, ..Default::default() }).await.unwrap();
        }
    });
    let line = world.refusal(&[]);
    assert!(line.contains("not everything of the source is on the target"), "{line}");
    let found = world.runtime.block_on(content(&target, 0));
    assert_eq!(found.keys().collect::<Vec<_>>(), [b"small"]);
}

#[test]
fn a_source_that_goes_while_it_is_followed_is_told() {
    let Some(world) = World::start() else { return };
    let World { runtime, source, target } = world;
    let (from, to) = (source.address.to_string(), target.address.to_string());
    let client = runtime.block_on(Client::connect(source.address));
    runtime.block_on(writer::fill(&client));
    let mut import = Import::start(&["--endpoint", &from, "--to", &to, "--follow"]);
    import.wait_for("following the source now");
    source.kill();
    let status = until("the end of the import", || import.child.try_wait().unwrap());
    let said = import.said();
    assert!(!status.success() && said.contains("followed up to revision"), "{said}");
    assert!(said.contains("keys and 2 leases copied"), "{said}");
}

#[test]
fn users_log_in_and_wrong_ones_are_told() {
    let Some(world) = World::start() else { return };
    let web = Web::new(world.source.address);
    for (path, body) in [
        ("kv/put", r#"{"key":"YQ==","value":"MQ=="}"#),
        ("auth/user/add", r#"{"name":"root","password":"r"}"#),
        ("auth/user/grant", r#"{"user":"root","role":"root"}"#),
        ("auth/enable", "{}"),
    ] {
        let (status, answer) = web.post(path, body);
        assert_eq!(status, 200, "{path}: {answer}");
    }
    let line = world.refusal(&[]);
    assert!(line.contains("user name is empty"), "{line}");
    let line = world.refusal(&["--user", "root", "--password", "wrong"]);
    assert!(line.contains("authentication failed"), "{line}");
    let said = world.import(&["--user", "root", "--password", "r"]).succeed();
    assert!(said.contains("users, roles and their permissions are not copied"), "{said}");
    let (_, target) = (&web, world.runtime.block_on(Client::connect(world.target.address)));
    assert_eq!(world.runtime.block_on(content(&target, 0)).len(), 1);
}

#[test]
fn wrong_addresses_are_told() {
    let check = |arguments: &[&str], expected: &str| {
        let line = refusal(&[&["import", "etcd"], arguments].concat());
        assert!(line.contains(expected), "{line}");
    };
    check(&["--endpoint", "127.0.0.1:1", "--to", "127.0.0.1:2"], "127.0.0.1:1: ");
    check(&["--endpoint", "127.0.0.1:1", "--to", "http://127.0.0.1:1"], "source and target are both 127.0.0.1:1");
    check(&["--endpoint", "redis://127.0.0.1", "--to", "127.0.0.1:1"], "the address of an etcd is");
    check(&["--endpoint", "127.0.0.1:1", "--to", "127.0.0.1:2", "--cacert", "x"], "begin with https://");
}
