use super::*;

#[test]
fn the_first_line_of_proc_stat_is_read() {
    let text =
        "cpu  10132153 290696 3084719 46828483 16683 0 25195 0 175628 0\ncpu0 1393280 32966 572056 13343292 6130";
    assert_eq!(from_proc_stat(text), Some(Duration::from_millis((46_828_483 + 16_683) * 10)));
    for text in ["", "cpu0 1 2 3 4 5", "cpu  1 2 3", "cpu  1 2 3 x 5"] {
        assert_eq!(from_proc_stat(text), None, "{text:?}");
    }
}

#[test]
fn only_sleep_counts() {
    assert_eq!(slept(), Duration::ZERO);
    wakes();
    assert_eq!(slept(), Duration::ZERO);
    falls_asleep();
    let before = Instant::now();
    while before.elapsed() < Duration::from_millis(2) {}
    wakes();
    wakes();
    assert!(slept() >= Duration::from_millis(2));
}

#[test]
fn the_times_of_schedstat_are_read() {
    assert_eq!(from_schedstat("96954 84036 2\n"), Some((Duration::from_nanos(96_954), Duration::from_nanos(84_036))));
    for text in ["", "96954", "96954 x 2"] {
        assert_eq!(from_schedstat(text), None, "{text:?}");
    }
}
