//! Why a datagram, packet or message was discarded. There is no silent loss: every discard has
//! one of these reasons and is counted.

/// The stage of the packet path at which something was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropStage {
    /// Reading from the socket.
    Receive,
    /// Telling protocols and peers apart.
    Demux,
    /// ICE, DTLS and SCTP.
    Transport,
    /// SRTP and SRTCP.
    Unprotect,
    /// Reading header, extensions and codec descriptor.
    Describe,
    /// Finding publication and slots.
    Route,
    /// Handing over to another shard.
    Link,
    /// Deciding whether a slot forwards the packet.
    Select,
    /// Encrypting.
    Protect,
    /// Handing over to the socket.
    Send,
}

impl DropStage {
    /// Name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Demux => "demux",
            Self::Transport => "transport",
            Self::Unprotect => "unprotect",
            Self::Describe => "describe",
            Self::Route => "route",
            Self::Link => "link",
            Self::Select => "select",
            Self::Protect => "protect",
            Self::Send => "send",
        }
    }
}

macro_rules! drop_reasons {
    ($($(#[$doc:meta])* $name:ident = ($stage:ident, $text:literal),)*) => {
        /// Why something was discarded.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum DropReason { $($(#[$doc])* $name,)* }

        impl DropReason {
            /// All reasons, in the order of their discriminants.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// Name in metrics.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The stage that drops for this reason.
            pub const fn stage(self) -> DropStage {
                match self { $(Self::$name => DropStage::$stage,)* }
            }
        }
    };
}

drop_reasons! {
    /// Larger than the receive buffer; the kernel cut it.
    DatagramTruncated = (Receive, "datagram_truncated"),
    /// Empty or first byte of no protocol of ours (RFC 7983).
    UnknownProtocol = (Demux, "unknown_protocol"),
    /// From an address that no peer has proved to own.
    UnknownAddress = (Demux, "unknown_address"),
    /// A STUN message whose user name is no peer of ours.
    UnknownUfrag = (Demux, "unknown_ufrag"),
    /// Not parseable as STUN.
    StunMalformed = (Transport, "stun_malformed"),
    /// STUN MESSAGE-INTEGRITY or FINGERPRINT is missing or wrong.
    StunIntegrity = (Transport, "stun_integrity"),
    /// A STUN message that ICE lite has no use for.
    StunUnexpected = (Transport, "stun_unexpected"),
    /// More remote addresses than a peer may have.
    TooManyPaths = (Transport, "too_many_paths"),
    /// DTLS record refused.
    DtlsRefused = (Transport, "dtls_refused"),
    /// SCTP packet refused.
    SctpRefused = (Transport, "sctp_refused"),
    /// A data channel message that nobody takes.
    DataUnwanted = (Transport, "data_unwanted"),
    /// A data message whose sender's token does not grant it.
    DataNotPermitted = (Transport, "data_not_permitted"),
    /// A data message above the limit.
    DataTooLarge = (Transport, "data_too_large"),
    /// More data messages or bytes a second than a participant may send.
    DataTooFast = (Transport, "data_too_fast"),
    /// A data message that does not parse.
    DataMalformed = (Transport, "data_malformed"),
    /// A data message to a subscriber for whom too much waits already.
    DataReceiverSlow = (Transport, "data_receiver_slow"),
    /// Media before the DTLS handshake gave keys.
    NoKeys = (Unprotect, "no_keys"),
    /// Authentication failed.
    SrtpAuthentication = (Unprotect, "srtp_authentication"),
    /// Seen before, or too old to tell (RFC 3711 §3.3.2).
    SrtpReplay = (Unprotect, "srtp_replay"),
    /// Too short for SRTP or SRTCP.
    SrtpTooShort = (Unprotect, "srtp_too_short"),
    /// More SSRCs than a peer may have.
    TooManySsrcs = (Unprotect, "too_many_ssrcs"),
    /// RTP header does not parse.
    RtpMalformed = (Describe, "rtp_malformed"),
    /// RTCP packet does not parse.
    RtcpMalformed = (Describe, "rtcp_malformed"),
    /// Codec descriptor does not parse.
    DescriptorMalformed = (Describe, "descriptor_malformed"),
    /// Payload type was not negotiated.
    UnknownPayloadType = (Describe, "unknown_payload_type"),
    /// Neither SSRC nor mid and rid tell the publication.
    UnknownSource = (Route, "unknown_source"),
    /// A packet seen before.
    Duplicate = (Route, "duplicate"),
    /// Padding only, a bandwidth probe: read for feedback, nothing to forward.
    PaddingOnly = (Route, "padding_only"),
    /// The publication is muted.
    Muted = (Route, "muted"),
    /// The link to another shard is too full for the layer that the packet belongs to.
    LinkFull = (Link, "link_full"),
    /// Older than what the other shard can still place.
    LinkTooLate = (Link, "link_too_late"),
    /// The slot shows another layer.
    OtherLayer = (Select, "other_layer"),
    /// A spatial layer above the target, within one stream.
    SpatialLayer = (Select, "spatial_layer"),
    /// A temporal layer above the target.
    TemporalLayer = (Select, "temporal_layer"),
    /// The slot waits for a keyframe of its new source.
    WaitingForKeyframe = (Select, "waiting_for_keyframe"),
    /// Older than the point at which the slot switched to its source.
    BeforeSwitch = (Select, "before_switch"),
    /// The slot is paused.
    Paused = (Select, "paused"),
    /// Pictures were held back for so long that they are left out up to the next keyframe.
    HeldTooLong = (Select, "held_too_long"),
    /// The subscriber did not negotiate the codec.
    CodecNotNegotiated = (Select, "codec_not_negotiated"),
    /// A requested packet is no longer in the store.
    NotStored = (Select, "not_stored"),
    /// A requested packet would add to the congestion that lost it.
    RepairHeld = (Select, "repair_held"),
    /// The subscriber has no keys or no path yet.
    SubscriberNotReady = (Protect, "subscriber_not_ready"),
    /// The packet does not fit a datagram after rewriting.
    TooLarge = (Protect, "too_large"),
    /// Encryption failed.
    ProtectFailed = (Protect, "protect_failed"),
    /// The send batch is full.
    SendBatchFull = (Send, "send_batch_full"),
    /// The socket refused it for now (EAGAIN, ENOBUFS).
    SendBusy = (Send, "send_busy"),
    /// Too much waits to be sent over the TCP connection.
    StreamFull = (Send, "stream_full"),
    /// The socket refused it (EMSGSIZE, EPERM, unreachable).
    SendFailed = (Send, "send_failed"),
}

/// One counter per [`DropReason`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropCounters([u64; DropReason::COUNT]);

impl Default for DropCounters {
    fn default() -> Self {
        Self([0; DropReason::COUNT])
    }
}

impl DropCounters {
    /// Counts one.
    pub fn count(&mut self, reason: DropReason) {
        self.add(reason, 1);
    }

    /// Counts `number`.
    pub fn add(&mut self, reason: DropReason, number: u64) {
        self.0[reason as usize] += number;
    }

    /// How many were dropped for `reason`.
    pub const fn get(&self, reason: DropReason) -> u64 {
        self.0[reason as usize]
    }

    /// How many were dropped in all.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discriminants_index_the_counters() {
        let mut counters = DropCounters::default();
        for (index, reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index);
            counters.add(*reason, index as u64);
        }
        assert_eq!(
            counters.get(DropReason::SendFailed),
            (DropReason::COUNT - 1) as u64
        );
    }

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<_> = DropReason::ALL
            .iter()
            .map(|reason| reason.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), DropReason::COUNT);
    }
}
