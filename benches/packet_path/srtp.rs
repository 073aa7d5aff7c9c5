//! Encryption in place. Every call takes the next sequence number, as a stream does: a session
//! refuses to use one twice.

use divan::{Bencher, black_box};
use plenum_benches::fan_out::session;
use plenum_benches::packet::{PACKET_LEN, Packet};
use plenum_media::SRTP_OVERHEAD;
use plenum_types::{Codec, SrtpProfile};

const PROFILES: [SrtpProfile; 3] = [
    SrtpProfile::AeadAes128Gcm,
    SrtpProfile::AeadAes256Gcm,
    SrtpProfile::Aes128CmSha1_80,
];

#[divan::bench(args = PROFILES, sample_size = 16)]
fn protect_1100_bytes(bencher: Bencher<'_, '_>, profile: SrtpProfile) {
    let mut session = session(profile, 1, true);
    let mut buffer = Packet::new(Codec::Vp8, 6).bytes();
    buffer.resize(PACKET_LEN + SRTP_OVERHEAD, 0);
    let mut sequence = 0_u16;
    bencher.bench_local(move || {
        sequence = sequence.wrapping_add(1);
        buffer[2..4].copy_from_slice(&sequence.to_be_bytes());
        session.protect_rtp(black_box(&mut buffer), PACKET_LEN)
    });
}

#[divan::bench(args = PROFILES, sample_size = 16)]
fn unprotect_1100_bytes(bencher: Bencher<'_, '_>, profile: SrtpProfile) {
    let mut theirs = session(profile, 1, true);
    let mut ours = session(profile, 1, false);
    let mut sequence = 0_u16;
    let packet = Packet::new(Codec::Vp8, 6).bytes();
    bencher
        .with_inputs(|| {
            let mut datagram = packet.clone();
            datagram.resize(PACKET_LEN + SRTP_OVERHEAD, 0);
            sequence = sequence.wrapping_add(1);
            datagram[2..4].copy_from_slice(&sequence.to_be_bytes());
            let length = theirs.protect_rtp(&mut datagram, PACKET_LEN);
            datagram.truncate(length.unwrap_or_default());
            datagram
        })
        .bench_local_refs(|datagram| ours.unprotect_rtp(black_box(datagram)).is_ok());
}
