use super::*;

#[test]
fn only_an_orderly_end_can_be_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("import.state");
    let file = StateFile::new(&path, "a:1", "b:2");
    assert_eq!(file.read(), Ok(Known::Nothing));
    file.begin().unwrap();
    assert_eq!(file.read(), Ok(Known::Broken));
    let position = Position { id: "abc".to_owned(), offset: 77, db: 3 };
    file.stop(&position, &"run 7".to_owned()).unwrap();
    assert_eq!(file.read(), Ok(Known::At(position, "run 7".to_owned())));
    assert_eq!(StateFile::new(&path, "a:1", "c:2").read(), Ok(Known::Nothing));
    std::fs::write(&path, "something else").unwrap();
    assert!(file.read().is_err());
}
