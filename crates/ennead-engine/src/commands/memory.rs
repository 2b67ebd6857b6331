//! MEMORY: what keys and the server take.

use std::fmt::Write;

use ennead_kv::{Result, Spec};

use super::{Row, SERVER, help};
use crate::session::{Output, Request, Session};

const MEMORY: Spec = Spec { since: "4.0.0", flags: &[], ..SERVER };

pub(super) const ROWS: &[Row] = &[
    Row {
        spec: Spec { name: "memory|doctor", arity: 2, summary: "Outputs a memory problems report.", ..MEMORY },
        run: doctor,
    },
    Row {
        spec: Spec {
            name: "memory|help",
            arity: 2,
            flags: super::PLAIN,
            summary: "Returns helpful text about the different subcommands.",
            ..MEMORY
        },
        run: help::help,
    },
    Row {
        spec: Spec { name: "memory|malloc-stats", arity: 2, summary: "Returns the allocator statistics.", ..MEMORY },
        run: malloc_stats,
    },
    Row {
        spec: Spec { name: "memory|purge", arity: 2, summary: "Asks the allocator to release memory.", ..MEMORY },
        run: purge,
    },
    Row {
        spec: Spec { name: "memory|stats", arity: 2, summary: "Returns details about memory usage.", ..MEMORY },
        run: stats,
    },
];

fn stats(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let engine = &session.engine;
    let memory = engine.memory();
    let keyspace = engine.keyspace().figures();
    let keys: u64 = keyspace.databases.iter().map(|database| database.keys).sum();
    let statistics = engine.store().statistics();
    let dataset = keyspace.used_bytes;
    let figures = [
        ("peak.allocated", engine.memory_peak()),
        ("total.allocated", memory.allocated),
        ("keys.count", keys),
        ("keys.bytes-per-key", dataset.checked_div(keys).unwrap_or(0)),
        ("dataset.bytes", dataset),
        ("store.memtable.bytes", statistics.memtable_bytes),
        ("allocator.allocated", memory.allocated),
        ("allocator.active", memory.active),
        ("allocator.resident", memory.resident),
    ];
    reply.map(figures.len());
    for (name, value) in figures {
        reply.bulk(name.as_bytes());
        reply.integer(value as i64);
    }
    Ok(())
}

fn doctor(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let memory = session.engine.memory();
    let mut text = String::new();
    if memory.allocated > 0 && memory.resident > memory.allocated * 3 / 2 && memory.resident > 64 << 20 {
        let _ = writeln!(
            text,
            "The process takes {} bytes for {} allocated ones: MEMORY PURGE gives unused pages back.",
            memory.resident, memory.allocated
        );
    } else {
        text.push_str("No problem found.\n");
    }
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn malloc_stats(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let memory = session.engine.memory();
    let allocator = session.engine.host().map_or("system", |host| host.allocator);
    let text = format!(
        "allocator: {allocator}\nallocated: {}\nactive: {}\nmapped: {}\nresident: {}\n",
        memory.allocated, memory.active, memory.mapped, memory.resident
    );
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn purge(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    if let Some(host) = session.engine.host() {
        (host.purge)();
    }
    reply.ok();
    Ok(())
}
