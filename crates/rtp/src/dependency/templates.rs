//! The templates that a stream follows now, kept from packet to packet.
//!
//! Two rules for frames whose layer cannot be told. One whose template the structure does not have
//! follows a structure that was lost or is yet to come; one from before the structure follows the
//! structure before. Both count as frames of the lowest layer, which everybody gets: a frame too
//! many is only discarded by the decoder, one too few stops it. But a descriptor whose fields do
//! not parse is refused.

use plenum_types::{LayerId, SpatialSizes};

use super::{DependencyDescriptor, FrameDependencies, TemplateStructure};
use crate::ParseError;

/// Frames this far behind the structure's own are late. Those further behind are of a stream that
/// began anew: more than a second at any frame rate, and far less than half the numbers.
const LATE: u16 = 512;

/// The template structure of one stream, once one was seen.
///
/// About a kilobyte, allocated with the first structure and never again.
#[derive(Clone, Debug, Default)]
pub struct Templates(Option<Box<Current>>);

#[derive(Clone, Debug)]
struct Current {
    structure: TemplateStructure,
    /// Number of the frame that brought it.
    since: u16,
    /// Decode targets that are produced, as the newest frame that told says.
    active: u32,
    /// Number of that frame.
    told_by: u16,
}

/// What a descriptor says about its frame, as far as the templates tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRole {
    /// The frame's layer.
    pub layer: LayerId,
    /// Layers that a receiver which gets this frame may get from here on.
    pub opens: Opened,
    /// Nothing refers to the frame.
    pub discardable: bool,
}

/// Layers that a receiver may get from a frame on, whether or not it did before: for each spatial
/// layer up to which it gets the stream, how many temporal ones; 0 if the frame opens none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened([u8; SpatialSizes::LAYERS_MAX]);

impl Opened {
    /// With all spatial layers, temporal ones up to `temporal`.
    pub const fn all_up_to(temporal: u8) -> Self {
        Self([temporal + 1; SpatialSizes::LAYERS_MAX])
    }

    /// The highest temporal layer that is opened to a receiver of spatial layers up to `spatial`.
    pub fn temporal(self, spatial: u8) -> Option<u8> {
        let at = usize::from(spatial).min(SpatialSizes::LAYERS_MAX - 1);
        self.0[at].checked_sub(1)
    }

    /// The same for a receiver of all that is produced.
    pub fn top_temporal(self) -> Option<u8> {
        self.temporal(u8::MAX)
    }

    /// A frame opens `layer`, the highest of a decode target.
    pub(super) fn add(&mut self, layer: LayerId) {
        if let Some(opened) = self.0.get_mut(usize::from(layer.spatial)) {
            *opened = (*opened).max(layer.temporal + 1);
        }
    }

    /// Above the highest spatial layer that is produced there is nothing more to open.
    pub(super) fn close_above(&mut self, top: u8) {
        let Some((upto, above)) = self.0.split_at_mut_checked(usize::from(top) + 1) else {
            return;
        };
        above.fill(upto.last().copied().unwrap_or(0));
    }
}

impl Templates {
    /// What `bytes` say about their frame; keeps the structure if they bring a newer one. `None`
    /// if the frame's template is not known.
    pub fn on_descriptor(&mut self, bytes: &[u8]) -> Result<Option<FrameRole>, ParseError> {
        let descriptor = DependencyDescriptor::parse(bytes)?;
        if let Some((structure, frame)) = TemplateStructure::parse(bytes)? {
            let role = structure.role(&frame, structure.all_targets());
            self.replace(structure, frame, descriptor.frame_number);
            return Ok(Some(role));
        }
        let Some(current) = &mut self.0 else {
            return Ok(None);
        };
        let number = descriptor.frame_number;
        let is_before = is_late(number, current.since);
        if is_before || current.structure.layer(descriptor.template_id).is_none() {
            return Ok(None);
        }
        let frame = current.structure.frame(bytes)?;
        if let Some(active) = frame.active_decode_targets
            && !is_late(number, current.told_by)
        {
            current.active = active;
            current.told_by = number;
        }
        Ok(Some(current.structure.role(&frame, current.active)))
    }

    /// The structure in force.
    pub fn structure(&self) -> Option<&TemplateStructure> {
        self.0.as_ref().map(|current| &current.structure)
    }

    fn replace(&mut self, structure: TemplateStructure, frame: FrameDependencies, number: u16) {
        let active = frame
            .active_decode_targets
            .unwrap_or_else(|| structure.all_targets());
        let newer = Current {
            structure,
            since: number,
            active,
            told_by: number,
        };
        match &mut self.0 {
            Some(current) if is_late(number, current.since) => {}
            Some(current) => **current = newer,
            None => self.0 = Some(Box::new(newer)),
        }
    }
}

/// Whether `number` is of a frame shortly before `other`.
const fn is_late(number: u16, other: u16) -> bool {
    let behind = other.wrapping_sub(number);
    behind != 0 && behind <= LATE
}

#[cfg(test)]
mod tests;
