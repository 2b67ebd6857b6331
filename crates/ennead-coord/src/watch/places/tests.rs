use arbtest::arbtest;
use bytes::Bytes;

use super::Places;
use crate::span::Span;

/// Random watches come and go; those of a key are what a look at all of them finds.
#[test]
fn finds_what_a_look_at_all_finds() {
    arbtest(|random| {
        let mut places = Places::default();
        let mut all: Vec<(Span<Bytes>, u32)> = Vec::new();
        for number in 0..random.int_in_range(1..=60)? {
            if !all.is_empty() && random.ratio(1, 3)? {
                let (span, watch) = all.swap_remove(random.choose_index(all.len())?);
                assert_eq!(places.remove(&span, |other| *other == watch), Some(watch));
                assert_eq!(places.remove(&span, |other| *other == watch), None);
            } else {
                let mut word = || -> arbtest::arbitrary::Result<Bytes> {
                    Ok(Bytes::from(vec![random.int_in_range(b'a'..=b'h')?]))
                };
                let (start, end) = (word()?, word()?);
                let span = match random.int_in_range(0..=3)? {
                    0 => Span::One(start),
                    1 => Span::From(start),
                    _ => Span::Between(start, end),
                };
                places.add(&span, number);
                all.push((span, number));
            }
            assert_eq!(places.is_empty(), all.is_empty());
            for key in b'a'..=b'i' {
                let mut found = Vec::new();
                places.visit(&[key], |watch| found.push(*watch));
                found.sort_unstable();
                let mut expected: Vec<u32> =
                    all.iter().filter(|(span, _)| span.contains(&[key])).map(|(_, watch)| *watch).collect();
                expected.sort_unstable();
                assert_eq!(found, expected, "{} of {all:?}", key as char);
            }
        }
        Ok(())
    });
}

/// With 10,000 watches of keys and as many of ranges, a change looks at those that hold its key, and at a few more.
#[test]
fn a_change_looks_at_few_of_many() {
    let mut places = Places::default();
    let name = |number: u32| Bytes::from(format!("k/{number:05}"));
    for number in 0..10_000 {
        places.add(&Span::One(name(number)), number);
        places.add(&Span::Between(name(number), name(number + 2)), number);
    }
    for number in [1, 77, 5000, 9999] {
        let mut found = 0;
        let before = places.looked_at.get();
        places.visit(&name(number), |_| found += 1);
        let looked_at = places.looked_at.get() - before;
        assert_eq!(found, 3, "{number}");
        assert!(looked_at < 100, "{looked_at} nodes were looked at for {number}");
    }
    // Watches of one range are one node, however many they are.
    let prefix = Span::Between(Bytes::from_static(b"p/"), Bytes::from_static(b"p0"));
    (0..10_000).for_each(|number| places.add(&prefix, number));
    let before = places.looked_at.get();
    places.visit(b"p/1", |_| ());
    assert!(places.looked_at.get() - before < 100);
}
