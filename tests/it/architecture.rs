//! Which crate may know which, and what may come from outside: read from `cargo metadata`, compared with the lists here.
//! A new edge is a change of these lists, in review.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Crate, and the crates of the house that it may depend on.
const EDGES: &[(&str, &[&str])] = &[
    ("ennead", &["ennead-engine", "ennead-grpc", "ennead-http", "ennead-resp", "ennead-store"]),
    ("ennead-resp", &["ennead-engine"]),
    ("ennead-http", &["ennead-engine"]),
    ("ennead-grpc", &["ennead-engine"]),
    ("ennead-engine", &["ennead-coord", "ennead-kv", "ennead-store"]),
    ("ennead-coord", &["ennead-store"]),
    ("ennead-kv", &["ennead-store"]),
    ("ennead-store", &[]),
];

/// Crates from outside that only some may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("redb", &["ennead-store"]),
    ("axum", &["ennead-http"]),
    ("hyper", &["ennead-http"]),
    ("prometheus-client", &["ennead-http"]),
    ("tonic", &["ennead-grpc"]),
    ("prost", &["ennead-coord"]),
    ("prost-reflect", &["ennead-http"]),
    ("clap", &["ennead"]),
    ("toml", &["ennead"]),
    ("serde", &["ennead-store", "ennead-http"]),
    ("tokio", &["ennead", "ennead-resp", "ennead-http", "ennead-grpc"]),
];

/// Of these there must be one version, or types and limits stop fitting together.
const ONE_VERSION: &[&str] = &[
    "axum",
    "bytes",
    "h2",
    "http",
    "hyper",
    "mio",
    "parking_lot",
    "prost",
    "redb",
    "ring",
    "rustls",
    "tokio",
    "tonic",
    "tower",
    "zstd",
];

/// Crates that are there twice already. Nothing may be added; what can be removed should be.
const KNOWN_DUPLICATES: &[&str] = &["base64", "foldhash", "getrandom", "hashbrown", "prettyplease", "syn"];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn metadata() -> Metadata {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned();
    // Only what this machine builds: nothing further is fetched then.
    let options = ["--locked".to_owned(), "--filter-platform".to_owned(), host];
    MetadataCommand::new().manifest_path(root().join("Cargo.toml")).other_options(options).exec().unwrap()
}

#[test]
fn crates_know_only_what_is_below_them() {
    let metadata = metadata();
    let members = metadata.workspace_packages();
    let names: BTreeSet<&str> = members.iter().map(|package| package.name.as_str()).collect();
    for package in &members {
        let name = package.name.as_str();
        let allowed = EDGES.iter().find(|(known, _)| *known == name).map(|(_, edges)| *edges);
        let allowed = allowed.unwrap_or_else(|| panic!("{name} is not in the list of edges"));
        assert!(
            package.manifest_path.as_str().ends_with(&format!("crates/{name}/Cargo.toml")),
            "{name} lies elsewhere"
        );
        for dependency in &package.dependencies {
            let other = dependency.name.as_str();
            if names.contains(other) && dependency.kind != DependencyKind::Development {
                assert!(allowed.contains(&other), "{name} must not depend on {other}");
            }
            if let Some((_, crates)) = ONLY_IN.iter().find(|(known, _)| *known == other) {
                let fine = crates.contains(&name) || dependency.kind == DependencyKind::Development;
                assert!(fine, "{name} must not name {other}; only {crates:?} may");
            }
        }
    }
    for (name, _) in EDGES {
        assert!(names.contains(name), "{name} is in the list of edges but not there");
    }
    for name in names {
        for word in ["util", "common", "helper", "core", "misc"] {
            assert!(!name.contains(word), "{name}: say what the crate is");
        }
    }
}

#[test]
fn important_crates_are_there_once() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in metadata().packages {
        versions.entry(package.name.to_string()).or_default().insert(package.version.to_string());
    }
    for name in ONE_VERSION {
        let count = versions.get(*name).map_or(0, BTreeSet::len);
        assert!(count <= 1, "{name} is there in {count} versions: {:?}", versions[*name]);
    }
    let duplicates: BTreeSet<&str> =
        versions.iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| name.as_str()).collect();
    let known: BTreeSet<&str> = KNOWN_DUPLICATES.iter().copied().collect();
    let new: Vec<_> = duplicates.difference(&known).map(|name| (*name, &versions[*name])).collect();
    assert!(new.is_empty(), "new duplicates: {new:?}");
    let gone: Vec<_> = known.difference(&duplicates).collect();
    assert!(gone.is_empty(), "no longer duplicates, take them off the list: {gone:?}");
}

#[test]
fn licences_and_sources_are_allowed() {
    let text = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let deny: toml::Table = text.parse().unwrap();
    let list = |table: &str, key: &str| -> Vec<String> {
        let values = deny[table][key].as_array().unwrap();
        let name = |value: &toml::Value| match value {
            toml::Value::Table(table) => table["crate"].as_str().unwrap().to_owned(),
            value => value.as_str().unwrap().to_owned(),
        };
        values.iter().map(name).collect()
    };
    let allowed = list("licenses", "allow");
    let banned = list("bans", "deny");
    for package in metadata().packages {
        let (name, version) = (&package.name, &package.version);
        let licence = package.license.as_deref().unwrap_or_else(|| panic!("{name} {version} names no licence"));
        assert!(is_allowed(licence, &allowed), "{name} {version}: {licence} is not allowed");
        assert!(!banned.contains(&name.to_string()), "{name} is banned");
        if let Some(source) = &package.source {
            assert!(source.is_crates_io(), "{name} comes from {source}");
        }
    }
}

/// Whether one side of each `OR` is allowed. The expressions in use nest one level of parentheses at most.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let plain = expression.replace('/', " OR ");
    let mut parts = Vec::new();
    let mut rest = plain.as_str();
    // Every parenthesis becomes a word that is allowed or not.
    let mut flat = String::new();
    while let Some((before, inside)) = rest.split_once('(') {
        let (inside, after) = inside.split_once(')').expect("parentheses close");
        flat.push_str(before);
        flat.push_str(if is_allowed(inside, allowed) { "MIT" } else { "refused" });
        rest = after;
    }
    flat.push_str(rest);
    parts.extend(flat.split(" OR "));
    parts.iter().any(|part| part.split(" AND ").all(|word| allowed.iter().any(|known| known == word.trim())))
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned()];
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("Apache-2.0/MIT", true),
        ("(GPL-3.0 OR MIT) AND ISC", true),
        ("(GPL-3.0 OR BSD) AND ISC", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}

fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// Settings of things that are still to come; each is described as such in its row.
const NOT_READ_YET: &[&str] = &[];

#[test]
fn every_setting_is_read_by_somebody() {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    let (tables, readers): (Vec<_>, Vec<_>) = files
        .into_iter()
        .filter(|(path, _)| !path.ends_with("tests.rs"))
        .partition(|(path, _)| path.to_string_lossy().contains("/ennead-engine/src/settings"));
    let (_, table) = tables.iter().find(|(path, _)| path.ends_with("table.rs")).unwrap();
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let keys: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.split_once(": "))
        .map(|(key, _)| key)
        .filter(|key| key.chars().all(is_name) && !key.is_empty())
        .collect();
    assert!(keys.len() > 40, "the table has another form than this test expects: {keys:?}");
    let words: BTreeSet<&str> =
        readers.iter().flat_map(|(_, text)| text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))).collect();
    let unread: Vec<_> = keys.into_iter().filter(|key| !words.contains(key) && !NOT_READ_YET.contains(key)).collect();
    assert!(unread.is_empty(), "nobody reads {unread:?}: a setting must do what it says");
}
