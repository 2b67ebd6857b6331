use super::*;

fn lookup(words: &[&str]) -> Lookup {
    let buffer = words.concat().into_bytes();
    let mut spans = Vec::new();
    let mut at = 0;
    for word in words {
        spans.push(at..at + word.len());
        at += word.len();
    }
    Registry::get().lookup(&Args::new(&buffer, &spans))
}

#[test]
fn every_name_is_found_in_any_case() {
    for command in Registry::get().commands() {
        let name = command.spec.name;
        for spelling in [name.to_owned(), name.to_uppercase()] {
            let found = Registry::get().find(spelling.as_bytes()).map(|found| found.spec.name);
            assert_eq!(found, Some(name));
        }
    }
}

#[test]
fn names_are_sorted_and_unique() {
    let names: Vec<_> = Registry::get().commands().iter().map(|command| command.spec.name).collect();
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
    assert!(names.iter().all(|name| name.to_lowercase() == **name));
}

#[test]
fn rows_are_described() {
    for command in Registry::get().commands() {
        let spec = &command.spec;
        assert!(!spec.summary.is_empty() && !spec.complexity.is_empty() && !spec.since.is_empty(), "{}", spec.name);
        assert!(spec.arity != 0, "{}", spec.name);
        assert!(!(command.has(Flag::Write) && command.has(Flag::ReadOnly)), "{}", spec.name);
    }
}

#[test]
fn words_lead_to_commands() {
    assert!(matches!(lookup(&["PiNg"]), Lookup::Found(command) if command.spec.name == "ping"));
    assert!(matches!(lookup(&["pin"]), Lookup::Unknown));
    assert!(matches!(lookup(&["ping2"]), Lookup::Unknown));
    assert!(matches!(lookup(&[""]), Lookup::Unknown));
    assert!(matches!(lookup(&["get", "client"]), Lookup::Found(command) if command.spec.name == "get"));
}
