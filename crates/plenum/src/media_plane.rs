//! The control plane's view of the shards: where commands go and where statistics come from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plenum_net::{CommandRefused, ShardHandle};
use plenum_types::{CloseReason, MediaCommand, MediaEvent, ShardId, ShardStats};
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
    /// and waiting for it would hang the control plane too. A peer that could not be announced
    /// will never connect, so its end is returned, to be reported as if the shard had.
    #[must_use]
    pub(crate) fn send(&self, shard: ShardId, command: MediaCommand) -> Option<MediaEvent> {
        let announced = match &command {
            MediaCommand::AddPeer(config) => Some(config.peer),
            _ => None,
        };
        let index = usize::from(shard.0);
        let sent = self
            .shards
            .get(index)
            .map_or(Err(CommandRefused::ShardGone), |shard| shard.send(command));
        let error = sent.err()?;
        let refused = self.refused.get(index);
        let before = refused.map_or(0, |refused| refused.fetch_add(1, Ordering::Relaxed));
        // A shard that hangs refuses thousands: a line for the first, second, fourth, eighth, ...
        if (before + 1).is_power_of_two() {
            tracing::error!(%shard, %error, number = before + 1, "commands are lost");
        }
        let reason = CloseReason::InternalError;
        announced.map(|peer| MediaEvent::PeerClosed { peer, reason })
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
                commands_waiting: shard.waiting(),
                restarts: shard.restarts() as u64,
                commands_refused: refused.load(Ordering::Relaxed),
                stats: answer.borrow().clone(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plenum_types::{
        Fingerprint, FingerprintAlgorithm, IceCredentials, PeerConfig, PeerId, RoomId, Secret,
    };

    #[test]
    fn a_peer_that_no_shard_takes_is_closed() {
        let media = MediaPlane::new(Vec::new(), StatsBoard::new(0));
        let ice = || IceCredentials {
            ufrag: "abcd".to_owned(),
            password: Secret("abcdefghijklmnopqrstuvwx".to_owned()),
        };
        let config = PeerConfig {
            peer: PeerId(7),
            room: RoomId(1),
            local: ice(),
            remote: ice(),
            remote_fingerprint: Fingerprint {
                algorithm: FingerprintAlgorithm::Sha256,
                bytes: vec![0; 32],
            },
            cname: String::new(),
        };
        let refused = media.send(ShardId(0), MediaCommand::AddPeer(Box::new(config)));
        assert!(matches!(
            refused,
            Some(MediaEvent::PeerClosed {
                peer: PeerId(7),
                reason: CloseReason::InternalError
            })
        ));
        assert!(media.send(ShardId(0), MediaCommand::ReportStats).is_none());
    }
}
