use super::keys::Keys;

#[test]
fn keys_are_forgotten_by_name_and_at_random() {
    let mut keys = Keys::default();
    for (key, reader) in [("a", 1), ("b", 1), ("b", 2), ("b", 1), ("c", 3)] {
        keys.remember(key.as_bytes(), reader);
    }
    assert_eq!((keys.len(), keys.items()), (3, 4));
    let (key, readers) = keys.forget(b"b").unwrap();
    assert_eq!((&*key, readers.as_slice()), (&b"b"[..], &[1, 2][..]));
    assert!(keys.forget(b"b").is_none());
    assert_eq!((keys.len(), keys.items()), (2, 2));
    let mut left: Vec<u8> = (0..2).map(|_| keys.forget_any().unwrap().0[0]).collect();
    left.sort_unstable();
    assert_eq!(left, b"ac");
    assert!(keys.forget_any().is_none());
    assert_eq!((keys.len(), keys.items()), (0, 0));
}
