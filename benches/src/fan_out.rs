//! The whole packet path of a shard, without IO: one publisher of VP8, and its subscribers.
//!
//! Everybody has joined by ICE and DTLS. A burst is a video frame as it comes from a socket;
//! handling it is demux → unprotect → describe → route → select → patch → protect into a batch.
//! Time is virtual.

use std::time::{Duration, Instant};

use plenum_engine::{Certificate, NoLinks, Shard, ShardConfig};
use plenum_media::{SRTP_OVERHEAD, SrtpSession, keying_material_len};
use plenum_types::{
    Codec, ContentHint, Encoding, MediaCommand, MediaKind, Mid, NtpTime, PeerId, PublicationConfig,
    PublicationId, RoomId, SlotConfig, SlotId, SlotPolicy, SlotWish, Source, SrtpProfile, Ssrc,
};

use crate::batch::RunMemory;
use crate::client::{Client, Clients};
use crate::packet::{self, PACKETS_PER_FRAME, Packet, extensions, parameters};

pub(crate) const ROOM: RoomId = RoomId(1);
const PUBLICATION: PublicationId = PublicationId(1);
/// The publisher's number as a client; subscribers follow.
pub(crate) const PUBLISHER: u32 = 0;
/// Time between frames.
const FRAME_INTERVAL: Duration = Duration::from_micros(33_333);
/// Frames between two ICE checks of everybody; without them the shard ends a peer after a while.
const FRAMES_PER_CHECK: u32 = 60;
/// Frames until buffers have their size: packets are kept for a second.
const WARM_UP_FRAMES: usize = 40;

/// The datagrams of a video frame, encrypted by the publisher.
pub type Burst = Vec<Vec<u8>>;

/// A shard in the middle of a livestream.
pub struct FanOut {
    now: Instant,
    profile: SrtpProfile,
    shard: Shard,
    clients: Clients,
    publisher: Client,
    subscribers: Vec<Client>,
    batch: RunMemory,
    next_packet: u32,
    keyframe_wanted: bool,
}

impl FanOut {
    /// A livestream that has warmed up. `start` is the origin of its time.
    ///
    /// # Panics
    ///
    /// If somebody cannot join.
    pub fn new(subscribers: u32, profile: SrtpProfile, start: Instant) -> Self {
        let certificate = Certificate::generate().expect("a certificate can be made");
        let config = ShardConfig::default();
        let mut shard = Shard::new(config, certificate, 1, start, NtpTime::default());
        let clients = Clients::new(ROOM);
        let publisher = clients.join(&mut shard, start, PUBLISHER, profile);
        shard.handle_command(start, publication());
        let batch = RunMemory::new(publisher.path);
        let mut fan_out = Self {
            now: start,
            profile,
            shard,
            clients,
            publisher,
            subscribers: Vec::new(),
            batch,
            next_packet: 0,
            keyframe_wanted: true,
        };
        fan_out.grow_to(subscribers);
        fan_out
    }

    /// Lets more subscribers in, until there are `subscribers`, and warms up again.
    ///
    /// # Panics
    ///
    /// If somebody cannot join.
    pub fn grow_to(&mut self, subscribers: u32) {
        let present = self.subscribers.len() as u32;
        for number in present + 1..=subscribers {
            let client = self
                .clients
                .join(&mut self.shard, self.now, number, self.profile);
            self.shard.handle_command(self.now, slot(number));
            self.subscribers.push(client);
        }
        self.keyframe_wanted = true;
        for _ in 0..WARM_UP_FRAMES {
            let mut burst = self.next_burst();
            self.handle_burst(&mut burst);
        }
    }

    /// Subscribers now.
    pub fn subscribers(&self) -> usize {
        self.subscribers.len()
    }

    /// The publisher's next frame. Time goes on, and what is due besides media is done.
    ///
    /// # Panics
    ///
    /// If a packet cannot be encrypted.
    pub fn next_burst(&mut self) -> Burst {
        self.now += FRAME_INTERVAL;
        if (self.next_packet / PACKETS_PER_FRAME).is_multiple_of(FRAMES_PER_CHECK) {
            self.check();
        }
        self.end_wake_up();
        // As often as a shard wakes up: subscribers who catch up have their turns, a few hundred each time.
        while self.shard.poll_timeout().is_some_and(|due| due <= self.now) {
            self.shard.handle_timeout(self.now, &mut self.batch);
            self.end_wake_up();
        }
        self.batch.take_copies();
        let keyframe = std::mem::take(&mut self.keyframe_wanted);
        (0..PACKETS_PER_FRAME)
            .map(|_| self.next_datagram(keyframe))
            .collect()
    }

    /// Forwards a frame; returns the number of copies.
    pub fn handle_burst(&mut self, burst: &mut Burst) -> usize {
        for datagram in burst {
            self.shard.handle_datagram(
                self.now,
                self.publisher.path,
                datagram,
                &mut self.batch,
                &mut NoLinks,
            );
        }
        self.shard.flush(self.now, &mut self.batch, &mut NoLinks);
        self.batch.take_copies()
    }

    fn next_datagram(&mut self, keyframe: bool) -> Vec<u8> {
        let datagram = encrypted_datagram(&mut self.publisher, self.next_packet, keyframe);
        self.next_packet += 1;
        datagram
    }

    /// Everybody shows that they are still there.
    fn check(&mut self) {
        for client in std::iter::once(&self.publisher).chain(&self.subscribers) {
            let mut check = client.check.clone();
            self.shard.handle_datagram(
                self.now,
                client.path,
                &mut check,
                &mut self.batch,
                &mut NoLinks,
            );
        }
    }

    fn end_wake_up(&mut self) {
        self.shard.flush(self.now, &mut self.batch, &mut NoLinks);
        while self.shard.poll_event().is_some() {}
    }
}

/// The publisher's packet of that number, encrypted.
///
/// # Panics
///
/// If it cannot be.
pub(crate) fn encrypted_datagram(publisher: &mut Client, number: u32, keyframe: bool) -> Vec<u8> {
    let packet = Packet::new(Codec::Vp8, number).with_keyframe(keyframe);
    let mut datagram = packet.bytes();
    let length = datagram.len();
    datagram.resize(length + SRTP_OVERHEAD, 0);
    let length = publisher.srtp.protect_rtp(&mut datagram, length);
    datagram.truncate(length.expect("the publisher encrypts"));
    datagram
}

/// The publisher's video begins.
pub(crate) fn publication() -> MediaCommand {
    MediaCommand::AddPublication {
        peer: PeerId(u64::from(PUBLISHER)),
        publication: Box::new(publication_config()),
    }
}

/// The publisher's video.
pub(crate) fn publication_config() -> PublicationConfig {
    PublicationConfig {
        publication: PUBLICATION,
        kind: MediaKind::Video,
        source: Source::Camera,
        content: ContentHint::Motion,
        mid: mid(0),
        codecs: vec![parameters(Codec::Vp8)],
        extensions: extensions(),
        encodings: vec![Encoding {
            ssrc: Some(Ssrc(packet::PUBLISHER_SSRC)),
            ..Encoding::default()
        }],
        muted: false,
    }
}

/// A subscriber's slot for it.
pub(crate) fn slot(number: u32) -> MediaCommand {
    MediaCommand::AddSlot {
        peer: PeerId(u64::from(number)),
        slot: Box::new(SlotConfig {
            slot: SlotId(0),
            kind: MediaKind::Video,
            mid: mid(number),
            codecs: vec![parameters(Codec::Vp8)],
            extensions: extensions(),
            ssrc: Ssrc(number * 2),
            rtx_ssrc: Some(Ssrc(number * 2 + 1)),
            wish: SlotWish::new(SlotPolicy::Pinned(PUBLICATION)),
        }),
    }
}

/// A session whose keys follow from `number`. Both ends of one number understand each other.
///
/// # Panics
///
/// If the profile is not supported.
pub fn session(profile: SrtpProfile, number: u32, is_dtls_client: bool) -> SrtpSession {
    let mut keying_material = vec![0x5a; keying_material_len(profile)];
    for (byte, salt) in keying_material
        .iter_mut()
        .zip(number.to_be_bytes().iter().cycle())
    {
        *byte ^= salt;
    }
    SrtpSession::new(profile, &keying_material, is_dtls_client).expect("a supported profile")
}

fn mid(number: u32) -> Mid {
    Mid::new(&number.to_string()).expect("a short mid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some origin; only differences count"
    )]
    fn everybody_gets_every_packet_for_minutes() {
        let mut fan_out = FanOut::new(2, SrtpProfile::AeadAes128Gcm, Instant::now());
        fan_out.grow_to(3);
        for frame in 0..3_000 {
            let mut burst = fan_out.next_burst();
            let copies = PACKETS_PER_FRAME as usize * fan_out.subscribers();
            assert_eq!(fan_out.handle_burst(&mut burst), copies, "frame {frame}");
        }
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some origin; only differences count"
    )]
    fn a_large_audience_has_caught_up_when_it_is_measured() {
        let mut fan_out = FanOut::new(500, SrtpProfile::AeadAes128Gcm, Instant::now());
        for frame in 0..10 {
            let mut burst = fan_out.next_burst();
            let due = fan_out.shard.poll_timeout();
            assert!(due.is_none_or(|due| due > fan_out.now), "frame {frame}");
            fan_out.handle_burst(&mut burst);
        }
    }
}
