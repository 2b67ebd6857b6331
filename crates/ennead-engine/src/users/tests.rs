use std::ops::Range;

use proptest::prelude::*;

use super::command_rights::CommandRights;
use super::*;
use crate::registry::{Lookup, Registry};
use crate::{Args, StoreOptions};

fn user(rules: &[&str]) -> User {
    User::new(false).with(rules.iter().map(|rule| rule.as_bytes()), false).unwrap()
}

fn line(user: &User) -> String {
    String::from_utf8(user.rules().join(&b' ')).unwrap()
}

fn spans(request: &str) -> Vec<Range<usize>> {
    let mut at = 0;
    let word = |word: &str| {
        let span = at..at + word.len();
        at = span.end + 1;
        span
    };
    request.split(' ').map(word).collect()
}

/// The cause of a denial, with the word it is about.
fn check(user: &User, request: &str) -> String {
    let spans = spans(request);
    let args = Args::new(request.as_bytes(), &spans);
    let Lookup::Found(command) = Registry::get().lookup(&args) else { panic!("{request} is unknown") };
    match user.check(command, args) {
        Ok(()) => "ok".to_owned(),
        Err(Denial { cause: Cause::Command, .. }) => "command".to_owned(),
        Err(Denial { cause, word }) => format!("{cause:?} {}", String::from_utf8_lossy(&args[word])),
    }
}

#[test]
fn rules_are_shown_as_redis_shows_them() {
    let check = |rules: &[&str], expected: &str| assert_eq!(line(&user(rules)), expected, "{rules:?}");
    check(&[], "off sanitize-payload resetchannels -@all");
    check(&["ON", "NoPass", "+@ALL", "AllKeys", "allchannels"], "on nopass sanitize-payload ~* &* +@all");
    check(&["+get", "+@read", "-get", "+get"], "off sanitize-payload resetchannels -@all +@read +get");
    check(&["+config|get", "+config|set", "-config"], "off sanitize-payload resetchannels -@all -config");
    check(&["+config|get", "+CONFIG|SET"], "off sanitize-payload resetchannels -@all +config|get +config|set");
    check(&["+select|0", "+select|0"], "off sanitize-payload resetchannels -@all +select|0");
    check(&["%R~*", "%W~*", "~a"], "off sanitize-payload ~* ~a resetchannels -@all");
    check(&["%R~a", "%w~a", "%RW~b", "%R~c"], "off sanitize-payload ~a ~b %R~c resetchannels -@all");
    check(&["~a", "allkeys", "resetkeys", "&x", "&x"], "off sanitize-payload resetchannels &x -@all");
    check(
        &["(~a", "+get)", "(&b)"],
        "off sanitize-payload resetchannels -@all (~a resetchannels -@all +get) (resetchannels &b -@all)",
    );
    check(&["(~a)", "+get", "skip-sanitize-payload", "reset"], "off sanitize-payload resetchannels -@all");
    check(&["(~a)", "clearselectors", "+@all", "-@all"], "off sanitize-payload resetchannels -@all");
    let hash = "81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9";
    check(&["nopass", ">bob"], &format!("off sanitize-payload #{hash} resetchannels -@all"));
    check(&[&format!("#{hash}"), ">bob", "<bob"], "off sanitize-payload resetchannels -@all");
    check(&[">bob", &format!("!{hash}")], "off sanitize-payload resetchannels -@all");
}

#[test]
fn wrong_rules_are_refused_as_redis_refuses_them() {
    let check = |rules: &[&str], expected: &str| {
        let error = User::new(false).with(rules.iter().map(|rule| rule.as_bytes()), false).unwrap_err();
        assert!(error.to_string().contains(expected), "{rules:?}: {error}");
    };
    check(&["+get", "nonsense"], "Error in ACL SETUSER modifier 'nonsense': Syntax error");
    check(&["+nosuch"], "'+nosuch': Unknown command or category name in ACL");
    check(&["+@nosuch"], "Unknown command or category");
    check(&["-select|0"], "Unknown command or category");
    check(&["+config|nosuch"], "Unknown command or category");
    check(&["+select|"], "Syntax error");
    check(&["+config|get|x"], "Allowing first-arg of a subcommand is not supported");
    check(&["allkeys", "~a"], "Adding a pattern after the * pattern (or the 'allkeys' flag)");
    check(&["&*", "&a"], "Adding a pattern after the * pattern (or the 'allchannels' flag)");
    check(&["%~a"], "Syntax error");
    check(&["%RR~a"], "Syntax error");
    check(&["~a b"], "Syntax error");
    check(&["<nobody"], "The password you are trying to remove from the user does not exist");
    check(&["#ABC"], "The password hash must be exactly 64 characters");
    check(&["+get", "(~a", "+set"], "Unmatched parenthesis in acl selector starting at '(~a'.");
    check(&["(+nosuch)"], "'(+nosuch)': Unknown command");
}

#[test]
fn a_request_needs_one_selector_that_allows_all_of_it() {
    let it = user(&["+@read", "-mget", "+select|0", "+config|get", "%R~r*", "%W~w*", "~b*", "(+set", "+copy", "~s*)"]);
    let check = |request: &str, expected: &str| assert_eq!(check(&it, request), expected, "{request}");
    check("get r1", "ok");
    check("get w1", "Key w1");
    check("get b1", "ok");
    check("exists w1", "ok");
    check("exists r1 b1 x", "Key x");
    check("mget r1", "command");
    check("set s1 1", "ok");
    check("set b1 1", "Key b1");
    check("copy s1 s2", "ok");
    check("copy s1 b2", "Key b2");
    check("select 0", "ok");
    check("select 1", "command");
    check("config get x", "ok");
    check("config set x y", "command");
    check("auth x", "ok");
}

#[test]
fn write_only_keys_may_be_overwritten_but_not_read() {
    let it = user(&["+@all", "%W~*"]);
    let check = |request: &str, expected: &str| assert_eq!(check(&it, request), expected, "{request}");
    check("set a 1", "ok");
    check("set a 1 GET", "Key a");
    check("incr a", "Key a");
    check("del a b", "ok");
    check("rename a b", "Key a");
    assert!(!it.root.reads_all_keys());
    assert!(user(&["%R~*"]).root.reads_all_keys());
}

#[test]
fn channels_match_patterns_and_patterns_only_themselves() {
    let it = user(&["&news.*", "(&a)"]);
    let allows =
        |channel: &str, is_pattern| it.selectors().any(|rights| rights.allows_channel(channel.as_bytes(), is_pattern));
    assert!(allows("news.art", false));
    assert!(!allows("news.art", true));
    assert!(allows("news.*", true));
    assert!(allows("a", false));
    assert!(!allows("b", false));
}

#[test]
fn every_category_is_known() {
    for command in Registry::get().commands() {
        for category in command.categories() {
            assert!(CATEGORIES.contains(&category), "{}: {category}", command.spec.name);
        }
    }
}

#[test]
fn rules_of_unknown_commands_do_not_keep_a_user_out() {
    let stored = b"on\nnopass\n~*\nresetchannels\n-@all\n+get\n+command.of.later\n(~x -@all +other.of.later +set)";
    let shown = "on nopass sanitize-payload ~* resetchannels -@all +get (~x resetchannels -@all +set)";
    assert_eq!(line(&User::parse(stored).unwrap()), shown);
    assert!(User::parse(b"on\nnonsense").is_err());
}

fn open(folder: &std::path::Path, password: &str) -> (Store, Arc<Settings>, Users) {
    let settings = Arc::new(Settings::new());
    settings.preset("server.password", password).unwrap();
    let store = Store::open(StoreOptions::new(folder)).unwrap();
    let users = Users::open(&store, &settings).unwrap();
    (store, settings, users)
}

fn set(users: &Users, name: &str, rules: &str) {
    users.change(name.as_bytes(), rules.split(' ').map(str::as_bytes)).unwrap();
}

#[test]
fn users_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |users: &Users| -> Vec<_> { users.list().iter().map(|a| (a.name().to_vec(), a.user())).collect() };
    let (store, _, users) = open(folder.path(), "");
    set(&users, "ann", "on >secret ~a* (+get ~b)");
    set(&users, "bob", "on nopass");
    set(&users, "default", "resetpass >x");
    users.delete([&b"bob"[..], b"nobody"].into_iter()).unwrap();
    let before = shown(&users);
    assert_eq!(before.len(), 2);
    drop(users);
    store.close().unwrap();
    drop(store);
    let (_store, settings, users) = open(folder.path(), "");
    assert_eq!(shown(&users), before);
    assert!(users.login(Some(b"ann"), b"secret").is_ok());
    assert!(!users.is_open());
    assert!(!settings.is_set(PASSWORD));
}

#[test]
fn the_password_of_the_settings_is_that_of_the_default_user() {
    let folder = tempfile::tempdir().unwrap();
    let (store, settings, users) = open(folder.path(), "first");
    assert!(users.login(None, b"first").is_ok());
    settings.set("server.password", "second").unwrap();
    assert_eq!(users.login(None, b"first").unwrap_err(), LoginError::WrongPair);
    assert!(users.login(None, b"second").is_ok());
    set(&users, "default", ">third");
    assert_eq!(settings.read(PASSWORD).as_str(), "second", "which still leads in");
    set(&users, "default", "<second");
    assert!(!settings.is_set(PASSWORD));
    assert!(users.login(None, b"third").is_ok() && !users.is_open());
    settings.set("server.password", "").unwrap();
    assert!(users.is_open());
    users.store_default().unwrap();
    drop((users, settings));
    store.close().unwrap();
    drop(store);
    let (_store, _settings, users) = open(folder.path(), "fourth");
    assert!(users.login(None, b"fourth").is_ok());
}

#[test]
fn a_user_that_is_off_cannot_log_in() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, _, users) = open(folder.path(), "");
    set(&users, "ann", "on >secret");
    assert!(users.login(Some(b"ann"), b"secret").is_ok());
    assert!(users.login(Some(b"ann"), b"other").is_err());
    set(&users, "ann", "off");
    assert!(users.login(Some(b"ann"), b"secret").is_err());
    set(&users, "default", "off");
    assert!(!users.is_open());
    assert!(users.delete([&b"default"[..]].into_iter()).is_err());
    assert!(users.change(b"a b", std::iter::empty()).is_err());
}

#[test]
fn like_denials_are_one_entry() {
    let log = DenialLog::default();
    let push = |object: &str, at: i64| {
        let entry = Entry {
            id: 0,
            count: 1,
            cause: Cause::Key,
            setting: Setting::TopLevel,
            object: object.into(),
            user: b"ann".to_vec(),
            client: String::new(),
            created_ms: at,
            updated_ms: at,
        };
        log.push(entry, 2);
    };
    let shown = || -> Vec<_> {
        let text = |entry: &Entry| String::from_utf8_lossy(&entry.object).into_owned();
        log.entries(10).iter().map(|entry| (entry.id, text(entry), entry.count, entry.created_ms)).collect()
    };
    push("a", 1000);
    push("b", 2000);
    push("a", 3000);
    assert_eq!(shown(), [(0, "a".to_owned(), 2, 1000), (1, "b".to_owned(), 1, 2000)]);
    push("a", 70_000);
    assert_eq!(shown(), [(2, "a".to_owned(), 1, 70_000), (0, "a".to_owned(), 2, 1000)]);
    assert_eq!(log.counts().keys, 4);
    log.clear();
    assert!(shown().is_empty());
}

/// A rule that is accepted often enough. `inner` ones may stand in parentheses.
fn rule(inner: bool) -> BoxedStrategy<Vec<u8>> {
    let words = prop::sample::select(vec![
        "allkeys",
        "resetkeys",
        "~*",
        "allchannels",
        "resetchannels",
        "&*",
        "allcommands",
        "nocommands",
        "+@all",
        "-@all",
    ]);
    let commands = prop::sample::select(Registry::get().commands().iter().map(|c| c.spec.name).collect::<Vec<_>>());
    let command = (commands, any::<bool>()).prop_map(|(name, on)| format!("{}{name}", if on { "+" } else { "-" }));
    let category = (prop::sample::select(CATEGORIES), any::<bool>())
        .prop_map(|(name, on)| format!("{}@{name}", if on { "+" } else { "-" }));
    let first =
        prop::sample::select(vec!["+select|0", "+select|9", "+get|a", "+PING|X", "+config|get", "+debug|object"]);
    let pattern = (prop::sample::select(vec!["~", "%R~", "%W~", "%rw~", "&"]), "[a-c*?()|+~&@%#\"'\\\\-]{0,4}");
    let pattern = pattern.prop_map(|(sign, text)| format!("{sign}{text}"));
    let plain = prop_oneof![words.prop_map(str::to_owned), command, category, first.prop_map(str::to_owned), pattern]
        .prop_map(String::into_bytes);
    if inner {
        return plain.boxed();
    }
    let account = prop::sample::select(vec![
        "on",
        "off",
        "nopass",
        "resetpass",
        ">one",
        ">two",
        "<one",
        "reset",
        "clearselectors",
        "skip-sanitize-payload",
        "sanitize-payload",
    ]);
    let selector =
        prop::collection::vec(rule(true), 0..4).prop_map(|rules| [b"(", rules.join(&b' ').as_slice(), b")"].concat());
    prop_oneof![4 => plain, 2 => account.prop_map(|rule| rule.as_bytes().to_vec()), 1 => selector].boxed()
}

/// What a user may do.
fn rights(user: &User) -> (String, Vec<CommandRights>) {
    (
        String::from_utf8_lossy(&user.rules().join(&b'\n')).into_owned(),
        user.selectors().map(|s| s.commands.clone()).collect(),
    )
}

#[test]
fn first_words_mean_the_same_in_any_order() {
    let given = user(&["+select|9", "+select|0", "+select|9"]);
    assert_eq!(rights(&User::parse(&given.rules().join(&b'\n')).unwrap()), rights(&given));
}

#[test]
fn what_is_given_back_is_all_again_also_after_a_restart() {
    for (rules, all) in [
        (&["+@all", "-@list", "+@list"][..], true),
        (&["+@all", "-config|get", "+config"], true),
        (&["+@all", "-lpush", "+@list"], false),
        (&["+@all", "-select", "+select|0"], false),
        (&["-@all", "+@list"], false),
    ] {
        let given = user(rules);
        let is_all = |user: &User| user.selectors().all(|selector| selector.commands.is_all());
        assert_eq!(is_all(&given), all, "{rules:?}");
        assert_eq!(is_all(&User::parse(&given.rules().join(&b'\n')).unwrap()), all, "{rules:?}");
    }
}

proptest! {
    #[test]
    fn a_user_is_what_its_rules_say(rules in prop::collection::vec(rule(false), 0..12)) {
        let mut user = User::new(false);
        for rule in &rules {
            // What is refused changes nothing.
            if let Ok(changed) = user.with(std::iter::once(rule.as_slice()), false) {
                user = changed;
            }
        }
        let lines = user.rules().join(&b'\n');
        let parsed = User::parse(&lines).unwrap();
        // `%RW~*` is shown as `~*`, after which no other pattern is accepted.
        if user.selectors().map(Selector::key_rules).any(|rules| rules.len() > 1 && rules.contains(&b"~*".to_vec())) {
            return Ok(());
        }
        prop_assert_eq!(rights(&parsed), rights(&user));
        // A word of a selector that ends with a parenthesis looks like the selector's end in ACL LIST.
        let ambiguous = user.rules().iter().any(|rule| {
            rule.starts_with(b"(") && rule[..rule.len() - 1].split(|byte| *byte == b' ').any(|word| word.ends_with(b")"))
        });
        if !ambiguous {
            let line = user.rules().join(&b' ');
            let words = line.split(|byte| *byte == b' ');
            prop_assert_eq!(rights(&User::new(false).with(words, false).unwrap()), rights(&user));
        }
    }
}
