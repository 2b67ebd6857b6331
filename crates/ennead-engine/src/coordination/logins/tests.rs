use super::*;

#[test]
fn tokens_lead_to_their_users_until_they_are_forgotten() {
    let logins = Logins::new(Duration::from_secs(300));
    let (first, second) = (logins.give("a").unwrap(), logins.give("b").unwrap());
    assert_ne!(first, second);
    assert_eq!(logins.find(&first).as_deref(), Some("a"));
    logins.forget("a");
    assert_eq!((logins.find(&first), logins.find(&second).as_deref()), (None, Some("b")));
}
