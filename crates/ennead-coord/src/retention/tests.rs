use super::*;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn retentions_are_read_as_etcd_reads_its_flags() {
    let check = |mode, text, expected: Option<Retention>| {
        assert_eq!(Retention::parse(mode, text).ok(), expected, "{mode:?} {text}");
    };
    let time = |seconds| Some(Retention::Time(secs(seconds)));
    check(RetentionMode::Periodic, "0", Some(Retention::All));
    check(RetentionMode::Periodic, "2", time(7200));
    check(RetentionMode::Periodic, "5m", time(300));
    check(RetentionMode::Periodic, "1h30m", time(5400));
    check(RetentionMode::Periodic, "0.5h", time(1800));
    check(RetentionMode::Periodic, "500ms", Some(Retention::Time(Duration::from_millis(500))));
    check(RetentionMode::Periodic, "0s", Some(Retention::All));
    for text in ["", "-1", "-1h", "1d", "h", "5 m", "m5", "1h30"] {
        check(RetentionMode::Periodic, text, None);
    }
    check(RetentionMode::Revision, "0", Some(Retention::All));
    check(RetentionMode::Revision, "1000", Some(Retention::Revisions(1000)));
    check(RetentionMode::Revision, "5m", None);
    check(RetentionMode::Revision, "-5", None);
}

/// What a schedule does with a revision each second: when it compacts, and to which revision.
fn compactions(retention: Retention, until: u64) -> Vec<(u64, i64)> {
    let mut schedule = Schedule::new(retention).unwrap();
    let (mut now, mut all) = (Duration::ZERO, Vec::new());
    while now <= secs(until) {
        let newest = 1 + now.as_secs() as i64;
        if let Some(revision) = schedule.due(now, newest) {
            all.push((now.as_secs(), revision));
            schedule.done(now, revision);
        }
        now += schedule.look(newest);
    }
    all
}

/// As etcd does it: nothing before the time is over, then each time again, each hour where it is longer; by what was newest
/// one look before the time.
#[test]
fn history_is_kept_for_its_time() {
    assert_eq!(compactions(Retention::Time(secs(100)), 320), [(100, 1), (200, 91), (300, 191)]);
    let hours = compactions(Retention::Time(secs(3 * 3600)), 5 * 3600);
    assert_eq!(hours, [(10_800, 1), (14_400, 3241), (18_000, 6841)]);
}

#[test]
fn a_number_of_revisions_is_kept() {
    assert_eq!(compactions(Retention::Revisions(400), 1000), [(600, 201), (900, 501)]);
}

#[test]
fn nothing_new_is_not_compacted_again() {
    for retention in [Retention::Time(secs(10)), Retention::Revisions(2)] {
        let mut schedule = Schedule::new(retention).unwrap();
        let (mut now, mut count) = (Duration::ZERO, 0);
        for _ in 0..100 {
            if let Some(revision) = schedule.due(now, 7) {
                schedule.done(now, revision);
                count += 1;
            }
            now += schedule.look(7);
        }
        assert_eq!(count, 1, "{retention:?}");
    }
}

#[test]
fn a_compaction_that_failed_is_tried_at_the_next_look() {
    let mut schedule = Schedule::new(Retention::Time(secs(10))).unwrap();
    let mut now = Duration::ZERO;
    let mut due = Vec::new();
    for _ in 0..13 {
        due.extend(schedule.due(now, 5).map(|revision| (now.as_secs(), revision)));
        now += schedule.look(5);
    }
    assert_eq!(due.first(), Some(&(10, 5)));
    assert_eq!(due.get(1), Some(&(11, 5)));
}
