//! A shard that failed begins anew: another engine behind the same sockets, rings and queues.
//!
//! What was said to the engine that is gone must not reach the new one. So commands are dropped
//! until the control plane has heard of it and says `StartAnew`, which stands behind all it had
//! said before.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use plenum_types::{MediaCommand, MediaEvent, ShardId};

use super::{Readiness, ShardLoop};
use crate::Engine;
use crate::restarts::Restarts;

/// When to tell the control plane again that a shard has begun anew. It answers within milliseconds,
/// unless the event was lost in a full queue.
const TELL_AGAIN: Duration = Duration::from_secs(1);

impl<E: Engine, F: Fn(ShardId, MediaEvent)> ShardLoop<E, F> {
    /// Runs until told to stop. Where the engine panics, or nothing can be waited for, the shard
    /// begins anew with one that `make` makes, on the same sockets; its peers are gone. Gives up
    /// if that happens too often.
    pub(crate) fn run(mut self, make: impl Fn() -> E) {
        let mut restarts = Restarts::default();
        loop {
            // After a panic nothing of the engine is used but its counters.
            let ran = catch_unwind(AssertUnwindSafe(|| self.run_engine()));
            if let Ok(Ok(())) = ran {
                return;
            }
            if let Ok(Err(error)) = ran {
                tracing::error!(shard = %self.shard, %error, "waiting for datagrams failed");
            }
            if !restarts.try_once_more(Instant::now()) {
                tracing::error!(shard = %self.shard, "the shard failed too often and ends");
                return;
            }
            tracing::error!(shard = %self.shard, "the shard failed and begins anew without its peers");
            self.begin_anew(make());
        }
    }

    fn begin_anew(&mut self, engine: E) {
        let before = std::mem::replace(&mut self.engine, engine);
        // Its state is in doubt: if its counters or its end make trouble, they are left alone.
        let engine = &mut self.engine;
        let _ = catch_unwind(AssertUnwindSafe(|| engine.succeed(&before)));
        let _ = catch_unwind(AssertUnwindSafe(|| drop(before)));
        self.batch.clear();
        self.stream_buffer.clear();
        self.readiness = Readiness::Readable;
        self.inbox.count_restart();
        self.tell_beginning(Instant::now());
    }

    /// Until the control plane has heard that the peers are gone, what it says is for them.
    pub(super) fn tell_beginning(&mut self, now: Instant) {
        self.awaits_start = Some(now + TELL_AGAIN);
        (self.events)(self.shard, MediaEvent::ShardEnded { begins_anew: true });
    }

    /// Whether a command is for the engine that there is.
    pub(super) fn is_for_engine(&mut self, command: &MediaCommand) -> bool {
        match command {
            MediaCommand::StartAnew => {
                self.awaits_start = None;
                false
            }
            MediaCommand::ReportStats => true,
            _ => self.awaits_start.is_none(),
        }
    }
}
