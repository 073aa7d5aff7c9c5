//! Rooms that span shards: who has to be told of what.
//!
//! A shard that has a peer of a room knows all publications of the room: those of its own peers as
//! such, those of others as remote ones. What it knows follows from the commands to it alone, in
//! their order; nothing here depends on when another shard carries out its own.

use plenum_types::{CloseReason, MediaCommand, ParticipantId, PeerId, RoomId, ShardId};

use super::Registry;
use super::placement::{Seat, load_of};
use crate::output::Output;
use crate::room::{Publication, Session};

impl Registry {
    /// A peer takes its seat. A shard that is new to the room is told what others publish there.
    pub(super) fn open_seat(
        &mut self,
        room_id: RoomId,
        who: ParticipantId,
        peer: PeerId,
        shard: ShardId,
    ) {
        let seat = Seat {
            room: room_id,
            who,
            shard,
            load: 0,
        };
        self.peers.insert(peer, seat);
        let Some(room) = self.rooms.get_mut(&room_id) else {
            return;
        };
        let peers = room.shards.entry(shard).or_insert(0);
        *peers += 1;
        if *peers > 1 {
            return;
        }
        let elsewhere = room
            .participants
            .values()
            .filter_map(|other| other.session.as_ref())
            .filter(|session| session.shard != shard);
        let commands = elsewhere.flat_map(|session| {
            session
                .publications()
                .map(|publication| remote(room_id, session, publication))
        });
        let commands: Vec<_> = commands.collect();
        for command in commands {
            self.command(shard, command);
        }
    }

    /// A peer leaves its seat; its shard has been told. A shard that has nobody left forgets the
    /// room.
    pub(super) fn close_seat(&mut self, peer: PeerId) -> Option<Seat> {
        let seat = self.peers.remove(&peer)?;
        self.placement.change(seat.shard, seat.load, 0);
        let room = self.rooms.get_mut(&seat.room)?;
        let peers = room.shards.get_mut(&seat.shard)?;
        *peers -= 1;
        if *peers == 0 {
            room.shards.remove(&seat.shard);
            let spans = !room.shards.is_empty();
            let spoke = room.speakers.remove(&seat.shard);
            if spans {
                let room = seat.room;
                self.command(seat.shard, MediaCommand::ForgetRoom { room });
            }
            if spoke.is_some() {
                self.tell_speakers(seat.room);
            }
        }
        Some(seat)
    }

    /// What a participant publishes and receives has changed.
    pub(super) fn weigh(&mut self, room: RoomId, who: ParticipantId) {
        let session = self
            .participant(room, who)
            .and_then(|it| it.session.as_ref());
        let Some((peer, load)) = session.map(|session| (session.peer, load_of(session))) else {
            return;
        };
        if let Some(seat) = self.peers.get_mut(&peer) {
            self.placement.change(seat.shard, seat.load, load);
            seat.load = load;
        }
    }

    /// Asks a shard.
    pub(super) fn command(&mut self, shard: ShardId, command: MediaCommand) {
        self.outputs.push_back(Output::Media(shard, command));
    }

    /// Asks every shard that knows the room.
    pub(super) fn command_all(&mut self, room: RoomId, command: &MediaCommand) {
        for shard in self.shards_of(room) {
            self.command(shard, command.clone());
        }
    }

    /// Asks every shard that knows the room but `home`.
    pub(super) fn command_others(&mut self, room: RoomId, home: ShardId, command: &MediaCommand) {
        for shard in self.shards_of(room) {
            if shard != home {
                self.command(shard, command.clone());
            }
        }
    }

    /// Tells the shards of a room that somebody publishes something.
    pub(super) fn announce(&mut self, room: RoomId, session: &Session, publication: &Publication) {
        let add = MediaCommand::AddPublication {
            peer: session.peer,
            publication: Box::new(publication.config()),
        };
        self.command(session.shard, add);
        let remote = remote(room, session, publication);
        self.command_others(room, session.shard, &remote);
    }

    /// A shard is gone with all its peers. If it begins anew, what it was told before is void: it
    /// waits for this to be known.
    pub(super) fn on_shard_ended(&mut self, shard: ShardId, begins_anew: bool) {
        if !begins_anew {
            self.placement.end(shard);
        }
        let seats = self.peers.iter();
        let peers: Vec<PeerId> = seats
            .filter(|(_, seat)| seat.shard == shard)
            .map(|(peer, _)| *peer)
            .collect();
        for peer in peers {
            self.on_peer_closed(peer, CloseReason::InternalError);
        }
        if begins_anew {
            self.command(shard, MediaCommand::StartAnew);
        }
    }

    fn shards_of(&self, room: RoomId) -> Vec<ShardId> {
        let room = self.rooms.get(&room);
        room.map(|room| room.shards.keys().copied().collect())
            .unwrap_or_default()
    }
}

fn remote(room: RoomId, session: &Session, publication: &Publication) -> MediaCommand {
    MediaCommand::AddRemotePublication {
        room,
        home: session.shard,
        publisher: session.peer,
        publication: Box::new(publication.config()),
    }
}
