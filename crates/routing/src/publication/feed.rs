//! An encoding on its way to another shard.
//!
//! What is left out on the way leaves no gap: numbers and picture ids close up here, so that the
//! replica sees one stream as it would from a publisher that sent no more than this.

use plenum_rtp::{CodecFields, PacketDescription};
use plenum_types::{DropReason, LinkFill, MediaKind, SequenceNumber, ShardId};

use crate::fields::{Fields, PictureId};
use crate::limit::LayerLimit;
use crate::publication::gate::{Gate, Rank, Verdict};
use crate::publication::view::View;

/// One encoding for one shard that wants it.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) to: ShardId,
    /// Distinguishes it from feeds of the same encoding to the same shard before.
    pub(crate) number: u32,
    gate: Gate,
    /// Numbers without what was left out; absent until something is.
    closed_up: Option<Box<View>>,
}

/// A packet that goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crossed {
    /// As the other shard is to see it.
    pub(crate) description: PacketDescription,
    /// The stream starts again here after a cut.
    pub(crate) resumes: bool,
}

impl Feed {
    pub(crate) fn new(to: ShardId, number: u32) -> Self {
        Self {
            to,
            number,
            gate: Gate::default(),
            closed_up: None,
        }
    }

    /// The stream has begun anew.
    pub(crate) fn restart(&mut self) {
        *self = Self::new(self.to, self.number);
    }

    /// Decides about a picture's packet; `Err` with whether to ask for a keyframe.
    pub(crate) fn judge(
        &mut self,
        number: u64,
        d: &PacketDescription,
        rank: Rank,
        fill: LinkFill,
    ) -> Result<Verdict, bool> {
        match self.gate.judge(d, rank, fill) {
            Verdict::Drop { ask } => {
                self.skip(number, Fields::read(d).picture_id);
                Err(ask)
            }
            verdict => Ok(verdict),
        }
    }

    /// The packet as the other shard is to see it.
    pub(crate) fn cross(
        &mut self,
        number: u64,
        d: &PacketDescription,
        verdict: Verdict,
    ) -> Result<Crossed, DropReason> {
        let mut crossed = Crossed {
            description: *d,
            resumes: verdict == Verdict::Resume,
        };
        let Some(view) = &mut self.closed_up else {
            return Ok(crossed);
        };
        let picture = Fields::read(d).picture_id;
        view.on_kept(number, picture);
        let place = view
            .sequence()
            .place(number)
            .ok_or(DropReason::LinkTooLate)?;
        crossed.description.header.sequence = SequenceNumber(place as u16);
        if let Some(picture) = picture.filter(|picture| picture.closes_up) {
            let place = view.picture_place(picture).ok_or(DropReason::LinkTooLate)?;
            set_picture(&mut crossed.description, place & picture.mask);
        }
        Ok(crossed)
    }

    /// A packet that was to go found no room.
    pub(crate) fn on_refused(&mut self, number: u64, d: &PacketDescription) {
        if d.codec.kind() == MediaKind::Video {
            self.gate.on_refused(d.header.timestamp);
        }
        self.skip(number, None);
    }

    /// A packet that nobody is to get.
    pub(crate) fn on_skipped(&mut self, number: u64) {
        self.skip(number, None);
    }

    fn skip(&mut self, number: u64, picture: Option<PictureId>) {
        self.closed_up
            .get_or_insert_with(|| Box::new(View::new(LayerLimit::NONE)))
            .on_left_out(number, picture);
    }
}

fn set_picture(description: &mut PacketDescription, id: u16) {
    if let CodecFields::Vp8(fields) = &mut description.payload.fields {
        fields.picture_id = Some(id);
    }
}
