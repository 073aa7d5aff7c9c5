//! Writing feedback: arrivals of consecutive sequence numbers become deltas and chunks.

use super::{FIXED, MAX_RUN, REFERENCE_TICKS, VECTOR_1_BIT, VECTOR_2_BIT};
use plenum_types::Ssrc;

/// Symbols of the format.
const NOT_RECEIVED: u8 = 0;
const SMALL_DELTA: u8 = 1;
const LARGE_DELTA: u8 = 2;

/// Most packets that one feedback tells about, lost ones included.
const MAX_STATUSES: usize = 1_024;

/// What [`encode`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// How many sequence numbers it tells about, from the base on.
    pub statuses: u16,
}

/// Appends one feedback of at most `budget` bytes about the packets `base`, `base + 1`, ... whose
/// arrival `arrivals` yields. It stops early where the budget ends, or where a delta does not fit
/// its field. `None`: nothing was received, or there is no room; nothing is written.
pub fn encode(
    sender: Ssrc,
    media: Ssrc,
    count: u8,
    base: u16,
    arrivals: impl Iterator<Item = Option<u32>>,
    budget: usize,
    out: &mut Vec<u8>,
) -> Option<Encoded> {
    let gathered = gather(arrivals, budget)?;
    let start = out.len();
    out.extend([0x8f, 205, 0, 0]);
    out.extend(sender.0.to_be_bytes());
    out.extend(media.0.to_be_bytes());
    out.extend(base.to_be_bytes());
    out.extend((gathered.symbols.len() as u16).to_be_bytes());
    out.extend(&gathered.reference.to_be_bytes()[1..]);
    out.push(count);
    let mut symbols = gathered.symbols.as_slice();
    while !symbols.is_empty() {
        let told = write_chunk(symbols, out);
        symbols = &symbols[told..];
    }
    out.extend(&gathered.deltas);
    pad(start, out);
    Some(Encoded {
        statuses: gathered.symbols.len() as u16,
    })
}

struct Gathered {
    symbols: Vec<u8>,
    deltas: Vec<u8>,
    /// In units of 64 ms, 24 bits.
    reference: u32,
}

/// The symbols and deltas that fit, ending with a received packet.
fn gather(arrivals: impl Iterator<Item = Option<u32>>, budget: usize) -> Option<Gathered> {
    let mut symbols = Vec::new();
    let mut deltas = Vec::new();
    let mut reference = None;
    let mut previous = 0;
    // Up to and including the last received packet.
    let mut told = 0;
    for arrival in arrivals.take(MAX_STATUSES) {
        let Some(arrival) = arrival else {
            symbols.push(NOT_RECEIVED);
            continue;
        };
        if reference.is_none() {
            reference = Some(arrival / REFERENCE_TICKS);
            previous = arrival - arrival % REFERENCE_TICKS;
        }
        let delta = arrival.wrapping_sub(previous).cast_signed();
        let length = deltas.len();
        if let Ok(small) = u8::try_from(delta) {
            symbols.push(SMALL_DELTA);
            deltas.push(small);
        } else if let Ok(large) = i16::try_from(delta) {
            symbols.push(LARGE_DELTA);
            deltas.extend(large.to_be_bytes());
        } else {
            break;
        }
        if longest(symbols.len(), deltas.len()) > budget {
            deltas.truncate(length);
            break;
        }
        previous = arrival;
        told = symbols.len();
    }
    symbols.truncate(told);
    reference.filter(|_| told > 0).map(|reference| Gathered {
        symbols,
        deltas,
        reference,
    })
}

/// Bytes of a feedback whose chunks are as many as can be, padding included.
fn longest(symbols: usize, deltas: usize) -> usize {
    FIXED + 2 * symbols.div_ceil(VECTOR_2_BIT) + deltas + 3
}

/// Writes the chunk that covers the most of the next symbols; returns how many.
fn write_chunk(symbols: &[u8], out: &mut Vec<u8>) -> usize {
    let first = symbols[0];
    let run = symbols
        .iter()
        .take(MAX_RUN)
        .take_while(|symbol| **symbol == first)
        .count();
    let ahead = &symbols[..symbols.len().min(VECTOR_1_BIT)];
    let (chunk, told) = if run >= ahead.len() || (run >= VECTOR_2_BIT && first == LARGE_DELTA) {
        (u16::from(first) << 13 | run as u16, run)
    } else if !ahead.contains(&LARGE_DELTA) {
        (0x8000 | pack(ahead, 1, VECTOR_1_BIT), ahead.len())
    } else if run >= VECTOR_2_BIT {
        (u16::from(first) << 13 | run as u16, run)
    } else {
        let ahead = &ahead[..ahead.len().min(VECTOR_2_BIT)];
        (0xc000 | pack(ahead, 2, VECTOR_2_BIT), ahead.len())
    };
    out.extend(chunk.to_be_bytes());
    told
}

/// The symbols with `bits` each, first in the highest place of `places`.
fn pack(symbols: &[u8], bits: usize, places: usize) -> u16 {
    symbols
        .iter()
        .enumerate()
        .fold(0, |packed, (place, symbol)| {
            packed | u16::from(*symbol) << ((places - 1 - place) * bits)
        })
}

/// Pads to words and writes the RTCP length; the last byte of padding tells how much there is.
fn pad(start: usize, out: &mut Vec<u8>) {
    let padding = (4 - (out.len() - start) % 4) % 4;
    if padding > 0 {
        out.resize(out.len() + padding - 1, 0);
        out.push(padding as u8);
        out[start] |= 0x20;
    }
    let words = ((out.len() - start) / 4 - 1) as u16;
    out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}
