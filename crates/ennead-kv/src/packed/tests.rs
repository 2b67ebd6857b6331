use super::*;

fn all(packed: &[u8]) -> Vec<Vec<u8>> {
    items(packed).map(|item| item.bytes.to_vec()).collect()
}

#[test]
fn items_of_any_length_come_back() {
    let mut packed = Vec::new();
    let written: Vec<Vec<u8>> = [0, 1, 127, 128, 300, 20_000].into_iter().map(|len| vec![b'x'; len]).collect();
    written.iter().for_each(|item| push(&mut packed, item));
    assert_eq!(all(&packed), written);
    packed.pop();
    assert_eq!(all(&packed).len(), written.len() - 1);
    assert!(all(&[0xff; 20]).is_empty());
}

#[test]
fn fields_keep_their_place_when_their_value_changes() {
    let mut packed = Vec::new();
    assert!(hash_set(&mut packed, b"a", b"1"));
    assert!(hash_set(&mut packed, b"b", b"2"));
    assert!(!hash_set(&mut packed, b"a", b"long value"));
    assert_eq!(all(&packed), [&b"a"[..], b"long value", b"b", b"2"]);
    assert_eq!(pair_get(&packed, b"b"), Some(&b"2"[..]));
    // A value is not taken for a field.
    assert_eq!(pair_get(&packed, b"2"), None);
    assert!(!pair_remove(&mut packed, b"2"));
    assert!(pair_remove(&mut packed, b"a"));
    assert_eq!(all(&packed), [&b"b"[..], b"2"]);
}

#[test]
fn members_stand_by_score_and_then_by_name() {
    let mut packed = Vec::new();
    for (member, score) in [(&b"c"[..], 1.0), (b"a", 2.0), (b"b", 1.0), (b"d", f64::NEG_INFINITY), (b"a", 0.5)] {
        zset_add(&mut packed, member, score);
    }
    let order: Vec<(Vec<u8>, f64)> = pairs(&packed).map(|(m, s)| (m.bytes.to_vec(), score(s.bytes))).collect();
    let expected = [("d", f64::NEG_INFINITY), ("a", 0.5), ("b", 1.0), ("c", 1.0)];
    assert_eq!(order, expected.map(|(member, score)| (member.as_bytes().to_vec(), score)));
}
