use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{Durability, Error, Options, Store, TableKind};

fn store() -> (tempfile::TempDir, Store, Table) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(directory.path())).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    (directory, store, table)
}

fn put(store: &Store, table: Table, key: &[u8], value: &[u8]) {
    let mut batch = WriteBatch::new();
    batch.put(table, key, value);
    store.commit(&batch).unwrap();
}

fn amount(bytes: Option<Vec<u8>>) -> i64 {
    i64::from_be_bytes(bytes.expect("the account exists").try_into().unwrap())
}

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    *state >> 33
}

const ACCOUNTS: u64 = 5;

fn fill_accounts(store: &Store, table: Table) {
    for account in 0..ACCOUNTS {
        put(store, table, &[account as u8], &100_i64.to_be_bytes());
    }
}

fn total(store: &Store, table: Table) -> i64 {
    let snapshot = store.snapshot();
    (0..ACCOUNTS).map(|account| amount(snapshot.get(table, &[account as u8]).unwrap())).sum()
}

#[test]
fn optimistic_transfers_keep_the_sum() {
    let (_directory, store, table) = store();
    fill_accounts(&store, table);
    thread::scope(|scope| {
        for seed in 0..4_u64 {
            let store = &store;
            scope.spawn(move || {
                let (mut state, mut done) = (seed, 0);
                while done < 100 {
                    let (from, to) = ([(random(&mut state) % ACCOUNTS) as u8], [(random(&mut state) % ACCOUNTS) as u8]);
                    if from == to {
                        continue;
                    }
                    let mut transfer = store.optimistic_transaction();
                    let (a, b) = (transfer.get(table, &from).unwrap(), transfer.get(table, &to).unwrap());
                    transfer.put(table, &from, &(amount(a) - 1).to_be_bytes());
                    thread::yield_now();
                    transfer.put(table, &to, &(amount(b) + 1).to_be_bytes());
                    match transfer.commit(Durability::None) {
                        Ok(_) => done += 1,
                        Err(Error::Conflict(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(total(&store, table), 100 * ACCOUNTS as i64);
}

#[test]
fn pessimistic_transfers_keep_the_sum_and_deadlocks_are_told() {
    let (_directory, store, table) = store();
    fill_accounts(&store, table);
    let transactions = PessimisticTransactions::new(
        store.clone(),
        LockOptions { timeout: Duration::from_secs(20), ..Default::default() },
    );
    thread::scope(|scope| {
        for seed in 0..4_u64 {
            let transactions = &transactions;
            scope.spawn(move || {
                let (mut state, mut done) = (seed, 0);
                while done < 200 {
                    let (from, to) = ([(random(&mut state) % ACCOUNTS) as u8], [(random(&mut state) % ACCOUNTS) as u8]);
                    if from == to {
                        continue;
                    }
                    let transfer = || -> crate::Result<()> {
                        let mut transfer = transactions.begin();
                        let a = amount(transfer.get_for_update(table, &from)?);
                        thread::yield_now();
                        let b = amount(transfer.get_for_update(table, &to)?);
                        transfer.put(table, &from, &(a - 1).to_be_bytes())?;
                        transfer.put(table, &to, &(b + 1).to_be_bytes())?;
                        transfer.commit(Durability::None).map(|_| ())
                    };
                    match transfer() {
                        Ok(()) => done += 1,
                        Err(Error::Deadlock(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(total(&store, table), 100 * ACCOUNTS as i64);
    assert_eq!(transactions.lock_figures(), (0, 0));
}

#[test]
fn a_deadlock_of_three_is_found_by_the_one_that_closes_the_circle() {
    let (_directory, store, table) = store();
    let options = LockOptions { timeout: Duration::from_secs(30), ..Default::default() };
    let transactions = PessimisticTransactions::new(store, options);
    let all_hold_one = Barrier::new(3);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..3_u8)
            .map(|i| {
                let (transactions, all_hold_one) = (&transactions, &all_hold_one);
                scope.spawn(move || {
                    let mut transaction = transactions.begin();
                    transaction.put(table, &[i], b"x").unwrap();
                    all_hold_one.wait();
                    transaction.put(table, &[(i + 1) % 3], b"x").map(|()| transaction.commit(Durability::None).is_ok())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let deadlocks = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Deadlock(_)))).count();
    assert_eq!(deadlocks, 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Ok(true))).count(), 2);
}

#[test]
fn a_held_lock_times_out_and_is_free_after_rollback() {
    let (_directory, store, table) = store();
    let options = LockOptions { timeout: Duration::from_millis(20), ..Default::default() };
    let transactions = PessimisticTransactions::new(store.clone(), options);
    let mut holder = transactions.begin();
    holder.put(table, b"k", b"1").unwrap();
    let mut other = transactions.begin();
    assert!(matches!(other.put(table, b"k", b"2"), Err(Error::Timeout(_))));
    let mut batch = WriteBatch::new();
    batch.put(table, b"k", b"3");
    assert!(matches!(transactions.write(&batch, Durability::None), Err(Error::Timeout(_))));
    holder.rollback();
    other.put(table, b"k", b"2").unwrap();
    other.commit(Durability::None).unwrap();
    assert_eq!(store.get(table, b"k").unwrap().as_deref(), Some(&b"2"[..]));
    transactions.write(&batch, Durability::None).unwrap();
    batch.delete_range(table, b"", None);
    assert!(matches!(transactions.write(&batch, Durability::None), Err(Error::Invalid(_))));
}

#[test]
fn the_number_of_locks_is_bounded() {
    let (_directory, store, table) = store();
    let transactions = PessimisticTransactions::new(store, LockOptions { locks_max: 2, ..Default::default() });
    let mut transaction = transactions.begin();
    transaction.put(table, b"a", b"").unwrap();
    transaction.put(table, b"b", b"").unwrap();
    transaction.put(table, b"a", b"again").unwrap();
    assert!(matches!(transaction.put(table, b"c", b""), Err(Error::Stalled(_))));
}

#[test]
fn locking_a_key_changed_after_the_snapshot_is_a_conflict() {
    let (_directory, store, table) = store();
    put(&store, table, b"k", b"1");
    let transactions = PessimisticTransactions::new(store.clone(), LockOptions::default());
    let mut transaction = transactions.begin();
    transaction.set_snapshot();
    put(&store, table, b"k", b"2");
    put(&store, table, b"new", b"2");
    assert_eq!(transaction.get(table, b"k").unwrap().as_deref(), Some(&b"1"[..]));
    assert!(matches!(transaction.get_for_update(table, b"k"), Err(Error::Conflict(_))));
    assert!(matches!(transaction.put(table, b"new", b""), Err(Error::Conflict(_))));
    transaction.put(table, b"other", b"mine").unwrap();
    transaction.put(table, b"other", b"mine again").unwrap();
}

#[test]
fn optimistic_conflicts_are_found_for_writes_and_reads_for_update_only() {
    let (_directory, store, table) = store();
    put(&store, table, b"a", b"1");
    let attempt = |prepare: &dyn Fn(&mut OptimisticTransaction), rival: &dyn Fn()| {
        let mut transaction = store.optimistic_transaction();
        prepare(&mut transaction);
        rival();
        transaction.commit(Durability::None)
    };
    let rival = || put(&store, table, b"a", b"2");
    assert!(attempt(&|t| drop(t.get(table, b"a").unwrap()), &rival).is_ok());
    assert!(matches!(attempt(&|t| drop(t.get_for_update(table, b"a").unwrap()), &rival), Err(Error::Conflict(_))));
    assert!(matches!(attempt(&|t| t.put(table, b"a", b"3"), &rival), Err(Error::Conflict(_))));
    assert!(matches!(attempt(&|t| t.delete(table, b"a"), &rival), Err(Error::Conflict(_))));
    assert!(attempt(&|t| t.put(table, b"b", b"3"), &rival).is_ok());
    let cleared = || {
        let mut batch = WriteBatch::new();
        batch.delete_range(table, b"a", Some(b"c"));
        store.commit(&batch).unwrap();
    };
    assert!(matches!(attempt(&|t| t.put(table, b"b", b"4"), &cleared), Err(Error::Conflict(_))));
}

#[test]
fn savepoints_nest() {
    let (_directory, store, table) = store();
    put(&store, table, b"old", b"0");
    let mut transaction = store.optimistic_transaction();
    transaction.put(table, b"a", b"1");
    transaction.savepoint();
    transaction.put(table, b"a", b"2");
    transaction.delete(table, b"old");
    transaction.savepoint();
    transaction.put(table, b"b", b"3");
    transaction.rollback_to_savepoint().unwrap();
    assert_eq!(transaction.get(table, b"b").unwrap(), None);
    assert_eq!(transaction.get(table, b"old").unwrap(), None);
    transaction.rollback_to_savepoint().unwrap();
    assert_eq!(transaction.get(table, b"a").unwrap().as_deref(), Some(&b"1"[..]));
    assert!(matches!(transaction.rollback_to_savepoint(), Err(Error::Invalid(_))));
    transaction.commit(Durability::None).unwrap();
    assert_eq!(store.get(table, b"old").unwrap().as_deref(), Some(&b"0"[..]));
    assert_eq!(store.get(table, b"b").unwrap(), None);
}

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

fn short_key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0..4_u8, 0..3)
}

/// What a step of a cursor should find, told from the whole map.
fn expected(rows: &Rows, at: Option<&[u8]>, step: u8, target: &[u8]) -> Option<Vec<u8>> {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let key = |found: Option<(&Vec<u8>, &Vec<u8>)>| found.map(|(key, _)| key.clone());
    match (step, at) {
        (0, _) => key(rows.iter().next()),
        (1, _) => key(rows.iter().next_back()),
        (2, _) => key(rows.range::<[u8], _>((Included(target), Unbounded)).next()),
        (3, _) => key(rows.range::<[u8], _>((Unbounded, Included(target))).next_back()),
        (4, Some(at)) => key(rows.range::<[u8], _>((Excluded(at), Unbounded)).next()),
        (_, Some(at)) => key(rows.range::<[u8], _>((Unbounded, Excluded(at))).next_back()),
        (_, None) => None,
    }
}

proptest! {
    #[test]
    fn the_cursor_sees_the_snapshot_with_own_writes_over_it(
        stored in prop::collection::btree_map(short_key(), prop::collection::vec(any::<u8>(), 0..3), 0..12),
        own in prop::collection::btree_map(short_key(), prop::option::of(prop::collection::vec(any::<u8>(), 0..3)), 0..12),
        start in short_key(),
        end in prop::option::of(short_key()),
        steps in prop::collection::vec((0..6_u8, short_key()), 1..30),
    ) {
        let (_directory, store, table) = store();
        for (key, value) in &stored {
            put(&store, table, key, value);
        }
        let mut transaction = store.optimistic_transaction();
        let mut model: Rows = stored;
        for (key, written) in &own {
            match written {
                Some(value) => {
                    transaction.put(table, key, value);
                    model.insert(key.clone(), value.clone());
                }
                None => {
                    transaction.delete(table, key);
                    model.remove(key);
                }
            }
        }
        put(&store, table, b"\x00later", b"not seen");
        model.retain(|key, _| *key >= start && end.as_ref().is_none_or(|end| key < end));
        let mut cursor = transaction.iter(table, &start, end.as_deref());
        let mut at: Option<Vec<u8>> = None;
        for (step, target) in steps {
            match step {
                0 => cursor.seek_to_first(),
                1 => cursor.seek_to_last(),
                2 => cursor.seek(&target),
                3 => cursor.seek_for_prev(&target),
                4 => cursor.next(),
                _ => cursor.prev(),
            }
            at = expected(&model, at.as_deref(), step, &target);
            prop_assert_eq!(cursor.valid(), at.is_some());
            prop_assert_eq!(cursor.valid().then(|| cursor.key().to_vec()), at.clone());
            if let Some(at) = &at {
                prop_assert_eq!(cursor.value(), model[at].as_slice());
            }
        }
        cursor.status().unwrap();
    }
}
