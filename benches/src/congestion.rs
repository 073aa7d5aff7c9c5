//! How bandwidth estimation behaves on the links of RFC 8867: our sender's controller in a loop
//! with a bottleneck that it shares with its own kind and with TCP, in virtual time from a seed.
//!
//! What is measured is the controller, not the steps of simulcast: each media flow has a source
//! that makes exactly as much as the controller estimates, up to [`case::SOURCE_MAX_KBPS`], in 30
//! frames a second that leave in bursts, as they do behind a forwarding unit.
//!
//! What simulcast makes of an estimate is shown by [`calls`]: the real engine and independent
//! clients in the simulator. `tests/tests/adaptation/` holds what must come of it.

mod bottleneck;
pub mod calls;
pub mod case;
mod figures;
mod media;
mod plot;
mod report;
mod run;
mod tcp;
#[cfg(test)]
mod tests;

pub use calls::{CALLS, Call, CallRun, run_call};
pub use case::{CASES, Case};
pub use figures::Figures;
pub use report::page;
pub use run::{Run, Sample, run};
