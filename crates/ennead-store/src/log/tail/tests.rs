use super::*;

fn first(tail: &Tail) -> Option<(Sequence, usize, u64)> {
    tail.places.front().copied()
}

#[test]
fn begins_at_or_before_the_first_record_that_may_not_be_durable() {
    let mut tail = Tail::behind(0);
    for sequence in 1..=100 {
        // Ten a segment, each record a step long.
        tail.meet(sequence, (sequence as usize - 1) / 10, 32 + (sequence - 1) % 10 * STEP_BYTES);
    }
    assert_eq!(first(&tail), Some((1, 0, 32)));
    tail.know(50);
    assert_eq!(first(&tail), Some((51, 5, 32)));
    tail.know(20);
    assert_eq!((tail.durable, first(&tail)), (50, Some((51, 5, 32))));
    tail.know(99);
    assert_eq!(first(&tail), Some((100, 9, 32 + 9 * STEP_BYTES)));
}

#[test]
fn remembers_few_places_of_many_small_records() {
    let mut tail = Tail::behind(0);
    for sequence in 1..=100_000 {
        tail.meet(sequence, 0, sequence * 100);
    }
    assert!(tail.places.len() < 200, "{}", tail.places.len());
    tail.know(50_000);
    let (sequence, _, offset) = first(&tail).unwrap();
    assert!(sequence <= 50_001 && offset > 50_000 * 100 - STEP_BYTES, "{sequence} at {offset}");
}
