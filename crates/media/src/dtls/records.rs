//! A look at DTLS records (RFC 6347 §4.1) before the DTLS library gets them.
//!
//! The library treats some damage as fatal, keeps early records in queues without bound, and joins
//! handshake fragments recursively. So what is malformed is refused here (RFC 6347 §4.1.2.7 wants
//! it discarded), and the number of records that it may have to keep is bounded.

use plenum_types::DropReason;

const RECORD_HEADER_LEN: usize = 13;
const FRAGMENT_HEADER_LEN: usize = 12;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

const ALERT_LEVEL_WARNING: u8 = 1;
const ALERT_CLOSE_NOTIFY: u8 = 0;

/// Records of the handshake that one connection may send, repetitions included. A handshake takes
/// six to ten; at 30 % loss a browser sends about a hundred within the connect timeout.
const MAX_HANDSHAKE_RECORDS: usize = 512;

/// Bytes of handshake records that one connection may send. A client's flights are about 2 KiB
/// with a P-256 certificate, 4 KiB with RSA.
const MAX_HANDSHAKE_BYTES: usize = 128 * 1024;

/// Largest handshake message. A chain of RSA certificates stays below.
const MAX_MESSAGE_LEN: usize = 16 * 1024;

/// One record, borrowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'d> {
    pub(super) kind: u8,
    pub(super) epoch: u16,
    pub(super) body: &'d [u8],
}

/// One fragment of a handshake message (RFC 6347 §4.2.2), borrowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'d> {
    pub(super) kind: u8,
    pub(super) length: usize,
    pub(super) sequence: u16,
    pub(super) offset: usize,
    pub(super) body: &'d [u8],
}

/// The records of a datagram. A malformed one ends the iteration with an error.
pub(super) fn records(datagram: &[u8]) -> impl Iterator<Item = Result<Record<'_>, DropReason>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let record = split_record(rest);
        rest = record.map_or(&[], |(_, next)| next);
        Some(
            record
                .map(|(record, _)| record)
                .ok_or(DropReason::DtlsRefused),
        )
    })
}

fn split_record(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (header, rest) = bytes.split_at_checked(RECORD_HEADER_LEN)?;
    let known = matches!(header[0], CHANGE_CIPHER_SPEC..=APPLICATION_DATA);
    let version = matches!(header[1..3], [0xfe, 0xfd | 0xff]);
    let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
    if !known || !version || length == 0 {
        return None;
    }
    let (body, next) = rest.split_at_checked(length)?;
    let record = Record {
        kind: header[0],
        epoch: u16::from_be_bytes([header[3], header[4]]),
        body,
    };
    Some((record, next))
}

/// The fragments in the body of a plain handshake record. A malformed one ends the iteration with
/// an error.
pub(super) fn fragments(body: &[u8]) -> impl Iterator<Item = Result<Fragment<'_>, DropReason>> {
    let mut rest = body;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let fragment = split_fragment(rest);
        rest = fragment.map_or(&[], |(_, next)| next);
        Some(
            fragment
                .map(|(fragment, _)| fragment)
                .ok_or(DropReason::DtlsRefused),
        )
    })
}

fn split_fragment(bytes: &[u8]) -> Option<(Fragment<'_>, &[u8])> {
    let (header, rest) = bytes.split_at_checked(FRAGMENT_HEADER_LEN)?;
    let length = read_u24(&header[1..4]);
    let offset = read_u24(&header[6..9]);
    let (body, next) = rest.split_at_checked(read_u24(&header[9..12]))?;
    // Behind an incomplete message the library would not find the next one.
    let splittable = body.len() == length || next.is_empty();
    if length > MAX_MESSAGE_LEN || offset + body.len() > length || !splittable {
        return None;
    }
    let fragment = Fragment {
        kind: header[0],
        length,
        sequence: u16::from_be_bytes([header[4], header[5]]),
        offset,
        body,
    };
    Some((fragment, next))
}

fn read_u24(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |value, byte| value << 8 | usize::from(*byte))
}

/// Admits datagrams to the library.
#[derive(Debug, Default)]
pub(super) struct Gate {
    records: usize,
    bytes: usize,
    /// One above the highest sequence number of a handshake message seen.
    next_message: u16,
}

impl Gate {
    /// Checks the form of every record and takes its cost off the budget. Tells whether the client
    /// repeats a handshake message, that is, misses our answer.
    pub(super) fn admit(&mut self, datagram: &[u8], connected: bool) -> Result<bool, DropReason> {
        if datagram.is_empty() {
            return Err(DropReason::DtlsRefused);
        }
        let (mut cost_records, mut cost_bytes) = (0, 0);
        for record in records(datagram) {
            let record = record?;
            check_form(&record)?;
            if !connected || record.kind == HANDSHAKE {
                cost_records += 1;
                cost_bytes += record.body.len();
            }
        }
        if self.records + cost_records > MAX_HANDSHAKE_RECORDS
            || self.bytes + cost_bytes > MAX_HANDSHAKE_BYTES
        {
            return Err(DropReason::DtlsRefused);
        }
        self.records += cost_records;
        self.bytes += cost_bytes;
        Ok(self.note_messages(datagram))
    }

    fn note_messages(&mut self, datagram: &[u8]) -> bool {
        let mut repeated = false;
        let plain = records(datagram)
            .flatten()
            .filter(|record| record.kind == HANDSHAKE && record.epoch == 0);
        for fragment in plain.flat_map(|record| fragments(record.body)).flatten() {
            if fragment.offset > 0 {
                continue;
            }
            if fragment.sequence < self.next_message {
                repeated = true;
            } else {
                self.next_message = fragment.sequence.saturating_add(1);
            }
        }
        repeated
    }
}

/// Plain records must be well-formed. Of encrypted ones only the library can tell.
fn check_form(record: &Record<'_>) -> Result<(), DropReason> {
    if record.epoch > 0 {
        return Ok(());
    }
    let well_formed = match record.kind {
        CHANGE_CIPHER_SPEC => record.body == [1],
        // A warning that does not close says nothing that we act on.
        ALERT => matches!(record.body, [level, description]
            if *level != ALERT_LEVEL_WARNING || *description == ALERT_CLOSE_NOTIFY),
        HANDSHAKE => fragments(record.body).all(|fragment| fragment.is_ok()),
        _ => false,
    };
    if well_formed {
        Ok(())
    } else {
        Err(DropReason::DtlsRefused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(&(body.len() as u16).to_be_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    fn fragment(sequence: u8, length: u8, offset: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![1, 0, 0, length, 0, sequence, 0, 0, offset, 0, 0];
        bytes.push(body.len() as u8);
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn repeated_messages_are_noticed() {
        let mut gate = Gate::default();
        let first = record(HANDSHAKE, 0, &fragment(0, 2, 0, &[1, 2]));
        let second = record(HANDSHAKE, 0, &fragment(1, 2, 0, &[1, 2]));
        assert_eq!(gate.admit(&first, false), Ok(false));
        assert_eq!(gate.admit(&second, false), Ok(false));
        assert_eq!(gate.admit(&second, false), Ok(true));
    }

    #[test]
    fn malformed_plain_records_are_refused() {
        let mut gate = Gate::default();
        let refused = Err(DropReason::DtlsRefused);
        for bytes in [
            vec![],
            vec![HANDSHAKE],
            record(HANDSHAKE, 0, &[1, 2, 3]),
            record(HANDSHAKE, 0, &fragment(0, 1, 0, &[1, 2])),
            record(HANDSHAKE, 0, &fragment(0, 9, 8, &[1, 2])),
            record(CHANGE_CIPHER_SPEC, 0, &[2]),
            record(ALERT, 0, &[2]),
            record(ALERT, 0, &[1, 90]),
            record(APPLICATION_DATA, 0, &[0]),
            record(24, 0, &[0]),
            record(HANDSHAKE, 0, &[]),
        ] {
            assert_eq!(gate.admit(&bytes, false), refused, "{bytes:?}");
        }
        let mut cut = record(CHANGE_CIPHER_SPEC, 0, &[1]);
        assert_eq!(gate.admit(&cut, false), Ok(false));
        cut.pop();
        assert_eq!(gate.admit(&cut, false), refused);
    }

    #[test]
    fn the_budget_ends_floods_but_not_application_data() {
        let mut gate = Gate::default();
        let tiny = record(HANDSHAKE, 0, &fragment(0, 200, 0, &[1]));
        let admitted = (0..1000)
            .filter(|_| gate.admit(&tiny, true).is_ok())
            .count();
        assert_eq!(admitted, MAX_HANDSHAKE_RECORDS);
        let data = record(APPLICATION_DATA, 1, &[0; 100]);
        assert!((0..10_000).all(|_| gate.admit(&data, true).is_ok()));
        assert!(gate.admit(&data, false).is_err());
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_the_gate_panic(bytes in proptest::collection::vec(0u8.., 0..100)) {
            let _ = Gate::default().admit(&bytes, false);
            let _ = Gate::default().admit(&record(HANDSHAKE, 0, &bytes), false);
        }
    }
}
