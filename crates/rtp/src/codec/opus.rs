//! Opus (RFC 7587): every packet is a frame that can be decoded on its own.

use plenum_types::LayerId;

use crate::{CodecFields, Opened, PayloadDescription};

/// The same for every packet; the payload is not looked at.
pub(crate) fn describe() -> PayloadDescription {
    PayloadDescription {
        keyframe: true,
        starts_frame: true,
        ends_frame: true,
        layer: LayerId::default(),
        switching_point: true,
        opens: Opened::default(),
        discardable: false,
        sizes: None,
        fields: CodecFields::None,
        dependency: None,
    }
}
