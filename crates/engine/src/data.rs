//! Messages between participants over data channels: read, checked and stamped once, then handed
//! to the channel of each receiver.
//!
//! Nothing waits here. What a receiver has not read waits in its SCTP send buffer, which is
//! bounded; beyond the bound messages to it are dropped and counted, and nobody else notices.

mod budget;
mod frame;
mod losses;
#[cfg(test)]
mod tests;

use crate::shard::Shard;
use budget::Budget;
use frame::Request;
use losses::Losses;
use plenum_types::{
    DataAccess, DataLoss, DataMessage, DropReason, MediaEvent, ParticipantId, PeerId, PeerIndex,
    RoomId,
};
use std::time::Instant;

/// Label of the channel for messages that are repeated until they arrive.
const RELIABLE: &str = "plenum.reliable";

/// Label of the channel for messages that are sent once.
const LOSSY: &str = "plenum.lossy";

/// What a peer has to do with data messages.
#[derive(Debug, Default)]
pub(crate) struct PeerData {
    access: Option<DataAccess>,
    reliable: Option<u16>,
    lossy: Option<u16>,
    budget: Budget,
    losses: Losses,
}

impl PeerData {
    /// The client opened a channel; those of other names are its own affair.
    pub(crate) fn open(&mut self, label: &str, channel: u16) {
        match label {
            RELIABLE => self.reliable = Some(channel),
            LOSSY => self.lossy = Some(channel),
            _ => {}
        }
    }

    const fn channel(&self, reliable: bool) -> Option<u16> {
        if reliable { self.reliable } else { self.lossy }
    }

    /// Whether a message on `channel` is reliable; `None` if it is no channel of ours.
    fn is_reliable(&self, channel: u16) -> Option<bool> {
        let known = [(self.reliable, true), (self.lossy, false)];
        let mut of_ours = known.into_iter().filter(|(id, _)| *id == Some(channel));
        of_ours.next().map(|(_, reliable)| reliable)
    }

    fn participant(&self) -> Option<ParticipantId> {
        self.access.map(|access| access.participant)
    }

    /// Reads a message and takes it from the sender's allowance.
    fn admit<'f>(&mut self, now: Instant, frame: &'f [u8]) -> Result<Request<'f>, DataLoss> {
        let access = self.access.filter(|access| access.may_send);
        let limits = access.ok_or(DataLoss::NotPermitted)?.limits;
        let request = Request::parse(frame).ok_or(DataLoss::Malformed)?;
        let bytes = request.payload.len() as u32;
        if bytes > limits.message_bytes {
            return Err(DataLoss::TooLarge);
        }
        let within = self.budget.take(now, &limits, bytes);
        within.then_some(request).ok_or(DataLoss::TooFast)
    }
}

impl Shard {
    /// What a peer may do; it takes part from now on.
    pub(crate) fn set_data_access(&mut self, now: Instant, peer: PeerId, access: DataAccess) {
        let Some(index) = self.peers.index_of(peer) else {
            return;
        };
        if let Some(entry) = self.peers.at_mut(index) {
            entry.data.budget.begin(now);
            let is_new = entry.data.access.replace(access).is_none();
            if is_new {
                self.data_rooms.entry(entry.room).or_default().push(index);
            }
        }
    }

    /// The peer is gone: nothing is delivered to it any more.
    pub(crate) fn forget_data(&mut self, peer: PeerIndex, room: RoomId) {
        if let Some(members) = self.data_rooms.get_mut(&room) {
            members.retain(|member| *member != peer);
            if members.is_empty() {
                self.data_rooms.remove(&room);
            }
        }
    }

    /// A client sent something on a data channel.
    pub(crate) fn on_data(&mut self, now: Instant, peer: PeerIndex, channel: u16, frame: &[u8]) {
        let Some(entry) = self.peers.at_mut(peer) else {
            return;
        };
        let Some(reliable) = entry.data.is_reliable(channel) else {
            self.stats.drops.count(DropReason::DataUnwanted);
            return;
        };
        match entry.data.admit(now, frame) {
            Ok(request) => {
                let message = DataMessage {
                    room: entry.room,
                    from: entry.data.participant(),
                    to: request.to,
                    reliable,
                    text: request.text,
                    topic: request.topic.to_vec(),
                    payload: request.payload.to_vec(),
                };
                self.stats.data_messages_in += 1;
                self.stats.data_bytes_in += message.payload.len() as u64;
                self.deliver_data(now, &message);
                if self.config.shards > 1 {
                    let message = Box::new(message);
                    self.events.push_back(MediaEvent::DataSent(message));
                }
            }
            Err(cause) => self.on_data_lost(now, peer, cause, true),
        }
    }

    /// Hands a message to those on this shard whom it is for.
    pub(crate) fn deliver_data(&mut self, now: Instant, message: &DataMessage) {
        let members = self.data_rooms.get(&message.room);
        let count = members.map_or(0, Vec::len);
        let frame = frame::compose(message);
        for position in 0..count {
            let members = self.data_rooms.get(&message.room);
            if let Some(&member) = members.and_then(|members| members.get(position)) {
                self.deliver_to(now, member, message, &frame);
            }
        }
    }

    fn deliver_to(&mut self, now: Instant, peer: PeerIndex, message: &DataMessage, frame: &[u8]) {
        let entry = self.peers.at_mut(peer);
        let Some(entry) = entry.filter(|entry| entry.ending.is_none()) else {
            return;
        };
        let Some(participant) = entry.data.participant() else {
            return;
        };
        if !is_for(message, participant) {
            return;
        }
        // Who has opened no channel takes no messages.
        let Some(channel) = entry.data.channel(message.reliable) else {
            return;
        };
        let sent = entry.transport.send_data(now, channel, frame, false);
        self.peers.touch(peer);
        match sent {
            Ok(()) => {
                self.stats.data_messages_out += 1;
                self.stats.data_bytes_out += message.payload.len() as u64;
            }
            Err(DropReason::SendBatchFull) => {
                let told = message.reliable;
                self.on_data_lost(now, peer, DataLoss::SlowReceiver, told);
            }
            Err(reason) => self.stats.drops.count(reason),
        }
    }

    fn on_data_lost(&mut self, now: Instant, peer: PeerIndex, cause: DataLoss, told: bool) {
        self.stats.drops.count(losses::drop_reason(cause));
        if let Some(entry) = self.peers.at_mut(peer).filter(|_| told) {
            entry.data.losses.note(cause);
            self.tell_data_losses(now, peer);
        }
    }

    /// Tells the control plane of losses that are due to be told.
    pub(crate) fn tell_data_losses(&mut self, now: Instant, peer: PeerIndex) {
        let Some(entry) = self.peers.at_mut(peer) else {
            return;
        };
        while let Some((cause, messages)) = entry.data.losses.poll(now) {
            self.events.push_back(MediaEvent::DataLost {
                peer: entry.id,
                cause,
                messages,
            });
        }
    }
}

/// Whether a participant is among the receivers. The sender never is.
fn is_for(message: &DataMessage, participant: ParticipantId) -> bool {
    let named = message.to.is_empty() || message.to.contains(&participant);
    named && message.from != Some(participant)
}
