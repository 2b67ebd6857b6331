//! `COMPATIBILITY.md`: every command of Redis 7.2 with whether it is there, the settings, the listeners.

use std::collections::BTreeMap;
use std::fmt::Write;

use ennead_engine::settings::{FIXED, KEPT, TABLE};
use ennead_engine::{Group, Registry};

use super::redis_suite;

/// Name, version that brought it, group; subcommands as `container|sub`.
const COMMANDS: &str = include_str!("redis-7.2.txt");

/// Commands that do less here than in Redis, and what. They answer a clear error to the rest.
const LESS: &[(&str, &str)] = &[
    ("module|load", "refused: commands are built in"),
    ("module|loadex", "refused: commands are built in"),
    ("module|unload", "refused: there are no modules"),
    ("psync", "a copy, after REPLCONF RDB-ONLY 1 and CAPA EOF; replicas cannot follow"),
    ("replicaof", "NO ONE; `ennead import` copies another server and follows it"),
    ("script|debug", "NO; there is no debugger"),
    ("slaveof", "NO ONE; `ennead import` copies another server and follows it"),
    ("sync", "a copy, after REPLCONF RDB-ONLY 1 and CAPA EOF; replicas cannot follow"),
];

const ETCD: &str = "
## etcd

Measured against etcd 3.6. Codes and texts of errors are etcd's.

| service | there |
|---|---|
| KV, Watch, Lease | all calls |
| Maintenance | all calls; see below for Downgrade |
| Cluster | MemberList, MemberUpdate; the others answer as a cluster of one that cannot grow |
| Lock, Election | all calls |
| Auth | all calls, with simple tokens and JWT; no users by the name in a certificate |
| JSON gateway | all paths below `/v3/`, on the HTTP port; see below |

What differs:

- Every write is answered after its sync. Serializable reads are as fresh as linearizable ones, and neither waits.
- There is one member. MemberAdd refuses what etcd refuses, and answers `Unimplemented` to what etcd would do. MemberRemove of this member and MemberPromote
  are refused in the words that etcd has for it. The member has no peer URL until MemberUpdate gives it one.
- `raft_term` counts starts, `raft_index` is the log's sequence, of all models of the server.
- `dbSize` is what the keys' history takes, without what else is in the store, and the quota (`coord.quota`) goes by it. Space is free as soon as it is
  compacted; Defragment gives it back to the disk.
- The remaining time of a lease is kept through restarts, and stands still while the server is down. etcd gives leases their whole time again.
- A keep-alive with the metadata `ennead-lease-left` gives a lease so many seconds instead of its whole time (up to that, or to 60); `ennead import etcd` uses it.
- A keep-alive of a lease whose time is over is refused although the lease may be there for some milliseconds.
- A progress request while watches catch up is answered when they have; etcd forgets it.
- Snapshots are written from the keys' history, so their hash is not that of a copy of etcd's file. Leases are in them with their whole time.
- Users are the server's: one that UserAdd adds can log in to every listener, and over RESP may do nothing until ACL SETUSER says so. A name cannot hold a
  blank, one that ACL SETUSER made is taken (`default` as well), and a hashed password is refused. While permissions are off, a server with a password asks for it here as well, or for the token of a login.
- Simple tokens end with the process, and with the password of their user. JWT (`coord.auth_token`, in the words of `--auth-token`) have no method ES512,
  and keys of elliptic curves are PKCS #8. What etcd ignores or finds out at the first login stops the start: unknown options, keys that do not fit.
- `coord.auto_compaction_mode` and `coord.auto_compaction_retention` are etcd's flags; a time is refused where revisions are counted.
- The field `ennead-fence` of a request, which etcd does not know, has its writes refused once a lock is lost: see [docs/locks.md](docs/locks.md).
- Downgrade is refused: there is no older version to go back to.

What differs over JSON ([docs/reference/http.md](docs/reference/http.md)):

- It is on the HTTP port, not on that of gRPC.
- The text of an error about the JSON itself is our own; its code is etcd's.
- A field that is there twice counts as it is given last, and base64 may lack a part of its padding; etcd refuses both. A number in a
  string has no exponent.
- A stream of requests that turns out to be no JSON ends with an error; etcd leaves the client waiting. Requests may come while
  answers go, which etcd's HTTP server does not take.
- Pages of other servers are refused (a header `Origin` with another host than `Host`), and there are no headers for CORS; etcd lets all pages in.
- No WebSockets, no paths below `/v3beta/`, no headers `Grpc-Metadata-...` in answers.
";

struct Row<'a> {
    name: &'a str,
    since: &'a str,
    supported: bool,
    /// What it does, if that is less than in Redis.
    less: Option<&'a str>,
}

pub(super) fn page() -> String {
    let known = Registry::get();
    let mut groups: BTreeMap<&str, Vec<Row<'_>>> = BTreeMap::new();
    for line in COMMANDS.lines() {
        let mut words = line.split(' ');
        let (Some(name), Some(since), Some(group)) = (words.next(), words.next(), words.next()) else { continue };
        let supported = known.find(name.as_bytes()).is_some();
        let less = LESS.iter().find(|(less, _)| *less == name).map(|(_, what)| *what);
        groups.entry(group).or_default().push(Row { name, since, supported, less });
    }
    let all = groups.values().map(Vec::len).sum::<usize>();
    let supported = groups.values().flatten().filter(|row| row.supported).count();
    let less = groups.values().flatten().filter(|row| row.less.is_some()).count();
    let mut page = format!(
        "# Compatibility\n\n\
         This page is generated from the tables in the code; `make docs` rewrites it and a test keeps it fresh.\n\n\
         ## Redis\n\n\
         Measured against Redis 7.2: {supported} of its {all} commands and subcommands are there, {less} of which do less than\n\
         Redis's, as their rows say, and answer a clear error to the rest. RESP2 and RESP3, inline commands and pipelining are\n\
         spoken; limits and error texts are Redis's. Commands of Redis Cluster and of replication answer as those of a Redis\n\
         that is no cluster and has no replicas.\n\n\
         What differs on purpose:\n\n\
         - Every write goes through a log; `appendonly` cannot be switched off, `save` points do not exist, and SAVE and\n\
         \x20 BGSAVE write a consistent copy of all data into `backup.directory`.\n\
         - `maxmemory-policy` has one value more, `tier`, which is the default: cold values leave memory and stay readable\n\
         \x20 from disk. INFO calls it `noeviction`, since clients ask there whether keys can go missing.\n\
         - A transaction is one record of the log: after a crash all of it is there or nothing.\n\
         - MIGRATE does not hold up other clients: a key that they change while it is sent is sent again, and stays\n\
         \x20 here if they do so too often. It is refused between MULTI and EXEC, as DEBUG RELOAD is: EXEC holds the locks of its\n\
         \x20 keys until its record is written, and would hold up all who want them for as long as the other server takes.\n\
         - There are no replicas: WAIT and WAITAOF count none, and who waits for some waits until the time is over.\n\
         - SYNC and PSYNC send a copy of all data as of one moment (`redis-cli --rdb`, `ennead export --rdb --from`), and\n\
         \x20 nothing behind it.\n\
         - A hash that is said to be a listpack may answer its fields in another order than they came once it takes more than\n\
         \x20 512 bytes: each field is a row of its own then, so that a change costs what it changes, and rows are in the order\n\
         \x20 of a scan's cursor.\n\
         - Messages of a channel come to all its subscribers in one order, those of two channels in the order of each\n\
         \x20 publisher. A message waits, like a reply, until the writes that were committed before it are as durable as promised.\n\
         - Keyspace notifications come once their write is visible, so what a transaction publishes itself comes before the\n\
         \x20 events of its writes.\n\
         - A client that tracks by prefixes is told once for each request or transaction; keys that are tracked beyond\n\
         \x20 `tracking-table-max-keys` are forgotten at once.\n\
         - Users are kept with the data and follow backups: ACL SETUSER and DELUSER last without ACL SAVE. There is no ACL\n\
         \x20 file, so ACL SAVE and ACL LOAD answer as Redis does without one.\n\
         - `requirepass` is emptied when ACL SETUSER takes that password from `default`, and CONFIG SET of it lasts. A\n\
         \x20 password that the server is started with replaces those of `default`, and is forgotten with the process.\n\
         - The payload of RESTORE is always checked, also for users with `skip-sanitize-payload`.\n\
         - Expired keys are deleted when they are due, not by sampling.\n\
         - PFADD to a corrupted HyperLogLog adds nothing; Redis keeps what it added before it found out.\n\
         - A field whose time is over is gone for every command, HLEN among them; Redis counts it until it is removed.\n\n",
    );
    page.push_str("| group | there | of these less than Redis's | not there |\n|---|---|---|---|\n");
    for (group, rows) in &groups {
        let there = rows.iter().filter(|row| row.supported).count();
        let less = rows.iter().filter(|row| row.less.is_some()).count();
        let _ = writeln!(page, "| {group} | {there} | {less} | {} |", rows.len() - there);
    }
    for (group, rows) in &groups {
        let _ = write!(page, "\n### {group}\n\n| command | Redis since | |\n|---|---|---|\n");
        for row in rows {
            let name = row.name.replace('|', " ").to_uppercase();
            let state = row.less.unwrap_or(if row.supported { "yes" } else { "no" });
            let _ = writeln!(page, "| {name} | {} | {state} |", row.since);
        }
    }
    newer(&mut page);
    redis_suite::write(&mut page);
    settings(&mut page);
    page.push_str(ETCD);
    page.push_str(
        "\n## Listeners\n\n\
         | listener | default | protocols |\n|---|---|---|\n\
         | RESP | 127.0.0.1:6379 | RESP2, RESP3 |\n\
         | HTTP | 127.0.0.1:9200 | `/healthz`, `/readyz`, `/metrics`, `/console/`, `/v3/` (etcd as JSON) |\n\
         | gRPC | 127.0.0.1:2379 | etcd v3, grpc.health.v1, grpc.reflection v1 and v1alpha |\n",
    );
    page
}

/// Commands that came after what is measured against.
fn newer(page: &mut String) {
    page.push_str("\n### Newer than Redis 7.2\n\n| command | Redis since |\n|---|---|\n");
    let is_newer = |since: &str| {
        let mut numbers = since.split('.').map(|number| number.parse().unwrap_or(0));
        (numbers.next(), numbers.next()) > (Some(7), Some(2))
    };
    let mut rows: Vec<_> = Registry::get()
        .commands()
        .iter()
        .filter(|command| is_newer(command.spec.since))
        .map(|command| (command.spec.name.to_uppercase(), command.spec.since))
        .collect();
    rows.sort_unstable();
    for (name, since) in rows {
        let _ = writeln!(page, "| {name} | {since} |");
    }
    page.push_str("\n### Not in Redis\n\n");
    for command in Registry::get().commands().iter().filter(|command| command.spec.group == Group::Ennead) {
        let name = command.spec.name.replace('|', " ").to_uppercase();
        let _ = writeln!(page, "- {name}: {}", command.spec.summary);
    }
    page.push_str("\n[docs/locks.md](docs/locks.md) tells how locks of etcd's API protect keys with it.\n");
}

fn settings(page: &mut String) {
    page.push_str(
        "\n## Settings of Redis\n\n\
         `CONFIG GET` and `CONFIG SET` know these; [docs/reference/config.md](docs/reference/config.md) describes them.\n\n\
         | Redis | ennead.toml | CONFIG SET |\n|---|---|---|\n",
    );
    let mut rows: Vec<(&str, String, &str)> = Vec::new();
    for setting in TABLE {
        for (name, _) in setting.redis {
            rows.push((name, format!("`{}`", setting.name), if setting.live { "yes" } else { "at start only" }));
        }
    }
    rows.push(("client-output-buffer-limit", "`clients.output_*`".to_owned(), "yes"));
    for (name, value, _) in FIXED {
        let value = if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") };
        rows.push((name, format!("always {value}"), "refuses other values"));
    }
    rows.extend(KEPT.iter().map(|(name, _, why)| (*name, format!("changes nothing: {why}"), "yes")));
    rows.sort_unstable_by_key(|(name, ..)| *name);
    for (name, ours, live) in rows {
        let _ = writeln!(page, "| `{name}` | {ours} | {live} |");
    }
}
