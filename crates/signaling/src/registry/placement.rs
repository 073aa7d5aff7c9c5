//! Which shard carries whom.
//!
//! Each peer is placed by itself, on the least loaded shard that lives. A small room stays together
//! as long as that costs nobody: what is forwarded within a shard need not cross to another.

use plenum_types::{RoomId, ShardId};

use crate::room::{Room, Session};

/// Load of a peer, whatever it does: ICE, DTLS, reports.
const PEER: u64 = 1;
/// Load of a publication: its packets are decrypted, described, and copied to other shards.
const PUBLICATION: u64 = 2;
/// Load of a slot: its packets are patched, encrypted and sent.
const SLOT: u64 = 1;
/// How much more load than the least loaded shard one may have to be preferred because the room
/// is there already: that of a call of two or three. More keeps larger rooms on one core.
const ROOM_SLACK: u64 = 16;

/// What every shard carries.
#[derive(Debug)]
pub(super) struct Placement {
    /// By shard; none if it has ended.
    loads: Vec<Option<u64>>,
}

/// Where a peer is, and what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) room: RoomId,
    pub(super) who: plenum_types::ParticipantId,
    pub(super) shard: ShardId,
    pub(super) load: u64,
}

impl Placement {
    pub(super) fn new(shards: usize) -> Self {
        Self {
            loads: vec![Some(0); shards],
        }
    }

    /// The shard for one more peer of `room`. The first one if none lives: the peer will be told
    /// that it is closed.
    pub(super) fn place(&self, room: &Room) -> ShardId {
        let living = || {
            let shards = (0_u16..).map(ShardId).zip(&self.loads);
            shards.filter_map(|(shard, load)| Some(((*load)?, shard)))
        };
        let Some((least, shard)) = living().min() else {
            return ShardId(0);
        };
        let near = living()
            .filter(|(load, shard)| *load <= least + ROOM_SLACK && room.shards.contains_key(shard));
        near.min().map_or(shard, |(_, shard)| shard)
    }

    /// What a peer on `shard` counts is another than before.
    pub(super) fn change(&mut self, shard: ShardId, before: u64, after: u64) {
        if let Some(Some(load)) = self.loads.get_mut(usize::from(shard.0)) {
            *load = load.saturating_sub(before) + after;
        }
    }

    /// Nobody is placed there any more.
    pub(super) fn end(&mut self, shard: ShardId) {
        if let Some(load) = self.loads.get_mut(usize::from(shard.0)) {
            *load = None;
        }
    }
}

/// What a session counts.
pub(super) fn load_of(session: &Session) -> u64 {
    let publications = session.publications().count() as u64;
    PEER + PUBLICATION * publications + SLOT * session.slots().count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::RoomSettings;

    fn room(shards: &[u16]) -> Room {
        let mut room = Room::new(RoomId(1), "r".to_owned(), RoomSettings::default());
        room.shards = shards.iter().map(|shard| (ShardId(*shard), 1)).collect();
        room
    }

    fn loaded(loads: &[u64]) -> Placement {
        let mut placement = Placement::new(loads.len());
        for (shard, load) in (0..).map(ShardId).zip(loads) {
            placement.change(shard, 0, *load);
        }
        placement
    }

    #[test]
    fn the_least_loaded_shard_is_taken() {
        assert_eq!(loaded(&[40, 30, 20]).place(&room(&[])), ShardId(2));
        assert_eq!(loaded(&[40, 30, 30]).place(&room(&[])), ShardId(1));
    }

    #[test]
    fn a_room_stays_together_while_that_costs_nobody() {
        assert_eq!(loaded(&[36, 20]).place(&room(&[0])), ShardId(0));
        assert_eq!(loaded(&[37, 20]).place(&room(&[0])), ShardId(1));
        assert_eq!(loaded(&[30, 25, 20]).place(&room(&[0, 1])), ShardId(1));
    }

    #[test]
    fn a_shard_that_ended_takes_nobody() {
        let mut placement = loaded(&[1, 50]);
        placement.end(ShardId(0));
        assert_eq!(placement.place(&room(&[0])), ShardId(1));
        placement.change(ShardId(0), 1, 0);
        assert_eq!(placement.place(&room(&[])), ShardId(1));
    }
}
