//! The load benchmark: clients that join as a browser does, publish and subscribe through real
//! ICE, DTLS and SRTP, and report what arrived.
//!
//! The clients are light, so that thousands fit on a core: one thread owns their sockets and looks
//! at them once a tick, a run of datagrams is one system call, every packet is counted by its clear
//! header and few are decrypted.
//!
//! | file | one idea |
//! |---|---|
//! | `args`, `scenario` | the command line, and the clients it asks for |
//! | `run` | a run: ramp, settling, measuring, end |
//! | `member` | one client's life on the control side |
//! | `signal` | how it joins: one interface over the protocols of several servers |
//! | `offer` | what it says of itself |
//! | `client` | its transport as a state machine without IO |
//! | `media` | what it sends |
//! | `io` | threads and sockets |
//! | `measure` | what is measured, as plain values |
//! | `server` | what the server uses while it is loaded |
//! | `machine` | where it runs |
//! | `http` | one HTTP request |
//! | `report` | progress, table, JSON, plots, thresholds |

#![forbid(unsafe_code)]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, spawns tasks and draws random numbers"
)]

mod args;
mod client;
mod http;
mod io;
mod machine;
mod measure;
mod media;
mod member;
mod offer;
mod report;
mod run;
mod scenario;
mod server;
mod signal;

pub use args::{Args, Preset, Video};
pub use report::{Report, ReportFlags, Thresholds};
pub use signal::WhipWhepFlags;

/// Runs the load and returns what was measured. Progress goes to the log.
///
/// # Errors
/// If there is nothing to do, the server cannot be reached, or it refuses the clients.
pub async fn run(args: Args) -> anyhow::Result<Report> {
    let outcome = run::run(&args).await?;
    Ok(Report::new(outcome))
}
