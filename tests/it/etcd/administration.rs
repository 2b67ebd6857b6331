//! Members and tokens of the daemon beside a real etcd.

use std::path::Path;

use ennead_engine::coord::api::etcdserverpb as pb;
use tonic::Status;

use super::keeper::{Keeper, Kind, comparable_etcd_program};
use crate::grpc::{Call, Client, runtime};
use crate::server::free_address;

/// A key for tokens, made for these tests.
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ennead-engine/src/coordination/jwt/tests/ed.pem");

/// The code and the text of a refusal.
fn refusal<T>(outcome: Result<T, Status>) -> String {
    outcome.err().map_or_else(|| "done".to_owned(), |status| format!("{:?}: {}", status.code(), status.message()))
}

async fn refused<Q: Call>(client: &Client, request: Q) -> String {
    refusal(client.call(request).await)
}

/// What both servers say about members that are not there, and about the one that is.
async fn members(client: &Client) -> Vec<String> {
    let add = |urls: &[&str]| pb::MemberAddRequest {
        peer_ur_ls: urls.iter().map(|url| (*url).to_owned()).collect(),
        is_learner: false,
    };
    let update = |id, url: &str| pb::MemberUpdateRequest { id, peer_ur_ls: vec![url.to_owned()] };
    let list = || client.call(pb::MemberListRequest { linearizable: true });
    let id = list().await.unwrap().members[0].id;
    let mut answers = vec![
        refused(client, add(&[])).await,
        refused(client, add(&["http://127.0.0.1"])).await,
        refused(client, add(&["http://127.0.0.1:1/path"])).await,
        refused(client, add(&["http://127.0.0.1:1", "ftp://127.0.0.1:1"])).await,
        refused(client, pb::MemberRemoveRequest { id: 123 }).await,
        refused(client, pb::MemberRemoveRequest { id: 0 }).await,
        refused(client, pb::MemberPromoteRequest { id: 123 }).await,
        refused(client, pb::MemberPromoteRequest { id }).await,
        refused(client, update(123, "http://127.0.0.1:1")).await,
        refused(client, update(0, "http://127.0.0.1:1")).await,
    ];
    for url in ["http://127.0.0.1:31099", "no url at all"] {
        let updated = client.call(update(id, url)).await.unwrap();
        let header = updated.header.unwrap();
        answers.push(format!("{:?} {} {}", updated.members[0].peer_ur_ls, header.revision, header.member_id == id));
        answers.push(format!("{:?}", list().await.unwrap().members[0].peer_ur_ls));
    }
    client.call(update(id, "http://127.0.0.1:31099")).await.unwrap();
    answers.push(refused(client, add(&["http://127.0.0.1:31099"])).await);
    answers
}

#[test]
fn members_are_refused_and_updated_as_in_etcd() {
    if comparable_etcd_program("etcd").is_none() {
        return;
    }
    let answers = [Kind::Etcd, Kind::subject()].map(|kind| {
        let keeper = Keeper::start(kind).unwrap();
        runtime().block_on(async { members(&Client::connect(keeper.address).await).await })
    });
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn peer_urls_are_kept_and_other_members_are_not_added() {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let list = async |client: &Client| client.call(pb::MemberListRequest::default()).await.unwrap().members.remove(0);
    let keeper = Keeper::start_in(Kind::Ennead, folder.path(), address, &[]);
    runtime().block_on(async {
        let client = Client::connect(address).await;
        let id = list(&client).await.id;
        client.call(pb::MemberUpdateRequest { id, peer_ur_ls: vec!["http://a:1".to_owned()] }).await.unwrap();
        let add = pb::MemberAddRequest { peer_ur_ls: vec!["http://b:1".to_owned()], is_learner: true };
        assert_eq!(
            refused(&client, add).await,
            "Unimplemented: etcdserver: there is one member, and others cannot be added yet"
        );
    });
    keeper.kill();
    let _keeper = Keeper::start_in(Kind::Ennead, folder.path(), address, &[]);
    let kept = runtime().block_on(async { list(&Client::connect(address).await).await.peer_ur_ls });
    assert_eq!(kept, ["http://a:1"]);
}

/// A server with root, permissions and signed tokens that are good for so long.
async fn with_tokens(kind: Kind, folder: &Path, ttl: &str) -> (Keeper, Client) {
    let tokens = format!("jwt,sign-method=EdDSA,priv-key={KEY},ttl={ttl}");
    let ours = format!("coord.auth_token={tokens}");
    let flags = match kind {
        Kind::Etcd => ["--auth-token", &tokens],
        Kind::Ennead => ["--set", &ours],
    };
    let keeper = Keeper::start_in(kind, folder, free_address(), &flags);
    let client = Client::connect(keeper.address).await;
    let user = pb::AuthUserAddRequest { name: "root".into(), password: "secret".into(), ..Default::default() };
    client.call(user).await.unwrap();
    let grant = pb::AuthUserGrantRoleRequest { user: "root".into(), role: "root".into() };
    client.call(grant).await.unwrap();
    client.call(pb::AuthEnableRequest {}).await.unwrap();
    (keeper, client)
}

async fn login(client: &Client) -> String {
    let request = pb::AuthenticateRequest { name: "root".into(), password: "secret".into() };
    client.call(request).await.unwrap().token
}

async fn read(client: &Client, token: &str) -> String {
    refusal(client.clone().with_token(token).call(pb::RangeRequest { key: "k".into(), ..Default::default() }).await)
}

#[test]
fn tokens_of_etcd_are_good_here_and_ours_there() {
    if comparable_etcd_program("etcd").is_none() {
        return;
    }
    runtime().block_on(async {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let (_etcd, theirs) = with_tokens(Kind::Etcd, folders[0].path(), "10m").await;
        let (_ennead, ours) = with_tokens(Kind::subject(), folders[1].path(), "10m").await;
        let tokens = [login(&theirs).await, login(&ours).await];
        for client in [&theirs, &ours] {
            for token in &tokens {
                assert_eq!(read(client, token).await, "done");
            }
            let user = pb::AuthUserAddRequest { name: "u".into(), password: "p".into(), ..Default::default() };
            client.clone().with_token(&tokens[0]).call(user).await.unwrap();
            for token in &tokens {
                assert_eq!(read(client, token).await, "InvalidArgument: etcdserver: revision of auth store is old");
            }
            assert_eq!(read(client, &login(client).await).await, "done");
        }
    });
}

#[test]
fn tokens_that_are_over_are_refused_as_in_etcd() {
    let mut kinds = vec![Kind::Ennead];
    kinds.extend(comparable_etcd_program("etcd").map(|_| Kind::Etcd));
    runtime().block_on(async {
        for kind in kinds {
            let folder = tempfile::tempdir().unwrap();
            let (_keeper, client) = with_tokens(kind, folder.path(), "0s").await;
            let token = login(&client).await;
            for token in [token.as_str(), "a.b.c"] {
                assert_eq!(read(&client, token).await, "Unauthenticated: etcdserver: invalid auth token", "{kind:?}");
            }
        }
    });
}

#[test]
fn signed_tokens_are_good_after_kill_9() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let (keeper, client) = with_tokens(Kind::Ennead, folder.path(), "10m").await;
        let token = login(&client).await;
        let address = keeper.address;
        keeper.kill();
        let flag = format!("coord.auth_token=jwt,sign-method=EdDSA,priv-key={KEY}");
        let _keeper = Keeper::start_in(Kind::Ennead, folder.path(), address, &["--set", &flag]);
        assert_eq!(read(&client, &token).await, "done");
    });
}
