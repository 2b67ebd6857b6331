use super::{Approach, CHUNK, Keyed, Sequence};
use crate::place::next_random;

impl Keyed for usize {
    fn key(&self) -> u64 {
        *self as u64
    }
}

/// Several items have the same key.
impl Keyed for u64 {
    fn key(&self) -> u64 {
        *self / 300
    }
}

#[test]
fn behaves_like_a_vector() {
    for seed in 0..40 {
        let mut random = seed;
        let mut draw = |below: usize| (next_random(&mut random) >> 16) as usize % below.max(1);
        let mut model: Vec<usize> = Vec::new();
        let mut sequence = Sequence::default();
        let growth = 3 + draw(5);
        for step in 0..4 * CHUNK * growth {
            let shrinking = step > 2 * CHUNK * growth;
            match draw(10) {
                0..4 if !shrinking || draw(4) == 0 => {
                    let position = draw(model.len() + 1);
                    model.insert(position, step);
                    sequence.insert(sequence.at(position), step);
                }
                4 if !shrinking => {
                    model.push(step);
                    sequence.push_back(step);
                }
                5 if !shrinking => {
                    model.insert(0, step);
                    sequence.insert(sequence.start(), step);
                }
                6 => assert_eq!(sequence.remove(sequence.at(model.len().saturating_sub(1))), model.pop()),
                7 => assert_eq!(sequence.remove(sequence.start()), (!model.is_empty()).then(|| model.remove(0))),
                _ if !model.is_empty() => {
                    let position = draw(model.len());
                    assert_eq!(sequence.remove(sequence.at(position)), Some(model.remove(position)), "seed {seed}");
                }
                _ => {}
            }
            assert_eq!(sequence.len(), model.len());
            if step % 97 == 0 {
                check(&sequence, &model, draw(model.len() + 1));
            }
        }
        check(&sequence, &model, 0);
    }
}

fn check(sequence: &Sequence<usize>, model: &[usize], from: usize) {
    assert!(sequence.chunks.iter().all(|chunk| (1..=CHUNK).contains(&chunk.len())));
    assert!(sequence.chunks.iter().map(|chunk| chunk[0].key()).eq(sequence.heads.iter().copied()));
    assert!(sequence.iter().eq(model));
    let at = sequence.at(from);
    assert_eq!(sequence.position(at), from);
    assert_eq!(sequence.get(at), model.get(from));
    assert!(sequence.iter_from(at).eq(&model[from..]));
    assert!(sequence.iter_back(at).eq(model[..from].iter().rev()));
}

#[test]
fn keeps_an_order_and_finds_in_it() {
    let mut random = 7;
    let mut sequence: Sequence<u64> = Sequence::default();
    let mut model = std::collections::BTreeSet::new();
    for _ in 0..20_000 {
        let item = next_random(&mut random) % 8_000;
        let found = sequence.locate(|other| other.cmp(&item));
        assert_eq!(sequence.search(item.key(), |other| other.cmp(&item)), found);
        match found {
            Ok(at) => {
                assert!(model.remove(&item));
                assert_eq!(sequence.remove(at), Some(item));
            }
            Err(at) => {
                assert!(model.insert(item));
                sequence.insert(at, item);
            }
        }
    }
    assert!(sequence.iter().eq(&model));
    for probe in 0..8_000 {
        let at = sequence.partition_point(|&item| item < probe);
        assert_eq!(sequence.position(at), model.range(..probe).count());
        assert_eq!(sequence.iter_from(at).next(), model.range(probe..).next());
    }
}

#[test]
fn what_grows_at_one_end_fills_its_chunks() {
    let sequence: Sequence<usize> = (0..10 * CHUNK).collect();
    assert_eq!(sequence.chunks.len(), 10);
    let mut sequence = Sequence::default();
    (0..10 * CHUNK).for_each(|item| sequence.insert(sequence.start(), item));
    assert_eq!(sequence.chunks.len(), 10);
}

#[test]
fn finds_by_keys_however_they_lie() {
    let spread: [fn(usize) -> usize; 5] =
        [|n| n, |n| n * n * n, |n| usize::MAX - n, |n| 1 << (n % 60), |n| if n % 2 == 0 { 0 } else { 1 << 40 }];
    for (which, key) in spread.into_iter().enumerate() {
        let mut sequence: Sequence<usize> = Sequence::default();
        let mut random = 11;
        for _ in 0..8 * CHUNK {
            let item = key((next_random(&mut random) % 5000) as usize);
            let found = sequence.search(item as u64, |other| other.cmp(&item));
            assert_eq!(found.is_ok(), sequence.locate(|other| other.cmp(&item)).is_ok(), "{which}: {item}");
            if let Err(at) = found {
                assert_eq!(Err(at), sequence.locate(|other| other.cmp(&item)), "{which}: {item}");
                sequence.insert(at, item);
            }
        }
        assert!(sequence.iter().is_sorted());
    }
}

#[test]
fn what_is_fetched_is_where_it_is_found() {
    let mut sequence = Sequence::default();
    assert_eq!(sequence.approach_chunk(7), 0);
    for item in 0..10 * CHUNK {
        sequence.push_back(item * item);
    }
    for item in 0..10 * CHUNK {
        let key = (item * item) as u64;
        let at = sequence.search(key, |found| found.cmp(&(item * item))).unwrap();
        assert_eq!(sequence.approach_chunk(key), at.chunk);
        // Keys on both sides of it, and beyond the ends, may be asked for.
        for key in [key, key.saturating_sub(1), key + 1, u64::MAX] {
            let chunk = sequence.approach_chunk(key);
            sequence.approach_items(chunk, key);
            sequence.approach_item(chunk, key);
        }
    }
}
