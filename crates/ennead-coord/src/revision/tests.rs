use super::Revision;

#[test]
fn row_keys_keep_the_order_and_come_back() {
    let revisions = [
        Revision::new(1, 0),
        Revision::new(1, 1),
        Revision::new(1, 256),
        Revision::new(2, 0),
        Revision::new(i64::MAX, u32::MAX),
    ];
    for pair in revisions.windows(2) {
        assert!(pair[0].row_key() < pair[1].row_key(), "{pair:?}");
    }
    for revision in revisions {
        assert_eq!(Revision::from_row_key(&revision.row_key()), Some(revision));
    }
    assert_eq!(Revision::from_row_key(b"short"), None);
    assert_eq!(Revision::from_row_key(&[0; 13]), None);
}
