use super::*;

#[test]
fn memory_is_given_back_when_asked() {
    assert_eq!(purge_all(), Ok(()));
    const BYTES: usize = 64 << 20;
    let before = resident().unwrap();
    let bytes = std::hint::black_box(vec![1u8; BYTES]);
    assert!(resident().unwrap() >= before + BYTES as u64 / 2);
    drop(bytes);
    purge_all().unwrap();
    assert!(resident().unwrap() < before + BYTES as u64 / 2);
}
