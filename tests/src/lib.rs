//! What the test files share: running a scenario over many seeds.
//!
//! `PLENUM_SEEDS=200` runs every scenario over 200 seeds, `PLENUM_SEED=17` over that one only.

#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds of a normal run: enough to meet most orders of events, quick enough to be run always.
pub const SEEDS: u64 = 20;

/// Scenarios that run at once.
const THREADS: usize = 2;

/// Runs `scenario` over the seeds 0 to [`SEEDS`] (or what the environment asks for), on a few
/// threads. Returns what each gave, in the order of seeds. A failing seed is printed.
///
/// # Panics
///
/// If the scenario does.
pub fn for_seeds<T: Send>(scenario: impl Fn(u64) -> T + Sync) -> Vec<T> {
    if let Some(seed) = number_from_environment("PLENUM_SEED") {
        return vec![run_seed(&scenario, seed)];
    }
    let count = number_from_environment("PLENUM_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= count {
                        return;
                    }
                    let result = run_seed(&scenario, seed);
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    results.push((seed, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(seed, _)| *seed);
    results.into_iter().map(|(_, result)| result).collect()
}

#[expect(
    clippy::print_stderr,
    reason = "the failing seed is for whoever runs the test"
)]
fn run_seed<T>(scenario: &impl Fn(u64) -> T, seed: u64) -> T {
    match catch_unwind(AssertUnwindSafe(|| scenario(seed))) {
        Ok(result) => result,
        Err(panic) => {
            eprintln!("failed with PLENUM_SEED={seed}");
            resume_unwind(panic);
        }
    }
}

fn number_from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
