//! A session against its mirror image.

use super::*;
use proptest::prelude::*;

const PROFILES: [SrtpProfile; 3] = [
    SrtpProfile::AeadAes128Gcm,
    SrtpProfile::AeadAes256Gcm,
    SrtpProfile::Aes128CmSha1_80,
];

/// The client's and the server's session.
fn pair(profile: SrtpProfile) -> (SrtpSession, SrtpSession) {
    let material: Vec<u8> = (0..keying_material_len(profile))
        .map(|byte| byte as u8)
        .collect();
    (
        SrtpSession::new(profile, &material, true).unwrap(),
        SrtpSession::new(profile, &material, false).unwrap(),
    )
}

fn protect(session: &mut SrtpSession, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + SRTP_OVERHEAD, 0);
    let length = session.protect_rtp(&mut buffer, packet.len()).unwrap();
    buffer.truncate(length);
    buffer
}

fn protect_rtcp(session: &mut SrtpSession, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + SRTCP_OVERHEAD, 0);
    let length = session.protect_rtcp(&mut buffer, packet.len()).unwrap();
    buffer.truncate(length);
    buffer
}

#[test]
fn replays_are_refused() {
    for profile in PROFILES {
        let (mut client, mut server) = pair(profile);
        let sealed = protect(&mut client, &rtp(1, 5, b"hello"));
        assert!(server.unprotect_rtp(&mut sealed.clone()).is_ok());
        assert_eq!(
            server.unprotect_rtp(&mut sealed.clone()),
            Err(DropReason::SrtpReplay)
        );
        let sealed = protect_rtcp(&mut client, &rtcp(5));
        assert!(server.unprotect_rtcp(&mut sealed.clone()).is_ok());
        assert_eq!(
            server.unprotect_rtcp(&mut sealed.clone()),
            Err(DropReason::SrtpReplay)
        );
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    for profile in PROFILES {
        let (mut client, mut server) = pair(profile);
        let sealed = protect(&mut client, &rtp(1, 5, b"hello"));
        let report = protect_rtcp(&mut client, &rtcp(5));
        // Bit 4 of the first byte announces an extension, its lower bits CSRCs: the packet may
        // then be too short instead.
        for bit in 0..sealed.len() * 8 {
            let mut forged = sealed.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(server.unprotect_rtp(&mut forged).is_err(), "bit {bit}");
        }
        for bit in 0..report.len() * 8 {
            let mut forged = report.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(server.unprotect_rtcp(&mut forged).is_err(), "bit {bit}");
        }
        assert!(server.unprotect_rtp(&mut sealed.clone()).is_ok());
        assert!(server.unprotect_rtcp(&mut report.clone()).is_ok());
    }
}

#[test]
fn forged_ssrcs_leave_no_trace_and_real_ones_are_bounded() {
    let (mut client, mut server) = pair(SrtpProfile::AeadAes128Gcm);
    for ssrc in 0..2_000 {
        let mut forged = rtp(1, ssrc, &[0; 40]);
        assert_eq!(
            server.unprotect_rtp(&mut forged),
            Err(DropReason::SrtpAuthentication)
        );
    }
    for ssrc in 0..512 {
        let mut sealed = protect(&mut client, &rtp(1, ssrc, b"x"));
        assert!(server.unprotect_rtp(&mut sealed).is_ok());
    }
    let mut sealed = protect(&mut client, &rtp(1, 512, b"x"));
    assert_eq!(
        server.unprotect_rtp(&mut sealed),
        Err(DropReason::TooManySsrcs)
    );
}

#[test]
fn gcm_never_uses_an_index_twice() {
    for profile in PROFILES {
        let (mut client, _) = pair(profile);
        let packet = rtp(9, 5, b"hello");
        protect(&mut client, &packet);
        let mut buffer = packet.clone();
        buffer.resize(packet.len() + SRTP_OVERHEAD, 0);
        let again = client.protect_rtp(&mut buffer, packet.len());
        match profile {
            SrtpProfile::Aes128CmSha1_80 => assert!(again.is_ok()),
            _ => assert_eq!(again, Err(DropReason::ProtectFailed)),
        }
    }
}

#[test]
fn a_buffer_without_room_for_the_tag_is_refused() {
    for profile in PROFILES {
        let (mut client, _) = pair(profile);
        let mut packet = rtp(9, 5, b"hello");
        let length = packet.len();
        assert_eq!(
            client.protect_rtp(&mut packet, length),
            Err(DropReason::TooLarge)
        );
        let mut packet = rtcp(5);
        assert_eq!(
            client.protect_rtcp(&mut packet, 8),
            Err(DropReason::TooLarge)
        );
    }
}

#[test]
fn keying_material_of_the_wrong_length_is_refused() {
    let refused = SrtpSession::new(SrtpProfile::AeadAes128Gcm, &[0; 55], false);
    assert!(matches!(
        refused,
        Err(MediaError::KeyingMaterialLength {
            expected: 56,
            actual: 55
        })
    ));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
        profile in 0_usize..3,
    ) {
        let (mut client, mut server) = pair(PROFILES[profile]);
        prop_assert!(server.unprotect_rtp(&mut bytes.clone()).is_err());
        prop_assert!(server.unprotect_rtcp(&mut bytes.clone()).is_err());
        let length = bytes.len();
        let mut buffer = bytes;
        buffer.resize(length + SRTCP_OVERHEAD, 0);
        let _ = client.protect_rtp(&mut buffer, length);
        let _ = client.protect_rtcp(&mut buffer, length);
    }

    #[test]
    fn reordered_packets_around_a_wrap_come_back(
        start in 65_000_u32..66_000,
        order in proptest::collection::vec(0_u32..300, 1..300),
        profile in 0_usize..3,
    ) {
        let (mut client, mut server) = pair(PROFILES[profile]);
        // Both sides follow the stream from its beginning.
        for sequence in (0..start).step_by(20_000) {
            let mut sealed = protect(&mut client, &rtp(sequence as u16, 5, b"x"));
            prop_assert!(server.unprotect_rtp(&mut sealed).is_ok());
        }
        let sealed: Vec<_> = (0..300)
            .map(|offset| protect(&mut client, &rtp((start + offset) as u16, 5, &[offset as u8; 9])))
            .collect();
        let mut seen = std::collections::BTreeSet::new();
        for place in order {
            let mut datagram = sealed[place as usize].clone();
            let opened = server.unprotect_rtp(&mut datagram);
            if seen.insert(place) {
                prop_assert_eq!(&*opened.unwrap(), rtp((start + place) as u16, 5, &[place as u8; 9]));
            } else {
                prop_assert_eq!(opened, Err(DropReason::SrtpReplay));
            }
        }
    }
}
