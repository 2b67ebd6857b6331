use std::collections::BTreeMap;

use arbtest::arbtest;

use super::{Generation, Index, Restoring};
use crate::revision::Revision;
use crate::span::Span;

fn revision(main: i64) -> Revision {
    Revision::new(main, 0)
}

fn all(index: &Index, at: i64) -> Vec<(Vec<u8>, i64)> {
    let mut found = Vec::new();
    index.visit(&Span::From(b"".as_slice()), at, |key, revision| {
        found.push((key.to_vec(), revision.main));
        true
    });
    found
}

#[test]
fn generations_count_their_writes() {
    let mut index = Index::default();
    index.put(b"a", revision(2));
    index.put(b"a", revision(3));
    assert_eq!(index.generation(b"a"), Some(Generation { created: 2, version: 2 }));
    index.delete(b"a", revision(4));
    assert_eq!((index.generation(b"a"), index.live()), (None, 0));
    index.put(b"a", revision(5));
    assert_eq!(index.generation(b"a"), Some(Generation { created: 5, version: 1 }));
    let seen: Vec<_> = (1..=6).map(|at| index.find(b"a", at).map(|found| found.main)).collect();
    assert_eq!(seen, [None, Some(2), Some(3), None, Some(5), Some(5)]);
}

#[test]
fn an_undone_change_leaves_nothing() {
    let mut index = Index::default();
    let undo = index.put(b"new", revision(2));
    index.undo(b"new", undo);
    assert_eq!((all(&index, 9), index.live()), (vec![], 0));
    index.put(b"a", revision(2));
    let undo = index.delete(b"a", revision(3));
    index.undo(b"a", undo);
    assert_eq!(index.generation(b"a"), Some(Generation { created: 2, version: 1 }));
    assert_eq!(index.live(), 1);
}

#[test]
fn a_tombstone_of_the_compacted_revision_stays_until_the_next() {
    let mut index = Index::default();
    index.put(b"a", revision(2));
    index.delete(b"a", revision(3));
    let mut forgotten = Vec::new();
    index.compact(3, None, 10, |_, change| forgotten.push(change.main));
    assert_eq!(forgotten, [2]);
    index.compact(4, None, 10, |_, change| forgotten.push(change.main));
    assert_eq!(forgotten, [2, 3]);
    assert!(index.keys.is_empty());
}

/// Random histories, compacted anywhere in portions of one key, read like a plain list of changes.
#[test]
fn reads_like_a_list_of_changes() {
    arbtest(|random| {
        let mut index = Index::default();
        let mut list: Vec<(u8, i64, bool)> = Vec::new();
        let mut compacted = 0;
        let last = random.int_in_range(2..=40)?;
        for main in 2..=last {
            let key = random.int_in_range(b'a'..=b'd')?;
            let there = index.generation(&[key]).is_some();
            if there && random.ratio(1, 3)? {
                index.delete(&[key], revision(main));
                list.push((key, main, false));
            } else {
                index.put(&[key], revision(main));
                list.push((key, main, true));
            }
            if random.ratio(1, 10)? {
                compacted = random.int_in_range(compacted..=main)?;
                let mut after = None;
                loop {
                    after = index.compact(compacted, after.as_deref(), 1, |_, _| ());
                    if after.is_none() {
                        break;
                    }
                }
            }
        }
        for at in compacted.max(1)..=last {
            let mut state = BTreeMap::new();
            for (key, main, there) in list.iter().filter(|(_, main, _)| *main <= at) {
                if *there {
                    state.insert(vec![*key], *main)
                } else {
                    state.remove([*key].as_slice())
                };
            }
            assert_eq!(all(&index, at), state.into_iter().collect::<Vec<_>>(), "at {at} of {list:?}");
        }
        Ok(())
    });
}

#[test]
fn an_index_is_made_from_rows() {
    let mut restoring = Restoring::default();
    restoring.take(b"b", revision(5), Some(Generation { created: 3, version: 2 }));
    restoring.take(b"a", revision(6), None);
    restoring.take(b"b", revision(7), Some(Generation { created: 3, version: 3 }));
    restoring.take(b"a", revision(8), Some(Generation { created: 8, version: 1 }));
    let index = restoring.finish();
    assert_eq!(index.live(), 2);
    assert_eq!(index.generation(b"b"), Some(Generation { created: 3, version: 3 }));
    assert_eq!(index.generation(b"a"), Some(Generation { created: 8, version: 1 }));
    assert_eq!(all(&index, 7), [(b"b".to_vec(), 7)]);
    assert_eq!(all(&index, 5), [(b"b".to_vec(), 5)]);
}

/// Keys with a common beginning, of any length, some of them the beginning of others or equal.
#[test]
fn keys_are_in_order_however_they_begin() {
    arbtest(|random| {
        let beginning = vec![b'p'; random.int_in_range(0..=12)?];
        let mut restoring = Restoring::default();
        let mut expected = BTreeMap::new();
        for main in 2..random.int_in_range(3..=40)? {
            let mut key = beginning.clone();
            for _ in 0..random.int_in_range(0..=11)? {
                key.push(*random.choose(&[0, 1, 255])?);
            }
            restoring.take(&key, revision(main), Some(Generation { created: main, version: 1 }));
            expected.insert(key, main);
        }
        let index = restoring.finish();
        let found: Vec<_> = all(&index, i64::MAX).into_iter().collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        Ok(())
    });
}
