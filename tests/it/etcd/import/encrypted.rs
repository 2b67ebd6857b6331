//! The same over TLS: from an etcd that asks for certificates to the daemon, and on from there.

use ennead_engine::coord::api::etcdserverpb as pb;

use super::{Import, content};
use crate::daemon::process::{Daemon, refusal};
use crate::daemon::self_signed;
use crate::etcd::keeper::{Keeper, Kind, etcd_program};
use crate::grpc::{Client, runtime};
use crate::server::free_address;

#[test]
fn etcd_is_copied_over_tls_and_the_copy_again() {
    if etcd_program("etcd").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (_, certificate, key) = self_signed(folder.path());
    let address = free_address();
    let runtime = runtime();
    let plain = Keeper::start_in(Kind::Etcd, folder.path(), address, &[]);
    runtime.block_on(async {
        let client = Client::connect(address).await;
        client.call(pb::LeaseGrantRequest { id: 5, ttl: 1000 }).await.unwrap();
        let put = pb::PutRequest { key: "a".into(), value: "1".into(), lease: 5, ..Default::default() };
        client.call(put).await.unwrap();
    });
    plain.kill();
    let url = format!("https://{address}");
    let flags = ["--listen-client-urls", &url, "--advertise-client-urls", &url];
    let tls =
        ["--cert-file", &certificate, "--key-file", &key, "--trusted-ca-file", &certificate, "--client-cert-auth"];
    let _source = Keeper::start_in(Kind::Etcd, folder.path(), address, &[&flags[..], &tls].concat());
    let target = Daemon::start(&["--tls-certificate", &certificate, "--tls-key", &key, "--set", "server.password=x"]);

    let from = format!("https://localhost:{}", address.port());
    let port = target.address("grpc").port();
    let to = format!("https://:x@localhost:{port}");
    let trust = ["--cacert", &certificate, "--cert", &certificate, "--key", &key];
    let line = refusal(&["import", "etcd", "--endpoint", &from, "--to", &to, "--cacert", &certificate]);
    assert!(line.contains(&address.port().to_string()), "{line}");
    let wrong = format!("https://:y@localhost:{port}");
    let line = refusal(&[&["import", "etcd", "--endpoint", &from, "--to", &wrong][..], &trust].concat());
    assert!(line.contains("the password is missing or wrong"), "{line}");
    Import::start(&[&["--endpoint", &from, "--to", &to][..], &trust].concat()).succeed();

    let last = Keeper::start(Kind::Ennead).unwrap();
    let from = format!("https://:x@localhost:{port}");
    Import::start(&["--endpoint", &from, "--to", &last.address.to_string(), "--cacert", &certificate]).succeed();
    runtime.block_on(async {
        let client = Client::connect(last.address).await;
        let found = content(&client, 0).await;
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [(b"a".to_vec(), (b"1".to_vec(), 5))]);
        let lease = client.call(pb::LeaseTimeToLiveRequest { id: 5, keys: false }).await.unwrap();
        assert!(lease.granted_ttl == 1000 && lease.ttl > 900, "{lease:?}");
    });
}
