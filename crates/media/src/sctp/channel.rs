//! One data channel: its opening message (RFC 8832 §5.1) and how messages are marked as text,
//! binary or empty (RFC 8831 §6.6).

use std::time::Instant;

use plenum_types::DropReason;
use rtc_datachannel::data_channel::DataChannel;
use rtc_datachannel::message::Message;
use rtc_datachannel::message::message_channel_open::DataChannelOpen;
use rtc_sctp::{PayloadProtocolIdentifier as Ppi, Stream};
use rtc_shared::error::Error;
use rtc_shared::marshal::Unmarshal;

const OPEN: u8 = 0x03;
const ACK: u8 = 0x02;

/// Longest label. Browsers allow 64 KiB; nobody names a channel like that.
const MAX_LABEL_LEN: usize = 256;

/// SCTP cannot carry an empty message, so one byte stands for it.
const EMPTY: &[u8] = &[0];

#[derive(Debug)]
pub(super) struct Channel {
    pub(super) label: String,
    open: DataChannelOpen,
}

impl Channel {
    pub(super) fn from_open(bytes: &[u8]) -> Result<Self, DropReason> {
        if bytes.first() != Some(&OPEN) {
            return Err(DropReason::DataUnwanted);
        }
        let mut reader = bytes;
        let Ok(Message::DataChannelOpen(open)) = Message::unmarshal(&mut reader) else {
            return Err(DropReason::DataUnwanted);
        };
        if open.label.len() > MAX_LABEL_LEN {
            return Err(DropReason::DataUnwanted);
        }
        let label = String::from_utf8(open.label.clone()).map_err(|_| DropReason::DataUnwanted)?;
        Ok(Self { label, open })
    }

    /// Gives our direction the reliability that the client asked for, and acknowledges. The
    /// acknowledgement goes in order and reliably (RFC 8832 §6): it is written before.
    pub(super) fn open_on(&self, stream: &mut Stream<'_>, now: Instant) -> Result<(), Error> {
        stream.write_with_ppi(now, &[ACK], Ppi::Dcep)?;
        let (unordered, reliability) = DataChannel::get_reliability_params(self.open.channel_type);
        stream.set_reliability_params(unordered, reliability, self.open.reliability_parameter)
    }
}

pub(super) fn is_ack(bytes: &[u8]) -> bool {
    bytes.first() == Some(&ACK)
}

/// A received message and whether it is text.
pub(super) fn decode(ppi: Ppi, bytes: Vec<u8>) -> Result<(Vec<u8>, bool), DropReason> {
    match ppi {
        Ppi::Binary => Ok((bytes, false)),
        Ppi::BinaryEmpty => Ok((Vec::new(), false)),
        Ppi::StringEmpty => Ok((Vec::new(), true)),
        Ppi::String if std::str::from_utf8(&bytes).is_ok() => Ok((bytes, true)),
        _ => Err(DropReason::DataUnwanted),
    }
}

/// How a message is sent.
pub(super) const fn encode(bytes: &[u8], text: bool) -> (Ppi, &[u8]) {
    match (text, bytes.is_empty()) {
        (false, false) => (Ppi::Binary, bytes),
        (false, true) => (Ppi::BinaryEmpty, EMPTY),
        (true, false) => (Ppi::String, bytes),
        (true, true) => (Ppi::StringEmpty, EMPTY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(label: &[u8]) -> Vec<u8> {
        let mut bytes = vec![OPEN, 0x80, 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(&(label.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(label);
        bytes
    }

    #[test]
    fn reads_an_opening_message() {
        let channel = Channel::from_open(&open(b"chat")).unwrap();
        assert_eq!(channel.label, "chat");
    }

    #[test]
    fn refuses_labels_that_are_no_text_or_too_long() {
        let unwanted = Some(DropReason::DataUnwanted);
        assert_eq!(Channel::from_open(&open(&[0xff])).err(), unwanted);
        assert_eq!(Channel::from_open(&open(&[b'a'; 257])).err(), unwanted);
        assert_eq!(Channel::from_open(&[]).err(), unwanted);
        // The library's own messages, which have no place on the wire.
        assert_eq!(Channel::from_open(&[0x00, 0, 0, 0, 0, 0]).err(), unwanted);
    }

    #[test]
    fn empty_messages_keep_their_kind() {
        for (bytes, text) in [(&b""[..], true), (b"", false), (b"x", true), (b"x", false)] {
            let (ppi, payload) = encode(bytes, text);
            assert!(!payload.is_empty());
            assert_eq!(decode(ppi, payload.to_vec()), Ok((bytes.to_vec(), text)));
        }
        assert!(decode(Ppi::String, vec![0xff]).is_err());
        assert!(decode(Ppi::Unknown, vec![1]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_opening_message_panics(bytes in proptest::collection::vec(0u8.., 0..64)) {
            let _ = Channel::from_open(&bytes);
        }
    }
}
