//! A panic over one peer ends that peer, not its shard.
//!
//! Whatever is handled is handled in somebody's turn: of the peer whose datagram, timer or command
//! it is, or of the subscriber whose copies are made. If it panics, that peer is *broken*: nothing
//! of it is handled any more, the others have their turns, and it goes at the end of the wake-up.
//! A panic in nobody's turn, or while a broken peer goes, passes on: then the state of the shard
//! cannot be trusted, and whoever drives it has to begin anew.
//!
//! There is one `catch_unwind` per datagram, command, round of timers and end of a wake-up, none per
//! copy: whatever was going on goes on behind the peer that broke.

use crate::shard::Shard;
use plenum_types::{CloseReason, PeerIndex};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

/// Whose turn it is, and who is broken.
#[derive(Debug, Default)]
pub(crate) struct Isolation {
    /// Nobody's while the shard works for all.
    pub(crate) turn: Option<PeerIndex>,
    /// Subscribers of the burst at hand that have had their turn.
    pub(crate) served: usize,
    broken: Vec<PeerIndex>,
}

impl Isolation {
    /// Whether nothing of the peer is to be handled any more.
    #[inline]
    pub(crate) fn is_broken(&self, peer: PeerIndex) -> bool {
        !self.broken.is_empty() && self.broken.contains(&peer)
    }

    /// Whether anybody is.
    pub(crate) fn is_any_broken(&self) -> bool {
        !self.broken.is_empty()
    }
}

impl Shard {
    /// Does `work` in the turn of `peer`, which may pass to others in its course.
    pub(crate) fn in_turn<T>(
        &mut self,
        peer: Option<PeerIndex>,
        work: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        self.isolation.turn = peer;
        // A broken peer is never looked at again but to be removed.
        match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(done) => {
                self.isolation.turn = None;
                Some(done)
            }
            Err(panic) => {
                self.blame(panic);
                None
            }
        }
    }

    /// Does `work` until it gets to its end. It gives peers their turns, and when it is called again
    /// goes on behind those that had theirs.
    pub(crate) fn until_done(&mut self, mut work: impl FnMut(&mut Self)) {
        self.isolation.turn = None;
        while let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(self))) {
            self.blame(panic);
        }
        self.isolation.turn = None;
    }

    /// Whoever's turn it is has broken.
    #[cold]
    pub(crate) fn blame(&mut self, panic: Box<dyn Any + Send>) {
        let Some(peer) = self.isolation.turn.take() else {
            resume_unwind(panic);
        };
        self.stats.peer_panics += 1;
        let id = self.peers.at(peer).map(|entry| entry.id);
        // Whoever can cause one can cause many: a line for the first, second, fourth, eighth, ...
        if self.stats.peer_panics.is_power_of_two() {
            tracing::warn!(peer = ?id, "a peer is ended, because handling it panicked");
        }
        self.isolation.broken.push(peer);
    }

    /// Ends the peers that are broken. Nobody's turn: if not even that goes well, nothing will.
    pub(crate) fn end_broken(&mut self, now: Instant) {
        self.isolation.turn = None;
        while let Some(peer) = self.isolation.broken.pop() {
            self.remove_peer(now, peer, CloseReason::InternalError);
        }
    }
}
