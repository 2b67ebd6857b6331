//! LATENCY: the monitor's events, and histograms of commands.

mod graph;

use std::fmt::Write;

use ennead_kv::{Result, Spec};

use super::{PLAIN, Row, SERVER, error, help};
use crate::figures::CommandFigures;
use crate::registry::Registry;
use crate::session::{Output, Request, Session};
use crate::settings::LATENCY_MONITOR_THRESHOLD;

const LATENCY: Spec = Spec { since: "2.8.13", ..SERVER };

pub(super) const ROWS: &[Row] = &[
    Row {
        spec: Spec {
            name: "latency|doctor",
            arity: 2,
            summary: "Returns a human-readable latency analysis report.",
            ..LATENCY
        },
        run: doctor,
    },
    Row {
        spec: Spec {
            name: "latency|graph",
            arity: 3,
            summary: "Returns a latency graph for an event.",
            syntax: "event",
            ..LATENCY
        },
        run: graph,
    },
    Row {
        spec: Spec {
            name: "latency|help",
            arity: 2,
            summary: "Returns helpful text about the different subcommands.",
            flags: PLAIN,
            categories: &[],
            ..LATENCY
        },
        run: help::help,
    },
    Row {
        spec: Spec {
            name: "latency|histogram",
            arity: -2,
            since: "7.0.0",
            complexity: "O(N) where N is the number of commands with latency information being retrieved.",
            summary: "Returns the cumulative distribution of latencies of a subset or all commands.",
            syntax: "[command [command ...]]",
            ..LATENCY
        },
        run: histogram,
    },
    Row {
        spec: Spec {
            name: "latency|history",
            arity: 3,
            summary: "Returns timestamp-latency samples for an event.",
            syntax: "event",
            ..LATENCY
        },
        run: history,
    },
    Row {
        spec: Spec {
            name: "latency|latest",
            arity: 2,
            summary: "Returns the latest latency samples for all events.",
            ..LATENCY
        },
        run: latest,
    },
    Row {
        spec: Spec {
            name: "latency|reset",
            arity: -2,
            summary: "Resets the latency data for one or more events.",
            syntax: "[event [event ...]]",
            ..LATENCY
        },
        run: reset,
    },
];

fn latest(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let events = session.engine.latency().events();
    reply.array(events.len());
    for (name, event) in events {
        let last = event.samples.back();
        reply.array(4);
        reply.bulk(name.as_bytes());
        reply.integer(last.map_or(0, |sample| sample.unix_seconds));
        reply.integer(last.map_or(0, |sample| sample.millis as i64));
        reply.integer(event.max_millis as i64);
    }
    Ok(())
}

fn history(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let events = session.engine.latency().events();
    let event = events.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(&request.args[2]));
    reply.array(event.map_or(0, |(_, event)| event.samples.len()));
    for sample in event.into_iter().flat_map(|(_, event)| &event.samples) {
        reply.array(2);
        reply.integer(sample.unix_seconds);
        reply.integer(sample.millis as i64);
    }
    Ok(())
}

fn graph(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let events = session.engine.latency().events();
    let wanted = &request.args[2];
    let (name, event) = events
        .iter()
        .find(|(name, _)| name.as_bytes() == wanted)
        .ok_or_else(|| error(format!("ERR No samples available for event '{}'", String::from_utf8_lossy(wanted))))?;
    reply.verbatim("txt", graph::draw(name, event, request.clock.unix_ms() / 1000).as_bytes());
    Ok(())
}

fn reset(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let names: Vec<&[u8]> = request.args.iter_from(2).collect();
    reply.integer(session.engine.latency().reset(&names) as i64);
    Ok(())
}

fn doctor(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let threshold = session.engine.settings().read(LATENCY_MONITOR_THRESHOLD);
    let events = session.engine.latency().events();
    let mut text = String::new();
    if threshold == 0 {
        text.push_str("The latency monitor is off. CONFIG SET latency-monitor-threshold <milliseconds> turns it on.\n");
    } else if events.is_empty() {
        let _ = writeln!(text, "No event took {threshold} milliseconds or longer.");
    }
    for (name, event) in events {
        let sum: u64 = event.samples.iter().map(|sample| sample.millis).sum();
        let mean = sum / event.samples.len().max(1) as u64;
        let _ =
            writeln!(text, "{name}: {} spikes, mean {mean} ms, worst {} ms.", event.samples.len(), event.max_millis);
    }
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn histogram(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let registry = Registry::get();
    let totals = session.engine.figures().totals();
    let mut chosen: Vec<usize> = Vec::new();
    if request.args.len() == 2 {
        chosen.extend(0..registry.commands().len());
    }
    for word in request.args.iter_from(2) {
        let Some(command) = registry.find(word) else { continue };
        chosen.push(command.index);
        chosen.extend(&command.children);
    }
    chosen.retain(|index| totals.commands[*index].calls > 0);
    reply.map(chosen.len());
    for index in chosen {
        let figures = &totals.commands[index];
        reply.bulk(registry.commands()[index].spec.name.as_bytes());
        reply.map(2);
        reply.bulk(b"calls");
        reply.integer(figures.calls as i64);
        reply.bulk(b"histogram_usec");
        let buckets = cumulative(figures);
        reply.map(buckets.len());
        for (bound, count) in buckets {
            reply.integer(bound as i64);
            reply.integer(count as i64);
        }
    }
    Ok(())
}

/// Bounds with the calls below them, for the buckets in which there are any.
fn cumulative(figures: &CommandFigures) -> Vec<(u64, u64)> {
    let mut sum = 0;
    let mut buckets = Vec::new();
    for (power, count) in figures.buckets.iter().enumerate().filter(|(_, count)| **count > 0) {
        sum += count;
        buckets.push((1u64 << power, sum));
    }
    buckets
}
