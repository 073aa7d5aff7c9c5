//! What data messages look like on their channels; PROTOCOL.md describes it for clients.

use plenum_types::{DataMessage, ParticipantId};

/// Bytes of a participant's number.
const NUMBER: usize = 8;

const BINARY: u8 = 0;
const TEXT: u8 = 1;

/// What a client sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request<'f> {
    pub(super) text: bool,
    /// Empty: to all.
    pub(super) to: Vec<ParticipantId>,
    pub(super) topic: &'f [u8],
    pub(super) payload: &'f [u8],
}

impl<'f> Request<'f> {
    /// Kind, number of receivers, receivers, length of the topic, topic (UTF-8), payload.
    pub(super) fn parse(frame: &'f [u8]) -> Option<Self> {
        let (kind, rest) = frame.split_first()?;
        let text = match *kind {
            BINARY => false,
            TEXT => true,
            _ => return None,
        };
        let (count, rest) = rest.split_first()?;
        let (to, rest) = rest.split_at_checked(usize::from(*count) * NUMBER)?;
        let (length, rest) = rest.split_first()?;
        let (topic, payload) = rest.split_at_checked(usize::from(*length))?;
        std::str::from_utf8(topic).ok()?;
        let (numbers, _) = to.as_chunks::<NUMBER>();
        Some(Self {
            text,
            to: numbers
                .iter()
                .map(|number| ParticipantId(u64::from_be_bytes(*number)))
                .collect(),
            topic,
            payload,
        })
    }
}

/// What receivers get: kind, sender (0: the server's side), length of the topic, topic, payload.
pub(super) fn compose(message: &DataMessage) -> Vec<u8> {
    // A topic from a client has at most 255 bytes; one from elsewhere is cut.
    let length = message.topic.len().min(usize::from(u8::MAX));
    let mut frame = Vec::with_capacity(2 + NUMBER + length + message.payload.len());
    frame.push(if message.text { TEXT } else { BINARY });
    let from = message.from.map_or(0, |sender| sender.0);
    frame.extend_from_slice(&from.to_be_bytes());
    frame.push(length as u8);
    frame.extend_from_slice(&message.topic[..length]);
    frame.extend_from_slice(&message.payload);
    frame
}
