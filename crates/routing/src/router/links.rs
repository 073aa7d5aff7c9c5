//! Rooms that span shards: replicas of what others publish, feeds of what is published here, and
//! what shards tell each other about both.
//!
//! A replica is a publication like any other; only its packets come over a link. It wants an
//! encoding as long as a slot shows it or is to show it. The publisher's shard keeps a feed for
//! each encoding and shard that wants it.

use std::time::Instant;

use plenum_rtp::PacketDescription;
use plenum_rtp::rtcp::SenderInfo;
use plenum_types::{
    DropReason, KeyframeCause, LinkFact, LinkFill, LinkNote, LinkedClock, LinkedLayer, MediaKind,
    NtpTime, PeerId, PublicationConfig, PublicationId, RoomId, ShardId, SpeakerTurn,
};

use crate::event::{Arrival, Crossing, LinkPosition};
use crate::index::{EncodingRef, Publisher};
use crate::publication::{Feed, Publication, Rank, Verdict};
use crate::remote::{News, Origin, RemotePublisher};
use crate::timers::Timer;
use crate::{PublicationIndex, Router};

impl Router {
    pub(super) fn insert_replica(
        &mut self,
        now: Instant,
        room: RoomId,
        home: ShardId,
        publisher: PeerId,
        config: &PublicationConfig,
    ) {
        if self.publication_index(config.publication).is_some() {
            return;
        }
        let room = self.room_key(room);
        let remotes = &mut self.remotes;
        let key = *self.remote_keys.entry(publisher).or_insert_with(|| {
            remotes.insert(RemotePublisher {
                id: publisher,
                publications: Vec::new(),
                clock: Default::default(),
            })
        });
        let mut publication =
            Publication::new(Publisher::Remote(key), room, config, self.next_generation);
        publication.follow(Origin { home, told: None });
        self.outbox.add(home, News::Demand(config.publication));
        self.place_publication(now, publication);
    }

    pub(super) fn drop_replicas_of_room(&mut self, now: Instant, room: RoomId) {
        let Some(&key) = self.room_keys.get(&room) else {
            return;
        };
        for index in self.rooms[key].publications.clone() {
            if self.publications[index.key()].origin.is_some() {
                self.drop_publication(now, index);
            }
        }
    }

    /// A replica is gone: its publisher's shard is told, and the publisher goes with its last.
    pub(super) fn on_replica_dropped(&mut self, id: PublicationId, key: usize, home: ShardId) {
        self.outbox.add(home, News::Demand(id));
        if self.remotes[key].publications.is_empty() {
            let publisher = self.remotes.remove(key);
            self.remote_keys.remove(&publisher.id);
        }
    }

    /// The slots of an encoding came to be, or ceased to be.
    pub(super) fn on_demand_changed(&mut self, source: EncodingRef) {
        self.tell_demand(source.publication);
    }

    /// Tells a replica's publisher's shard what is wanted, if that is news.
    pub(super) fn tell_demand(&mut self, publication: PublicationIndex) {
        if let Some(publication) = self.publications.get(publication.key())
            && let Some(origin) = publication.origin
        {
            self.outbox.add(origin.home, News::Demand(publication.id));
        }
    }

    /// Tells the shards that have replicas.
    pub(super) fn tell_followers(
        &mut self,
        publication: PublicationIndex,
        news: impl Fn(PublicationId) -> News,
    ) {
        if let Some(publication) = self.publications.get(publication.key()) {
            for shard in &publication.followers {
                self.outbox.add(*shard, news(publication.id));
            }
        }
    }

    /// The first thing that `to` does not know yet.
    pub(super) fn compose_note(&mut self, now: Instant, to: ShardId) -> Option<LinkNote> {
        while let Some(news) = self.outbox.first(to) {
            if let Some(note) = self.compose(now, to, news) {
                return Some(note);
            }
            self.outbox.remove(to, news);
        }
        None
    }

    /// `None` if there is nothing to tell any more.
    fn compose(&mut self, now: Instant, to: ShardId, news: News) -> Option<LinkNote> {
        if let News::Demand(publication) = news {
            let fact = self.compose_demand(now, to, publication)?;
            return Some(LinkNote { publication, fact });
        }
        self.compose_fact(now, to, news)
    }

    fn compose_demand(&mut self, now: Instant, to: ShardId, id: PublicationId) -> Option<LinkFact> {
        let replica = self.publication_index(id).filter(|index| {
            let publication = &self.publications[index.key()];
            publication.home() == Some(to)
        });
        let Some(index) = replica else {
            return Some(LinkFact::Unwanted);
        };
        let (fact, due) = self.publications[index.key()].demand(now);
        self.timers.set_or_cancel(Timer::Demand(index), due);
        fact
    }

    fn compose_fact(&self, now: Instant, to: ShardId, news: News) -> Option<LinkNote> {
        let here = |id: PublicationId| {
            let index = self.publication_index(id)?;
            Some(&self.publications[index.key()])
        };
        let replica = |id| here(id).filter(|known| known.home() == Some(to));
        let followed = |id| here(id).filter(|known| known.followers.contains(&to));
        let (publication, fact) = match news {
            News::Published(id) => {
                here(id).filter(|known| known.origin.is_none())?;
                (id, LinkFact::Published)
            }
            News::Demand(_) => return None,
            News::Keyframe(id, encoding) => {
                replica(id)?;
                (id, LinkFact::KeyframeWanted { encoding })
            }
            News::LayersWanted(id) => {
                let top = replica(id)?.wanted.top();
                (id, LinkFact::LayersWanted { top })
            }
            News::Layer(id, encoding) => {
                let layer = followed(id)?.encoding(encoding)?.linked_layer();
                (id, LinkFact::Layer { encoding, layer })
            }
            News::Clock(id, encoding) => {
                let clock = self.linked_clock(now, followed(id)?, encoding)?;
                (id, LinkFact::Clock { encoding, clock })
            }
            News::Turn(id) => (id, LinkFact::Turn(followed(id)?.turn?)),
        };
        Some(LinkNote { publication, fact })
    }

    fn linked_clock(
        &self,
        now: Instant,
        publication: &Publication,
        encoding: u8,
    ) -> Option<LinkedClock> {
        let (ntp, rtp) = publication.encoding(encoding)?.clock.reported()?;
        let at = self
            .publisher_clock(publication.publisher)?
            .instant_of(ntp)?;
        let age = now.saturating_duration_since(at);
        Some(LinkedClock { ntp, rtp, age })
    }

    /// The note composed last has gone to `to`.
    pub(super) fn take_note(&mut self, to: ShardId, note: &LinkNote) {
        if let Some(news) = self.outbox.first(to) {
            self.outbox.remove(to, news);
        }
        if let LinkFact::Demand { encodings, .. } = note.fact
            && let Some(index) = self.publication_index(note.publication)
            && let Some(origin) = &mut self.publications[index.key()].origin
        {
            origin.told = Some(encodings);
        }
    }

    /// Another shard tells something.
    pub(super) fn learn_note(&mut self, now: Instant, from: ShardId, note: &LinkNote) {
        let Some(index) = self.publication_index(note.publication) else {
            return;
        };
        let home = self.publications[index.key()].home();
        match (home, note.fact) {
            (None, LinkFact::Demand { encodings, fresh }) => {
                self.take_demand(now, index, from, encodings, fresh);
            }
            (None, LinkFact::Unwanted) => {
                self.publications[index.key()].unfollow(from);
                self.watch_layers_wanted(now, index);
            }
            (None, LinkFact::KeyframeWanted { encoding }) => {
                let publication = index;
                let source = EncodingRef {
                    publication,
                    encoding,
                };
                self.ask_keyframe(now, source, KeyframeCause::OtherShard);
            }
            (None, LinkFact::LayersWanted { top }) => {
                self.take_layers_wanted(now, index, from, top);
            }
            (Some(home), fact) if home == from => self.learn_from_home(now, index, from, fact),
            // Of a publication that was here or there a moment ago.
            _ => {}
        }
    }

    fn learn_from_home(
        &mut self,
        now: Instant,
        index: PublicationIndex,
        home: ShardId,
        fact: LinkFact,
    ) {
        match fact {
            LinkFact::Published => {
                let publication = &mut self.publications[index.key()];
                publication.follow(Origin { home, told: None });
                self.outbox.add(home, News::Demand(publication.id));
                self.outbox.add(home, News::LayersWanted(publication.id));
            }
            LinkFact::Layer { encoding, layer } => self.learn_layer(now, index, encoding, &layer),
            LinkFact::Clock { encoding, clock } => self.learn_clock(now, index, encoding, clock),
            LinkFact::Turn(turn) => self.learn_turn(now, index, turn),
            LinkFact::Demand { .. }
            | LinkFact::Unwanted
            | LinkFact::KeyframeWanted { .. }
            | LinkFact::LayersWanted { .. } => {}
        }
    }

    fn take_demand(
        &mut self,
        now: Instant,
        index: PublicationIndex,
        from: ShardId,
        encodings: u8,
        fresh: bool,
    ) {
        let number = self.next_generation;
        self.next_generation = number.wrapping_add(1);
        let publication = &mut self.publications[index.key()];
        let is_new = !publication.followers.contains(&from);
        let mut begins = false;
        if is_new {
            publication.followers.push(from);
            let top = publication.wanted.top_of_all();
            publication.wanted_by.push((from, top));
        }
        for (at, encoding) in publication.encodings.iter_mut().enumerate() {
            let wanted = encodings & 1 << at != 0;
            let fed = encoding.feeds.iter().any(|feed| feed.to == from);
            if wanted && !fed {
                encoding.feeds.push(Feed::new(from, number));
                begins = true;
            } else if !wanted && fed {
                encoding.feeds.retain(|feed| feed.to != from);
            }
        }
        if begins {
            self.start_backfill(now, index, from);
        }
        if !is_new && !fresh {
            return;
        }
        let publication = &self.publications[index.key()];
        let (id, count) = (publication.id, publication.encodings.len() as u8);
        if is_new {
            let top = publication.wanted.top_of_all();
            self.raise_layers_wanted(index, top);
        }
        self.outbox.add(from, News::Turn(id));
        for encoding in 0..count {
            self.outbox.add(from, News::Layer(id, encoding));
            self.outbox.add(from, News::Clock(id, encoding));
        }
    }

    fn learn_layer(
        &mut self,
        now: Instant,
        publication: PublicationIndex,
        encoding: u8,
        layer: &LinkedLayer,
    ) {
        let source = EncodingRef {
            publication,
            encoding,
        };
        let known = self.encoding_mut(source);
        if known.is_some_and(|known| known.follow(layer)) {
            self.follow_change(now, source, false);
        }
    }

    fn learn_clock(
        &mut self,
        now: Instant,
        index: PublicationIndex,
        encoding: u8,
        clock: LinkedClock,
    ) {
        let publication = &mut self.publications[index.key()];
        let Some(known) = publication.encodings.get_mut(usize::from(encoding)) else {
            return;
        };
        known.clock.on_report(&SenderInfo {
            ntp: clock.ntp,
            rtp: clock.rtp,
            packets: 0,
            bytes: 0,
        });
        if let Publisher::Remote(key) = publication.publisher {
            let at = now.checked_sub(clock.age).unwrap_or(now);
            self.remotes[key].clock.set(at, clock.ntp);
        }
    }

    fn learn_turn(&mut self, now: Instant, index: PublicationIndex, turn: SpeakerTurn) {
        let publication = &mut self.publications[index.key()];
        let room = publication.room;
        publication.turn = Some(turn);
        if self.reorder_speakers(room) {
            self.follow_speakers(now, room);
        }
    }

    /// A packet of a replica follows.
    pub(super) fn prepare_replica(
        &mut self,
        now: Instant,
        source: EncodingRef,
        link: LinkPosition,
    ) {
        let Some(encoding) = self.encoding_mut(source) else {
            return;
        };
        let before = encoding.home_generation.replace(link.generation);
        let feed = encoding.home_feed.replace(link.feed);
        if link.resumes || feed != Some(link.feed) {
            // Packets are missing between those before and what comes.
            encoding.group.forget();
        }
        if before.is_some_and(|before| before != link.generation) {
            self.restart_encoding(source);
            self.pause_slots_showing(source);
            self.follow_change(now, source, false);
        } else if link.resumes {
            self.pause_slots_showing(source);
        } else if feed.is_some_and(|feed| feed != link.feed) && self.pause_slots_showing(source) {
            // What they showed has a hole that nothing can fill: they begin again.
            self.allocate_slots_of(now, source.publication);
        }
    }

    /// How a packet goes to the shard at `position` among those that
    /// want its encoding.
    pub(super) fn cross_packet(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        position: usize,
        d: &PacketDescription,
        fill: impl FnOnce(ShardId) -> LinkFill,
    ) -> Result<Crossing, DropReason> {
        let Arrival { source, number, .. } = *arrival;
        let publication = self
            .publications
            .get_mut(source.publication.key())
            .ok_or(DropReason::UnknownSource)?;
        let kind = publication.kind;
        let encoding = publication
            .encodings
            .get_mut(usize::from(source.encoding))
            .ok_or(DropReason::UnknownSource)?;
        let rank = Rank {
            lowest: source.encoding == 0,
            temporal_top: encoding.temporal_top(),
        };
        let generation = encoding.generation();
        let feed = encoding
            .feeds
            .get_mut(position)
            .ok_or(DropReason::UnknownSource)?;
        let (to, number_of_feed) = (feed.to, feed.number);
        let judged = match kind {
            MediaKind::Audio => Ok(Verdict::Keep),
            MediaKind::Video => feed.judge(number, d, rank, fill(to)),
        };
        let crossed = match judged {
            Ok(verdict) => feed.cross(number, d, verdict)?,
            Err(ask) => {
                if ask {
                    self.ask_keyframe(now, source, KeyframeCause::OtherShard);
                }
                return Err(DropReason::LinkFull);
            }
        };
        Ok(Crossing {
            to,
            position: LinkPosition {
                generation,
                feed: number_of_feed,
                resumes: crossed.resumes,
            },
            description: crossed.description,
        })
    }

    /// The link had no room for a packet that was to cross.
    pub(super) fn refuse_crossing(
        &mut self,
        arrival: &Arrival,
        position: usize,
        d: &PacketDescription,
    ) {
        if let Some(encoding) = self.encoding_mut(arrival.source)
            && let Some(feed) = encoding.feeds.get_mut(position)
        {
            feed.on_refused(arrival.number, d);
        }
    }

    /// A shard is gone: nothing goes there any more.
    pub(super) fn drop_shard(&mut self, shard: ShardId) {
        self.outbox.forget(shard);
        self.neighbours.retain(|other| *other != shard);
        for (_, publication) in &mut self.publications {
            publication.unfollow(shard);
        }
    }

    /// `now` on the clock by which speakers are put in order.
    pub(super) fn stamp(&mut self, now: Instant) -> NtpTime {
        let (start, ntp) = *self.epoch.get_or_insert((now, NtpTime(0)));
        ntp.plus(now.saturating_duration_since(start))
    }
}
