//! Writing the header extension block of one subscriber's copy (RFC 8285).
//!
//! Invariant: an id is written only where the subscriber negotiated it; the one-byte form is
//! chosen when every element fits it.

use plenum_types::{ExtensionKind, ExtensionMap, Mid};

use crate::dependency::MANDATORY_LEN;
use crate::extension::{ONE_BYTE, TWO_BYTE};
use crate::{HeaderExtensions, WriteError};

/// Largest id of the one-byte form (§4.2).
const ONE_BYTE_MAX_ID: u8 = 14;
/// Longest value of the one-byte form (§4.2).
const ONE_BYTE_MAX_LEN: usize = 16;
/// Bytes before the elements: profile and length.
const BLOCK_HEADER_LEN: usize = 4;

/// Values of one subscriber's header extensions. Ids are those that it negotiated.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingExtensions {
    /// The subscriber's ids.
    pub map: ExtensionMap,
    /// The m-line of the slot.
    pub mid: Option<Mid>,
    /// Absolute send time, 24 bits.
    pub abs_send_time: u32,
    /// Transport-wide sequence number; `None` leaves it out.
    pub transport_sequence: Option<u16>,
}

/// What passes through from the source.
#[derive(Clone, Copy)]
pub(crate) struct SourceExtensions<'p> {
    pub(crate) packet: &'p [u8],
    pub(crate) found: HeaderExtensions,
}

/// A written block.
#[derive(Clone, Copy, Default)]
pub(crate) struct WrittenBlock {
    /// Bytes, a multiple of 4; 0: no block, and the X bit must be clear.
    pub(crate) len: usize,
    /// Where in the block the value of a Dependency Descriptor starts that is long enough for
    /// its mandatory fields.
    pub(crate) dependency_descriptor: Option<usize>,
}

/// What passes from the source to the subscriber as it is.
const PASSED_ON: [ExtensionKind; 4] = [
    ExtensionKind::AudioLevel,
    ExtensionKind::VideoOrientation,
    ExtensionKind::PlayoutDelay,
    ExtensionKind::DependencyDescriptor,
];

/// Writes the block to the start of `out`.
pub(crate) fn write_block(
    source: Option<SourceExtensions<'_>>,
    outgoing: &OutgoingExtensions,
    out: &mut [u8],
) -> Result<WrittenBlock, WriteError> {
    // The two-byte form is rare enough to find out by trying.
    let one_byte = BlockWriter::new(Form::OneByte, out);
    let written = match write_elements(source, outgoing, one_byte) {
        Err(Refusal::NeedsTwoByteForm) => {
            write_elements(source, outgoing, BlockWriter::new(Form::TwoByte, out))
        }
        written => written,
    };
    // Nothing is too large for the two-byte form, so what is left is a lack of room.
    written.map_err(|_| WriteError::BufferTooSmall)
}

fn write_elements(
    source: Option<SourceExtensions<'_>>,
    outgoing: &OutgoingExtensions,
    mut block: BlockWriter<'_>,
) -> Result<WrittenBlock, Refusal> {
    let map = &outgoing.map;
    if let (Some(id), Some(mid)) = (map.id(ExtensionKind::Mid), &outgoing.mid) {
        block.element(id, mid.as_str().as_bytes())?;
    }
    if let Some(id) = map.id(ExtensionKind::AbsSendTime) {
        let [_, time @ ..] = outgoing.abs_send_time.to_be_bytes();
        block.element(id, &time)?;
    }
    if let (Some(id), Some(sequence)) = (
        map.id(ExtensionKind::TransportSequence),
        outgoing.transport_sequence,
    ) {
        block.element(id, &sequence.to_be_bytes())?;
    }
    let mut dependency_descriptor = None;
    if let Some(source) = source {
        for kind in PASSED_ON {
            if let (Some(id), Some(value)) = (map.id(kind), source.found.bytes(source.packet, kind))
            {
                let at = block.element(id, value)?;
                if kind == ExtensionKind::DependencyDescriptor && value.len() >= MANDATORY_LEN {
                    dependency_descriptor = Some(at);
                }
            }
        }
    }
    Ok(WrittenBlock {
        len: block.finish()?,
        dependency_descriptor,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    OneByte,
    TwoByte,
}

enum Refusal {
    /// An element does not fit the one-byte form.
    NeedsTwoByteForm,
    /// The buffer ends.
    NoRoom,
}

struct BlockWriter<'o> {
    form: Form,
    out: &'o mut [u8],
    /// Where the next element goes.
    at: usize,
}

impl<'o> BlockWriter<'o> {
    fn new(form: Form, out: &'o mut [u8]) -> Self {
        Self {
            form,
            out,
            at: BLOCK_HEADER_LEN,
        }
    }

    /// Appends an element and tells where its value starts.
    #[inline]
    fn element(&mut self, id: u8, value: &[u8]) -> Result<usize, Refusal> {
        let rest = self.out.get_mut(self.at..).ok_or(Refusal::NoRoom)?;
        let (header, rest) = match self.form {
            Form::OneByte => {
                if id > ONE_BYTE_MAX_ID || !(1..=ONE_BYTE_MAX_LEN).contains(&value.len()) {
                    return Err(Refusal::NeedsTwoByteForm);
                }
                let (header, rest) = rest.split_first_mut().ok_or(Refusal::NoRoom)?;
                *header = id << 4 | (value.len() - 1) as u8;
                (1, rest)
            }
            Form::TwoByte => {
                let (header, rest) = rest.split_first_chunk_mut::<2>().ok_or(Refusal::NoRoom)?;
                *header = [id, value.len() as u8];
                (2, rest)
            }
        };
        rest.get_mut(..value.len())
            .ok_or(Refusal::NoRoom)?
            .copy_from_slice(value);
        let start = self.at + header;
        self.at = start + value.len();
        Ok(start)
    }

    /// Pads and writes the header; gives the length, 0 if there are no elements.
    fn finish(self) -> Result<usize, Refusal> {
        if self.at == BLOCK_HEADER_LEN {
            return Ok(0);
        }
        let len = self.at.next_multiple_of(4);
        let profile = match self.form {
            Form::OneByte => ONE_BYTE,
            Form::TwoByte => TWO_BYTE,
        };
        let [p0, p1] = profile.to_be_bytes();
        let [l0, l1] = ((len / 4 - 1) as u16).to_be_bytes();
        let block = self.out.get_mut(..len).ok_or(Refusal::NoRoom)?;
        block[..BLOCK_HEADER_LEN].copy_from_slice(&[p0, p1, l0, l1]);
        block[self.at..].fill(0);
        Ok(len)
    }
}
