//! The public face of routing. Each method names what it does; the work is in the files below
//! `router/` and in the state that they move.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use plenum_rtp::PacketDescription;
use plenum_rtp::rtcp::SenderInfo;
use plenum_types::{
    BandwidthEstimate, Bitrate, DropReason, KeyframeCause, LinkFill, LinkNote, MediaKind, NtpTime,
    PeerId, PeerIndex, PeerQuality, PublicationConfig, PublicationId, RoomId, RoomIndex,
    SequenceNumber, ShardId, SlotConfig, SlotId, SlotWish, Ssrc,
};
use rand::Rng;
use slab::Slab;

use crate::event::{
    Arrival, Backfill, BackfillPacket, Crossing, Forward, Late, LinkPosition, PeerSlot,
    Retransmission, RouterEvent, Withheld,
};
use crate::index::EncodingRef;
use crate::limit::LayerLimit;
use crate::peer::Peer;
use crate::publication::Publication;
use crate::remote::{News, Outbox, RemotePublisher};
use crate::room::Room;
use crate::slot::Slot;
use crate::timers::Timers;
use crate::{PublicationIndex, SlotIndex};

mod bind;
mod demand;
mod explain;
mod late;
mod layers_wanted;
mod links;
mod members;
mod packet;
mod pre_roll;
mod replay;
mod speakers;
mod timeouts;

/// Decides who receives what, and how each copy differs.
///
/// Contract. Per incoming packet: [`on_packet`](Self::on_packet) once; then, for it alone or for
/// several packets together, [`forward`](Self::forward) for each of
/// [`slots_of_encoding`](Self::slots_of_encoding) and, for each copy that left,
/// [`on_sent`](Self::on_sent). A slot is given the packets of an encoding in the order in which
/// they came, and all before a packet that [`changes_with`](Self::changes_with) is taken. Call
/// [`on_skipped`](Self::on_skipped) instead for packets that are not to be forwarded at all
/// (padding). After anything but
/// `on_sent`, drain [`poll_event`](Self::poll_event); call
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) is due, then
/// [`take_late`](Self::take_late) until it is empty.
/// Times never go back. Ids and indexes that are gone are ignored.
#[derive(Debug, Default)]
pub struct Router {
    /// By [`PeerIndex`].
    peers: Vec<Option<Peer>>,
    rooms: Slab<Room>,
    room_keys: BTreeMap<RoomId, usize>,
    publications: Slab<Publication>,
    publication_keys: HashMap<PublicationId, PublicationIndex>,
    slots: Slab<Slot>,
    timers: Timers,
    events: VecDeque<RouterEvent>,
    next_generation: u32,
    remotes: Slab<RemotePublisher>,
    remote_keys: BTreeMap<PeerId, usize>,
    /// What other shards do not know yet.
    outbox: Outbox,
    /// All other shards.
    neighbours: Vec<ShardId>,
    /// A moment on two clocks, for putting speakers in order.
    epoch: Option<(Instant, NtpTime)>,
    /// Slots are about to switch to this encoding: no need to ask for a keyframe.
    arriving_keyframe: Option<EncodingRef>,
    /// Slots that are behind, by when it is their turn. What is out of date is found out then.
    late: BTreeSet<(Instant, SlotIndex)>,
    /// What goes to other shards before the packets that come.
    backfills: Vec<Backfill>,
}

impl Router {
    /// A router without rooms.
    pub fn new() -> Self {
        Self::default()
    }

    /// A peer joins a room. The room comes into being with its first peer.
    pub fn add_peer(&mut self, room: RoomId, peer: PeerIndex) {
        self.insert_peer(room, peer);
    }

    /// A peer leaves, and with it its publications and slots.
    pub fn remove_peer(&mut self, now: Instant, peer: PeerIndex) {
        self.drop_peer(now, peer);
    }

    /// A peer publishes a track. The index is that of no publication if the peer is unknown.
    pub fn add_publication(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        config: &PublicationConfig,
    ) -> PublicationIndex {
        self.insert_publication(now, peer, config)
    }

    /// The other shards, and a moment on two clocks by which all shards put speakers in order.
    pub fn set_neighbours(&mut self, neighbours: Vec<ShardId>, start: Instant, ntp: NtpTime) {
        self.neighbours = neighbours;
        self.epoch = Some((start, ntp));
    }

    /// A peer of shard `home` publishes a track in a room of this shard.
    pub fn add_replica(
        &mut self,
        now: Instant,
        room: RoomId,
        home: ShardId,
        publisher: PeerId,
        config: &PublicationConfig,
    ) {
        self.insert_replica(now, room, home, publisher, config);
    }

    /// Nobody of a room is here any more: its replicas go.
    pub fn forget_room(&mut self, now: Instant, room: RoomId) {
        self.drop_replicas_of_room(now, room);
    }

    /// A track has ended. Slots that showed it show something else.
    pub fn remove_publication(&mut self, now: Instant, id: PublicationId) {
        if let Some(index) = self.publication_index(id) {
            self.drop_publication(now, index);
        }
    }

    /// A muted publication is not forwarded; unmuting asks for a keyframe.
    pub fn set_muted(&mut self, now: Instant, id: PublicationId, muted: bool) {
        if let Some(index) = self.publication_index(id) {
            self.mute(now, index, muted);
        }
    }

    /// The index of a publication.
    pub fn publication_index(&self, id: PublicationId) -> Option<PublicationIndex> {
        self.publication_keys.get(&id).copied()
    }

    /// A peer offers a slot. `rng` draws its first sequence number and timestamp. The index is
    /// that of no slot if the peer is unknown.
    pub fn add_slot(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        config: &SlotConfig,
        rng: &mut dyn Rng,
    ) -> SlotIndex {
        self.insert_slot(now, peer, config, false, rng)
    }

    /// As [`add_slot`](Self::add_slot), for a peer that cannot decrypt yet. The slot is bound and
    /// keyframes are asked for, so that they are there when the peer is; nothing is sent, and
    /// nothing told, before [`wake_peer`](Self::wake_peer).
    pub fn add_sleeping_slot(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        config: &SlotConfig,
        rng: &mut dyn Rng,
    ) -> SlotIndex {
        self.insert_slot(now, peer, config, true, rng)
    }

    /// The peer can decrypt: its slots begin, with the newest group of pictures if it is young.
    pub fn wake_peer(&mut self, now: Instant, peer: PeerIndex) {
        self.wake_slots(now, peer);
    }

    /// A slot is gone.
    pub fn remove_slot(&mut self, now: Instant, peer: PeerIndex, id: SlotId) {
        if let Some(index) = self.slot_index(peer, id) {
            self.drop_slot(now, index);
            self.reassign_peer(now, peer);
        }
    }

    /// The subscriber changed what it wants of a slot.
    pub fn set_slot_wish(&mut self, now: Instant, peer: PeerIndex, id: SlotId, wish: SlotWish) {
        if let Some(index) = self.slot_index(peer, id) {
            self.slots[index.key()].wish = wish;
            self.reassign_peer(now, peer);
        }
    }

    /// Highest temporal layer that a slot gets; `None`: all. Taken down at the next frame, taken up
    /// where the encoder allows it.
    pub fn set_temporal_limit(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        id: SlotId,
        limit: Option<u8>,
    ) {
        if let Some(index) = self.slot_index(peer, id) {
            self.slots[index.key()].temporal_limit = limit.unwrap_or(LayerLimit::NONE.temporal);
            self.allocate_peer(now, peer);
        }
    }

    /// The room, if taking this packet changes more than itself: what slots show, or what packets
    /// are numbered from. Packets of its room taken before it must have been forwarded by then.
    pub fn changes_with(
        &self,
        publication: PublicationIndex,
        encoding: u8,
        d: &PacketDescription,
    ) -> Option<RoomIndex> {
        let publication = self.publications.get(publication.key())?;
        publication
            .encoding(encoding)?
            .is_changed_by(d)
            .then_some(RoomIndex(publication.room as u32))
    }

    /// A packet has come: numbers it, keeps it for retransmission, and learns from it. An error
    /// means that nobody gets it.
    pub fn on_packet(
        &mut self,
        now: Instant,
        publication: PublicationIndex,
        encoding: u8,
        packet: &[u8],
        d: &PacketDescription,
        retransmitted: bool,
    ) -> Result<Arrival, DropReason> {
        let source = EncodingRef {
            publication,
            encoding,
        };
        self.take_packet(now, source, packet, d, retransmitted)
    }

    /// A packet has come that nobody is to get, because it is padding: what follows closes up.
    pub fn on_skipped(
        &mut self,
        publication: PublicationIndex,
        encoding: u8,
        sequence: SequenceNumber,
    ) {
        if let Some(encoding) = self.encoding_mut(EncodingRef {
            publication,
            encoding,
        }) {
            encoding.on_skipped(sequence);
        }
    }

    /// The packet of a replica that is given to [`on_packet`](Self::on_packet) next stands at
    /// `position`. Packets taken before one that [`breaks_off`](Self::breaks_off) must have been
    /// forwarded by then.
    pub fn before_linked_packet(
        &mut self,
        now: Instant,
        publication: PublicationIndex,
        encoding: u8,
        position: LinkPosition,
    ) {
        let source = EncodingRef {
            publication,
            encoding,
        };
        self.prepare_replica(now, source, position);
    }

    /// Whether a replica's packet at `position` does not continue those before.
    pub fn breaks_off(
        &self,
        publication: PublicationIndex,
        encoding: u8,
        position: LinkPosition,
    ) -> bool {
        let source = EncodingRef {
            publication,
            encoding,
        };
        self.encoding(source).is_some_and(|known| {
            position.resumes
                || known.home_generation != Some(position.generation)
                || known.home_feed != Some(position.feed)
        })
    }

    /// The room of a publication.
    pub fn room_of(&self, id: PublicationId) -> Option<RoomIndex> {
        let index = self.publication_index(id)?;
        let publication = self.publications.get(index.key())?;
        Some(RoomIndex(publication.room as u32))
    }

    /// How many other shards want the encoding of a packet.
    pub fn feeds_of(&self, arrival: &Arrival) -> usize {
        self.encoding(arrival.source)
            .map_or(0, |encoding| encoding.feeds.len())
    }

    /// How a packet goes to the shard at `position` among those that want its encoding, given how
    /// full the link there is; or why it does not.
    pub fn cross(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        position: usize,
        d: &PacketDescription,
        fill: impl FnOnce(ShardId) -> LinkFill,
    ) -> Result<Crossing, DropReason> {
        self.cross_packet(now, arrival, position, d, fill)
    }

    /// The link had no room for a packet that [`cross`](Self::cross) let through.
    pub fn on_link_full(&mut self, arrival: &Arrival, position: usize, d: &PacketDescription) {
        self.refuse_crossing(arrival, position, d);
    }

    /// A packet has come over a link from a shard, of a publication that has no replica here.
    pub fn on_unwanted_packet(&mut self, from: ShardId, publication: PublicationId) {
        self.outbox.add(from, News::Demand(publication));
    }

    /// Another shard is gone: nothing goes there any more.
    pub fn forget_shard(&mut self, shard: ShardId) {
        self.drop_shard(shard);
    }

    /// Another shard tells something. Of publications that are gone it is ignored.
    pub fn handle_note(&mut self, now: Instant, from: ShardId, note: &LinkNote) {
        self.learn_note(now, from, note);
    }

    /// The first shard after `after` that there is something to tell to.
    pub fn next_to_tell(&self, after: Option<ShardId>) -> Option<ShardId> {
        self.outbox.next_shard(after)
    }

    /// What to tell to a shard. Until [`on_note_sent`](Self::on_note_sent) it is the same again,
    /// or something newer.
    pub fn next_note(&mut self, now: Instant, to: ShardId) -> Option<LinkNote> {
        self.compose_note(now, to)
    }

    /// The note has gone to `to`.
    pub fn on_note_sent(&mut self, to: ShardId, note: &LinkNote) {
        self.take_note(to, note);
    }

    /// How many publications of other shards there are.
    pub fn replicas(&self) -> usize {
        let all = self.publications.iter();
        all.filter(|(_, publication)| publication.origin.is_some())
            .count()
    }

    /// How many encodings flow to other shards, counted for each shard.
    pub fn feeds(&self) -> usize {
        let all = self.publications.iter();
        all.flat_map(|(_, publication)| &publication.encodings)
            .map(|encoding| encoding.feeds.len())
            .sum()
    }

    /// Slots that are bound to a publication or still show it.
    pub fn slots_of(&self, publication: PublicationIndex) -> &[SlotIndex] {
        self.publications
            .get(publication.key())
            .map_or(&[], |publication| &publication.slots)
    }

    /// Slots that show an encoding or wait for its keyframe: those that its packets concern.
    /// Forwarding a packet may take a slot off the list of what it showed before.
    pub fn slots_of_encoding(&self, publication: PublicationIndex, encoding: u8) -> &[PeerSlot] {
        self.encoding(EncodingRef {
            publication,
            encoding,
        })
        .map_or(&[], |encoding| &encoding.slots)
    }

    /// How the copy for `slot` differs from a packet given to [`on_packet`](Self::on_packet), or
    /// why there is none.
    pub fn forward(
        &mut self,
        now: Instant,
        slot: SlotIndex,
        arrival: &Arrival,
        d: &PacketDescription,
    ) -> Result<Forward, Withheld> {
        self.forward_packet(now, slot, arrival, d)
    }

    /// A slot is not to be sent a picture's packet, nor what follows it, faster than `rate`: it is
    /// behind from there on. What has waited for long is sent faster; pictures that have waited for
    /// 700 ms are left out up to the next keyframe.
    /// Sound is never held back.
    #[cold]
    pub fn hold_back(&mut self, now: Instant, slot: SlotIndex, arrival: &Arrival, rate: Bitrate) {
        self.hold_back_from(now, slot, arrival, rate);
    }

    /// A slot that is behind and whose turn it is, with its room. What was taken of the room must
    /// be forwarded first; then [`forward_late`](Self::forward_late) is called until it is empty.
    pub fn take_late(&mut self, now: Instant) -> Option<(SlotIndex, RoomIndex)> {
        self.take_late_slot(now)
    }

    /// The next packet of a slot from [`take_late`](Self::take_late). For each copy that left call
    /// [`on_sent`](Self::on_sent).
    pub fn forward_late(&mut self, now: Instant, slot: SlotIndex) -> Option<Late<'_>> {
        self.forward_late_packet(now, slot)
    }

    /// Stored packets that another shard must get before any that is taken from now on.
    pub fn take_backfill(&mut self) -> Option<Backfill> {
        self.backfills.pop()
    }

    /// The next packet of a backfill.
    pub fn backfill(&self, now: Instant, backfill: &mut Backfill) -> Option<BackfillPacket<'_>> {
        self.next_of_backfill(now, backfill)
    }

    /// The slot of a peer that sends on `ssrc`, or repeats on it.
    pub fn slot_by_ssrc(&self, peer: PeerIndex, ssrc: Ssrc) -> Option<SlotIndex> {
        let owns = |index: &&SlotIndex| {
            let slot = self.slots.get(index.key());
            slot.is_some_and(|slot| slot.owns(ssrc))
        };
        self.slots_of_peer(peer).iter().find(owns).copied()
    }

    /// Whose slot it is.
    pub fn peer_of_slot(&self, slot: SlotIndex) -> Option<PeerIndex> {
        self.slots.get(slot.key()).map(|slot| slot.peer)
    }

    /// Ticks a second of the timestamps that a peer is sent on `ssrc`; `None` if that is no slot of
    /// its own, or carries retransmissions.
    pub fn clock_rate_of_slot(&self, peer: PeerIndex, ssrc: Ssrc) -> Option<u32> {
        let slot = self.slot_by_ssrc(peer, ssrc)?;
        let slot = self.slots.get(slot.key())?;
        (slot.ssrc() == ssrc).then(|| slot.clock_rate())
    }

    /// What to send again for a lost `sequence` of `slot` (RFC 4588 if negotiated, otherwise the
    /// packet itself). The same packet is not sent twice within `rtt`.
    pub fn retransmit(
        &mut self,
        now: Instant,
        slot: SlotIndex,
        sequence: SequenceNumber,
        rtt: Option<Duration>,
    ) -> Result<Retransmission<'_>, DropReason> {
        self.repeat_packet(now, slot, sequence, rtt)
    }

    /// A subscriber cannot decode what `slot` shows (PLI or FIR). Ignored for sound.
    pub fn on_keyframe_request(&mut self, now: Instant, slot: SlotIndex) {
        let slot = self.slots.get(slot.key());
        let Some(slot) = slot.filter(|slot| slot.kind == MediaKind::Video) else {
            return;
        };
        let target = slot.target.map(|target| target.source);
        if let Some(source) = slot.shown().map(|shown| shown.source).or(target) {
            self.ask_keyframe(now, source, KeyframeCause::SubscriberRequest);
        }
    }

    /// A packet with `payload_bytes` of payload has left on `slot`; counted by sender reports.
    pub fn on_sent(&mut self, slot: SlotIndex, payload_bytes: usize) {
        if let Some(slot) = self.slots.get_mut(slot.key()) {
            slot.on_sent(payload_bytes);
        }
    }

    /// A publisher's sender report has come.
    pub fn on_sender_report(
        &mut self,
        now: Instant,
        publication: PublicationIndex,
        encoding: u8,
        info: &SenderInfo,
    ) {
        self.take_report(now, publication, encoding, info);
    }

    /// The sender report for `slot`. `None` while it shows nothing, or while its publisher's clock
    /// is not known.
    pub fn sender_report(
        &mut self,
        now: Instant,
        ntp_now: NtpTime,
        slot: SlotIndex,
    ) -> Option<(Ssrc, SenderInfo)> {
        self.compose_report(now, ntp_now, slot)
    }

    /// The slots of a peer, oldest first.
    pub fn slots_of_peer(&self, peer: PeerIndex) -> &[SlotIndex] {
        self.peer(peer).map_or(&[], |peer| &peer.slots)
    }

    /// What the network to a subscriber carries.
    pub fn set_estimate(&mut self, now: Instant, peer: PeerIndex, estimate: BandwidthEstimate) {
        self.take_estimate(now, peer, estimate);
    }

    /// What a subscriber's slots are given and why. Round trip time and loss are not known here.
    pub fn explain(&self, now: Instant, peer: PeerIndex) -> PeerQuality {
        self.explain_slots(now, peer)
    }

    /// How a packet of padding leaves to a subscriber, to probe for bandwidth: on the
    /// retransmission stream of one of its slots. `None` if it has none.
    pub fn padding(&mut self, peer: PeerIndex) -> Option<Forward> {
        self.padding_of(peer)
    }

    /// Does what is due: repeats keyframe requests, notices silent layers and new speakers.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.run_timers(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has work.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let late = self.late.first().map(|(due, _)| *due);
        self.timers.next().into_iter().chain(late).min()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<RouterEvent> {
        self.events.pop_front()
    }
}
