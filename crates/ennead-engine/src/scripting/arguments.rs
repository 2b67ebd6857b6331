//! What EVAL and its like are called with.

use std::sync::Arc;

use ennead_kv::{Args, Error, Result};

use super::Script;

/// A script with its keys and arguments.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) script: Arc<Script>,
    pub(crate) keys: Vec<Vec<u8>>,
    pub(crate) arguments: Vec<Vec<u8>>,
    pub(crate) read_only: bool,
}

impl Invocation {
    /// The words behind the script: a number of keys, the keys, the arguments.
    pub(crate) fn parse(script: Arc<Script>, args: Args<'_>, read_only: bool) -> Result<Invocation> {
        let read_only = read_only || script.flags.no_writes;
        let (keys, arguments) = split(args)?;
        Ok(Invocation { script, keys, arguments, read_only })
    }
}

/// Whether the number of keys is one.
pub(crate) fn check_keys(args: Args<'_>) -> Result<usize> {
    let count = crate::commands::integer(&args[2])?;
    if count > args.len() as i64 - 3 {
        return Err(Error::text("ERR Number of keys can't be greater than number of args"));
    }
    usize::try_from(count).map_err(|_| Error::text("ERR Number of keys can't be negative"))
}

type Words = Vec<Vec<u8>>;

/// Keys and arguments.
fn split(args: Args<'_>) -> Result<(Words, Words)> {
    let count = check_keys(args)?;
    let mut words = args.iter_from(3).map(<[u8]>::to_vec);
    let keys = words.by_ref().take(count).collect();
    Ok((keys, words.collect()))
}
