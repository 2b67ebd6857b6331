#[test]
fn any_value_may_be_asked_for() {
    let values = vec![7u8; 200];
    for value in &values {
        super::prefetch(value);
    }
    super::prefetch(&());
    super::prefetch_at(values.as_ptr_range().end, 1 << 20);
    super::prefetch_at(std::ptr::null::<u8>(), 64);
    assert!(values.iter().all(|value| *value == 7));
}
