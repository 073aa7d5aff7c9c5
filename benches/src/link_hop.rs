//! From shard to shard, without a thread: what a publisher's shard hands over goes through the
//! server's own ring into the burst of another shard.
//!
//! A frame is handed over and taken; handling it is offer → copy → read → route → hold. What comes
//! before (unprotect, describe) and after (select, patch, protect) is done between frames.

use std::time::{Duration, Instant};

use plenum_engine::{Certificate, LinkMessage, LinkPacket, LinkRefused, Links, Shard, ShardConfig};
use plenum_net::LinkEnds;
use plenum_types::{
    LinkFill, LinkNote, MediaCommand, NtpTime, Path, PeerId, Remote, ShardId, SrtpProfile,
};

use crate::batch::RunMemory;
use crate::client::{Client, Clients};
use crate::fan_out::{PUBLISHER, ROOM, encrypted_datagram, publication, publication_config, slot};
use crate::packet::PACKETS_PER_FRAME;

/// The publisher's shard.
const HERE: ShardId = ShardId(0);
/// The subscriber's.
const THERE: ShardId = ShardId(1);
const SUBSCRIBER: u32 = 1;
const FRAME_INTERVAL: Duration = Duration::from_micros(33_333);
/// Frames between two ICE checks of both.
const FRAMES_PER_CHECK: u32 = 60;
/// Frames until buffers have their size: packets are kept for a second.
const WARM_UP_FRAMES: usize = 40;

/// The packets of a video frame, as the publisher's shard hands them over.
pub type Frame = Vec<(LinkPacket, Vec<u8>)>;

/// Two shards, with a publisher on one and a subscriber on the other.
pub struct LinkHop {
    now: Instant,
    here: Side,
    there: Side,
    ring: [LinkEnds; 2],
    next_packet: u32,
}

/// One of the shards, and its only client.
struct Side {
    shard: Shard,
    client: Client,
    batch: RunMemory,
    handed: Handed,
}

/// What a shard hands to the other.
#[derive(Default)]
struct Handed {
    packets: Frame,
    notes: Vec<LinkNote>,
}

impl LinkHop {
    /// A livestream over a link that has warmed up. `start` is the origin of its time.
    ///
    /// # Panics
    ///
    /// If somebody cannot join, or the process has no file descriptors left.
    pub fn new(start: Instant) -> Self {
        let certificate = Certificate::generate().expect("a certificate can be made");
        let clients = Clients::new(ROOM);
        let mut here = Side::new(HERE, PUBLISHER, &certificate, &clients, start);
        let mut there = Side::new(THERE, SUBSCRIBER, &certificate, &clients, start);
        here.shard.handle_command(start, publication());
        let remote = MediaCommand::AddRemotePublication {
            room: ROOM,
            home: HERE,
            publisher: PeerId(u64::from(PUBLISHER)),
            publication: Box::new(publication_config()),
        };
        there.shard.handle_command(start, remote);
        there.shard.handle_command(start, slot(SUBSCRIBER));
        let mut hop = Self {
            now: start,
            here,
            there,
            ring: plenum_net::link_pair().expect("a ring between two shards"),
            next_packet: 0,
        };
        hop.warm_up();
        hop
    }

    fn warm_up(&mut self) {
        // What the subscriber wants is told first.
        self.settle();
        for _ in 0..WARM_UP_FRAMES {
            let frame = self.next_frame();
            self.hop(&frame);
        }
    }

    /// What the publisher's shard hands over of the next frame. The frame before goes to the
    /// subscriber; time goes on, and what is due besides media is done.
    ///
    /// # Panics
    ///
    /// If a packet cannot be encrypted.
    pub fn next_frame(&mut self) -> Frame {
        self.settle();
        self.now += FRAME_INTERVAL;
        let frame = self.next_packet / PACKETS_PER_FRAME;
        for side in [&mut self.here, &mut self.there] {
            side.pass_time(self.now, frame.is_multiple_of(FRAMES_PER_CHECK));
        }
        self.settle();
        for _ in 0..PACKETS_PER_FRAME {
            let client = &mut self.here.client;
            let mut datagram = encrypted_datagram(client, self.next_packet, frame == 0);
            self.next_packet += 1;
            self.here.handle_datagram(self.now, &mut datagram);
        }
        std::mem::take(&mut self.here.handed.packets)
    }

    /// Hands a frame over and takes it on the other side; returns the number of packets there.
    ///
    /// # Panics
    ///
    /// If the ring refuses one.
    pub fn hop(&mut self, frame: &Frame) -> usize {
        let [here, there] = &mut self.ring;
        for (packet, bytes) in frame {
            let sent = here.try_send(THERE, LinkMessage::Packet(*packet, bytes));
            assert_eq!(sent, Ok(()), "there is room");
        }
        let (now, side, mut taken) = (self.now, &mut self.there, 0);
        there.visit(frame.len(), |from, message| {
            taken += 1;
            side.shard.handle_link(now, from, message, &mut side.batch);
        });
        taken
    }

    /// Copies that the subscriber was sent since the last call.
    pub const fn take_copies(&mut self) -> usize {
        self.there.batch.take_copies()
    }

    /// Ends the wake-up of both, until neither has anything to tell the other.
    fn settle(&mut self) {
        loop {
            let Self {
                now, here, there, ..
            } = self;
            here.end_wake_up(*now);
            there.end_wake_up(*now);
            if here.handed.notes.is_empty() && there.handed.notes.is_empty() {
                return;
            }
            here.tell(*now, HERE, there);
            there.tell(*now, THERE, here);
        }
    }
}

impl Side {
    fn new(
        shard: ShardId,
        number: u32,
        certificate: &Certificate,
        clients: &Clients,
        start: Instant,
    ) -> Self {
        let config = ShardConfig {
            shard,
            shards: 2,
            ..ShardConfig::default()
        };
        let mut shard = Shard::new(config, certificate.clone(), 1, start, NtpTime::default());
        let client = clients.join(&mut shard, start, number, SrtpProfile::AeadAes128Gcm);
        // Copies are counted on the subscriber's shard, where no publisher is.
        let nobody = Path {
            remote: Remote::udp(([0, 0, 0, 0], 0).into()),
            local_ip: None,
        };
        Self {
            shard,
            batch: RunMemory::new(nobody),
            client,
            handed: Handed::default(),
        }
    }

    fn pass_time(&mut self, now: Instant, check: bool) {
        if check {
            let mut check = self.client.check.clone();
            self.handle_datagram(now, &mut check);
        }
        if self.shard.poll_timeout().is_some_and(|due| due <= now) {
            self.shard.handle_timeout(now, &mut self.batch);
        }
    }

    fn handle_datagram(&mut self, now: Instant, datagram: &mut [u8]) {
        let Self {
            shard,
            client,
            batch,
            handed,
        } = self;
        shard.handle_datagram(now, client.path, datagram, batch, handed);
    }

    fn end_wake_up(&mut self, now: Instant) {
        self.shard.flush(now, &mut self.batch, &mut self.handed);
        while self.shard.poll_event().is_some() {}
    }

    fn tell(&mut self, now: Instant, from: ShardId, other: &mut Self) {
        for note in self.handed.notes.drain(..) {
            let message = LinkMessage::Note(note);
            other
                .shard
                .handle_link(now, from, message, &mut other.batch);
        }
    }
}

impl Links for Handed {
    fn fill(&self, _: ShardId) -> LinkFill {
        LinkFill::default()
    }

    fn try_send(&mut self, _: ShardId, message: LinkMessage<'_>) -> Result<(), LinkRefused> {
        match message {
            LinkMessage::Packet(packet, bytes) => self.packets.push((packet, bytes.to_vec())),
            LinkMessage::Note(note) => self.notes.push(note),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some origin; only differences count"
    )]
    fn every_packet_hops_and_is_forwarded() {
        let mut hop = LinkHop::new(Instant::now());
        hop.settle();
        for number in 0..600 {
            let frame = hop.next_frame();
            hop.take_copies();
            assert_eq!(hop.hop(&frame), PACKETS_PER_FRAME as usize, "{number}");
            hop.there.end_wake_up(hop.now);
            let copies = hop.take_copies();
            // Feedback goes to the subscriber too.
            assert!(copies >= PACKETS_PER_FRAME as usize, "{number}: {copies}");
        }
    }
}
