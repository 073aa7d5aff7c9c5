//! Signals that end the server.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signal of somebody at a terminal.
pub(crate) const INTERRUPT: &str = "SIGINT";
/// Exit status after a second signal, as shells report a death by SIGINT.
const IMPATIENT: i32 = 130;

/// SIGINT and SIGTERM.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From now on the signals do not end the process by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for one of them; its name.
    pub(crate) async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPT,
            _ = self.terminate.recv() => "SIGTERM",
        }
    }

    /// Ends the process at once with the next signal.
    pub(crate) fn exit_at_next(mut self) {
        tokio::spawn(async move {
            let name = self.wait().await;
            tracing::warn!("{name} again: exiting without telling the clients");
            std::process::exit(IMPATIENT);
        });
    }
}
