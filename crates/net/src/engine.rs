//! What the loop of a shard needs of the engine it drives.

use std::time::{Duration, Instant};

use plenum_engine::{LinkMessage, Links};
use plenum_types::{DropReason, MediaCommand, MediaEvent, Path, Remote, SendBatch, ShardId};

/// A shard's engine: a state machine without clock, sockets and threads.
///
/// Calling order for each wake-up, with one `now`: [`handle_command`](Self::handle_command) for
/// what is queued, [`handle_link`](Self::handle_link) for what other shards handed over,
/// [`handle_datagram`](Self::handle_datagram) for what was received,
/// [`handle_timeout`](Self::handle_timeout) if [`poll_timeout`](Self::poll_timeout) is due,
/// [`flush`](Self::flush); then the batch is sent, [`on_sent`](Self::on_sent) told, and
/// [`poll_event`](Self::poll_event) drained.
pub trait Engine {
    /// Carries out a request of the control plane.
    fn handle_command(&mut self, now: Instant, command: MediaCommand);

    /// Takes what another shard handed over.
    fn handle_link(
        &mut self,
        now: Instant,
        from: ShardId,
        message: LinkMessage<'_>,
        out: &mut impl SendBatch,
    );

    /// Takes a received datagram, which it may overwrite. Errors are counted inside.
    fn handle_datagram(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &mut [u8],
        out: &mut impl SendBatch,
        links: &mut impl Links,
    );

    /// The TCP connection that `remote` names is closed.
    fn handle_disconnect(&mut self, now: Instant, remote: Remote);

    /// Whether a client has proved that it receives at `remote`.
    fn is_proven(&self, remote: Remote) -> bool;

    /// Does what has become due.
    fn handle_timeout(&mut self, now: Instant, out: &mut impl SendBatch);

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Writes what commands and datagrams left to be sent, and tells other shards what is new.
    fn flush(&mut self, now: Instant, out: &mut impl SendBatch, links: &mut impl Links);

    /// The batch of the wake-up at `now` was handed to the socket, `spent` later.
    fn on_sent(&mut self, _now: Instant, _spent: Duration) {}

    /// The next fact for the control plane.
    fn poll_event(&mut self) -> Option<MediaEvent>;

    /// Takes over the counters of the engine in whose place this one is; that one has failed.
    fn succeed(&mut self, _before: &Self)
    where
        Self: Sized,
    {
    }

    /// Counts datagrams that were dropped outside of the engine.
    fn count_drop(&mut self, reason: DropReason, number: u64);
}
