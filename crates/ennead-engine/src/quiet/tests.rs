use super::*;

const LIMIT: u64 = 64 << 20;
const AFTER: Duration = Duration::from_secs(3);

fn holding(bytes: u64, logged_bytes: u64) -> Unflushed {
    Unflushed { bytes, logged_bytes, limit_bytes: LIMIT }
}

/// The second at which the silence is long enough, when so much is written in each.
fn ends_at(bytes: u64, each_second: u64, after: Duration) -> Option<u64> {
    let begun = Instant::now();
    let mut silence = Silence::new(begun);
    (0..=200).find(|&second| {
        let unflushed = holding(bytes, bytes + second * each_second);
        silence.is_over(begun + Duration::from_secs(second), unflushed, after)
    })
}

#[test]
fn the_emptier_the_longer() {
    assert_eq!(ends_at(LIMIT, 0, AFTER), Some(3));
    assert_eq!(ends_at(LIMIT / 2, 0, AFTER), Some(6));
    assert_eq!(ends_at(LIMIT / 64, 0, AFTER), Some(192));
    assert_eq!(ends_at(LIMIT / 65, 0, AFTER), None);
    assert_eq!(ends_at(0, 0, AFTER), None);
}

#[test]
fn a_trickle_is_silence() {
    assert_eq!(ends_at(LIMIT / 2, LIMIT / 2 / 1000, AFTER), Some(6));
    assert_eq!(ends_at(LIMIT / 2, LIMIT / 2 / 50, AFTER), None);
}

#[test]
fn nothing_ends_without_a_time() {
    assert_eq!(ends_at(LIMIT, 0, Duration::ZERO), None);
}

#[test]
fn a_new_memtable_begins_anew() {
    let begun = Instant::now();
    let mut silence = Silence::new(begun);
    let second = |second| begun + Duration::from_secs(second);
    assert!(!silence.is_over(second(0), holding(LIMIT, LIMIT), AFTER));
    assert!(!silence.is_over(second(2), holding(LIMIT / 2, LIMIT / 2), AFTER));
    assert!(!silence.is_over(second(7), holding(LIMIT / 2, LIMIT / 2), AFTER));
    assert!(silence.is_over(second(8), holding(LIMIT / 2, LIMIT / 2), AFTER));
}
