//! A slot as the control plane sees it.

use plenum_types::{
    CodecParameters, ExtensionMap, MediaKind, Mid, Pixels, SlotConfig, SlotId, SlotPolicy,
    SlotWish, Ssrc,
};

use super::Room;
use crate::messages::{ErrorCode, SlotSpec};
use crate::refusal::Refusal;
use crate::token::Grants;

/// A slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) id: SlotId,
    pub(crate) kind: MediaKind,
    pub(crate) mid: Mid,
    pub(crate) codecs: Vec<CodecParameters>,
    pub(crate) extensions: ExtensionMap,
    pub(crate) ssrc: Ssrc,
    pub(crate) rtx_ssrc: Option<Ssrc>,
    /// What the client wants; its grants may leave less of it.
    pub(crate) wish: SlotWish,
}

impl Slot {
    /// What a new slot shows if the client does not say.
    pub(crate) const fn default_wish(kind: MediaKind) -> SlotWish {
        SlotWish::new(match kind {
            MediaKind::Audio => SlotPolicy::SpeakerOrder,
            MediaKind::Video => SlotPolicy::All,
        })
    }

    /// What the media plane is told.
    pub(crate) fn config(&self, grants: &Grants) -> SlotConfig {
        SlotConfig {
            slot: self.id,
            kind: self.kind,
            mid: self.mid,
            codecs: self.codecs.clone(),
            extensions: self.extensions,
            ssrc: self.ssrc,
            rtx_ssrc: self.rtx_ssrc,
            wish: grants.permitted(self.wish),
        }
    }

    /// Whether the media plane sees no difference but perhaps in the wish.
    pub(crate) fn same_media(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.codecs == other.codecs
            && self.extensions == other.extensions
    }
}

/// A wish before and what a client wants to change of it.
pub(crate) struct WishChange<'a> {
    pub(crate) was: SlotWish,
    pub(crate) spec: &'a SlotSpec,
}

impl WishChange<'_> {
    /// The wish after the change.
    pub(crate) fn apply(&self, room: &Room) -> Result<SlotWish, Refusal> {
        let Self { was, spec } = self;
        let policy = room.policy(spec.policy, spec.publication.as_deref(), was.policy)?;
        Ok(SlotWish {
            policy,
            viewport: self.viewport()?,
            priority: spec.priority.unwrap_or(was.priority),
            ceiling: was.ceiling,
        })
    }

    fn viewport(&self) -> Result<Option<Pixels>, Refusal> {
        match (self.spec.width, self.spec.height) {
            (None, None) => Ok(self.was.viewport),
            (Some(width), Some(height)) => Ok(Some(Pixels { width, height })),
            _ => Err(Refusal::new(
                ErrorCode::BadMessage,
                "Give width and height of a slot together.",
            )),
        }
    }
}
