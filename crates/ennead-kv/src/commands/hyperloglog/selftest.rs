//! PFSELFTEST: that registers keep what is written into them, and that estimates are as good as they should be.

use crate::args::Args;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::hyperloglog::{Corrupted, Form, REGISTERS, Sketch, registers_keep_values};
use crate::reply::Reply;

const ROUNDS: usize = 1_000;
/// Elements that are added; estimates are looked at for each power of ten up to it.
pub(super) const ELEMENTS: u64 = 10_000_000;
/// How many times the standard error an estimate may be off.
const ERRORS: f64 = 6.0;

pub(super) fn pfselftest(context: &mut Context<'_>, _args: Args<'_>, reply: &mut dyn Reply) -> Result {
    if !registers_keep_values(ROUNDS, &mut || context.random()) {
        return Err(Error::text("ERR TESTFAILED A register does not keep what is written into it"));
    }
    let sparse_max = context.keyspace().settings().hll_sparse_max_bytes();
    estimates(ELEMENTS, context.random(), sparse_max)?;
    reply.ok();
    Ok(())
}

/// Adds different elements to a dense and a sparse sketch: both must agree, and be near the truth.
pub(super) fn estimates(elements: u64, seed: u64, sparse_max: usize) -> Result {
    let mut dense = Sketch::new();
    dense.make_dense()?;
    let mut sparse = Sketch::new();
    let mut checkpoint = 1;
    for number in 1..=elements {
        let element = (number ^ seed).to_le_bytes();
        dense.add(&element, sparse_max)?;
        sparse.add(&element, sparse_max)?;
        if number == checkpoint {
            check(&dense, &sparse, number, sparse_max)?;
            checkpoint *= 10;
        }
    }
    Ok(())
}

fn check(dense: &Sketch, sparse: &Sketch, number: u64, sparse_max: usize) -> Result {
    if number < sparse_max as u64 / 2 && sparse.view().form() != Form::Sparse {
        return Err(Error::text("ERR TESTFAILED sparse encoding not used"));
    }
    let estimate = dense.view().estimate()?;
    if sparse.view().estimate() != Ok::<u64, Corrupted>(estimate) {
        return Err(Error::text("ERR TESTFAILED dense/sparse disagree"));
    }
    let standard_error = 1.04 / (REGISTERS as f64).sqrt();
    // Of ten elements two may share a register, and that is more than six errors.
    let allowed = if number == 10 { 1 } else { (standard_error * ERRORS * number as f64).ceil() as u64 };
    let error = number.abs_diff(estimate);
    if error > allowed {
        let text = format!("ERR TESTFAILED Too big error. card:{number} abserr:{error}");
        return Err(Error::Text(text.into()));
    }
    Ok(())
}
