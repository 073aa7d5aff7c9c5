//! Signaling's part in rooms that span shards, played without signaling: who is where, who has to
//! be told of what, and commands that reach different shards at different times.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use plenum_types::{
    DataMessage, MediaCommand, PeerId, PublicationConfig, PublicationId, RoomId, ShardId,
};
use rand::RngExt;

use crate::seed::SimRng;

/// With several shards a command takes up to this long; those to one shard stay in order.
const DELAY_MAX_US: u64 = 3_000;

/// A publication and where it comes from.
#[derive(Clone, Debug)]
struct Published {
    room: RoomId,
    home: ShardId,
    publisher: PeerId,
    config: PublicationConfig,
}

/// Somebody in a room.
#[derive(Clone, Copy, Debug)]
struct Member {
    room: RoomId,
    shard: ShardId,
    peer: PeerId,
}

/// The control plane.
#[derive(Debug)]
pub(crate) struct Control {
    queues: Vec<VecDeque<(Instant, MediaCommand)>>,
    members: Vec<Member>,
    published: Vec<Published>,
    rng: SimRng,
}

impl Control {
    pub(crate) fn new(shards: u16, rng: SimRng) -> Self {
        Self {
            queues: (0..shards).map(|_| VecDeque::new()).collect(),
            members: Vec::new(),
            published: Vec::new(),
            rng,
        }
    }

    /// A peer joins: its shard gets `commands`, the others hear of what it publishes.
    pub(crate) fn join(
        &mut self,
        now: Instant,
        room: RoomId,
        shard: ShardId,
        peer: PeerId,
        commands: Vec<MediaCommand>,
    ) {
        let is_first = !self.is_in(room, shard);
        self.members.push(Member { room, shard, peer });
        for command in commands {
            if let MediaCommand::AddPublication { publication, .. } = &command {
                let published = Published {
                    room,
                    home: shard,
                    publisher: peer,
                    config: PublicationConfig::clone(publication),
                };
                self.tell_others(now, &published);
                self.published.push(published);
            }
            self.send(now, shard, command);
        }
        if is_first {
            for published in self.published.clone() {
                if published.room == room && published.home != shard {
                    self.send(now, shard, remote(&published));
                }
            }
        }
    }

    /// A peer leaves.
    pub(crate) fn leave(&mut self, now: Instant, peer: PeerId) {
        let Some(at) = self.members.iter().position(|member| member.peer == peer) else {
            return;
        };
        let member = self.members.remove(at);
        self.send(now, member.shard, MediaCommand::RemovePeer { peer });
        let (gone, left) = std::mem::take(&mut self.published)
            .into_iter()
            .partition(|published| published.publisher == peer);
        self.published = left;
        for published in gone {
            let publication = published.config.publication;
            for shard in self.others(&published) {
                self.send(now, shard, MediaCommand::RemovePublication { publication });
            }
        }
        if !self.is_in(member.room, member.shard) {
            let room = member.room;
            self.send(now, member.shard, MediaCommand::ForgetRoom { room });
        }
    }

    /// A publication ends and begins again under the same id.
    pub(crate) fn republish(&mut self, now: Instant, id: PublicationId) {
        let all = self.published.clone();
        for published in all.iter().filter(|known| known.config.publication == id) {
            let end = MediaCommand::RemovePublication { publication: id };
            for shard in self.others(published) {
                self.send(now, shard, end.clone());
            }
            self.send(now, published.home, end);
            let begin = MediaCommand::AddPublication {
                peer: published.publisher,
                publication: Box::new(published.config.clone()),
            };
            self.send(now, published.home, begin);
            self.tell_others(now, published);
        }
    }

    /// Mutes or unmutes a publication wherever it is known.
    pub(crate) fn mute(&mut self, now: Instant, publication: PublicationId, muted: bool) {
        let mut known = self.published.iter_mut();
        let Some(published) = known.find(|known| known.config.publication == publication) else {
            return;
        };
        published.config.muted = muted;
        let published = published.clone();
        let command = MediaCommand::MutePublication { publication, muted };
        for shard in self.others(&published) {
            self.send(now, shard, command.clone());
        }
        self.send(now, published.home, command);
    }

    /// Has a data message delivered by the other shards of its room.
    pub(crate) fn relay(&mut self, now: Instant, from: ShardId, message: &DataMessage) {
        let shards = (0..self.queues.len() as u16).map(ShardId);
        let others = shards.filter(|shard| *shard != from && self.is_in(message.room, *shard));
        for shard in others.collect::<Vec<_>>() {
            let message = Box::new(message.clone());
            self.send(now, shard, MediaCommand::DeliverData(message));
        }
    }

    /// Gives a shard a command, behind those that it was given before.
    pub(crate) fn send(&mut self, now: Instant, shard: ShardId, command: MediaCommand) {
        let delay = match self.queues.len() {
            1 => 0,
            _ => self.rng.random_range(0..DELAY_MAX_US),
        };
        let queue = &mut self.queues[usize::from(shard.0)];
        let after = queue.back().map_or(now, |(due, _)| *due);
        let due = (now + Duration::from_micros(delay)).max(after);
        queue.push_back((due, command));
    }

    /// The shard is gone: what it has not carried out it never will.
    pub(crate) fn forget_commands(&mut self, shard: ShardId) {
        self.queues[usize::from(shard.0)].clear();
    }

    /// When the next command arrives.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let first = self.queues.iter().filter_map(VecDeque::front);
        first.map(|(due, _)| *due).min()
    }

    /// The next command that has arrived.
    pub(crate) fn poll_command(&mut self, now: Instant) -> Option<(ShardId, MediaCommand)> {
        let queues = (0..).map(ShardId).zip(&mut self.queues);
        for (shard, queue) in queues {
            if let Some((_, command)) = queue.pop_front_if(|(due, _)| *due <= now) {
                return Some((shard, command));
            }
        }
        None
    }

    fn tell_others(&mut self, now: Instant, published: &Published) {
        for shard in self.others(published) {
            self.send(now, shard, remote(published));
        }
    }

    /// The other shards of a publication's room.
    fn others(&self, published: &Published) -> Vec<ShardId> {
        let shards = (0..self.queues.len() as u16).map(ShardId);
        shards
            .filter(|shard| *shard != published.home && self.is_in(published.room, *shard))
            .collect()
    }

    fn is_in(&self, room: RoomId, shard: ShardId) -> bool {
        let mut members = self.members.iter();
        members.any(|member| (member.room, member.shard) == (room, shard))
    }
}

fn remote(published: &Published) -> MediaCommand {
    MediaCommand::AddRemotePublication {
        room: published.room,
        home: published.home,
        publisher: published.publisher,
        publication: Box::new(published.config.clone()),
    }
}
