use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ennead_store::Durability;

use super::*;

#[test]
fn every_default_is_a_value_in_the_form_that_is_given_back() {
    let settings = Settings::new();
    for setting in TABLE {
        assert!(setting.kind.parse(setting.default).is_ok(), "{}", setting.name);
        assert_eq!(settings.get(setting.name).as_deref(), Some(setting.default), "{}", setting.name);
    }
}

#[test]
fn every_row_is_well_formed() {
    let mut names = std::collections::BTreeSet::new();
    for setting in TABLE {
        assert!(names.insert(setting.name), "{} twice", setting.name);
        assert_eq!(setting.name.matches('.').count(), 1, "{}", setting.name);
        assert!(setting.name.chars().all(|c| c.is_ascii_lowercase() || c == '.' || c == '_'), "{}", setting.name);
        assert!(setting.doc.trim_end().ends_with('.'), "{}", setting.name);
        for (redis, _) in setting.redis {
            assert!(names.insert(redis), "{redis} twice");
        }
    }
    for (name, ..) in FIXED {
        assert!(names.insert(name), "{name} is both fixed and a setting");
    }
    for (name, ..) in KEPT {
        assert!(names.insert(name), "{name} is both kept and a setting");
    }
    let sections: Vec<_> = TABLE.iter().map(Setting::section).collect();
    let mut unique = sections.clone();
    unique.dedup();
    unique.sort_unstable();
    unique.dedup();
    let mut runs = sections;
    runs.dedup();
    assert_eq!(runs.len(), unique.len(), "the rows of a section stand together");
}

#[test]
fn every_kind_fits_the_type_it_is_read_as() {
    for (name, fits) in table::kinds_that_fit() {
        assert!(fits, "{name}");
    }
}

#[test]
fn sizes_have_the_units_of_redis() {
    let settings = Settings::new();
    for (text, bytes, shown) in [
        ("100", 100, "100"),
        ("1k", 1000, "1000"),
        ("1kb", 1024, "1kb"),
        ("2M", 2_000_000, "2000000"),
        ("2mb", 2 << 20, "2mb"),
        ("3g", 3_000_000_000, "3000000000"),
        ("3GB", 3 << 30, "3gb"),
        ("0", 0, "0"),
    ] {
        settings.set("memory.maxmemory", text).unwrap();
        assert_eq!(settings.read(MAXMEMORY), bytes, "{text}");
        assert_eq!(settings.get("memory.maxmemory").unwrap(), shown, "{text}");
    }
    for wrong in ["", "kb", "-1", "1tb", "1 mb", "99999999999gb"] {
        assert!(settings.set("memory.maxmemory", wrong).is_err(), "{wrong}");
    }
}

#[test]
fn durations_need_a_unit() {
    let settings = Settings::new();
    for (text, millis, shown) in [
        ("1500ms", 1500, "1500ms"),
        ("90s", 90_000, "90s"),
        ("120s", 120_000, "2m"),
        ("0", 0, "0"),
        ("1d", 86_400_000, "1d"),
    ] {
        settings.set("clients.timeout", text).unwrap();
        assert_eq!(settings.read(TIMEOUT), Duration::from_millis(millis), "{text}");
        assert_eq!(settings.get("clients.timeout").unwrap(), shown, "{text}");
    }
    assert!(settings.set("clients.timeout", "30").is_err());
    assert!(settings.set("clients.timeout", "-1s").is_err());
}

#[test]
fn redis_names_have_redis_forms() {
    let settings = Settings::new();
    let get = |name: &str| {
        let found = settings.redis_get(|known| known == name);
        assert_eq!(found.len(), 1, "{name}");
        found[0].1.clone()
    };
    assert_eq!(get("port"), "6379");
    assert_eq!(get("bind"), "127.0.0.1");
    assert_eq!(get("appendfsync"), "everysec");
    assert_eq!(get("tcp-keepalive"), "300");
    assert_eq!(get("proto-max-bulk-len"), "536870912");
    assert_eq!(get("protected-mode"), "yes");
    assert_eq!(get("loglevel"), "notice");
    assert_eq!(
        get("client-output-buffer-limit"),
        "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"
    );

    settings.redis_set(&[("appendfsync", "no"), ("TIMEOUT", "60"), ("loglevel", "warning")]).unwrap();
    assert_eq!(settings.read(DURABILITY), Durability::None);
    assert_eq!(settings.read(TIMEOUT), Duration::from_secs(60));
    assert_eq!(settings.read(LOG_LEVEL), LogLevel::Warn);
    assert_eq!(get("appendfsync"), "no");
    assert_eq!(get("loglevel"), "warning");
    settings.redis_set(&[("client-output-buffer-limit", "normal 1mb 512kb 5 replica 256mb 64mb 60")]).unwrap();
    assert_eq!(
        get("client-output-buffer-limit"),
        "normal 1048576 524288 5 slave 268435456 67108864 60 pubsub 33554432 8388608 60"
    );
    settings.redis_set(&[("client-output-buffer-limit", "pubsub 2mb 1mb 7 normal 0 0 0")]).unwrap();
    assert_eq!(settings.read(OUTPUT_PUBSUB_SOFT_TIME), Duration::from_secs(7));
    assert_eq!(get("client-output-buffer-limit"), "normal 0 0 0 slave 268435456 67108864 60 pubsub 2097152 1048576 7");
}

#[test]
fn event_classes_are_shown_in_the_order_of_redis() {
    for (text, shown) in [
        ("", ""),
        ("KEA", "AKE"),
        ("g$lshzxetd", "A"),
        ("Kdtexzhsl$g", "AK"),
        ("AnK", "AK"),
        ("nm", "nm"),
        ("Knm", "nKm"),
        ("AKEm", "AKEm"),
        ("xKg", "gxK"),
    ] {
        assert_eq!(EventClasses::parse(text).unwrap().to_string(), shown, "{text}");
    }
    assert!(EventClasses::parse("KEq").is_err());
    assert_eq!(EventClasses::parse("").unwrap().bits(), 0);
}

#[test]
fn a_refused_change_changes_nothing() {
    let settings = Settings::new();
    for (pairs, text) in [
        (vec![("timeout", "5"), ("port", "1")], "can't set immutable config"),
        (vec![("timeout", "5"), ("timeout", "6")], "duplicate parameter"),
        (vec![("timeout", "5"), ("appendonly", "no")], "only 'yes' is supported"),
        (vec![("timeout", "5"), ("no-such", "1")], "unknown option"),
        (vec![("timeout", "5"), ("maxclients", "x")], "argument couldn't be parsed into an integer"),
        (vec![("timeout", "5"), ("maxclients", "0")], "argument must be between 1 and 2147483647 inclusive"),
        (
            vec![("timeout", "5"), ("appendfsync", "none")],
            "argument(s) must be one of the following: no, everysec, always",
        ),
        (vec![("timeout", "5"), ("client-output-buffer-limit", "normal 1 2")], "Wrong number of arguments"),
        (vec![("timeout", "5"), ("client-output-buffer-limit", "odd 1 2 3")], "Invalid client class"),
        (
            vec![("timeout", "5"), ("client-output-buffer-limit", "pubsub 1 2 -3")],
            "Error in hard, soft or soft_seconds",
        ),
        (vec![("timeout", "5"), ("client-output-buffer-limit", "replica 1 2 3")], "there are no replicas"),
        (
            vec![("timeout", "5"), ("notify-keyspace-events", "KEq")],
            "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.",
        ),
    ] {
        let error = settings.redis_set(&pairs).unwrap_err();
        assert!(error.reason().contains(text), "{error:?} has no {text}");
        assert_eq!(settings.read(TIMEOUT), Duration::ZERO);
    }
    settings.redis_set(&[("appendonly", "yes"), ("save", "")]).unwrap();
    assert!(matches!(settings.set("listen.resp", "off"), Err(SettingError::Immutable(_))));
    settings.preset("listen.resp", "off").unwrap();
    assert_eq!(settings.redis_get(|name| name == "port"), [("port", "0".to_owned())]);
}

#[test]
fn listeners_hear_of_their_setting_only() {
    let settings = Settings::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let heard = calls.clone();
    settings.on_change(MAXMEMORY, move |settings| {
        assert_eq!(settings.read(MAXMEMORY), 1 << 20);
        heard.fetch_add(1, Ordering::SeqCst);
    });
    let before = settings.generation();
    settings.set("clients.maxclients", "7").unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    settings.redis_set(&[("maxmemory", "1mb"), ("maxclients", "8")]).unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(settings.generation(), before + 2);
}

#[test]
fn secrets_are_hidden_where_all_settings_are_listed() {
    let settings = Settings::new();
    settings.set("server.password", "swordfish").unwrap();
    assert!(!format!("{settings:?}").contains("swordfish"));
    assert_eq!(settings.read(PASSWORD).as_str(), "swordfish");
    assert!(settings.is_set(PASSWORD));
}

#[test]
fn a_mistyped_name_finds_its_neighbour() {
    for (name, expected) in [
        ("memory.maxmemry", Some("memory.maxmemory")),
        ("server.maxmemory", Some("memory.maxmemory")),
        ("store.durabilty", Some("store.durability")),
        ("maxmemory-polcy", Some("maxmemory-policy")),
        ("zzzzzzzz", None),
    ] {
        assert_eq!(nearest(name), expected, "{name}");
    }
}

#[test]
fn addresses_need_a_host_and_a_port() {
    let settings = Settings::new();
    for good in ["127.0.0.1:0", "[::1]:6379", "localhost:1", "off"] {
        settings.preset("listen.resp", good).unwrap();
    }
    for bad in ["", "6379", ":6379", "::1:6379", "host:", "host:70000"] {
        assert!(settings.preset("listen.resp", bad).is_err(), "{bad}");
    }
}

#[test]
fn what_a_running_redis_does_not_change_is_refused_and_what_it_does_may_be_set_to_what_it_is() {
    let settings = Settings::new();
    let set = |name: &str, value: &str| settings.redis_set(&[(name, value)]).map_err(|error| error.reason());
    assert_eq!(set("daemonize", "no"), Err("can't set immutable config".to_owned()));
    assert_eq!(set("databases", "16"), Err("can't set immutable config".to_owned()));
    assert_eq!(set("hz", "10"), Ok(()));
    assert!(set("hz", "20").is_err());
    assert_eq!(set("port", "6379"), Ok(()));
    assert_eq!(set("port", "6380"), Err("can't set immutable config".to_owned()));
    assert_eq!(set("bind", "127.0.0.1"), Ok(()));
    assert_eq!(set("bind", "0.0.0.0"), Err("can't set immutable config".to_owned()));
    assert_eq!(set("list-compress-depth", "2"), Ok(()));
    assert_eq!(settings.redis_get(|name| name == "list-compress-depth"), [("list-compress-depth", "2".to_owned())]);
    assert!(set("list-compress-depth", "-1").is_err());
}
