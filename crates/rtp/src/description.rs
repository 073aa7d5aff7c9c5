//! What routing needs to know about a packet, found out once.

use plenum_types::{Codec, ExtensionKind, LayerId, MediaKind, Pixels, SpatialSizes};

use crate::codec::{self, CodecFields};
use crate::dependency::{
    DependencyDescriptor, DependencyFields, FrameRole, Opened, TemplateStructure, Templates,
};
use crate::{HeaderExtensions, ParseError, RtpHeader};

/// Parsed once per incoming packet; everything that routing and patching need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketDescription {
    /// The RTP header.
    pub header: RtpHeader,
    /// Where the header extensions are.
    pub extensions: HeaderExtensions,
    /// The codec of the payload.
    pub codec: Codec,
    /// What the payload is to its stream.
    pub payload: PayloadDescription,
}

/// What a payload is to its stream.
///
/// A *frame* is one picture of one spatial layer; a picture of three spatial layers is three
/// frames with one timestamp, and the marker bit ends the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadDescription {
    /// This packet starts a keyframe, so a decoder that has nothing can start here.
    ///
    /// With H.264 this is the packet that carries the sequence parameter set.
    pub keyframe: bool,
    /// First packet of a frame. H.264 and AV1 without a Dependency Descriptor do not say; there it
    /// may be true for a few packets of the same frame.
    pub starts_frame: bool,
    /// Last packet of a frame.
    pub ends_frame: bool,
    /// The layer, as far as the packet tells or its stream's templates do; else the lowest.
    pub layer: LayerId,
    /// A receiver that got only lower temporal layers may start to get this one with this packet's
    /// frame. Always true for the lowest.
    pub switching_point: bool,
    /// Layers that a receiver of this frame may get from here on, whether or not it did before.
    /// Only a Dependency Descriptor tells; else none.
    pub opens: Opened,
    /// No other frame refers to this one.
    pub discardable: bool,
    /// Picture sizes of the stream's spatial layers, where the keyframe tells.
    pub sizes: Option<SpatialSizes>,
    /// Fields of the codec's descriptor that a patch can replace.
    pub fields: CodecFields,
    /// Fields of the Dependency Descriptor, if the packet carries one.
    pub dependency: Option<DependencyFields>,
}

impl PayloadDescription {
    /// Size of the largest picture of the stream, where the keyframe tells.
    pub fn size(&self) -> Option<Pixels> {
        self.sizes.map(|sizes| sizes.largest())
    }
}

/// Describes the payload of a packet.
///
/// For video, a Dependency Descriptor is believed before the payload: with end-to-end encryption
/// only the descriptor is readable. Then a payload that does not parse is no error; its fields are
/// just not patched. Fails if there is no payload, or if what describes it is malformed.
///
/// For a packet by itself. Where a stream is followed, [`describe_in_stream`] tells more.
pub fn describe(
    packet: &[u8],
    header: RtpHeader,
    extensions: HeaderExtensions,
    codec: Codec,
) -> Result<PacketDescription, ParseError> {
    describe_in_stream(packet, header, extensions, codec, &mut Templates::default())
}

/// Describes the payload of a packet, with the `templates` of the stream that it is of.
pub fn describe_in_stream(
    packet: &[u8],
    header: RtpHeader,
    extensions: HeaderExtensions,
    codec: Codec,
    templates: &mut Templates,
) -> Result<PacketDescription, ParseError> {
    let payload = header.payload(packet);
    if payload.is_empty() {
        return Err(ParseError::EmptyPayload);
    }
    let descriptor = match codec.kind() {
        MediaKind::Audio => None,
        MediaKind::Video => extensions.bytes(packet, ExtensionKind::DependencyDescriptor),
    };
    let payload = match descriptor {
        Some(bytes) => describe_by_descriptor(bytes, payload, header.marker, codec, templates)?,
        None => describe_payload(payload, header.marker, codec)?,
    };
    Ok(PacketDescription {
        header,
        extensions,
        codec,
        payload,
    })
}

/// Describes a packet of redundant audio (RFC 2198), whatever codec is in its blocks.
pub fn describe_redundant(
    packet: &[u8],
    header: RtpHeader,
    extensions: HeaderExtensions,
    codec: Codec,
) -> Result<PacketDescription, ParseError> {
    let payload = header.payload(packet);
    if payload.is_empty() {
        return Err(ParseError::EmptyPayload);
    }
    Ok(PacketDescription {
        header,
        extensions,
        codec,
        payload: codec::red::describe(payload),
    })
}

fn describe_payload(
    payload: &[u8],
    marker: bool,
    codec: Codec,
) -> Result<PayloadDescription, ParseError> {
    match codec {
        Codec::Opus => Ok(codec::opus::describe()),
        Codec::Vp8 => codec::vp8::describe(payload, marker),
        Codec::Vp9 { .. } => codec::vp9::describe(payload),
        Codec::H264 { .. } => codec::h264::describe(payload, marker),
        Codec::Av1 { .. } => codec::av1::describe(payload, marker),
    }
}

fn describe_by_descriptor(
    bytes: &[u8],
    payload: &[u8],
    marker: bool,
    codec: Codec,
    templates: &mut Templates,
) -> Result<PayloadDescription, ParseError> {
    let descriptor = DependencyDescriptor::parse(bytes)?;
    let role = templates.on_descriptor(bytes)?;
    let from_payload = match codec {
        Codec::Vp8 => codec::vp8::describe_descriptor(payload, marker)
            .ok()
            .map(|(described, _)| described),
        Codec::Vp9 { .. } => codec::vp9::describe(payload).ok(),
        Codec::Opus | Codec::H264 { .. } | Codec::Av1 { .. } => None,
    };
    let layer = match (role, from_payload) {
        (Some(role), _) => role.layer,
        (None, Some(described)) => described.layer,
        (None, None) => LayerId::default(),
    };
    let keyframe = descriptor.starts_frame && descriptor.has_structure;
    let structure = templates.structure().filter(|_| keyframe);
    Ok(PayloadDescription {
        keyframe,
        starts_frame: descriptor.starts_frame,
        ends_frame: descriptor.ends_frame,
        layer,
        switching_point: keyframe
            || from_payload.map_or(layer.temporal == 0, |described| described.switching_point),
        opens: role.map_or_else(Opened::default, |role| role.opens),
        discardable: role.map_or_else(
            || from_payload.is_some_and(|described| described.discardable),
            |role: FrameRole| role.discardable,
        ),
        sizes: structure.and_then(TemplateStructure::resolutions),
        fields: from_payload.map_or(CodecFields::None, |described| described.fields),
        dependency: Some(descriptor.fields()),
    })
}

#[cfg(test)]
mod tests;
