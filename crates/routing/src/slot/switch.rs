//! Whether a slot takes a packet, and when it goes over to another source or layer.
//!
//! Video goes over at a keyframe of the new source and keeps showing the old one until then.
//! Sound goes over at once. How layers of one source are dropped and taken up is in `layers.rs`.

use plenum_rtp::PacketDescription;
use plenum_types::{DropReason, MediaKind};

use crate::index::EncodingRef;
use crate::limit::LayerLimit;
use crate::publication::Encoding;
use crate::slot::Slot;
use crate::slot::layers::next_limit;
use crate::slot::segment::Segment;

/// What a packet means to a slot that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It continues what is shown.
    Continue,
    /// It begins a new segment, with this payload type.
    Begin { payload_type: u8 },
    /// It continues what is shown, with this limit from here on.
    Limit(LayerLimit),
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
        let layer = d.payload.layer;
        if layer.spatial == 0
            && d.payload.starts_frame
            && let Some(target) = self.target
            && target.source == segment.source
            && target.limit != segment.limit
            && let Some(limit) = next_limit(segment.limit, target.limit, encoding, &d.payload)
        {
            return Ok(Step::Limit(limit));
        }
        if segment.limit.admits(layer) {
            Ok(Step::Continue)
        } else if layer.spatial > segment.limit.spatial {
            Err(DropReason::SpatialLayer)
        } else {
            Err(DropReason::TemporalLayer)
        }
    }
}
