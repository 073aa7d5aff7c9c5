//! What the control plane asks of a shard.

use crate::{
    Bitrate, CodecParameters, ContentHint, DataAccess, DataMessage, ExtensionMap, Fingerprint,
    IceCredentials, MediaKind, Mid, PeerId, Pixels, PublicationId, Rid, RoomId, ShardId, SlotId,
    SlotWish, Source, Ssrc,
};

/// A request of the control plane to a shard. The commands to one shard are carried out in order,
/// those to different shards in any; one that names a peer, slot or publication that is gone is
/// ignored, because the two planes may cross.
#[derive(Clone, Debug)]
pub enum MediaCommand {
    /// A peer is expected: it will present the credentials given here.
    AddPeer(Box<PeerConfig>),
    /// The client restarted ICE (RFC 8445 §2.4). The old credentials keep working until the new
    /// ones have been used.
    RestartIce {
        /// Whose.
        peer: PeerId,
        /// Ours, new.
        local: IceCredentials,
        /// The client's, new.
        remote: IceCredentials,
    },
    /// End the peer: tell the client by DTLS close_notify, drop its publications and slots.
    RemovePeer {
        /// Which.
        peer: PeerId,
    },
    /// The peer publishes a track.
    AddPublication {
        /// Whose.
        peer: PeerId,
        /// What.
        publication: Box<PublicationConfig>,
    },
    /// Somebody on another shard publishes a track in a room of this shard. It comes over the link
    /// from there, as far as subscribers here want it. Its end and its muting are told as those of
    /// any other.
    AddRemotePublication {
        /// Where.
        room: RoomId,
        /// The shard of its publisher.
        home: ShardId,
        /// Whose. The tracks of one publisher share a clock, and its pictures follow its voice.
        publisher: PeerId,
        /// What.
        publication: Box<PublicationConfig>,
    },
    /// Nobody of the room is on this shard any more: it forgets what others publish there.
    ForgetRoom {
        /// Which.
        room: RoomId,
    },
    /// The track has ended.
    RemovePublication {
        /// Which.
        publication: PublicationId,
    },
    /// A muted publication is not forwarded.
    MutePublication {
        /// Which.
        publication: PublicationId,
        /// Whether it is muted.
        muted: bool,
    },
    /// The peer offers a slot.
    AddSlot {
        /// Whose.
        peer: PeerId,
        /// What.
        slot: Box<SlotConfig>,
    },
    /// The slot is gone.
    RemoveSlot {
        /// Whose.
        peer: PeerId,
        /// Which.
        slot: SlotId,
    },
    /// The subscriber changed what it wants of a slot.
    SetSlotWish {
        /// Whose.
        peer: PeerId,
        /// Which.
        slot: SlotId,
        /// What.
        wish: SlotWish,
    },
    /// The most that a peer may publish in all; `None`, as at first: no limit of its own. The client
    /// is told by RTCP, and its encoders follow.
    LimitPublishing {
        /// Who.
        peer: PeerId,
        /// How much.
        max_publish_bitrate: Option<Bitrate>,
    },
    /// What the peer may do with data messages. Until it is told, it neither sends nor receives.
    SetDataAccess {
        /// Who.
        peer: PeerId,
        /// What.
        access: DataAccess,
    },
    /// Deliver a message to those of the room that are on this shard: one that came from another
    /// shard, or from a backend.
    DeliverData(Box<DataMessage>),
    /// Answer with [`MediaEvent::PeerExplained`](crate::MediaEvent::PeerExplained). No answer if the
    /// peer is gone.
    ExplainPeer {
        /// Who.
        peer: PeerId,
        /// Comes back with the answer.
        request: u64,
    },
    /// Answer to [`MediaEvent::ShardEnded`](crate::MediaEvent::ShardEnded) of a shard that begins
    /// anew: commands before this were for the one that is gone, those after it count.
    StartAnew,
    /// Answer with [`MediaEvent::Stats`](crate::MediaEvent::Stats).
    ReportStats,
}

impl MediaCommand {
    /// The peer that it is about, if it is about one that is there.
    pub const fn peer(&self) -> Option<PeerId> {
        match self {
            Self::RestartIce { peer, .. }
            | Self::RemovePeer { peer }
            | Self::AddPublication { peer, .. }
            | Self::AddSlot { peer, .. }
            | Self::RemoveSlot { peer, .. }
            | Self::SetSlotWish { peer, .. }
            | Self::LimitPublishing { peer, .. }
            | Self::SetDataAccess { peer, .. }
            | Self::ExplainPeer { peer, .. } => Some(*peer),
            Self::AddPeer(_)
            | Self::AddRemotePublication { .. }
            | Self::ForgetRoom { .. }
            | Self::RemovePublication { .. }
            | Self::MutePublication { .. }
            | Self::DeliverData(_)
            | Self::StartAnew
            | Self::ReportStats => None,
        }
    }
}

/// A peer to come.
#[derive(Clone, Debug)]
pub struct PeerConfig {
    /// Its id.
    pub peer: PeerId,
    /// Who forwards to whom is decided within a room.
    pub room: RoomId,
    /// Our ICE credentials. `local.ufrag` must be unique on the server: it finds the peer.
    pub local: IceCredentials,
    /// The client's ICE credentials.
    pub remote: IceCredentials,
    /// The certificate that the client must present.
    pub remote_fingerprint: Fingerprint,
    /// CNAME that we use towards this peer (RFC 8834 §4.9).
    pub cname: String,
}

/// A track that a peer publishes.
#[derive(Clone, Debug)]
pub struct PublicationConfig {
    /// Its id.
    pub publication: PublicationId,
    /// Audio or video.
    pub kind: MediaKind,
    /// What it shows or plays.
    pub source: Source,
    /// What matters more in its pictures.
    pub content: ContentHint,
    /// The m-line it arrives on.
    pub mid: Mid,
    /// What the publisher may send.
    pub codecs: Vec<CodecParameters>,
    /// Ids on this m-line.
    pub extensions: ExtensionMap,
    /// The streams, smallest picture first. At least one; more than one is simulcast.
    pub encodings: Vec<Encoding>,
    /// Whether it starts muted.
    pub muted: bool,
}

/// One stream of a publication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoding {
    /// Its name, with simulcast.
    pub rid: Option<Rid>,
    /// Its SSRC, if the offer told.
    pub ssrc: Option<Ssrc>,
    /// SSRC of its retransmissions, if the offer told.
    pub rtx_ssrc: Option<Ssrc>,
    /// Its picture size, if the client told.
    pub size: Option<Pixels>,
}

/// One outgoing stream of a subscriber.
#[derive(Clone, Debug)]
pub struct SlotConfig {
    /// Its id within the peer.
    pub slot: SlotId,
    /// Audio or video.
    pub kind: MediaKind,
    /// The m-line it leaves on.
    pub mid: Mid,
    /// What the subscriber can take.
    pub codecs: Vec<CodecParameters>,
    /// Ids on this m-line.
    pub extensions: ExtensionMap,
    /// The SSRC we send.
    pub ssrc: Ssrc,
    /// The SSRC of our retransmissions.
    pub rtx_ssrc: Option<Ssrc>,
    /// What the subscriber wants at first.
    pub wish: SlotWish,
}
