//! Instructions of each operation, counted by callgrind: the same on a busy machine as on a quiet
//! one, so that a few percent more are seen, and can be refused.
//!
//! [`run`] executes operations, each inside [`counted_region`], and prints their names. [`count`]
//! has that done under callgrind, which collects nothing but that function and writes a profile
//! each time it returns; so setting up takes time, but is not counted. [`Record`] is what was
//! counted once, and compares.

mod driver;
mod record;
mod run;

pub use driver::{Counts, add_rests, count};
pub use record::{Comparison, Record, Verdict};
pub use run::run;

/// Executes `operation` so that the profiler finds it by this function's name.
#[inline(never)]
pub fn counted_region(times: u32, operation: &mut dyn FnMut()) {
    for _ in 0..times {
        operation();
    }
}
