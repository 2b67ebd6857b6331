//! MODULE: there are none, and none can be loaded.

use ennead_kv::{Error, Flag, Result, Spec};

use super::{Row, SERVER, help};
use crate::session::{Output, Request, Session};

const MODULE: Spec = Spec { flags: &[Flag::Admin, Flag::NoScript], since: "4.0.0", ..SERVER };
const CHANGING: Spec = Spec { flags: &[Flag::Admin, Flag::NoScript, Flag::NoAsyncLoading], ..MODULE };

pub(super) const ROWS: &[Row] = &[
    Row {
        spec: Spec {
            name: "module|help",
            arity: 2,
            flags: &[Flag::Loading, Flag::Stale],
            since: "5.0.0",
            summary: "Returns helpful text about the different subcommands.",
            ..MODULE
        },
        run: help::help,
    },
    Row {
        spec: Spec {
            name: "module|list",
            arity: 2,
            complexity: "O(N) where N is the number of loaded modules.",
            summary: "Returns all loaded modules: none.",
            ..MODULE
        },
        run: list,
    },
    Row {
        spec: Spec {
            name: "module|load",
            arity: -3,
            summary: "Refused: modules of redis-server cannot be loaded.",
            syntax: "path [arg [arg ...]]",
            ..CHANGING
        },
        run: refuse,
    },
    Row {
        spec: Spec {
            name: "module|loadex",
            arity: -3,
            since: "7.0.0",
            summary: "Refused: modules of redis-server cannot be loaded.",
            syntax: "path [CONFIG name value [name value ...]] [ARGS args [args ...]]",
            ..CHANGING
        },
        run: refuse,
    },
    Row {
        spec: Spec {
            name: "module|unload",
            arity: 3,
            summary: "Refused: no modules are loaded.",
            syntax: "name",
            ..CHANGING
        },
        run: refuse,
    },
];

fn list(_session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.array(0);
    Ok(())
}

fn refuse(_session: &mut Session, _request: &Request<'_>, _reply: &mut dyn Output) -> Result {
    Err(Error::text("ERR modules cannot be loaded: this server has its commands built in"))
}
