//! INFO: Redis's sections and fields, with this server's values. A field that has no meaning here is left out, except
//! those that tools cannot do without.

mod sections;

use ennead_kv::{Category, Result, Spec};

use super::{PLAIN, Row, SERVER};
use crate::session::{Output, Request, Session};
use sections::Report;

pub(super) const ROWS: &[Row] = &[Row {
    spec: Spec {
        name: "info",
        arity: -1,
        flags: PLAIN,
        categories: &[Category::Dangerous],
        summary: "Returns information and statistics about the server.",
        syntax: "[section [section ...]]",
        ..SERVER
    },
    run: info,
}];

type Write = fn(&mut Report);

/// In the order in which they are shown; the flag says whether by default.
const SECTIONS: &[(&str, bool, Write)] = &[
    ("Server", true, Report::server),
    ("Clients", true, Report::clients),
    ("Memory", true, Report::memory),
    ("Persistence", true, Report::persistence),
    ("Stats", true, Report::stats),
    ("Replication", true, Report::replication),
    ("CPU", true, Report::cpu),
    ("Modules", true, Report::modules),
    ("Commandstats", false, Report::command_stats),
    ("Errorstats", true, Report::error_stats),
    ("Latencystats", false, Report::latency_stats),
    ("Cluster", true, Report::cluster),
    ("Keyspace", true, Report::keyspace),
];

fn info(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let names: Vec<String> =
        request.args.iter_from(1).map(|word| String::from_utf8_lossy(word).to_lowercase()).collect();
    let asked = |name: &str| names.iter().any(|word| word == name);
    let all = asked("all") || asked("everything");
    let default = names.is_empty() || asked("default");
    let mut report = Report::new(&session.engine, request.clock);
    for (name, shown_by_default, write) in SECTIONS {
        if all || default && *shown_by_default || asked(&name.to_lowercase()) {
            report.begin(name);
            write(&mut report);
        }
    }
    reply.verbatim("txt", report.text().as_bytes());
    Ok(())
}
