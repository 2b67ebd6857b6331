use super::*;
use crate::place::next_random;

/// Bytes counted anew from what is there.
fn recount(slot: &Slot) -> usize {
    let entries: usize = slot.table.iter_from(0).map(|(_, _, entry)| entry.size()).sum();
    let objects: usize = slot.objects.iter().flat_map(|slab| slab.iter()).map(|(_, object)| object.size()).sum();
    let volatile = slot.orders.as_ref().map_or(0, |orders| orders.size());
    slot.table.size() + entries + objects + volatile
}

#[test]
fn counts_its_bytes_and_orders_its_deadlines() {
    let mut slot = Slot::new(true);
    let mut random = 5;
    for _ in 0..3_000 {
        let draw = next_random(&mut random);
        // Few fragments and deadlines, so that some are shared.
        let fragment = (draw >> 8) as u32 % 20 + 1;
        let key = [b'k', (draw >> 16) as u8 % 4];
        let expiry = (draw >> 24) % 5 * 100;
        let at = slot.table.find(fragment, &key);
        match (draw % 5, at) {
            (0, Some(at)) => slot.remove(at),
            (1, Some(at)) => slot.set_expiry(at, expiry),
            _ => {
                let value = vec![b'v'; (draw >> 32) as usize % 40];
                let bytes = [&key[..], &value].concat();
                slot.put(fragment, at, key.len(), &bytes, Facts { expiry, ..Facts::default() });
            }
        }
        assert_eq!(slot.bytes(), recount(&slot));
        let mut deadlines: Vec<(u64, u32)> = slot
            .table
            .iter_from(0)
            .filter(|(_, _, entry)| entry.expiry() != 0)
            .map(|(_, fragment, entry)| (entry.expiry(), fragment))
            .collect();
        deadlines.sort_unstable();
        deadlines.dedup();
        let order: Vec<(u64, u32)> = slot.orders.iter().flat_map(|orders| orders.volatile.iter().copied()).collect();
        assert_eq!(order, deadlines);
    }
}

#[test]
fn a_forgotten_key_stays_in_the_expiry_order() {
    let mut slot = Slot::new(true);
    let at = slot.put(7, None, 1, b"kv", Facts { expiry: 50, ..Facts::default() });
    slot.forget(at);
    assert!(!slot.complete);
    assert_eq!((slot.table.len(), slot.first_due()), (0, Some((50, 7))));
    slot.strike((50, 7));
    assert_eq!(slot.first_due(), None);
    assert_eq!(slot.bytes(), recount(&slot));
}

#[test]
fn an_empty_slot_is_small() {
    assert!(Slot::own_size() <= 96, "{}", Slot::own_size());
}
