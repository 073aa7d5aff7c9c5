//! Layers of a publication.

use crate::Pixels;

/// A layer: which picture size (spatial) and which frame rate (temporal), lowest is 0.
///
/// With simulcast the spatial index counts the encodings from the smallest; with SVC it is the
/// spatial layer within one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerId {
    /// Picture size, 0 smallest.
    pub spatial: u8,
    /// Frame rate, 0 lowest.
    pub temporal: u8,
}

/// Picture sizes of the spatial layers within one stream, smallest first.
///
/// At least one layer. Sides above 65,535 pixels are told as that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpatialSizes {
    count: u8,
    sides: [[u16; 2]; Self::LAYERS_MAX],
}

impl SpatialSizes {
    /// Most layers that are told apart; SVC streams of browsers have three.
    pub const LAYERS_MAX: usize = 4;

    /// The sizes in this order; beyond [`Self::LAYERS_MAX`] the last one counts. `None` if there
    /// are none.
    pub fn new(sizes: impl IntoIterator<Item = Pixels>) -> Option<Self> {
        let mut all = Self {
            count: 0,
            sides: [[0; 2]; Self::LAYERS_MAX],
        };
        let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
        for (at, size) in sizes.into_iter().enumerate() {
            let place = at.min(Self::LAYERS_MAX - 1);
            all.sides[place] = [side(size.width), side(size.height)];
            all.count = place as u8 + 1;
        }
        (all.count > 0).then_some(all)
    }

    /// How many layers there are.
    pub const fn layers(&self) -> u8 {
        self.count
    }

    /// Size of a layer, 0 smallest.
    pub fn of(&self, spatial: u8) -> Option<Pixels> {
        let sides = self.sides.get(..usize::from(self.count))?;
        let [width, height] = *sides.get(usize::from(spatial))?;
        Some(Pixels {
            width: width.into(),
            height: height.into(),
        })
    }

    /// Size of the largest layer.
    pub fn largest(&self) -> Pixels {
        self.of(self.count - 1).unwrap_or_default()
    }
}
