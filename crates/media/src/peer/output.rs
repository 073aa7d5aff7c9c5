//! What a peer has to say, until its owner asks.

use std::collections::VecDeque;

use plenum_types::{DropReason, Path};

use super::{PeerEvent, Transmit};

/// Datagrams that wait for `poll_transmit`. One input makes at most a flight of DTLS or a window
/// of SCTP; what goes beyond is dropped, counted by the caller, and sent again by the protocol's
/// own retransmission.
const MAX_TRANSMITS: usize = 512;

/// Events need no bound of their own: each input makes at most a handful, and messages of data
/// channels stay in SCTP's receive window while too many bytes of them wait here.
#[derive(Debug, Default)]
pub(crate) struct Output {
    transmits: VecDeque<Transmit>,
    events: VecDeque<PeerEvent>,
    /// Bytes of data channel messages among the events.
    data_bytes: usize,
}

impl Output {
    pub(crate) fn transmit(&mut self, path: Path, bytes: Vec<u8>) -> Result<(), DropReason> {
        if self.transmits.len() >= MAX_TRANSMITS {
            return Err(DropReason::SendBatchFull);
        }
        self.transmits.push_back(Transmit { path, bytes });
        Ok(())
    }

    pub(crate) fn event(&mut self, event: PeerEvent) {
        if let PeerEvent::DataReceived { bytes, .. } = &event {
            self.data_bytes += bytes.len();
        }
        self.events.push_back(event);
    }

    pub(crate) const fn data_bytes(&self) -> usize {
        self.data_bytes
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    pub(crate) fn poll_event(&mut self) -> Option<PeerEvent> {
        let event = self.events.pop_front()?;
        if let PeerEvent::DataReceived { bytes, .. } = &event {
            self.data_bytes -= bytes.len();
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transmits_are_bounded() {
        let mut out = Output::default();
        let path = Path::to("192.0.2.1:1".parse().unwrap());
        for _ in 0..MAX_TRANSMITS {
            out.transmit(path, Vec::new()).unwrap();
        }
        assert_eq!(
            out.transmit(path, Vec::new()),
            Err(DropReason::SendBatchFull)
        );
        assert!(out.poll_transmit().is_some());
        assert_eq!(out.transmit(path, Vec::new()), Ok(()));
    }

    #[test]
    fn waiting_data_is_weighed() {
        let mut out = Output::default();
        out.event(PeerEvent::DataReceived {
            id: 1,
            bytes: vec![0; 10],
            text: false,
        });
        out.event(PeerEvent::Resumed);
        assert_eq!(out.data_bytes(), 10);
        out.poll_event();
        assert_eq!(out.data_bytes(), 0);
        assert_eq!(out.poll_event(), Some(PeerEvent::Resumed));
    }
}
