//! Our SRTP against rtc-srtp, both ways, for every profile.

use super::super::{SRTCP_OVERHEAD, SRTP_OVERHEAD, SrtpSession, keying_material_len};
use plenum_types::SrtpProfile;
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;

const PROFILES: [(SrtpProfile, ProtectionProfile); 3] = [
    (SrtpProfile::AeadAes128Gcm, ProtectionProfile::AeadAes128Gcm),
    (SrtpProfile::AeadAes256Gcm, ProtectionProfile::AeadAes256Gcm),
    (
        SrtpProfile::Aes128CmSha1_80,
        ProtectionProfile::Aes128CmHmacSha1_80,
    ),
];

/// Our server, and the other library's two contexts as the client: towards us, and from us.
fn sides(profile: SrtpProfile, theirs: ProtectionProfile) -> (SrtpSession, Context, Context) {
    let material: Vec<u8> = (0..keying_material_len(profile))
        .map(|place| (place * 7 + 3) as u8)
        .collect();
    let (key, salt) = (theirs.key_len(), theirs.salt_len());
    let (keys, salts) = material.split_at(2 * key);
    let provider = rtc_crypto::default_provider().unwrap();
    let context = |key: &[u8], salt: &[u8]| {
        Context::new(key, salt, theirs, None, None, provider.crypto()).unwrap()
    };
    (
        SrtpSession::new(profile, &material, false).unwrap(),
        context(&keys[..key], &salts[..salt]),
        context(&keys[key..], &salts[salt..]),
    )
}

/// An RTP packet with two CSRCs and a one-byte header extension.
fn rtp(sequence: u16, ssrc: u32, payload: usize) -> Vec<u8> {
    let mut packet = vec![0x92, 0xe0];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 3_000).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend([1, 2, 3, 4, 5, 6, 7, 8]);
    packet.extend([0xbe, 0xde, 0, 1, 0x10, 0x30, 0, 0]);
    packet.extend((0..payload).map(|byte| byte as u8));
    packet
}

/// A receiver report with one block and a BYE.
fn rtcp(ssrc: u32, lost: u8) -> Vec<u8> {
    let mut packet = vec![0x81, 201, 0, 7];
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0, 0, 0, 9, lost, 0, 0, 1]);
    packet.extend([0; 16]);
    packet.extend([0x81, 203, 0, 1]);
    packet.extend(ssrc.to_be_bytes());
    packet
}

fn ours_sealed(session: &mut SrtpSession, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + SRTP_OVERHEAD, 0);
    let length = session.protect_rtp(&mut buffer, packet.len()).unwrap();
    buffer.truncate(length);
    buffer
}

/// Pairs swapped and one packet in ten missing, around two wraps.
fn sequences() -> Vec<u16> {
    let mut sequences: Vec<u32> = (0..140_000_u32)
        .filter(|n| n % 10 != 3 && (n % 16_384 < 20 || n % 65_536 > 65_500))
        .collect();
    for pair in sequences.chunks_exact_mut(2) {
        if pair[1] - pair[0] < 5 {
            pair.reverse();
        }
    }
    sequences.into_iter().map(|n| n as u16).collect()
}

#[test]
fn they_read_what_we_protect() {
    for (profile, theirs) in PROFILES {
        let (mut session, _, mut from_us) = sides(profile, theirs);
        for (count, sequence) in sequences().into_iter().enumerate() {
            let packet = rtp(sequence, 0xdead_beef, count % 1_200);
            let sealed = ours_sealed(&mut session, &packet);
            assert_eq!(from_us.decrypt_rtp(&sealed).unwrap(), packet);
        }
    }
}

#[test]
fn we_read_what_they_protect() {
    for (profile, theirs) in PROFILES {
        let (mut session, mut to_us, _) = sides(profile, theirs);
        for (count, sequence) in sequences().into_iter().enumerate() {
            let packet = rtp(sequence, 0xdead_beef, count % 1_200);
            let mut sealed = to_us.encrypt_rtp(&packet).unwrap();
            assert_eq!(session.unprotect_rtp(&mut sealed).unwrap(), packet);
        }
    }
}

#[test]
fn both_write_the_same_bytes() {
    for (profile, theirs) in PROFILES {
        let material: Vec<u8> = vec![5; keying_material_len(profile)];
        let mut session = SrtpSession::new(profile, &material, true).unwrap();
        let provider = rtc_crypto::default_provider().unwrap();
        let (key, salt) = (vec![5; theirs.key_len()], vec![5; theirs.salt_len()]);
        let mut context = Context::new(&key, &salt, theirs, None, None, provider.crypto()).unwrap();
        let packet = rtp(77, 1, 333);
        assert_eq!(
            ours_sealed(&mut session, &packet),
            context.encrypt_rtp(&packet).unwrap()
        );
    }
}

#[test]
fn reports_pass_both_ways() {
    for (profile, theirs) in PROFILES {
        let (mut session, mut to_us, mut from_us) = sides(profile, theirs);
        for lost in 0..50 {
            let packet = rtcp(0x0102_0304 + u32::from(lost % 3), lost);
            let mut sealed = to_us.encrypt_rtcp(&packet).unwrap();
            assert_eq!(session.unprotect_rtcp(&mut sealed).unwrap(), packet);

            let mut buffer = packet.clone();
            buffer.resize(packet.len() + SRTCP_OVERHEAD, 0);
            let length = session.protect_rtcp(&mut buffer, packet.len()).unwrap();
            assert_eq!(from_us.decrypt_rtcp(&buffer[..length]).unwrap(), packet);
        }
    }
}
