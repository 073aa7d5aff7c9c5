//! Whether the server lives, and whether it should be sent new work.

use std::sync::atomic::{AtomicBool, Ordering};

use plenum_net::ShardHandle;

/// What health probes ask.
pub(crate) struct Health {
    shards: Vec<ShardHandle>,
    draining: AtomicBool,
}

impl Health {
    /// Health of a server with `shards`.
    pub(crate) const fn new(shards: Vec<ShardHandle>) -> Self {
        Self {
            shards,
            draining: AtomicBool::new(false),
        }
    }

    /// No new work from here on.
    pub(crate) fn set_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Why the process should be replaced, if it should.
    pub(crate) fn failure(&self) -> Option<&'static str> {
        let alive = self.shards.iter().all(ShardHandle::is_alive);
        (!alive).then_some("a media thread has ended\n")
    }

    /// Why no new work should come, if it should not.
    pub(crate) fn unready(&self) -> Option<&'static str> {
        if self.draining.load(Ordering::Relaxed) {
            return Some("shutting down\n");
        }
        self.failure()
    }
}
