//! The load benchmark: clients that join over the same WebSocket protocol as a browser, publish
//! and subscribe through real ICE, DTLS and SRTP, and report what arrived.
//!
//! Each client is one asynchronous peer connection of webrtc-rs, so a run is a test of
//! interoperability too. That costs far more CPU per packet than the server spends: the report
//! says how busy the clients were, and a run is only as good as the head-room it shows.
//!
//! | file | one idea |
//! |---|---|
//! | `args` | the command line |
//! | `run` | a run: rooms, ramp, duration, end |
//! | `client` | one client's peer connection |
//! | `signal` | its WebSocket |
//! | `media` | what publishers send: VP8 and Opus packets that carry their send time |
//! | `tally` | what subscribers saw |
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
mod machine;
mod measure;
mod media;
mod report;
mod run;
mod server;
mod signal;
mod tally;

pub use args::Args;
pub use report::{Report, ReportFlags, Thresholds};
pub use run::run;
pub use signal::WhipWhepFlags;
