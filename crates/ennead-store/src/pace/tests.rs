use super::*;
use crate::Options;

fn course(total_bytes: usize, haste: &Arc<Haste>) -> Course {
    let active = Arc::new(Memtable::new(&Options::new("unused")));
    Course { active, limit_bytes: 1000, total_bytes, haste: haste.clone() }
}

#[test]
fn rests_while_the_next_memtable_fills_slower_than_the_rows_are_worked_off() {
    let haste = Arc::default();
    let course = course(100, &haste);
    assert!(course.is_ahead(0));
    course.active.note_logged(4 * 200);
    assert!(!course.is_ahead(0));
    assert!(!course.is_ahead(40));
    assert!(course.is_ahead(60));
    course.active.note_logged(4 * 300);
    assert!(!course.is_ahead(100), "full to the part where the flush should have ended");
}

#[test]
fn does_not_rest_while_somebody_waits() {
    let haste = Arc::<Haste>::default();
    let course = course(0, &haste);
    let hurried = haste.hurry();
    assert!(!course.is_ahead(0));
    drop(hurried);
    assert!(course.is_ahead(0));
    haste.hurry_forever();
    assert!(!course.is_ahead(0));
}
