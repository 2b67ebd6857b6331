//! LCS: the longest common subsequence of two strings, by dynamic programming.

use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::error::{Error, Result};
use crate::number::parse_integer;
use crate::reply::Reply;

#[derive(Default)]
struct Options {
    len: bool,
    indexes: bool,
    with_match_len: bool,
    min_match_len: usize,
}

impl Options {
    fn parse(args: Args<'_>) -> Result<Options> {
        let mut options = Options::default();
        let mut words = args.iter_from(3);
        while let Some(word) = words.next() {
            if word.eq_ignore_ascii_case(b"idx") {
                options.indexes = true;
            } else if word.eq_ignore_ascii_case(b"len") {
                options.len = true;
            } else if word.eq_ignore_ascii_case(b"withmatchlen") {
                options.with_match_len = true;
            } else if word.eq_ignore_ascii_case(b"minmatchlen") {
                let len = parse_integer(words.next().ok_or(Error::Syntax)?).ok_or(Error::NotInteger)?;
                options.min_match_len = usize::try_from(len).unwrap_or(0);
            } else {
                return Err(Error::Syntax);
            }
        }
        if options.len && options.indexes {
            return Err(Error::text("ERR If you want both the length and indexes, please just use IDX."));
        }
        Ok(options)
    }
}

pub(super) fn lcs(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let first = context.find_key(&args[1], Lookup::Read)?;
    let second = context.find_key(&args[2], Lookup::Read)?;
    let first = context.again(first, &args[1]);
    let not_strings = |_| Error::text("ERR The specified keys must contain string values");
    let first = context.string(first).map_err(not_strings)?.unwrap_or_default();
    let second = context.string(second).map_err(not_strings)?.unwrap_or_default();
    let options = Options::parse(args)?;
    let cells = (first.len() as u64 + 1).saturating_mul(second.len() as u64 + 1);
    if cells.saturating_mul(4) > context.keyspace().settings().proto_max_bulk_len() {
        return Err(Error::text("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"));
    }
    let lengths = Lengths::new(first, second);
    let len = lengths.at(first.len(), second.len());
    if options.len {
        reply.integer(i64::from(len));
    } else if options.indexes {
        write_matches(&lengths.matches(first, second), len, &options, reply);
    } else {
        let mut common = Vec::with_capacity(len as usize);
        for run in lengths.matches(first, second).iter().rev() {
            common.extend_from_slice(&first[run.first..run.first + run.len]);
        }
        reply.bulk(&common);
    }
    Ok(())
}

fn write_matches(runs: &[Run], len: u32, options: &Options, reply: &mut dyn Reply) {
    let wanted = || runs.iter().filter(|run| run.len >= options.min_match_len);
    reply.map(2);
    reply.bulk(b"matches");
    reply.array(wanted().count());
    for run in wanted() {
        reply.array(2 + usize::from(options.with_match_len));
        for start in [run.first, run.second] {
            reply.array(2);
            reply.integer(start as i64);
            reply.integer((start + run.len - 1) as i64);
        }
        if options.with_match_len {
            reply.integer(run.len as i64);
        }
    }
    reply.bulk(b"len");
    reply.integer(i64::from(len));
}

/// The length of the longest common subsequence of every pair of prefixes.
struct Lengths {
    columns: usize,
    cells: Vec<u32>,
}

/// Bytes that both strings have in one piece.
struct Run {
    first: usize,
    second: usize,
    len: usize,
}

impl Lengths {
    fn new(first: &[u8], second: &[u8]) -> Lengths {
        let columns = second.len() + 1;
        let mut cells = vec![0; (first.len() + 1) * columns];
        for (row, byte) in first.iter().enumerate() {
            let (above, below) = cells[row * columns..(row + 2) * columns].split_at_mut(columns);
            for (column, other) in second.iter().enumerate() {
                below[column + 1] =
                    if byte == other { above[column] + 1 } else { above[column + 1].max(below[column]) };
            }
        }
        Lengths { columns, cells }
    }

    fn at(&self, row: usize, column: usize) -> u32 {
        self.cells[row * self.columns + column]
    }

    /// The runs of one longest common subsequence, from the end of the strings to their start.
    fn matches(&self, first: &[u8], second: &[u8]) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let (mut row, mut column) = (first.len(), second.len());
        let mut joined = false;
        while row > 0 && column > 0 {
            if first[row - 1] == second[column - 1] {
                (row, column) = (row - 1, column - 1);
                match runs.last_mut().filter(|_| joined) {
                    Some(run) => *run = Run { first: row, second: column, len: run.len + 1 },
                    None => runs.push(Run { first: row, second: column, len: 1 }),
                }
                joined = true;
            } else {
                if self.at(row - 1, column) > self.at(row, column - 1) {
                    row -= 1
                } else {
                    column -= 1
                }
                joined = false;
            }
        }
        runs
    }
}
