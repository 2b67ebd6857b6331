use super::*;
use crate::api::etcdserverpb::{LeaseRevokeRequest, MemberUpdateRequest};
use crate::{Error, Fence};

fn fence(revision: Option<i64>, lease: Option<i64>) -> Fence {
    Fence { key: bytes("lock"), revision, lease }
}

fn reason(outcome: Result<()>) -> &'static str {
    match outcome {
        Ok(()) => "held",
        Err(Error::Fenced(reason)) => reason,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_fence_holds_while_its_key_is_there_as_it_was_made() {
    let world = World::new();
    let look = |fence: &Fence, now_ms| reason(world.coord.behind(fence, now_ms, || ()));
    assert_eq!(look(&fence(Some(2), None), 0), "the key of the lock is not there");
    world.grant(5, 10, 0).unwrap();
    world.put_on(5, "lock");
    let (made, leased, both) = (fence(Some(2), None), fence(None, Some(5)), fence(Some(2), Some(5)));
    // Another value is the same key.
    world.put_on(5, "lock");
    for holding in [&made, &leased, &both] {
        assert_eq!((look(holding, 0), look(holding, 9_999)), ("held", "held"));
        // Nobody has ended the lease yet.
        assert_eq!(look(holding, 10_000), "the lease of the lock is over");
    }
    assert_eq!(look(&fence(Some(3), Some(5)), 0), "the key of the lock was made in another revision");
    assert_eq!(look(&fence(Some(2), Some(6)), 0), "the key of the lock is not on this lease");
    // Made again by somebody else.
    world.delete("lock", "");
    world.put("lock", "");
    assert_eq!(look(&made, 0), "the key of the lock was made in another revision");
    assert_eq!(look(&leased, 0), "the key of the lock is not on this lease");
}

#[test]
fn what_is_written_behind_a_fence_needs_it() {
    let world = World::new();
    world.grant(5, 10, 0).unwrap();
    world.put_on(5, "lock");
    let fenced = world.coord.clone().fenced(fence(Some(2), Some(5)), 0);
    block_on(fenced.put(&put_request("a", "1")).unwrap()).unwrap();
    let late = world.coord.clone().fenced(fence(Some(2), Some(5)), 10_000);
    assert_eq!(late.put(&put_request("a", "2")).map(drop), Err(Error::Fenced("the lease of the lock is over")));
    world.wait(world.coord.lease_revoke(&LeaseRevokeRequest { id: 5 })).unwrap();
    let (revision, refused) = (world.coord.revision(), Error::Fenced("the key of the lock is not there"));
    let delete = DeleteRangeRequest { key: bytes("a"), ..Default::default() };
    let txn = TxnRequest { success: vec![operation(Request::RequestPut(put_request("a", "2")))], ..Default::default() };
    assert_eq!(fenced.put(&put_request("a", "2")).map(drop), Err(refused.clone()));
    assert_eq!(fenced.delete_range(&delete).map(drop), Err(refused.clone()));
    assert_eq!(fenced.txn(&txn).map(drop), Err(refused.clone()));
    assert_eq!(fenced.lease_revoke(&LeaseRevokeRequest { id: 5 }).map(drop), Err(refused.clone()));
    let update = MemberUpdateRequest { id: world.coord.member_id(), peer_ur_ls: vec!["http://a:1".to_owned()] };
    assert_eq!(fenced.member_update(&update).map(drop), Err(refused.clone()));
    assert_eq!(block_on(fenced.compact(&CompactionRequest { revision, physical: false })).map(drop), Err(refused));
    // Reads do not meet it, and nothing was written.
    assert_eq!(fenced.range(&RangeRequest { key: bytes("a"), ..Default::default() }).unwrap().count, 1);
    assert_eq!((world.coord.revision(), world.all(0)), (revision, vec![("a".to_owned(), "1".to_owned())]));
}

#[test]
fn a_lock_is_not_taken_away_during_a_write_behind_it() {
    let world = World::new();
    let mut written = 0;
    for round in 0..50 {
        let revision = world.put("lock", "");
        let (fence, counter) = (fence(Some(revision), None), std::sync::atomic::AtomicU64::new(0));
        let (coord, order) = (&world.coord, std::sync::atomic::Ordering::Relaxed);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| while coord.behind(&fence, 0, || counter.fetch_add(1, order)).is_ok() {});
            while counter.load(order) < 10 {
                std::thread::yield_now();
            }
            drop(coord.delete_range(&DeleteRangeRequest { key: bytes("lock"), ..Default::default() }).unwrap());
            let after = counter.load(order);
            writer.join().unwrap();
            assert_eq!(counter.load(order), after, "a write after the lock was gone, round {round}");
            written += after;
        });
    }
    assert!(written >= 500);
}
