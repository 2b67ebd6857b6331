//! Which seeds a simulation runs: `ENNEAD_SEEDS` is their number, `ENNEAD_SEED` the one to run again.

/// Runs a body for each seed; names the seed that fails. Panics where the body does.
#[expect(clippy::print_stderr, reason = "the seed to replay goes to the log of the test")]
pub fn for_seeds(default: u64, body: impl Fn(u64)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("ENNEAD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ENNEAD_SEEDS").unwrap_or(default),
    };
    for seed in seeds {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(seed)));
        if let Err(panic) = outcome {
            eprintln!("failed with ENNEAD_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
