use super::*;

#[test]
fn heads_are_read_from_rows() {
    let pair = KeyValue {
        key: "k".into(),
        value: vec![7; 300].into(),
        create_revision: 5,
        mod_revision: 9,
        version: 3,
        lease: -4,
    };
    let row = pair.encode_to_vec();
    let expected = Head { key: b"k", generation: Some(Generation { created: 5, version: 3 }), lease: -4 };
    assert_eq!(head(&row), Ok(expected));
    assert_eq!(decode(row.clone()), Ok(pair));
    assert!(head(&row[..row.len() - 1]).is_err());
    let tombstone = KeyValue { key: "k".into(), ..KeyValue::default() }.encode_to_vec();
    assert_eq!(head(&tombstone), Ok(Head { key: b"k", generation: None, lease: 0 }));
}
