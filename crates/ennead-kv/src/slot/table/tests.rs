use std::collections::BTreeMap;

use super::*;
use crate::place::next_random;

fn entry(key: u64) -> Entry {
    Entry::new(8, &key.to_be_bytes(), 0, 0, 0)
}

/// Order by fragment, nobody before its home, and no free position between a home and its entry.
fn check(table: &Table, model: &BTreeMap<(u32, u64), ()>) {
    let len = table.fragments.len();
    let mut previous = 0;
    for (at, &fragment) in table.fragments.iter().enumerate().filter(|(_, fragment)| **fragment != 0) {
        assert!(fragment >= previous);
        previous = fragment;
        assert!((home(fragment, len)..=at).all(|position| table.fragments[position] != 0));
    }
    assert_eq!(table.len(), model.len());
    let mut found: Vec<(u32, Vec<u8>)> =
        table.iter_from(0).map(|(_, fragment, entry)| (fragment, entry.key().to_vec())).collect();
    found.sort();
    let expected: Vec<(u32, Vec<u8>)> = model.keys().map(|(f, key)| (*f, key.to_be_bytes().to_vec())).collect();
    assert_eq!(found, expected);
}

#[test]
fn stays_sorted_and_complete_under_random_changes() {
    for seed in 0..40u64 {
        let mut state = seed;
        let mut table = Table::default();
        let mut model = BTreeMap::new();
        // Some seeds draw fragments from a narrow range at the end, or with many equal ones.
        let draw = |random: u64| match seed % 4 {
            0 | 1 => (random as u32).max(1),
            2 => u32::MAX - (random % 500) as u32,
            _ => (random % 20) as u32 * 200_000_000 + 1,
        };
        for step in 0..1_500 {
            let random = next_random(&mut state);
            let grow = if step < 900 { 3 } else { 1 };
            if random % 4 < grow {
                let fragment = draw(next_random(&mut state));
                let key = next_random(&mut state) % 10_000;
                if model.insert((fragment, key), ()).is_none() {
                    assert_eq!(table.find(fragment, &key.to_be_bytes()), None);
                    let at = table.insert(fragment, entry(key));
                    assert_eq!(table.find(fragment, &key.to_be_bytes()), Some(at));
                }
            } else if let Some(&(fragment, key)) = model.keys().nth((random >> 8) as usize % model.len().max(1)) {
                model.remove(&(fragment, key));
                let at = table.find(fragment, &key.to_be_bytes()).unwrap();
                assert_eq!(table.remove(at).unwrap().key(), key.to_be_bytes());
                assert_eq!(table.find(fragment, &key.to_be_bytes()), None);
            }
            if step % 50 == 0 {
                check(&table, &model);
            }
        }
        check(&table, &model);
        let from = draw(next_random(&mut state));
        let tail = table.iter_from(from).count();
        assert_eq!(tail, model.range((from, 0)..).count());
    }
}

#[test]
fn arrays_take_less_than_17_bytes_an_entry() {
    let mut table = Table::default();
    let mut state = 1;
    for key in 0..320u64 {
        table.insert((next_random(&mut state) as u32).max(1), entry(key));
    }
    assert!(table.size() <= 320 * 17, "{}", table.size());
}
