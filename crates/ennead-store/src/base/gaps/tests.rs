use super::*;

#[test]
fn looks_become_rare_where_they_do_not_pay_and_frequent_where_they_do() {
    let mut gaps = Gaps::default();
    let mut looks = 0;
    for _ in 0..10_000 {
        if gaps.are_likely() {
            looks += 1;
            gaps.note(1);
        }
    }
    assert!((70..100).contains(&looks), "{looks}");
    while !gaps.are_likely() {}
    gaps.note(100);
    assert!(gaps.are_likely());
}
