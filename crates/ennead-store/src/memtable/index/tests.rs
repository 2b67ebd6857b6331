use std::collections::BTreeMap;

use super::*;

/// Many hashes that share a home, and some that stand at the very end, so that runs wrap.
fn hash(key: u32) -> u32 {
    match key % 3 {
        0 => key.wrapping_mul(0x9e37_79b9),
        1 => u32::MAX - key % 7,
        _ => key % 5,
    }
}

#[test]
fn it_finds_what_was_added_and_nothing_else() {
    let mut index = HashIndex::default();
    let mut model = BTreeMap::new();
    for key in 0..3000 {
        assert_eq!(index.find(hash(key), |location| location == key), None);
        index.insert(hash(key), key, key as u16);
        model.insert(key, key);
        if key % 1000 == 999 {
            // Locations change and keys go, as when rows are rolled back.
            let keep = |location: &mut u32| *location % 4 != 1;
            index.retain(keep);
            model.retain(|_, location| keep(location));
        }
        index.prefetch(hash(key));
    }
    for key in 0..3000 {
        assert_eq!(index.find(hash(key), |location| location == key), model.get(&key).copied(), "{key}");
    }
    assert_eq!(index.len, model.len());
    let mut led: Vec<u32> = index.led_by(10, 20).collect();
    led.sort_unstable();
    assert_eq!(led, [10, 11, 12, 14, 15, 16, 18, 19, 20]);
    *index.find_mut(hash(10), |location| location == 10).unwrap() = 5000;
    assert_eq!(index.find(hash(10), |location| location == 5000), Some(5000));
}

#[test]
fn an_empty_one_has_nothing() {
    let mut index = HashIndex::default();
    index.retain(|_| true);
    index.prefetch(7);
    assert_eq!((index.find(7, |_| true), index.likely(7)), (None, None));
    assert_eq!(index.led_by(0, u16::MAX).count(), 0);
}
