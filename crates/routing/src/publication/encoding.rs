//! One incoming stream of a publication: its numbering, packets, clock, activity and keyframes.

use std::time::{Duration, Instant};

use plenum_rtp::{PacketDescription, RtpHeader};
use plenum_types::{Codec, LinkedLayer, Pixels, SequenceExtender, SequenceNumber, Ssrc};

use crate::PeerSlot;
use crate::allocate::{ALL_TEMPORAL, LayerView};
use crate::fields::{Fields, PictureId};
use crate::publication::activity::Activity;
use crate::publication::clock::EncodingClock;
use crate::publication::feed::Feed;
use crate::publication::group::NewestGroup;
use crate::publication::keyframes::KeyframeRequests;
use crate::publication::numbering::Numbering;
use crate::publication::store::PacketStore;
use crate::publication::view::View;

/// How long a replica's encoding that nobody wants any more is still asked for. Longer than notes
/// and packets take between shards; more only costs the link.
const LINGER: Duration = Duration::from_millis(100);

/// Temporal layers that can be told apart; more are one.
const TEMPORAL_LAYERS: u8 = 4;

/// A packet this far behind the newest is of a sender that began anew under the same SSRC. More
/// than any reordering, and more than the receive side lets through as late.
const RESTARTED_BEHIND: i16 = 3_000;

/// What a packet changed beyond itself. Rare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The stream has begun anew.
    pub(crate) restarted: bool,
    /// The encoding was silent before.
    pub(crate) became_active: bool,
    /// The picture size or the codec is another one.
    pub(crate) reshaped: bool,
    /// An awaited keyframe has come.
    pub(crate) keyframe_answered: bool,
    /// Slots can switch at this packet.
    pub(crate) keyframe_starts: bool,
    /// Somebody begins to speak.
    pub(crate) spoke: bool,
}

impl Facts {
    /// Whether there is anything to do; that a keyframe starts is not.
    pub(crate) fn any(self) -> bool {
        self.restarted
            || self.became_active
            || self.reshaped
            || self.keyframe_answered
            || self.spoke
    }
}

/// One incoming stream.
#[derive(Debug)]
pub(crate) struct Encoding {
    /// Distinguishes this stream from others that had the same place before.
    generation: u32,
    ssrc: Option<Ssrc>,
    extender: SequenceExtender,
    all: Numbering,
    /// Substreams of lower temporal layers; empty until a slot asks for one.
    views: Vec<View>,
    codec: Option<Codec>,
    size: Option<Pixels>,
    temporal_top: u8,
    pub(crate) store: PacketStore,
    pub(crate) group: NewestGroup,
    pub(crate) clock: EncodingClock,
    pub(crate) activity: Activity,
    pub(crate) keyframes: KeyframeRequests,
    /// Slots that show this encoding or wait for its keyframe.
    pub(crate) slots: Vec<PeerSlot>,
    /// How many slots are asleep that will show it when they wake.
    pub(crate) sleepers: u32,
    /// Shards that want it.
    pub(crate) feeds: Vec<Feed>,
    /// Of a replica: which stream the packets so far were of, as the publisher's shard counts.
    pub(crate) home_generation: Option<u32>,
    /// Of a replica: since when nobody here wants it.
    unwanted_since: Option<Instant>,
    /// Of a replica: which feed they came by. Between two feeds packets are missing.
    pub(crate) home_feed: Option<u32>,
}

impl Encoding {
    pub(crate) fn new(generation: u32, clock_rate: u32, size: Option<Pixels>) -> Self {
        Self {
            generation,
            ssrc: None,
            extender: SequenceExtender::default(),
            all: Numbering::default(),
            views: Vec::new(),
            codec: None,
            size,
            temporal_top: 0,
            store: PacketStore::default(),
            group: NewestGroup::default(),
            clock: EncodingClock::new(clock_rate),
            activity: Activity::default(),
            keyframes: KeyframeRequests::default(),
            slots: Vec::new(),
            sleepers: 0,
            feeds: Vec::new(),
            home_generation: None,
            unwanted_since: None,
            home_feed: None,
        }
    }

    /// Whether a packet is of another stream than those so far: it has another SSRC, or a number
    /// that no packet of theirs can have so late.
    pub(crate) fn is_restarted_by(&self, header: &RtpHeader) -> bool {
        let is_left_behind = self.extender.newest().is_some_and(|newest| {
            let newest = SequenceNumber(newest as u16);
            newest.distance_from(header.sequence) >= RESTARTED_BEHIND
        });
        self.ssrc
            .is_some_and(|before| before != header.ssrc || is_left_behind)
    }

    /// Starts anew: nothing of the old stream can be mapped to the new one.
    pub(crate) fn restart(&mut self, generation: u32) {
        self.generation = generation;
        self.ssrc = None;
        self.extender = SequenceExtender::default();
        self.all = Numbering::default();
        self.views.iter_mut().for_each(View::reset);
        self.feeds.iter_mut().for_each(Feed::restart);
        self.forget_packets();
        self.clock.restart();
    }

    /// What came can be sent to nobody any more, or what comes does not continue it.
    pub(crate) fn forget_packets(&mut self) {
        self.store.clear();
        self.group.forget();
    }

    /// Whether a packet changes more than itself: the stream begins anew or again, or has another
    /// shape.
    pub(crate) fn is_changed_by(&self, d: &PacketDescription) -> bool {
        !self.activity.is_active()
            || self.is_restarted_by(&d.header)
            || self.codec != Some(d.codec)
            || (d.payload.size.is_some() && d.payload.size != self.size)
    }

    /// Gives the packet its number, and reads the fields that slots rewrite. Must be called for
    /// every packet, forwarded or not.
    pub(crate) fn number_packet(&mut self, d: &PacketDescription) -> (u64, Fields) {
        self.ssrc = Some(d.header.ssrc);
        let number = self.extender.extend(d.header.sequence);
        let fields = Fields::read(d);
        self.all.on_kept(number);
        for view in &mut self.views {
            view.on_packet(number, d.payload.layer.temporal, fields.picture_id);
        }
        (number, fields)
    }

    /// A packet that nobody is to get.
    pub(crate) fn on_skipped(&mut self, sequence: SequenceNumber) {
        let number = self.extender.extend(sequence);
        self.all.on_skipped(number);
        for view in &mut self.views {
            view.on_skipped(number);
        }
        for feed in &mut self.feeds {
            feed.on_skipped(number);
        }
    }

    /// Learns from a packet that is to be forwarded.
    pub(crate) fn observe(
        &mut self,
        now: Instant,
        d: &PacketDescription,
        retransmitted: bool,
    ) -> Facts {
        if !retransmitted {
            self.clock.on_packet(now, d.header.timestamp);
        }
        self.temporal_top = self.temporal_top.max(d.payload.layer.temporal);
        let codec_changed = self.codec != Some(d.codec);
        self.codec = Some(d.codec);
        let size_changed = d.payload.size.is_some() && d.payload.size != self.size;
        if size_changed {
            self.size = d.payload.size;
        }
        Facts {
            restarted: false,
            became_active: self
                .activity
                .on_packet(now, d.header.payload_len, retransmitted),
            reshaped: codec_changed || size_changed,
            keyframe_answered: d.payload.keyframe && self.keyframes.on_keyframe(),
            keyframe_starts: d.payload.keyframe && d.payload.starts_frame,
            spoke: false,
        }
    }

    /// Whether anybody wants its packets, here or elsewhere.
    pub(crate) const fn is_wanted(&self) -> bool {
        self.is_wanted_here() || !self.feeds.is_empty()
    }

    /// Whether a slot wants its packets, now or when it wakes.
    pub(crate) const fn is_wanted_here(&self) -> bool {
        !self.slots.is_empty() || self.sleepers > 0
    }

    /// Of a replica: until when it is wanted; `None` for as long as a slot does. `told`: its
    /// publisher's shard sends it.
    pub(crate) fn wanted_until(&mut self, now: Instant, told: bool) -> Option<Instant> {
        if self.is_wanted_here() {
            self.unwanted_since = None;
            return None;
        }
        if !told {
            return Some(now);
        }
        Some(*self.unwanted_since.get_or_insert(now) + LINGER)
    }

    /// What other shards are told of it.
    pub(crate) fn linked_layer(&self) -> LinkedLayer {
        LinkedLayer {
            active: self.activity.is_active(),
            size: self.size,
            bitrate: self.activity.bitrate(),
            codec: self.codec,
            temporal_top: self.temporal_top,
        }
    }

    /// Takes over what the publisher's shard knows. Whether slots may see a difference.
    pub(crate) fn follow(&mut self, layer: &LinkedLayer) -> bool {
        let before = (self.activity.is_active(), self.size, self.codec);
        self.activity.follow(layer.active, layer.bitrate);
        self.size = layer.size.or(self.size);
        self.codec = layer.codec.or(self.codec);
        self.temporal_top = self.temporal_top.max(layer.temporal_top);
        before != (self.activity.is_active(), self.size, self.codec)
    }

    /// Makes temporal limits usable from the next packet on.
    pub(crate) fn enable_temporal_limits(&mut self) {
        if self.views.is_empty() {
            self.views = (0..TEMPORAL_LAYERS - 1).map(View::new).collect();
        }
    }

    /// The limit that lets `temporal` and all below through.
    pub(crate) fn limit_for(&self, temporal: u8) -> u8 {
        if self.views.iter().any(|view| view.limit() == temporal) && temporal < self.temporal_top {
            temporal
        } else {
            ALL_TEMPORAL
        }
    }

    pub(crate) const fn generation(&self) -> u32 {
        self.generation
    }

    pub(crate) const fn codec(&self) -> Option<Codec> {
        self.codec
    }

    pub(crate) const fn temporal_top(&self) -> u8 {
        self.temporal_top
    }

    /// The numbering of the substream with temporal layers up to `limit`.
    pub(crate) fn numbering(&self, limit: u8) -> &Numbering {
        self.view(limit).map_or(&self.all, View::sequence)
    }

    /// A picture id in the substream up to `limit`; wraps at 16 bits.
    pub(crate) fn picture_place(&self, limit: u8, picture: PictureId) -> Option<u16> {
        match self.view(limit) {
            Some(view) if picture.closes_up => view.picture_place(picture),
            _ => Some(picture.id),
        }
    }

    pub(crate) fn layer_view(&self) -> LayerView {
        LayerView {
            size: self.size,
            active: self.activity.is_active(),
            bitrate: self.activity.bitrate(),
        }
    }

    fn view(&self, limit: u8) -> Option<&View> {
        self.views.iter().find(|view| view.limit() == limit)
    }
}
