//! One incoming stream of a publication: its numbering, packets, clock, activity and keyframes.

use std::time::{Duration, Instant};

use plenum_rtp::{PacketDescription, RtpHeader};
use plenum_types::{
    Bitrate, Codec, LayerId, LinkedLayer, Pixels, SequenceExtender, SequenceNumber, SpatialSizes,
    Ssrc,
};

use crate::PeerSlot;
use crate::fields::{Fields, PictureId};
use crate::limit::LayerLimit;
use crate::publication::activity::Activity;
use crate::publication::clock::EncodingClock;
use crate::publication::feed::Feed;
use crate::publication::group::NewestGroup;
use crate::publication::keyframes::KeyframeRequests;
use crate::publication::layer_meter::LayerMeter;
use crate::publication::numbering::Numbering;
use crate::publication::store::PacketStore;
use crate::publication::view::View;

/// How long a replica's encoding that nobody wants any more is still asked for. Longer than notes
/// and packets take between shards; more only costs the link.
const LINGER: Duration = Duration::from_millis(100);

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
    /// The picture sizes, the layers or the codec are others.
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
    /// Substreams of lower layers, as slots have asked for them.
    views: Vec<View>,
    /// Where the view of each limit is.
    view_of: [Option<u8>; LayerLimit::COUNT],
    codec: Option<Codec>,
    sizes: Option<SpatialSizes>,
    temporal_top: u8,
    layers: LayerMeter,
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
            view_of: [None; LayerLimit::COUNT],
            codec: None,
            sizes: SpatialSizes::new(size),
            temporal_top: 0,
            layers: LayerMeter::default(),
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
        self.layers = LayerMeter::default();
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
            || (d.payload.sizes.is_some() && d.payload.sizes != self.sizes)
    }

    /// Gives the packet its number, and reads the fields that slots rewrite. Must be called for
    /// every packet, forwarded or not.
    pub(crate) fn number_packet(&mut self, d: &PacketDescription) -> (u64, Fields) {
        self.ssrc = Some(d.header.ssrc);
        let number = self.extender.extend(d.header.sequence);
        let fields = Fields::read(d);
        self.all.on_kept(number);
        for view in &mut self.views {
            view.on_packet(number, d.payload.layer, fields.picture_id);
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
        let mut layers_changed = false;
        if !retransmitted {
            self.clock.on_packet(now, d.header.timestamp);
            layers_changed = self
                .layers
                .on_packet(now, d.payload.layer, d.header.payload_len);
        }
        self.temporal_top = self.temporal_top.max(d.payload.layer.temporal);
        let codec_changed = self.codec != Some(d.codec);
        self.codec = Some(d.codec);
        let size_changed = d.payload.sizes.is_some() && d.payload.sizes != self.sizes;
        if size_changed {
            self.sizes = d.payload.sizes;
        }
        Facts {
            restarted: false,
            became_active: self
                .activity
                .on_packet(now, d.header.payload_len, retransmitted),
            reshaped: codec_changed || size_changed || layers_changed,
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
            sizes: self.sizes,
            bitrate: self.activity.bitrate(),
            codec: self.codec,
            temporal_top: self.temporal_top,
        }
    }

    /// Takes over what the publisher's shard knows. Whether slots may see a difference.
    pub(crate) fn follow(&mut self, layer: &LinkedLayer) -> bool {
        let before = (self.activity.is_active(), self.sizes, self.codec);
        self.activity.follow(layer.active, layer.bitrate);
        self.sizes = layer.sizes.or(self.sizes);
        self.codec = layer.codec.or(self.codec);
        self.temporal_top = self.temporal_top.max(layer.temporal_top);
        before != (self.activity.is_active(), self.sizes, self.codec)
    }

    /// Makes `limit` usable from the next packet on, with the temporal limits that lie on the way
    /// to it and from it.
    pub(crate) fn enable_limit(&mut self, limit: LayerLimit) {
        for usable in LayerLimit::all() {
            let on_the_way = usable.spatial == limit.spatial || !usable.is_spatial();
            let place = &mut self.view_of[usable.index()];
            if on_the_way && usable != LayerLimit::NONE && place.is_none() {
                *place = u8::try_from(self.views.len()).ok();
                self.views.push(View::new(usable));
            }
        }
    }

    /// What `limit` comes to, because there may be no layers above it. `None` if it was not
    /// enabled.
    pub(crate) fn limit_for(&self, limit: LayerLimit) -> Option<LayerLimit> {
        let mut found = LayerLimit::NONE;
        if limit.spatial < self.spatial_top() {
            found = found.with_spatial(limit.spatial);
        }
        if limit.temporal < self.temporal_top {
            found = found.with_temporal(limit.temporal);
        }
        let is_usable = found == LayerLimit::NONE || self.view_of[found.index()].is_some();
        is_usable.then_some(found)
    }

    /// The highest layers up to `limit` that there are.
    pub(crate) fn top_layer(&self, limit: LayerLimit) -> LayerId {
        LayerId {
            spatial: limit.spatial.min(self.spatial_top()),
            temporal: limit.temporal.min(self.temporal_top),
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

    /// The highest spatial layer: as the keyframe told, or as packets do.
    pub(crate) fn spatial_top(&self) -> u8 {
        let told = self.sizes.map_or(0, |sizes| sizes.layers() - 1);
        told.max(self.layers.spatial_top())
    }

    /// The numbering of the substream with layers up to `limit`.
    pub(crate) fn numbering(&self, limit: LayerLimit) -> &Numbering {
        self.view(limit).map_or(&self.all, View::sequence)
    }

    /// A picture id in the substream up to `limit`; wraps at 16 bits.
    pub(crate) fn picture_place(&self, limit: LayerLimit, picture: PictureId) -> Option<u16> {
        match self.view(limit) {
            Some(view) if picture.closes_up => view.picture_place(picture),
            _ => Some(picture.id),
        }
    }

    /// Picture size of a spatial layer. Where only the largest is known, each layer is taken to be
    /// half as wide as the next.
    pub(crate) fn size_of(&self, spatial: u8) -> Option<Pixels> {
        let sizes = self.sizes?;
        if sizes.layers() > 1 {
            return sizes.of(spatial);
        }
        let halvings = self.spatial_top().saturating_sub(spatial);
        let largest = sizes.largest();
        Some(Pixels {
            width: largest.width >> halvings,
            height: largest.height >> halvings,
        })
    }

    /// Whether a spatial layer is being sent.
    pub(crate) const fn flows(&self, spatial: u8) -> bool {
        self.activity.is_active() && self.layers.flows(spatial)
    }

    /// Bitrate of the layers up to `limit`, once measured.
    pub(crate) fn bitrate(&self, limit: LayerLimit) -> Option<Bitrate> {
        let all = self.activity.bitrate()?;
        if limit == LayerLimit::NONE {
            return Some(all);
        }
        let share = f64::from(self.layers.share(limit)?);
        Some(Bitrate((all.bits_per_second() as f64 * share) as u64))
    }

    fn view(&self, limit: LayerLimit) -> Option<&View> {
        let at = self.view_of[limit.index()]?;
        self.views.get(usize::from(at))
    }
}
