use std::sync::atomic::AtomicBool;

use super::*;
use crate::disk::simulated::SimulatedDisk;
use crate::{Options, Store};

const WORK: f64 = 6_500_000.0;

#[test]
fn writers_wait_only_where_they_are_ahead_of_the_flush() {
    let after = |seconds: u64, filled: f64| hold_back(filled, Duration::from_secs(seconds), WORK);
    assert_eq!(after(0, 0.3), Pressure::None);
    assert_eq!(after(3, 0.6), Pressure::None);
    assert_eq!(after(60, 0.95), Pressure::None);
    assert_eq!(after(3, 0.9), Pressure::Slow(Duration::from_millis(4)));
    assert!(matches!(after(60, 0.99), Pressure::Slow(_)), "a flush that takes longer than the last one");
}

#[test]
fn nobody_waits_for_less_than_a_timer_can() {
    let second = Duration::from_secs(1);
    assert_eq!(hold_back(0.40005, second, WORK), Pressure::None);
    assert_eq!(hold_back(0.4002, second, WORK), Pressure::Slow(Duration::from_micros(2000)));
}

#[test]
fn who_waits_looks_by_himself_what_nobody_wakes_him_for() {
    let store = Store::open_on(Arc::new(SimulatedDisk::default()), Options::new("/data")).unwrap();
    let flusher = &store.shared().flusher;
    let (looked, poisoned) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let begun = Instant::now();
            let done = || {
                looked.fetch_add(1, Ordering::Relaxed);
                poisoned.load(Ordering::Relaxed)
            };
            assert!(flusher.wait_until(begun + Duration::from_secs(60), done));
            begun.elapsed()
        });
        while looked.load(Ordering::Relaxed) == 0 {
            std::thread::yield_now();
        }
        poisoned.store(true, Ordering::Relaxed);
        assert!(waiting.join().unwrap() < Duration::from_secs(30));
    });
}
