//! Up to which layers of an encoding a slot gets it.

use plenum_types::LayerId;

/// Layers that can be told apart in each direction; higher ones count as the highest.
pub(crate) const LAYERS: u8 = 4;
const TOP: u8 = LAYERS - 1;

/// The highest spatial and the highest temporal layer that are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LayerLimit {
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
}

impl LayerLimit {
    /// How many there are.
    pub(crate) const COUNT: usize = (LAYERS * LAYERS) as usize;

    /// Everything.
    pub(crate) const NONE: Self = Self {
        spatial: TOP,
        temporal: TOP,
    };

    /// All limits.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..LAYERS).flat_map(|spatial| (0..LAYERS).map(move |temporal| Self { spatial, temporal }))
    }

    /// Its place among [`Self::COUNT`].
    pub(crate) const fn index(self) -> usize {
        (self.spatial * LAYERS + self.temporal) as usize
    }

    /// Spatial layers are left out.
    pub(crate) const fn is_spatial(self) -> bool {
        self.spatial < TOP
    }

    /// Temporal layers are left out.
    pub(crate) const fn is_temporal(self) -> bool {
        self.temporal < TOP
    }

    /// With this temporal limit, clamped to those that can be told apart.
    pub(crate) const fn with_temporal(self, temporal: u8) -> Self {
        Self {
            temporal: if temporal < TOP { temporal } else { TOP },
            ..self
        }
    }

    /// With this spatial limit, clamped to those that can be told apart.
    pub(crate) const fn with_spatial(self, spatial: u8) -> Self {
        Self {
            spatial: if spatial < TOP { spatial } else { TOP },
            ..self
        }
    }

    /// Whether a frame of `layer` is let through.
    pub(crate) const fn admits(self, layer: LayerId) -> bool {
        (layer.spatial <= self.spatial || !self.is_spatial())
            && (layer.temporal <= self.temporal || !self.is_temporal())
    }
}
