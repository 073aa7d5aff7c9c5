//! What is on other shards: publishers of whose tracks there are replicas here, and what those
//! shards do not know yet.

use std::collections::{BTreeMap, BTreeSet};

use plenum_types::{PeerId, PublicationId, ShardId};

use crate::PublicationIndex;
use crate::publication::clock::PublisherClock;

/// A peer of another shard.
#[derive(Debug)]
pub(crate) struct RemotePublisher {
    pub(crate) id: PeerId,
    /// Those of which there are replicas here.
    pub(crate) publications: Vec<PublicationIndex>,
    /// Its NTP clock, as its shard sees it.
    pub(crate) clock: PublisherClock,
}

/// Where a replica gets its packets from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// The publisher's shard.
    pub(crate) home: ShardId,
    /// The encodings that it was told to send.
    pub(crate) told: Option<u8>,
}

/// Something that another shard does not know yet. What exactly is found out when it is told, so
/// that there is at most one message for each, and none is lost where there is no room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum News {
    Published(PublicationId),
    Demand(PublicationId),
    // After the demand, so that the keyframe finds it.
    Keyframe(PublicationId, u8),
    LayersWanted(PublicationId),
    Layer(PublicationId, u8),
    Clock(PublicationId, u8),
    Turn(PublicationId),
}

/// What other shards do not know yet. Bounded by what there is to know.
#[derive(Debug, Default)]
pub(crate) struct Outbox(BTreeMap<ShardId, BTreeSet<News>>);

impl Outbox {
    pub(crate) fn add(&mut self, to: ShardId, news: News) {
        self.0.entry(to).or_default().insert(news);
    }

    pub(crate) fn first(&self, to: ShardId) -> Option<News> {
        self.0.get(&to)?.first().copied()
    }

    pub(crate) fn remove(&mut self, to: ShardId, news: News) {
        if let Some(all) = self.0.get_mut(&to) {
            all.remove(&news);
            if all.is_empty() {
                self.0.remove(&to);
            }
        }
    }

    /// Nothing is told to that shard any more.
    pub(crate) fn forget(&mut self, to: ShardId) {
        self.0.remove(&to);
    }

    /// The first shard after `after` that there is something to tell to.
    pub(crate) fn next_shard(&self, after: Option<ShardId>) -> Option<ShardId> {
        let next = |shard: &&ShardId| after.is_none_or(|after| **shard > after);
        self.0.keys().find(next).copied()
    }
}
