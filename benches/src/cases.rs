//! The stages of the packet path, one by one, ready to be run any number of times.

use std::hint::black_box;

use plenum_media::{SRTP_OVERHEAD, SrtpSession};
use plenum_rtp::{OutgoingExtensions, Patch, max_growth, write_packet};
use plenum_types::{Codec, Mid, SrtpProfile, Ssrc};

use crate::fan_out::session;
use crate::packet::{PACKET_LEN, Packet, extensions, parse};

/// The profiles, in the server's order of preference.
pub const PROFILES: [SrtpProfile; 3] = [
    SrtpProfile::AeadAes128Gcm,
    SrtpProfile::AeadAes256Gcm,
    SrtpProfile::Aes128CmSha1_80,
];

/// Within a later frame: no keyframe, no Dependency Descriptor structure.
const NUMBER: u32 = 6;

/// Reads header, extensions and payload descriptor of an incoming packet.
pub fn describe(codec: Codec) -> impl FnMut() {
    let packet = Packet::new(codec, NUMBER).bytes();
    move || {
        black_box(parse(black_box(&packet), codec));
    }
}

/// Writes one subscriber's copy: header patched, extension block rebuilt, payload copied.
pub fn write_copy(codec: Codec) -> impl FnMut() {
    let packet = Packet::new(codec, NUMBER).bytes();
    let description = parse(&packet, codec);
    let patch = Patch {
        ssrc: Ssrc(7),
        picture_id: Some(70),
        tl0_picture_index: Some(7),
        frame_number: Some(70),
        ..Patch::identity(&description)
    };
    let ext = OutgoingExtensions {
        map: extensions(),
        mid: Mid::new("12").ok(),
        abs_send_time: 0x01_02_03,
        transport_sequence: Some(7),
    };
    let mut out = vec![0; packet.len() + max_growth()];
    move || {
        let (packet, patch) = (black_box(&packet), black_box(&patch));
        let written = write_packet(packet, &description, patch, &ext, black_box(&mut out));
        assert!(written.is_ok(), "the copy does not fit");
    }
}

/// Encrypts a packet in place, under the next sequence number each time: a session refuses to use
/// one twice.
pub fn protect(profile: SrtpProfile) -> impl FnMut() {
    let mut stream = Stream::new(profile);
    let mut datagram = stream.next_packet();
    move || {
        stream.renumber(&mut datagram);
        let length = stream
            .theirs
            .protect_rtp(black_box(&mut datagram), PACKET_LEN);
        assert!(length.is_ok(), "the packet is not encrypted");
    }
}

/// Both ends of a stream of video packets.
pub struct Stream {
    theirs: SrtpSession,
    ours: SrtpSession,
    sequence: u16,
}

impl Stream {
    /// A new one.
    pub fn new(profile: SrtpProfile) -> Self {
        Self {
            theirs: session(profile, 1, true),
            ours: session(profile, 1, false),
            sequence: 0,
        }
    }

    /// The next datagram, encrypted.
    ///
    /// # Panics
    ///
    /// If it cannot be.
    pub fn next_datagram(&mut self) -> Vec<u8> {
        let mut datagram = self.next_packet();
        let length = self.theirs.protect_rtp(&mut datagram, PACKET_LEN);
        datagram.truncate(length.expect("the packet is encrypted"));
        datagram
    }

    /// Authenticates and decrypts a datagram in place.
    ///
    /// # Panics
    ///
    /// If it is not authentic.
    pub fn unprotect(&mut self, datagram: &mut [u8]) {
        let packet = self.ours.unprotect_rtp(black_box(datagram));
        assert!(packet.is_ok(), "the datagram is not authentic");
    }

    fn next_packet(&mut self) -> Vec<u8> {
        let mut packet = Packet::new(Codec::Vp8, NUMBER).bytes();
        packet.resize(PACKET_LEN + SRTP_OVERHEAD, 0);
        self.renumber(&mut packet);
        packet
    }

    fn renumber(&mut self, packet: &mut [u8]) {
        self.sequence = self.sequence.wrapping_add(1);
        packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
    }
}
