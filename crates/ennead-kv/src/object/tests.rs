use std::collections::BTreeMap;

use super::list::{Inserted, List};
use super::zset::Zset;
use crate::place::{Placer, next_random};

/// The rows that a list's own messages add up to.
#[derive(Default)]
struct Rows(BTreeMap<Vec<u8>, Vec<u8>>);

impl Rows {
    fn insert(&mut self, list: &mut List, index: usize, bytes: &[u8]) -> bool {
        match list.insert(index, bytes) {
            Inserted::One(suffix) => {
                assert!(self.0.insert(suffix.to_vec(), bytes.to_vec()).is_none());
                false
            }
            Inserted::Renumbered { from, to, former } => {
                former.iter().for_each(|suffix| assert!(self.0.remove(suffix.as_slice()).is_some()));
                for (suffix, bytes) in list.rows_between(from, to) {
                    assert!(self.0.insert(suffix.to_vec(), bytes.to_vec()).is_none());
                }
                true
            }
        }
    }

    fn check(&self, list: &List) {
        let mut rows = Vec::new();
        list.rows(&mut |suffix, value| rows.push((suffix.to_vec(), value.to_vec())));
        // In order, so that what is read back by suffix is the same list.
        assert!(rows.iter().map(|(suffix, value)| (suffix, value)).eq(&self.0));
    }
}

#[test]
fn a_list_is_the_same_read_back_from_its_rows() {
    for seed in 0..20 {
        let mut random = seed;
        let mut draw = |below: usize| (next_random(&mut random) >> 16) as usize % below.max(1);
        let (mut list, mut rows) = (List::new(1), Rows::default());
        for step in 0..2_000u32 {
            let bytes = step.to_le_bytes();
            let index = draw(list.len() + 1);
            match draw(6) {
                0 => drop(rows.insert(&mut list, 0, &bytes)),
                1 => drop(rows.insert(&mut list, usize::MAX, &bytes)),
                2 | 3 => drop(rows.insert(&mut list, index, &bytes)),
                4 if index < list.len() => {
                    let suffix = list.replace(index, &bytes).unwrap();
                    rows.0.insert(suffix.to_vec(), bytes.to_vec()).unwrap();
                }
                _ => {
                    if let Some((suffix, element)) = list.remove(index) {
                        assert_eq!(rows.0.remove(suffix.as_slice()).unwrap(), &*element);
                    }
                }
            }
        }
        rows.check(&list);
    }
}

#[test]
fn insertions_at_one_place_renumber_seldom_and_little() {
    let (mut list, mut rows) = (List::new(1), Rows::default());
    for number in 0..50_000u32 {
        rows.insert(&mut list, usize::MAX, &number.to_le_bytes());
    }
    let mut renumbered = 0;
    for number in 0..5_000u32 {
        renumbered += usize::from(rows.insert(&mut list, 25_000, &number.to_le_bytes()));
    }
    rows.check(&list);
    assert!(renumbered < 1_000, "{renumbered}");
}

#[test]
fn a_sorted_set_knows_ranks_and_scores() {
    let placer = Placer::new(3);
    let (mut zset, mut model) = (Zset::new(1), BTreeMap::new());
    let mut random = 1;
    for _ in 0..30_000 {
        let draw = next_random(&mut random);
        let member = format!("member:{}", (draw >> 8) % 3_000).into_bytes();
        if draw.is_multiple_of(4) {
            assert_eq!(zset.remove(&placer, &member), model.remove(&member).is_some());
        } else {
            let score = ((draw >> 40) % 50) as f64;
            assert_eq!(zset.set(&placer, &member, score), model.insert(member, score).is_none());
        }
    }
    let mut order: Vec<(f64, &[u8])> = model.iter().map(|(member, score)| (*score, member.as_slice())).collect();
    order.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(right.1)));
    assert!(zset.iter().map(|(member, score)| (score, member)).eq(order.iter().copied()));
    for (rank, (score, member)) in order.iter().enumerate() {
        assert_eq!(zset.rank(&placer, member), Some((rank, *score)));
    }
    assert_eq!(zset.len(), zset.scan_from(0).count());
}
