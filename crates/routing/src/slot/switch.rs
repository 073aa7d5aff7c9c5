//! Whether a slot takes a packet, and when it goes over to another source or layer.
//!
//! Video goes over at a keyframe of the new source and keeps showing the old one until then.
//! Sound goes over at once. Temporal layers are dropped from the start of any frame on, and taken
//! up where the encoder says that nothing left out is referred to: one at a time with a frame of
//! that layer, or as many as a frame below them opens.

use plenum_rtp::PacketDescription;
use plenum_types::{DropReason, MediaKind};

use crate::index::EncodingRef;
use crate::publication::Encoding;
use crate::slot::Slot;
use crate::slot::segment::Segment;

/// What a packet means to a slot that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It continues what is shown.
    Continue,
    /// It begins a new segment, with this payload type.
    Begin { payload_type: u8 },
    /// It continues what is shown, with this temporal limit from here on.
    Limit(u8),
}

impl Slot {
    /// Decides without changing anything.
    pub(crate) fn admit(
        &self,
        source: EncodingRef,
        encoding: &Encoding,
        d: &PacketDescription,
    ) -> Result<Step, DropReason> {
        if let Some(segment) = self.shown()
            && segment.shows(source, encoding)
            && segment.codec == d.codec
        {
            return self.admit_shown(segment, encoding, d);
        }
        match self.target {
            Some(target) if target.source == source => self.admit_target(d),
            None if self.shown().is_none() => Err(DropReason::Paused),
            _ => Err(DropReason::OtherLayer),
        }
    }

    fn admit_target(&self, d: &PacketDescription) -> Result<Step, DropReason> {
        let payload_type = self
            .parameters(d.codec)
            .ok_or(DropReason::CodecNotNegotiated)?
            .payload_type;
        let decodable =
            self.kind == MediaKind::Audio || (d.payload.keyframe && d.payload.starts_frame);
        if decodable {
            Ok(Step::Begin { payload_type })
        } else {
            Err(DropReason::WaitingForKeyframe)
        }
    }

    fn admit_shown(
        &self,
        segment: &Segment,
        encoding: &Encoding,
        d: &PacketDescription,
    ) -> Result<Step, DropReason> {
        let wanted = match self.target {
            Some(target) if target.source == segment.source => target.temporal,
            _ => segment.limit,
        };
        let temporal = d.payload.layer.temporal;
        if wanted != segment.limit && d.payload.starts_frame {
            if wanted < segment.limit && temporal <= wanted && wanted < encoding.temporal_top() {
                return Ok(Step::Limit(encoding.limit_for(wanted)));
            }
            let opened = wanted.min(d.payload.opens_temporal);
            if temporal <= segment.limit && opened > segment.limit {
                return Ok(Step::Limit(encoding.limit_for(opened)));
            }
            if temporal > segment.limit
                && temporal <= wanted
                && temporal == segment.limit + 1
                && d.payload.switching_point
            {
                return Ok(Step::Limit(encoding.limit_for(temporal)));
            }
        }
        if temporal > segment.limit {
            return Err(DropReason::TemporalLayer);
        }
        Ok(Step::Continue)
    }
}
