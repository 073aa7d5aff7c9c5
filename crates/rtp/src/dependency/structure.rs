//! The template structure and the frame definition that refers to it (AV1 RTP §A.8).

use plenum_types::{LayerId, Pixels, SpatialSizes};

use super::{DependencyDescriptor, Flags, FrameRole, Opened};
use crate::ParseError;
use crate::bits::BitReader;

/// Templates have 6-bit ids.
const MAX_TEMPLATES: usize = 64;
/// Spatial ids have 2 bits.
const MAX_SPATIAL_LAYERS: usize = 4;
/// Their number has 5 bits.
const MAX_DECODE_TARGETS: usize = 32;
/// Temporal ids have 3 bits.
const MAX_TEMPORAL_LAYERS: u8 = 8;

/// What `next_layer_idc` says (§A.8.3).
const NEXT_TEMPORAL: u32 = 1;
const NEXT_SPATIAL: u32 = 2;
const NO_MORE_TEMPLATES: u32 = 3;

/// The templates of a coded video sequence. About 700 bytes; keep one per stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemplateStructure {
    id_offset: u8,
    decode_targets: u8,
    chains: u8,
    templates: u8,
    layers: [LayerId; MAX_TEMPLATES],
    /// Two bits per decode target, target 0 lowest.
    indications: [u64; MAX_TEMPLATES],
    /// Highest layers of each decode target, as the templates that it has tell.
    targets: [LayerId; MAX_DECODE_TARGETS],
    resolutions: Option<[Pixels; MAX_SPATIAL_LAYERS]>,
    max_spatial: u8,
}

/// What the descriptor says about one frame, with its templates applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameDependencies {
    /// The frame's layer.
    pub layer: LayerId,
    /// The decode targets that are still produced, bit 0 for target 0, if the packet tells.
    pub active_decode_targets: Option<u32>,
    /// Two bits per decode target.
    indications: u64,
}

/// Decode target indication (§A.8.1): what a frame is to a decode target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indication {
    /// Not part of it.
    NotPresent,
    /// Part of it; nothing refers to this frame.
    Discardable,
    /// Part of it, and a receiver may switch to the target here.
    Switch,
    /// Part of it, and needed.
    Required,
}

impl TemplateStructure {
    /// Reads the structure and the frame definition behind it; `None` if the descriptor has none.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, FrameDependencies)>, ParseError> {
        let (descriptor, mut rest) = DependencyDescriptor::parse_with_rest(bytes)?;
        if !descriptor.has_structure {
            return Ok(None);
        }
        let structure = read_structure(&mut rest).map_err(malformed)?;
        let frame = structure
            .read_frame(&descriptor, &mut rest)
            .map_err(malformed)?;
        Ok(Some((structure, frame)))
    }

    /// Reads what a later descriptor of the same coded video sequence says about its frame.
    ///
    /// A descriptor that brings a structure of its own is refused: it starts another sequence.
    pub fn frame(&self, bytes: &[u8]) -> Result<FrameDependencies, ParseError> {
        let (descriptor, mut rest) = DependencyDescriptor::parse_with_rest(bytes)?;
        if descriptor.has_structure {
            return Err(ParseError::BadDependencyDescriptor);
        }
        self.read_frame(&descriptor, &mut rest).map_err(malformed)
    }

    /// The layer of the frames that follow `template_id`, if there is such a template.
    pub fn layer(&self, template_id: u8) -> Option<LayerId> {
        self.index(template_id).map(|index| self.layers[index])
    }

    /// How many decode targets there are, 1 to 32.
    pub fn decode_targets(&self) -> u8 {
        self.decode_targets
    }

    /// One bit for each decode target.
    pub(crate) const fn all_targets(&self) -> u32 {
        u32::MAX >> (u32::BITS - self.decode_targets as u32)
    }

    /// What a frame is to the stream, of which the `active` decode targets are produced.
    pub(crate) fn role(&self, frame: &FrameDependencies, active: u32) -> FrameRole {
        let produced = || (0..self.decode_targets).filter(|target| active >> target & 1 == 1);
        let layer_of = |target: u8| self.targets[usize::from(target)];
        let mut opens = Opened::default();
        produced()
            .filter(|target| frame.indication(*target) == Indication::Switch)
            .for_each(|target| opens.add(layer_of(target)));
        if let Some(top) = produced().map(|target| layer_of(target).spatial).max() {
            opens.close_above(top);
        }
        let indications = || (0..self.decode_targets).map(|target| frame.indication(target));
        FrameRole {
            layer: frame.layer,
            opens,
            discardable: indications().any(|is| is == Indication::Discardable)
                && indications()
                    .all(|is| matches!(is, Indication::NotPresent | Indication::Discardable)),
        }
    }

    /// How many chains there are, 0 to 32.
    pub fn chains(&self) -> u8 {
        self.chains
    }

    /// The largest spatial layer.
    pub fn max_spatial(&self) -> u8 {
        self.max_spatial
    }

    /// Picture size of a spatial layer, if the structure tells sizes.
    pub fn resolution(&self, spatial: u8) -> Option<Pixels> {
        if spatial > self.max_spatial {
            return None;
        }
        self.resolutions.map(|sizes| sizes[usize::from(spatial)])
    }

    /// Picture sizes of all spatial layers, if the structure tells sizes.
    pub fn resolutions(&self) -> Option<SpatialSizes> {
        let sizes = self.resolutions?;
        SpatialSizes::new(sizes.into_iter().take(usize::from(self.max_spatial) + 1))
    }

    fn index(&self, template_id: u8) -> Option<usize> {
        let index = (template_id & 0x3f).wrapping_sub(self.id_offset) & 0x3f;
        (index < self.templates).then_some(usize::from(index))
    }

    /// Behind the flags and the structure: `extended_descriptor_fields` and
    /// `frame_dependency_definition` (§A.8.2).
    fn read_frame(
        &self,
        descriptor: &DependencyDescriptor,
        rest: &mut BitReader<'_>,
    ) -> Result<FrameDependencies, ParseError> {
        let Flags {
            active_decode_targets,
            custom_indications,
            custom_frame_diffs,
            custom_chains,
        } = descriptor.flags;
        let targets = u32::from(self.decode_targets);
        let active_decode_targets = if active_decode_targets {
            Some(rest.bits(targets)?)
        } else {
            descriptor.has_structure.then(|| self.all_targets())
        };
        let index = self
            .index(descriptor.template_id)
            .ok_or(ParseError::BadDependencyDescriptor)?;
        let indications = if custom_indications {
            read_indications(rest, self.decode_targets)?
        } else {
            self.indications[index]
        };
        if custom_frame_diffs {
            skip_custom_frame_diffs(rest)?;
        }
        if custom_chains {
            rest.skip(8 * usize::from(self.chains))?;
        }
        Ok(FrameDependencies {
            layer: self.layers[index],
            active_decode_targets,
            indications,
        })
    }
}

impl FrameDependencies {
    /// What the frame is to `target`.
    pub fn indication(&self, target: u8) -> Indication {
        if target >= 32 {
            return Indication::NotPresent;
        }
        match self.indications >> (2 * target) & 3 {
            0 => Indication::NotPresent,
            1 => Indication::Discardable,
            2 => Indication::Switch,
            _ => Indication::Required,
        }
    }
}

fn malformed(_: ParseError) -> ParseError {
    ParseError::BadDependencyDescriptor
}

/// `template_dependency_structure` (§A.8.3).
fn read_structure(rest: &mut BitReader<'_>) -> Result<TemplateStructure, ParseError> {
    let id_offset = rest.byte(6)?;
    let decode_targets = rest.byte(5)? + 1;
    let mut layers = [LayerId::default(); MAX_TEMPLATES];
    let templates = read_layers(rest, &mut layers)?;
    let mut indications = [0; MAX_TEMPLATES];
    for of_template in &mut indications[..templates] {
        *of_template = read_indications(rest, decode_targets)?;
    }
    for _ in 0..templates {
        skip_frame_diffs(rest)?;
    }
    let chains = read_chains(rest, templates, decode_targets)?;
    let max_spatial = layers[templates - 1].spatial;
    let resolutions = if rest.flag()? {
        Some(read_resolutions(rest, max_spatial)?)
    } else {
        None
    };
    let targets = target_layers(&layers[..templates], &indications);
    Ok(TemplateStructure {
        id_offset,
        decode_targets,
        chains,
        templates: templates as u8,
        layers,
        indications,
        targets,
        resolutions,
        max_spatial,
    })
}

/// The highest spatial and temporal layer among the templates of each decode target.
fn target_layers(
    layers: &[LayerId],
    indications: &[u64; MAX_TEMPLATES],
) -> [LayerId; MAX_DECODE_TARGETS] {
    let mut targets = [LayerId::default(); MAX_DECODE_TARGETS];
    for (layer, indications) in layers.iter().zip(indications) {
        for (at, target) in targets.iter_mut().enumerate() {
            if indications >> (2 * at) & 3 != 0 {
                target.spatial = target.spatial.max(layer.spatial);
                target.temporal = target.temporal.max(layer.temporal);
            }
        }
    }
    targets
}

/// `template_layers`: fills `layers` and gives how many there are, at least one.
fn read_layers(
    rest: &mut BitReader<'_>,
    layers: &mut [LayerId; MAX_TEMPLATES],
) -> Result<usize, ParseError> {
    let mut layer = LayerId::default();
    for (index, slot) in layers.iter_mut().enumerate() {
        *slot = layer;
        match rest.bits(2)? {
            NEXT_TEMPORAL => layer.temporal += 1,
            NEXT_SPATIAL => {
                layer = LayerId {
                    spatial: layer.spatial + 1,
                    temporal: 0,
                }
            }
            NO_MORE_TEMPLATES => return Ok(index + 1),
            _ => {}
        }
        if usize::from(layer.spatial) >= MAX_SPATIAL_LAYERS || layer.temporal >= MAX_TEMPORAL_LAYERS
        {
            return Err(ParseError::BadDependencyDescriptor);
        }
    }
    Err(ParseError::BadDependencyDescriptor)
}

/// `template_dtis` of one template, or `frame_dtis`.
fn read_indications(rest: &mut BitReader<'_>, decode_targets: u8) -> Result<u64, ParseError> {
    let mut all = 0;
    for target in 0..decode_targets {
        all |= u64::from(rest.bits(2)?) << (2 * target);
    }
    Ok(all)
}

/// `template_fdiffs` of one template.
fn skip_frame_diffs(rest: &mut BitReader<'_>) -> Result<(), ParseError> {
    while rest.flag()? {
        rest.skip(4)?;
    }
    Ok(())
}

/// `frame_fdiffs`.
fn skip_custom_frame_diffs(rest: &mut BitReader<'_>) -> Result<(), ParseError> {
    loop {
        match rest.bits(2)? {
            0 => return Ok(()),
            size => rest.skip(4 * size as usize)?,
        }
    }
}

/// `template_chains`: gives how many there are.
fn read_chains(
    rest: &mut BitReader<'_>,
    templates: usize,
    decode_targets: u8,
) -> Result<u8, ParseError> {
    let chains = rest.below(u32::from(decode_targets) + 1)?;
    if chains == 0 {
        return Ok(0);
    }
    for _ in 0..decode_targets {
        rest.below(chains)?;
    }
    rest.skip(4 * templates * chains as usize)?;
    Ok(chains as u8)
}

/// `render_resolutions`.
fn read_resolutions(
    rest: &mut BitReader<'_>,
    max_spatial: u8,
) -> Result<[Pixels; MAX_SPATIAL_LAYERS], ParseError> {
    let mut sizes = [Pixels::default(); MAX_SPATIAL_LAYERS];
    for size in &mut sizes[..=usize::from(max_spatial)] {
        size.width = rest.bits(16)? + 1;
        size.height = rest.bits(16)? + 1;
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests;
