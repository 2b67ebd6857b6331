//! Were the answers that concurrent clients got possible on one copy of the data that does one thing at a time? This part
//! is pure: it judges histories and watch streams, whoever recorded them, and its own tests judge it.
//!
//! `model.rs` says what a store of keys with revisions answers, `checker.rs` looks for an order of the operations that
//! explains all answers, `watch.rs` holds watch streams against what happened, `simulation.rs` makes histories that are
//! right, or wrong in a known way.

pub(crate) mod checker;
pub(crate) mod history;
pub(crate) mod model;
mod simulation;
mod tests;
pub(crate) mod watch;
