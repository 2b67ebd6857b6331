use std::thread;

use super::*;
use crate::{Options, TableKind};

fn number(bytes: Option<Vec<u8>>) -> u64 {
    bytes.map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().unwrap()))
}

#[test]
fn updates_of_one_key_by_many_threads_are_all_counted() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(directory.path())).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    let latches = Latches::new(16);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for i in 0..500_u64 {
                    let key = [(i % 3) as u8];
                    latches.update(&store, table, &key, |old| Some((number(old) + 1).to_le_bytes().to_vec())).unwrap();
                }
            });
        }
    });
    let sum: u64 = (0..3).map(|key| number(store.get(table, &[key]).unwrap())).sum();
    assert_eq!(sum, 2000);
}

#[test]
fn sets_of_keys_in_any_order_never_deadlock() {
    let latches = Latches::new(4);
    let inside = std::sync::atomic::AtomicU64::new(0);
    thread::scope(|scope| {
        for seed in 0..4_u64 {
            let (latches, inside) = (&latches, &inside);
            scope.spawn(move || {
                let mut state = seed + 1;
                for _ in 0..5_000 {
                    let keys: Vec<[u8; 1]> = (0..4)
                        .map(|_| {
                            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                            [(state >> 40) as u8]
                        })
                        .collect();
                    let _guard = latches.lock(keys.iter().map(|key| (Table(1), key.as_slice())));
                    inside.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(inside.into_inner(), 20_000);
}

#[test]
fn a_key_named_twice_is_latched_once() {
    let latches = Latches::new(1);
    drop(latches.lock([(Table(1), b"a".as_slice()), (Table(2), b"b"), (Table(1), b"a")]));
}
