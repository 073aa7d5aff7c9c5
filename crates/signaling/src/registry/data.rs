//! Data messages: who may send, messages on their way to other shards, and what was dropped.
//!
//! The media plane carries them; here is known only who may do what, and which shards a room has.

use plenum_types::{
    DataAccess, DataLoss, DataMessage, MediaCommand, ParticipantId, PeerId, RoomId, ShardId,
};

use super::Registry;
use super::placement::Seat;
use crate::admin::{AdminError, AdminReply, DataSpec};
use crate::messages::{ErrorCode, ServerMessage};
use crate::room::Participant;

/// Longest topic, bytes.
const TOPIC_MAX: usize = 255;
/// Most receivers that a backend may name.
const RECEIVERS_MAX: usize = 1_000;

impl Registry {
    /// Tells a participant's shard what the participant may do with data messages.
    pub(super) fn tell_data_access(&mut self, room: RoomId, who: ParticipantId) {
        let session = self
            .participant(room, who)
            .and_then(|participant| participant.session.as_ref());
        if let Some((peer, shard)) = session.map(|session| (session.peer, session.shard)) {
            self.set_data_access(room, who, peer, shard);
        }
    }

    /// As [`Self::tell_data_access`], for a peer that is being opened.
    pub(super) fn set_data_access(
        &mut self,
        room: RoomId,
        who: ParticipantId,
        peer: PeerId,
        shard: ShardId,
    ) {
        let access = DataAccess {
            participant: who,
            may_send: self.participant(room, who).is_some_and(may_send),
            limits: self.config.limits.data(),
        };
        self.command(shard, MediaCommand::SetDataAccess { peer, access });
    }

    /// A backend's message to a room, or to some of it.
    pub(super) fn send_data(
        &mut self,
        room: &str,
        spec: &DataSpec,
    ) -> Result<AdminReply, AdminError> {
        let room = self.room_named(room)?;
        let most = self.config.limits.data().message_bytes as usize;
        if spec.text.len() > most || spec.topic.len() > TOPIC_MAX || spec.to.len() > RECEIVERS_MAX {
            return Err(AdminError::OutOfRange);
        }
        let mut to = Vec::new();
        for identity in &spec.to {
            let mut there = self.rooms[&room].participants.values();
            let found = there.find(|them| them.identity == *identity);
            to.push(found.ok_or(AdminError::UnknownParticipant)?.id);
        }
        let message = DataMessage {
            room,
            from: None,
            to,
            reliable: spec.reliable,
            text: true,
            topic: spec.topic.clone().into_bytes(),
            payload: spec.text.clone().into_bytes(),
        };
        self.deliver_data(None, Box::new(message));
        Ok(AdminReply::Done)
    }

    /// Has a message delivered by all shards of its room but `except`, which has delivered it. A
    /// message of the server's side goes to all of them.
    pub(super) fn deliver_data(&mut self, except: Option<ShardId>, message: Box<DataMessage>) {
        let room = message.room;
        let command = MediaCommand::DeliverData(message);
        match except {
            Some(shard) => self.command_others(room, shard, &command),
            None => self.command_all(room, &command),
        }
    }

    /// Messages from or to a participant were dropped.
    pub(super) fn on_data_lost(&mut self, peer: PeerId, cause: DataLoss, messages: u64) {
        let Some(&Seat { room, who, .. }) = self.peers.get(&peer) else {
            return;
        };
        let limits = self.config.limits.data();
        let message = match cause {
            DataLoss::SlowReceiver => ServerMessage::DataDropped { messages },
            DataLoss::NotPermitted => ServerMessage::error(
                ErrorCode::NotPermitted,
                "Ask for a token with canPublishData, and without hidden, to send data messages.",
            ),
            DataLoss::TooLarge => ServerMessage::error(
                ErrorCode::TooLarge,
                format!(
                    "Send data messages of at most {} bytes; {messages} larger ones were dropped.",
                    limits.message_bytes
                ),
            ),
            DataLoss::TooFast => ServerMessage::error(
                ErrorCode::TooManyMessages,
                format!(
                    "Send at most {} data messages and {} bytes a second; {messages} messages \
                     were dropped.",
                    limits.messages_per_second, limits.bytes_per_second
                ),
            ),
            DataLoss::Malformed => ServerMessage::error(
                ErrorCode::BadMessage,
                "Write data messages as the section on data messages of PROTOCOL.md describes.",
            ),
        };
        self.tell(room, who, message);
    }
}

/// Whoever others do not know of cannot write to them.
fn may_send(participant: &Participant) -> bool {
    let grants = participant.grants.info();
    grants.can_publish_data && !grants.hidden
}
