//! A stream without its higher layers, numbered once for all slots that show it so.
//!
//! VP8 receivers wait for frames whose picture id is missing (RFC 7741 §4.2), so picture ids close
//! up as well. Those of VP9 must not: its references count in them (RFC 9628 §4.2).

use plenum_types::LayerId;

use crate::fields::PictureId;
use crate::limit::LayerLimit;
use crate::publication::numbering::Numbering;

/// The substream of layers up to `limit`.
#[derive(Clone, Debug)]
pub(crate) struct View {
    limit: LayerLimit,
    sequence: Numbering,
    pictures: Numbering,
    newest_picture: Option<u64>,
}

/// Where counting of picture ids starts, so that older ones stay above zero.
const FIRST_CYCLE: u64 = 1 << 16;

impl View {
    pub(crate) fn new(limit: LayerLimit) -> Self {
        Self {
            limit,
            sequence: Numbering::default(),
            pictures: Numbering::default(),
            newest_picture: None,
        }
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.limit);
    }

    /// A packet of `layer` has come, of `picture` if that has an id.
    pub(crate) fn on_packet(&mut self, number: u64, layer: LayerId, picture: Option<PictureId>) {
        if self.limit.admits(layer) {
            self.on_kept(number, picture);
        } else {
            self.on_left_out(number, picture);
        }
    }

    /// A packet of the substream has come.
    pub(crate) fn on_kept(&mut self, number: u64, picture: Option<PictureId>) {
        self.sequence.on_kept(number);
        if let Some(picture) = self.on_picture(picture) {
            self.pictures.on_kept(picture);
        }
    }

    /// A packet of a picture that is not in the substream has come.
    pub(crate) fn on_left_out(&mut self, number: u64, picture: Option<PictureId>) {
        self.sequence.on_skipped(number);
        if let Some(picture) = self.on_picture(picture) {
            self.pictures.on_skipped(picture);
        }
    }

    fn on_picture(&mut self, picture: Option<PictureId>) -> Option<u64> {
        let picture = self.extend(picture?);
        self.newest_picture = self.newest_picture.max(Some(picture));
        Some(picture)
    }

    pub(crate) fn on_skipped(&mut self, number: u64) {
        self.sequence.on_skipped(number);
    }

    pub(crate) const fn sequence(&self) -> &Numbering {
        &self.sequence
    }

    /// The picture id as it is without the pictures left out; wraps at 16 bits.
    pub(crate) fn picture_place(&self, picture: PictureId) -> Option<u16> {
        let place = self.pictures.place(self.extend(picture))?;
        Some(place as u16)
    }

    /// Places the id next to the newest one.
    fn extend(&self, PictureId { id, mask, .. }: PictureId) -> u64 {
        let Some(newest) = self.newest_picture else {
            return FIRST_CYCLE + u64::from(id);
        };
        let ahead = id.wrapping_sub(newest as u16) & mask;
        if ahead <= mask / 2 {
            newest + u64::from(ahead)
        } else {
            newest - u64::from(mask - ahead) - 1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(id: u16) -> PictureId {
        PictureId {
            id,
            mask: 0x7fff,
            closes_up: true,
        }
    }

    #[test]
    fn picture_ids_close_up_over_their_wrap() {
        let mut view = View::new(LayerLimit::NONE.with_temporal(0));
        let mut places = Vec::new();
        for frame in 0..40_u16 {
            let id = (0x7ff0 + frame) & 0x7fff;
            let layer = LayerId {
                spatial: 0,
                temporal: u8::from(frame % 2 == 1),
            };
            for packet in 0..2 {
                let number = 70_000 + u64::from(frame) * 2 + packet;
                view.on_packet(number, layer, Some(picture(id)));
            }
            if layer.temporal == 0 {
                places.push(view.picture_place(picture(id)).unwrap() & 0x7fff);
            }
        }
        for pair in places.windows(2) {
            assert_eq!((pair[0] + 1) & 0x7fff, pair[1]);
        }
    }
}
