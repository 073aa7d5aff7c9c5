//! The data channels of a simulated client, and what came over them.

use std::time::Instant;

use bytes::BytesMut;
use rtc::data_channel::{RTCDataChannelId, RTCDataChannelInit, RTCDataChannelMessage};
use rtc::peer_connection::RTCPeerConnection;

use crate::error::TestkitError;

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedData {
    /// Number of its sender.
    pub from: u64,
    /// Whether it came on the reliable channel.
    pub reliable: bool,
    /// What it carries.
    pub payload: Vec<u8>,
}

/// Both channels of a client.
#[derive(Debug)]
pub(super) struct DataChannels {
    reliable: RTCDataChannelId,
    lossy: RTCDataChannelId,
    pub(super) received: Vec<ReceivedData>,
}

impl DataChannels {
    pub(super) fn open(connection: &mut RTCPeerConnection) -> Result<Self, TestkitError> {
        let once = RTCDataChannelInit {
            ordered: false,
            max_retransmits: Some(0),
            ..RTCDataChannelInit::default()
        };
        let reliable = connection
            .create_data_channel("plenum.reliable", None)?
            .id();
        let lossy = connection
            .create_data_channel("plenum.lossy", Some(once))?
            .id();
        Ok(Self {
            reliable,
            lossy,
            received: Vec::new(),
        })
    }

    /// Sends to those with these numbers; to all if there are none.
    pub(super) fn send(
        &self,
        connection: &mut RTCPeerConnection,
        now: Instant,
        reliable: bool,
        to: &[u64],
        payload: &[u8],
    ) -> Result<(), TestkitError> {
        let id = if reliable { self.reliable } else { self.lossy };
        let mut frame = BytesMut::from(&[0, to.len() as u8][..]);
        for receiver in to {
            frame.extend_from_slice(&receiver.to_be_bytes());
        }
        frame.extend_from_slice(&[0]);
        frame.extend_from_slice(payload);
        let channel = connection.data_channel(id);
        let mut channel = channel.ok_or(TestkitError::NoSuch("data channel"))?;
        Ok(channel.send(now, frame)?)
    }

    pub(super) fn on_message(&mut self, id: RTCDataChannelId, message: &RTCDataChannelMessage) {
        let (kind_and_sender, rest) = message.data.split_at(9);
        let mut from = [0; 8];
        from.copy_from_slice(&kind_and_sender[1..]);
        let topic = usize::from(rest[0]);
        self.received.push(ReceivedData {
            from: u64::from_be_bytes(from),
            reliable: id == self.reliable,
            payload: rest[1 + topic..].to_vec(),
        });
    }
}
