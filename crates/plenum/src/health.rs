//! Whether the server lives.

use plenum_net::ShardHandle;

/// What health probes ask.
pub(crate) struct Health {
    shards: Vec<ShardHandle>,
}

impl Health {
    /// Health of a server with `shards`.
    pub(crate) const fn new(shards: Vec<ShardHandle>) -> Self {
        Self { shards }
    }

    /// Why the process should be replaced, if it should.
    pub(crate) fn failure(&self) -> Option<&'static str> {
        let alive = self.shards.iter().all(ShardHandle::is_alive);
        (!alive).then_some("a media thread has ended\n")
    }
}
