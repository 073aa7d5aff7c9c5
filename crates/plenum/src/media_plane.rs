//! The control plane's view of the shards: where commands go and where statistics come from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plenum_net::{CommandRefused, ShardHandle};
use plenum_types::{MediaCommand, ShardId, ShardStats};
use tokio::sync::watch;

use crate::metrics::ShardReading;

/// How long a scrape waits for the shards. A shard that takes longer is shown with its last
/// numbers.
const STATS_TIMEOUT: Duration = Duration::from_millis(200);

/// Where the shards put their statistics. Made before the shards, because they are given it.
#[derive(Clone)]
pub(crate) struct StatsBoard(Arc<[watch::Sender<Option<ShardStats>>]>);

impl StatsBoard {
    /// Places for `shards` shards.
    pub(crate) fn new(shards: u16) -> Self {
        Self((0..shards).map(|_| watch::Sender::new(None)).collect())
    }

    /// Takes the answer of a shard.
    pub(crate) fn put(&self, shard: ShardId, stats: ShardStats) {
        if let Some(place) = self.0.get(usize::from(shard.0)) {
            place.send_replace(Some(stats));
        }
    }
}

/// The shards.
pub(crate) struct MediaPlane {
    shards: Vec<ShardHandle>,
    refused: Vec<AtomicU64>,
    board: StatsBoard,
}

impl MediaPlane {
    /// `shards`, which put their statistics on `board`.
    pub(crate) fn new(shards: Vec<ShardHandle>, board: StatsBoard) -> Self {
        Self {
            refused: shards.iter().map(|_| AtomicU64::new(0)).collect(),
            shards,
            board,
        }
    }

    /// Passes a command on. One that is refused is lost and counted: the shard is gone or hangs,
    /// and waiting for it would hang the control plane too.
    pub(crate) fn send(&self, shard: ShardId, command: MediaCommand) {
        let index = usize::from(shard.0);
        let sent = self
            .shards
            .get(index)
            .map_or(Err(CommandRefused::ShardGone), |shard| shard.send(command));
        if let Err(error) = sent {
            tracing::error!(%shard, %error, "a command is lost");
            if let Some(refused) = self.refused.get(index) {
                refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Asks all shards for their statistics, all at once.
    pub(crate) async fn read(&self) -> Vec<ShardReading> {
        let mut answers: Vec<_> = self.board.0.iter().map(watch::Sender::subscribe).collect();
        for shard in &self.shards {
            // A shard that cannot answer is shown with its last numbers.
            let _ = shard.send(MediaCommand::ReportStats);
        }
        let all = async {
            for answer in &mut answers {
                let _ = answer.changed().await;
            }
        };
        let _ = tokio::time::timeout(STATS_TIMEOUT, all).await;
        self.readings(&answers)
    }

    fn readings(&self, answers: &[watch::Receiver<Option<ShardStats>>]) -> Vec<ShardReading> {
        self.shards
            .iter()
            .zip(answers)
            .zip(&self.refused)
            .map(|((shard, answer), refused)| ShardReading {
                shard: shard.shard(),
                alive: shard.is_alive(),
                commands_refused: refused.load(Ordering::Relaxed),
                stats: answer.borrow().clone(),
            })
            .collect()
    }
}
