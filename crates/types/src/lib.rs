//! The vocabulary of Plenum: ids, units, wrapping counters, drop reasons, and the contract
//! between the control plane and the media plane.
//!
//! Nothing here does work. The control plane (signaling) and the media plane (shards) meet only
//! in two values: [`MediaCommand`] goes down, [`MediaEvent`] comes up. Everything is plain data,
//! so a room can be driven from a test as well as from a socket.

#![forbid(unsafe_code)]

mod bandwidth;
mod codec;
mod command;
mod connect;
mod data;
mod datagram;
mod distributions;
mod drop_reason;
mod event;
mod extension;
mod histogram;
mod ids;
mod layer;
mod link;
mod quality;
mod slot;
mod stats;
mod text;
mod transport;
mod units;
mod wrapping;

pub use bandwidth::{BandwidthEstimate, BitrateDemand, EstimateBasis, PACKET_OVERHEAD};
pub use codec::{Codec, CodecParameters, ContentHint, MediaKind, Source};
pub use command::{Encoding, MediaCommand, PeerConfig, PublicationConfig, SlotConfig};
pub use connect::{ConnectOutcome, ConnectPhase};
pub use data::{DataAccess, DataLimits, DataLoss, DataMessage};
pub use datagram::{ConnectionId, Path, Remote, SendBatch};
pub use distributions::Distributions;
pub use drop_reason::{DropCounters, DropReason, DropStage};
pub use event::{CloseReason, MediaEvent, Speaker};
pub use extension::{ExtensionKind, ExtensionMap};
pub use histogram::Histogram;
pub use ids::{
    ParticipantId, PeerId, PeerIndex, PublicationId, RoomId, RoomIndex, ShardId, SlotId, Ssrc,
};
pub use layer::{LayerId, SpatialSizes};
pub use link::{
    LinkFact, LinkFill, LinkNote, LinkedClock, LinkedLayer, SpeakerTurn, SpeechActivity,
};
pub use quality::{Decision, PeerQuality, SlotQuality};
pub use slot::{SlotBinding, SlotPolicy, SlotReason, SlotState, SlotWish};
pub use stats::{KeyframeCause, ShardStats};
pub use text::{Mid, Rid, ShortText, TextTooLong};
pub use transport::{
    Fingerprint, FingerprintAlgorithm, IceCredentials, Secret, SrtpProfile, shard_of_ufrag,
    ufrag_of,
};
pub use units::{AudioLevel, Bitrate, NtpTime, Pixels};
pub use wrapping::{RtpTimestamp, SequenceExtender, SequenceNumber};
