use ennead_engine::settings::{self, config_file};
use ennead_store::Durability;

use super::*;
use clap::Parser;

fn load(file: Option<&str>, environment: &[(&str, &str)], flags: &[&str]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ennead.toml");
    let mut line = vec!["ennead".to_owned()];
    if let Some(text) = file {
        std::fs::write(&path, text).unwrap();
        line.extend(["--config".to_owned(), path.display().to_string()]);
    }
    line.extend(flags.iter().map(|flag| (*flag).to_owned()));
    let arguments = crate::arguments::Arguments::try_parse_from(line).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(&arguments.serve, environment).map_err(|error| error.replace(&path.display().to_string(), "FILE"))
}

fn refused(file: &str) -> String {
    load(Some(file), &[], &[]).err().unwrap()
}

#[test]
fn flags_win_over_environment_over_file_over_default() {
    let file = "[store]\ndurability = \"always\"\n[clients]\nmaxclients = 5\ntimeout = \"3s\"\n";
    let config = load(
        Some(file),
        &[("ENNEAD_DURABILITY", "everysec"), ("ENNEAD_CLIENTS_MAXCLIENTS", "6"), ("PATH", "x")],
        &["--durability", "none"],
    )
    .unwrap();
    assert_eq!(config.settings.read(settings::DURABILITY), Durability::None);
    assert_eq!(config.settings.read(settings::MAXCLIENTS), 6);
    assert_eq!(config.settings.get("clients.timeout").unwrap(), "3s");
    assert_eq!(config.settings.get("clients.tcp_keepalive").unwrap(), "5m");
    assert_eq!(config.origins["store.durability"], Origin::Flag("--durability".to_owned()));
    assert_eq!(config.origins["clients.maxclients"], Origin::Variable("ENNEAD_CLIENTS_MAXCLIENTS".to_owned()));
    assert!(matches!(config.origins["clients.timeout"], Origin::File(_, 5)));
    assert!(!config.origins.contains_key("clients.tcp_keepalive"));
}

#[test]
fn the_full_variable_wins_over_the_short_one() {
    for pairs in [
        [("ENNEAD_DATA", "short"), ("ENNEAD_SERVER_DATA", "full")],
        [("ENNEAD_SERVER_DATA", "full"), ("ENNEAD_DATA", "short")],
    ] {
        let config = load(None, &pairs, &[]).unwrap();
        assert_eq!(config.settings.get("server.data").unwrap(), "full");
    }
}

#[test]
fn a_wrong_value_is_refused_with_its_place() {
    for (file, message) in [
        (
            "[memory]\n\nmaxmemry = \"1gb\"\n",
            "FILE:3: unknown setting 'memory.maxmemry'; did you mean 'memory.maxmemory'?",
        ),
        ("[store]\nmaxmemory = 1\n", "FILE:2: unknown setting 'store.maxmemory'; did you mean 'memory.maxmemory'?"),
        ("maxmemory = 1\n", "FILE:1: 'maxmemory' stands outside of a section; did you mean 'memory.maxmemory'?"),
        ("[clients]\nmaxclients = \"5\"\n", "FILE:2: clients.maxclients: expected an integer, without quotes"),
        (
            "[clients]\nmaxclients = 0\n",
            "FILE:2: clients.maxclients: argument must be between 1 and 2147483647 inclusive",
        ),
        ("[server]\ninsecure = \"yes\"\n", "FILE:2: server.insecure: expected true or false, without quotes"),
        (
            "[clients]\ntimeout = 30\n",
            "FILE:2: clients.timeout: argument must be a duration: a number with ms, s, m, h or d",
        ),
        (
            "[store]\ndurability = \"sometimes\"\n",
            "FILE:2: store.durability: argument(s) must be one of the following: none, everysec, always",
        ),
    ] {
        assert_eq!(refused(file), message);
    }
    assert!(refused("[stor]\n").starts_with("FILE:1: unknown section '[stor]'; there are server, listen"));
    assert!(refused("[store]\n\ndurability = \n").starts_with("FILE:3: "), "{}", refused("[store]\n\ndurability = \n"));
    let error = load(None, &[], &["--set", "memory.maxmemory"]).err().unwrap();
    assert_eq!(error, "--set memory.maxmemory: expected section.key=value");
    let error = load(None, &[("ENNEAD_MAXMEMORY", "lots")], &[]).err().unwrap();
    assert_eq!(error, "ENNEAD_MAXMEMORY: memory.maxmemory: argument must be a memory value");
}

#[test]
fn the_generated_file_says_what_the_defaults_are() {
    let config = load(Some(&config_file()), &[], &[]).unwrap();
    assert_eq!(config.origins.len(), TABLE.len());
    for setting in TABLE {
        assert_eq!(config.settings.get(setting.name).as_deref(), Some(setting.default), "{}", setting.name);
    }
}

#[test]
fn foreign_variables_are_told_apart() {
    let config = load(None, &[("ENNEAD_PORT", "tcp://10.0.0.1:6379"), ("ENNEAD_CONFIG", "")], &[]).unwrap();
    assert_eq!(config.unknown_variables, ["ENNEAD_PORT"]);
}

#[test]
fn a_password_comes_from_one_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "swordfish\n").unwrap();
    let path = path.display().to_string();
    let config = load(None, &[], &["--password-file", &path]).unwrap();
    assert_eq!(config.settings.read(settings::PASSWORD).as_str(), "swordfish");
    assert!(load(None, &[("ENNEAD_PASSWORD", "x")], &["--password-file", &path]).is_err());
    std::fs::write(&path, "\n").unwrap();
    assert!(load(None, &[], &["--password-file", &path]).is_err());
}

#[test]
fn a_rewrite_changes_only_what_changed() {
    let text = "# mine\n[clients]\nmaxclients = 5 # few\ntimeout = \"90s\"\n[logging]\nlevel = \"info\"\n";
    let config = load(Some(text), &[], &[]).unwrap();
    let settings = &config.settings;
    assert_eq!(super::rewrite::changed(text, settings).unwrap(), text);
    settings.set("clients.maxclients", "700").unwrap();
    settings.set("clients.tcp_keepalive", "1m").unwrap();
    settings.set("memory.maxmemory", "1gb").unwrap();
    settings.set("server.password", "a\"b").unwrap();
    let changed = super::rewrite::changed(text, settings).unwrap();
    assert_eq!(
        changed,
        "# mine\n[clients]\ntcp_keepalive = \"1m\"\nmaxclients = 700 # few\ntimeout = \"90s\"\n[logging]\nlevel = \"info\"\n\
         \n[server]\npassword = 'a\"b'\n\n[memory]\nmaxmemory = \"1gb\"\n"
    );
    let again = load(Some(&changed), &[], &[]).unwrap();
    assert_eq!(again.settings.get("server.password").unwrap(), "a\"b");
    assert_eq!(again.settings.read(settings::MAXCLIENTS), 700);
}
