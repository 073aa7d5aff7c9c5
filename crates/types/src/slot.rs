//! Slots as the control plane sees them: what a subscriber wishes, what it gets, and why.

use crate::{LayerId, Pixels, PublicationId};

/// How a slot finds its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotPolicy {
    /// Shows nothing.
    Off,
    /// Shows this publication.
    Pinned(PublicationId),
    /// Shows one of the most recent active speakers. The slots of a peer with this policy share
    /// them out; a speaker that has a slot keeps it.
    SpeakerOrder,
    /// Shows any publication of the room that no other slot of the peer shows, oldest first.
    All,
}

/// What a subscriber wants of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotWish {
    /// How the slot finds its source.
    pub policy: SlotPolicy,
    /// Size at which the picture is shown, in device pixels; `None` while unknown. Zero area
    /// means not visible: video is paused.
    pub viewport: Option<Pixels>,
    /// Higher gets bandwidth first.
    pub priority: u8,
    /// Highest spatial layer that it may be given, whatever its size; `None`: any. Where the
    /// publisher sends none so low, the lowest that there is.
    pub ceiling: Option<u8>,
}

impl SlotWish {
    /// A wish with `policy`, no viewport and the lowest priority.
    pub const fn new(policy: SlotPolicy) -> Self {
        Self {
            policy,
            viewport: None,
            priority: 0,
            ceiling: None,
        }
    }
}

/// Why a slot shows what it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotReason {
    /// The best layer there is.
    Best,
    /// The subscriber may not have a better one.
    Limited,
    /// A lower layer suffices for the size at which it is shown.
    Viewport,
    /// The network does not carry more.
    Bandwidth,
    /// The publisher does not send the wanted layer now.
    LayerInactive,
    /// The source is known, its next keyframe is awaited.
    WaitingForKeyframe,
    /// The source is muted.
    Muted,
    /// The slot is not visible.
    NotVisible,
    /// No source fits the policy.
    NoSource,
    /// The policy is `Off`.
    Off,
    /// The subscriber did not negotiate the codec of the source.
    CodecNotNegotiated,
}

impl SlotReason {
    /// How many there are.
    pub const COUNT: usize = 11;

    /// All, in the order of their discriminants.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Best,
        Self::Limited,
        Self::Viewport,
        Self::Bandwidth,
        Self::LayerInactive,
        Self::WaitingForKeyframe,
        Self::Muted,
        Self::NotVisible,
        Self::NoSource,
        Self::Off,
        Self::CodecNotNegotiated,
    ];

    /// Name in signaling and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Limited => "limited",
            Self::Viewport => "viewport",
            Self::Bandwidth => "bandwidth",
            Self::LayerInactive => "layer_inactive",
            Self::WaitingForKeyframe => "waiting_for_keyframe",
            Self::Muted => "muted",
            Self::NotVisible => "not_visible",
            Self::NoSource => "no_source",
            Self::Off => "off",
            Self::CodecNotNegotiated => "codec_not_negotiated",
        }
    }
}

/// What a slot shows now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotBinding {
    /// The source, if any.
    pub publication: Option<PublicationId>,
    /// The layer being forwarded; `None` while nothing is.
    pub layer: Option<LayerId>,
    /// Why.
    pub reason: SlotReason,
}

impl SlotBinding {
    /// What of it a subscriber notices.
    pub const fn state(&self) -> SlotState {
        match (self.publication, self.layer) {
            (None, _) => SlotState::Empty,
            (Some(_), None) => SlotState::Paused,
            (Some(_), Some(_)) => SlotState::Flowing,
        }
    }
}

/// Whether a slot shows anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotState {
    /// It has no source.
    Empty,
    /// It has a source, of which nothing is forwarded now.
    Paused,
    /// It is sent packets.
    Flowing,
}

impl SlotState {
    /// All, in the order of their discriminants.
    pub const ALL: [Self; 3] = [Self::Empty, Self::Paused, Self::Flowing];

    /// Name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Paused => "paused",
            Self::Flowing => "flowing",
        }
    }
}
