//! The stretch of a slot's outgoing stream that comes from one incoming stream.
//!
//! Within a segment everything is the incoming value plus a constant, so that losses and
//! reordering pass through one to one. A new segment starts where the last one ended: its
//! constants are chosen so that its first packet follows the newest one sent (RFC 3550 §7.1 calls
//! this a translator; to the receiver it is one source). Since the mapping is computed from
//! constants, a retransmission is computed the same way and needs no record per packet.

use plenum_rtp::PacketDescription;
use plenum_types::{Codec, RtpTimestamp, SequenceNumber};

use crate::fields::{Counters, Fields};
use crate::index::EncodingRef;
use crate::limit::LayerLimit;
use crate::publication::Encoding;
use crate::slot::outgoing::{Next, Outgoing};

/// A stretch of the outgoing stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) source: EncodingRef,
    pub(crate) generation: u32,
    pub(crate) codec: Codec,
    pub(crate) payload_type: u8,
    /// Highest layers that are let through.
    pub(crate) limit: LayerLimit,
    /// It goes on where the one before was, with another limit.
    pub(crate) continues: bool,
    /// The marker bit of the first packet is set: sound starts anew (RFC 3551 §4.1).
    pub(crate) marks_first: bool,
    /// Incoming number of the first packet, its place in the substream, its outgoing number.
    pub(crate) first: u64,
    pub(crate) first_place: u64,
    pub(crate) first_out: u64,
    pub(crate) timestamp_offset: u32,
    /// Share of the offset that is owed to timestamps not going back.
    ahead: u32,
    counters_offset: Counters,
}

/// What a packet becomes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rewritten {
    /// Outgoing number, extended.
    pub(crate) number: u64,
    pub(crate) timestamp: RtpTimestamp,
    pub(crate) marker: bool,
    pub(crate) fields: Fields,
}

/// The packet at which a segment begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'e> {
    pub(crate) source: EncodingRef,
    pub(crate) encoding: &'e Encoding,
    pub(crate) number: u64,
    pub(crate) fields: Fields,
    pub(crate) codec: Codec,
    pub(crate) payload_type: u8,
    pub(crate) limit: LayerLimit,
    pub(crate) marks_first: bool,
}

impl Segment {
    /// Starts behind what was sent, with the timestamp of `next` for the first packet, which came
    /// in with `incoming`.
    pub(crate) fn begin(
        start: &Start<'_>,
        incoming: RtpTimestamp,
        next: Next,
        sent: &Outgoing,
    ) -> Self {
        let place = start.encoding.numbering(start.limit).place(start.number);
        let placed = start.fields.placed(start.encoding, start.limit);
        Self {
            source: start.source,
            generation: start.encoding.generation(),
            codec: start.codec,
            payload_type: start.payload_type,
            limit: start.limit,
            continues: false,
            marks_first: start.marks_first,
            first: start.number,
            first_place: place.unwrap_or(start.number),
            first_out: sent.newest() + 1,
            timestamp_offset: next.timestamp.0.wrapping_sub(incoming.0),
            ahead: next.ahead,
            counters_offset: sent.counters().successor().minus(&placed),
        }
    }

    /// The same stream from the packet `number` on, with another limit.
    pub(crate) fn with_limit(
        &self,
        limit: LayerLimit,
        encoding: &Encoding,
        number: u64,
        fields: &Fields,
    ) -> Option<Self> {
        let here = self.out_number(encoding, number)?;
        let before = self
            .counters_offset
            .plus(&fields.placed(encoding, self.limit));
        Some(Self {
            limit,
            continues: true,
            marks_first: false,
            first: number,
            first_place: encoding.numbering(limit).place(number)?,
            first_out: here,
            counters_offset: before.minus(&fields.placed(encoding, limit)),
            ..*self
        })
    }

    /// What to add to a timestamp of this source to put it where it belongs.
    pub(crate) const fn aligned_offset(&self) -> u32 {
        self.timestamp_offset.wrapping_sub(self.ahead)
    }

    pub(crate) fn shows(&self, source: EncodingRef, encoding: &Encoding) -> bool {
        self.source == source && self.generation == encoding.generation()
    }

    /// What the packet with `number` becomes; `None` if it is older than the segment or its place
    /// can no longer be told.
    pub(crate) fn rewrite(
        &self,
        encoding: &Encoding,
        number: u64,
        d: &PacketDescription,
        fields: &Fields,
    ) -> Option<Rewritten> {
        if number < self.first {
            return None;
        }
        let counters = self
            .counters_offset
            .plus(&fields.placed(encoding, self.limit));
        Some(Rewritten {
            number: self.out_number(encoding, number)?,
            timestamp: d.header.timestamp.plus(self.timestamp_offset),
            marker: d.header.marker
                || (self.marks_first && number == self.first)
                || self.ends_picture(d),
            fields: fields.with(&counters),
        })
    }

    /// The incoming number of what went out as `out`.
    pub(crate) fn incoming_number(&self, encoding: &Encoding, out: u64) -> Option<u64> {
        let place = self.first_place + out.checked_sub(self.first_out)?;
        let number = encoding.numbering(self.limit).number_at(place)?;
        (number >= self.first).then_some(number)
    }

    /// The last packet of the largest frame that is let through ends the picture, though larger
    /// ones follow in the incoming stream (RFC 9628 §4.1, AV1 RTP §4.4: the marker bit).
    const fn ends_picture(&self, d: &PacketDescription) -> bool {
        self.limit.is_spatial()
            && d.payload.ends_frame
            && d.payload.layer.spatial == self.limit.spatial
    }

    fn out_number(&self, encoding: &Encoding, number: u64) -> Option<u64> {
        let place = encoding.numbering(self.limit).place(number)?;
        self.first_out
            .checked_add(place.checked_sub(self.first_place)?)
    }
}

impl Rewritten {
    pub(crate) const fn sequence(&self) -> SequenceNumber {
        SequenceNumber(self.number as u16)
    }
}
