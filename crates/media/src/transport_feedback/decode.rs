//! Reading feedback without allocation, and without trusting its counts: at most
//! [`MAX_STATUSES`] packets are told of, whatever the run lengths say.

use super::{FIXED, REFERENCE_TICKS, Status, VECTOR_1_BIT, VECTOR_2_BIT};

/// Most packets read from one feedback. A feedback of 1,200 bytes with more than that would be
/// about lost packets mostly; a hostile one could claim 65,535 in 24 bytes.
const MAX_STATUSES: u16 = 4_096;

/// The statuses in a feedback packet, in the order of sequence numbers.
pub(crate) struct Statuses<'p> {
    chunks: &'p [u8],
    deltas: &'p [u8],
    chunk: Chunk,
    sequence: u16,
    left: u16,
    arrival: u32,
}

/// What is left of a chunk.
#[derive(Clone, Copy)]
enum Chunk {
    Run { symbol: u8, left: u16 },
    Vector { bits: u16, width: u32, left: u16 },
}

impl<'p> Statuses<'p> {
    /// Opens a whole RTCP packet, header included. `None` if it is no such feedback or does not
    /// hold the chunks that it announces.
    pub(crate) fn new(packet: &'p [u8]) -> Option<Self> {
        let fixed: &[u8; FIXED] = packet.first_chunk()?;
        if fixed[0] & 0xdf != 0x8f || fixed[1] != 205 {
            return None;
        }
        let padding = match fixed[0] & 0x20 {
            0 => 0,
            _ => usize::from(*packet.last()?),
        };
        let body = packet.get(FIXED..packet.len().checked_sub(padding)?)?;
        let left = u16::from_be_bytes([fixed[14], fixed[15]]);
        let chunks = chunk_bytes(body, left)?;
        let (chunks, deltas) = body.split_at(chunks);
        let reference = u32::from_be_bytes([0, fixed[16], fixed[17], fixed[18]]);
        Some(Self {
            chunks,
            deltas,
            chunk: Chunk::Run { symbol: 0, left: 0 },
            sequence: u16::from_be_bytes([fixed[12], fixed[13]]),
            left: left.min(MAX_STATUSES),
            arrival: reference.wrapping_mul(REFERENCE_TICKS),
        })
    }

    fn next_symbol(&mut self) -> Option<u8> {
        loop {
            if let Some(symbol) = self.chunk.next_symbol() {
                return Some(symbol);
            }
            let (chunk, rest) = self.chunks.split_first_chunk()?;
            self.chunks = rest;
            self.chunk = Chunk::read(*chunk);
        }
    }

    /// The delta that `symbol` announces, in ticks.
    fn next_delta(&mut self, symbol: u8) -> Option<i32> {
        if symbol == 1 {
            let (delta, rest) = self.deltas.split_first()?;
            self.deltas = rest;
            return Some(i32::from(*delta));
        }
        let (delta, rest) = self.deltas.split_first_chunk()?;
        self.deltas = rest;
        Some(i32::from(i16::from_be_bytes(*delta)))
    }
}

impl Iterator for Statuses<'_> {
    type Item = Status;

    fn next(&mut self) -> Option<Status> {
        self.left = self.left.checked_sub(1)?;
        let symbol = self.next_symbol()?;
        let arrival = match symbol {
            1 | 2 => {
                let delta = self.next_delta(symbol)?;
                self.arrival = self.arrival.wrapping_add_signed(delta);
                Some(self.arrival)
            }
            _ => None,
        };
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Some(Status { sequence, arrival })
    }
}

impl Chunk {
    fn read(bytes: [u8; 2]) -> Self {
        let word = u16::from_be_bytes(bytes);
        match word >> 14 {
            0 | 1 => Self::Run {
                symbol: (word >> 13) as u8 & 3,
                left: word & 0x1fff,
            },
            2 => Self::Vector {
                bits: word << 2,
                width: 1,
                left: VECTOR_1_BIT as u16,
            },
            _ => Self::Vector {
                bits: word << 2,
                width: 2,
                left: VECTOR_2_BIT as u16,
            },
        }
    }

    /// How many packets it tells about.
    const fn length(self) -> u16 {
        match self {
            Self::Run { left, .. } | Self::Vector { left, .. } => left,
        }
    }

    fn next_symbol(&mut self) -> Option<u8> {
        match self {
            Self::Run { symbol, left } => {
                *left = left.checked_sub(1)?;
                Some(*symbol)
            }
            Self::Vector { bits, width, left } => {
                *left = left.checked_sub(1)?;
                let symbol = (*bits >> (16 - *width)) as u8;
                *bits <<= *width;
                Some(symbol)
            }
        }
    }
}

/// Bytes of the chunks that cover `count` packets; the deltas follow them.
fn chunk_bytes(body: &[u8], count: u16) -> Option<usize> {
    let mut covered = 0_u32;
    let mut bytes = 0;
    while covered < u32::from(count) {
        let chunk = body.get(bytes..bytes + 2)?;
        covered += u32::from(Chunk::read([chunk[0], chunk[1]]).length());
        bytes += 2;
    }
    Some(bytes)
}
