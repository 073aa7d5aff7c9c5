//! What a client may make the SCTP library remember or count through.
//!
//! The library walks every number up to a FORWARD-TSN's, whatever its distance; keeps DATA of any
//! distance, and DATA without bytes beside the receive window; makes a stream for any id; and keeps
//! every stream reset that waits for data, to answer all of them whenever data comes. So chunks
//! that no client has reason to send are refused here, before the library sees their packet. A
//! client that meets a bound repeats itself, as it does after loss.
//!
//! Invariant: the bounds count from what the library itself has acknowledged, read from the SACKs
//! that it sends, and never from what the client claims.

use plenum_types::DropReason;

use super::packet::{Chunk, chunks};

const DATA: u8 = 0;
const SACK: u8 = 3;
const RECONFIG: u8 = 130;
const FORWARD_TSN: u8 = 192;

/// Parameters of RE-CONFIG (RFC 6525 §4): outgoing reset request, response.
const RESET_REQUEST: u16 = 13;
const RESET_RESPONSE: u16 = 16;

/// Bytes of a DATA chunk before the user data (RFC 9260 §3.3.1).
const DATA_HEADER: usize = 16;

/// Bytes of a response without its optional fields. With them the library would take their bytes
/// for the next parameter.
const RESPONSE_LEN: usize = 12;

/// Streams that data may come on. Browsers number theirs from 0 or 1 upwards, and Chromium has no
/// more than this; each costs the library some hundred bytes.
const MAX_STREAMS: u16 = 1_024;

/// Transmission sequence numbers that may be used ahead of our acknowledgement. Fewer slow down a
/// client that sends many tiny messages; each costs the library some hundred bytes.
const MAX_AHEAD: i32 = 4_096;

/// DATA chunks admitted before our first acknowledgement, which comes with the first of them.
const MAX_UNACKNOWLEDGED: u32 = 256;

/// Reset requests that may wait for data. RFC 6525 §5.1.2 allows one at a time.
const MAX_WAITING_RESETS: usize = 4;

/// Request sequence number, and the last TSN before the reset.
type Reset = (u32, u32);

/// Follows one association.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// The cumulative TSN that we acknowledged last.
    acknowledged: Option<u32>,
    /// DATA chunks before there was an acknowledgement.
    unacknowledged: u32,
    waiting_resets: Vec<Reset>,
}

impl Guard {
    /// Refuses a well-formed packet that goes beyond a bound.
    pub(super) fn admit(&mut self, packet: &[u8]) -> Result<(), DropReason> {
        chunks(packet)
            .all(|chunk| self.admit_chunk(&chunk).is_some())
            .then_some(())
            .ok_or(DropReason::SctpRefused)
    }

    /// A packet of the library's is sent.
    pub(super) fn on_sent(&mut self, packet: &[u8]) {
        for chunk in chunks(packet).filter(|chunk| chunk.kind == SACK) {
            self.acknowledged = read_u32(chunk.bytes, 4).or(self.acknowledged);
        }
    }

    fn admit_chunk(&mut self, chunk: &Chunk<'_>) -> Option<()> {
        match chunk.kind {
            DATA => self.admit_data(chunk.bytes),
            FORWARD_TSN => {
                let ahead = self.ahead(read_u32(chunk.bytes, 4)?)?;
                (ahead <= MAX_AHEAD).then_some(())
            }
            RECONFIG => self.admit_reconfig(chunk.bytes.get(4..)?),
            _ => Some(()),
        }
    }

    fn admit_data(&mut self, chunk: &[u8]) -> Option<()> {
        let (tsn, stream) = (read_u32(chunk, 4)?, read_u16(chunk, 8)?);
        if chunk.len() <= DATA_HEADER || stream >= MAX_STREAMS {
            return None;
        }
        let within = match self.ahead(tsn) {
            Some(ahead) => ahead <= MAX_AHEAD,
            None => {
                self.unacknowledged += 1;
                self.unacknowledged <= MAX_UNACKNOWLEDGED
            }
        };
        within.then_some(())
    }

    fn admit_reconfig(&mut self, mut parameters: &[u8]) -> Option<()> {
        while !parameters.is_empty() {
            let length = usize::from(read_u16(parameters, 2)?);
            let parameter = parameters.get(..length)?;
            match read_u16(parameters, 0)? {
                RESET_REQUEST => {
                    self.admit_reset((read_u32(parameter, 4)?, read_u32(parameter, 12)?))?;
                }
                RESET_RESPONSE if length == RESPONSE_LEN => {}
                _ => return None,
            }
            parameters = parameters
                .get(length.next_multiple_of(4)..)
                .unwrap_or_default();
        }
        Some(())
    }

    fn admit_reset(&mut self, reset: Reset) -> Option<()> {
        let acknowledged = self.acknowledged?;
        let waits = |(_, last): &Reset| distance(*last, acknowledged) > 0;
        self.waiting_resets.retain(waits);
        if !waits(&reset) || self.waiting_resets.contains(&reset) {
            return Some(());
        }
        if self.waiting_resets.len() >= MAX_WAITING_RESETS {
            return None;
        }
        self.waiting_resets.push(reset);
        Some(())
    }

    /// How far `tsn` is ahead of our acknowledgement, if there was one.
    fn ahead(&self, tsn: u32) -> Option<i32> {
        Some(distance(tsn, self.acknowledged?))
    }
}

/// Signed distance of two sequence numbers (RFC 1982).
const fn distance(tsn: u32, from: u32) -> i32 {
    tsn.wrapping_sub(from).cast_signed()
}

fn read_u16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: u8, body: &[&[u8]]) -> Vec<u8> {
        let body = body.concat();
        let mut bytes = vec![0; 12];
        bytes.extend_from_slice(&[kind, 0]);
        bytes.extend_from_slice(&(body.len() as u16 + 4).to_be_bytes());
        bytes.extend_from_slice(&body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn data(tsn: u32, stream: u16, user: &[u8]) -> Vec<u8> {
        let head = [tsn.to_be_bytes(), [0; 4], [0, 0, 0, 53]];
        let mut bytes = packet(DATA, &[&head.concat(), user]);
        bytes[20..22].copy_from_slice(&stream.to_be_bytes());
        bytes
    }

    fn forward(tsn: u32) -> Vec<u8> {
        packet(FORWARD_TSN, &[&tsn.to_be_bytes()])
    }

    fn reset(request: u32, last: u32) -> Vec<u8> {
        let numbers = [request.to_be_bytes(), [0; 4], last.to_be_bytes()];
        packet(RECONFIG, &[&[0, 13, 0, 18], &numbers.concat(), &[0, 2]])
    }

    fn guard(acknowledged: u32) -> Guard {
        let mut guard = Guard::default();
        guard.on_sent(&packet(SACK, &[&acknowledged.to_be_bytes(), &[0; 8]]));
        guard
    }

    const REFUSED: Result<(), DropReason> = Err(DropReason::SctpRefused);

    #[test]
    fn numbers_count_from_our_acknowledgement_and_wrap() {
        for acknowledged in [7, u32::MAX - 5] {
            let mut guard = guard(acknowledged);
            let farthest = acknowledged.wrapping_add(MAX_AHEAD as u32);
            for (tsn, expected) in [
                (acknowledged, Ok(())),
                (farthest, Ok(())),
                (farthest.wrapping_add(1), REFUSED),
            ] {
                assert_eq!(guard.admit(&data(tsn, 0, &[1])), expected);
                assert_eq!(guard.admit(&forward(tsn)), expected);
            }
        }
    }

    #[test]
    fn before_the_first_acknowledgement_little_is_taken() {
        let mut guard = Guard::default();
        assert_eq!(guard.admit(&forward(1)), REFUSED);
        assert_eq!(guard.admit(&reset(1, 1)), REFUSED);
        let admitted = (0..1_000).filter(|tsn| guard.admit(&data(*tsn, 0, &[1])).is_ok());
        assert_eq!(admitted.count(), MAX_UNACKNOWLEDGED as usize);
    }

    #[test]
    fn data_needs_bytes_and_a_low_stream() {
        let mut guard = guard(7);
        assert_eq!(guard.admit(&data(8, 0, &[])), REFUSED);
        assert_eq!(guard.admit(&data(8, MAX_STREAMS, &[1])), REFUSED);
        assert_eq!(guard.admit(&data(8, MAX_STREAMS - 1, &[1])), Ok(()));
    }

    #[test]
    fn few_resets_wait_for_data() {
        let mut guard = guard(7);
        assert!((0..100).all(|request| guard.admit(&reset(request, 7)).is_ok()));
        let admitted = (0..100).filter(|request| guard.admit(&reset(*request, 9)).is_ok());
        assert_eq!(admitted.count(), MAX_WAITING_RESETS);
        assert_eq!(guard.admit(&reset(0, 9)), Ok(()), "a repetition");
        guard.on_sent(&packet(SACK, &[&9_u32.to_be_bytes(), &[0; 8]]));
        assert_eq!(guard.admit(&reset(100, 10)), Ok(()));
    }

    #[test]
    fn a_request_cannot_hide_in_a_response() {
        let mut guard = guard(7);
        let response = |length: u8| {
            packet(
                RECONFIG,
                &[&[0, 16, 0, length], &vec![0; length as usize - 4]],
            )
        };
        assert_eq!(guard.admit(&response(12)), Ok(()));
        assert_eq!(guard.admit(&response(20)), REFUSED);
        assert_eq!(guard.admit(&packet(RECONFIG, &[&[0x80, 1, 0, 0]])), REFUSED);
    }
}
