//! What EVAL, FCALL and their like are called with.

use ennead_kv::{Args, Error, Result};

use super::program::Program;
use super::running::FunctionCall;

/// A script or a function with its keys and arguments.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) program: Program,
    pub(crate) keys: Vec<Vec<u8>>,
    pub(crate) arguments: Vec<Vec<u8>>,
    /// Called by a command that does not write.
    pub(crate) read_only: bool,
    /// For a function, what FUNCTION STATS tells.
    pub(super) call: Option<FunctionCall>,
}

impl Invocation {
    /// The words behind the program: a number of keys, the keys, the arguments.
    ///
    /// # Errors
    /// The number of keys is none, or no number: `not_a_number`.
    pub(crate) fn parse(program: Program, args: Args<'_>, read_only: bool, not_a_number: Error) -> Result<Invocation> {
        let (keys, arguments) = split(args, not_a_number)?;
        let call = match &program {
            Program::Script(_) => None,
            Program::Function(function) => {
                let words = args.iter_from(0).map(<[u8]>::to_vec).collect();
                Some(FunctionCall { name: function.name.clone(), words })
            }
        };
        Ok(Invocation { program, keys, arguments, read_only, call })
    }
}

/// Whether the number of keys is one.
pub(crate) fn check_keys(args: Args<'_>, not_a_number: Error) -> Result<usize> {
    let count = crate::commands::integer(&args[2]).map_err(|_| not_a_number)?;
    if count > args.len() as i64 - 3 {
        return Err(Error::text("ERR Number of keys can't be greater than number of args"));
    }
    usize::try_from(count).map_err(|_| Error::text("ERR Number of keys can't be negative"))
}

type Words = Vec<Vec<u8>>;

/// Keys and arguments.
fn split(args: Args<'_>, not_a_number: Error) -> Result<(Words, Words)> {
    let count = check_keys(args, not_a_number)?;
    let mut words = args.iter_from(3).map(<[u8]>::to_vec);
    let keys = words.by_ref().take(count).collect();
    Ok((keys, words.collect()))
}
