//! Damaged and forged datagrams: whatever comes, a peer refuses, fails or goes on, and never panics.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile as Offer;

use plenum_types::DropReason;

use super::call::{Call, PASSWORD, path};
use crate::PeerEvent;
use crate::peer::test_clock::at;

/// Flips, cuts or lengthens.
fn damage(rng: &mut StdRng, bytes: &mut Vec<u8>) {
    match rng.random_range(0..6) {
        0 => bytes.truncate(rng.random_range(0..=bytes.len())),
        1 => bytes.extend_from_slice(&[rng.random(); 7]),
        _ => {
            for _ in 0..rng.random_range(1..4) {
                if !bytes.is_empty() {
                    let index = rng.random_range(0..bytes.len());
                    bytes[index] = rng.random();
                }
            }
        }
    }
}

#[test]
fn a_damaged_handshake_connects_or_fails() {
    for seed in 0..60 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut call = Call::new();
        call.connect(vec![Offer::Srtp_Aead_Aes_128_Gcm]);
        for _ in 0..400 {
            let mut outgoing = std::mem::take(&mut call.client.outgoing);
            for bytes in &mut outgoing {
                if rng.random_bool(0.2) {
                    damage(&mut rng, bytes);
                }
            }
            call.client.outgoing = outgoing;
            call.run(5);
        }
    }
}

#[test]
fn damaged_checks_are_refused_or_harmless() {
    let mut rng = StdRng::seed_from_u64(1);
    let mut call = Call::new();
    for _ in 0..20_000 {
        let mut check = call.client.check("here:there", PASSWORD, true);
        damage(&mut rng, &mut check);
        let _ = call.peer.handle_stun(at(0), path(1), &check);
        while call.peer.poll_transmit().is_some() {}
    }
}

/// CRC-32C, by which SCTP packets are checked (RFC 9260 Appendix A).
fn checksum(packet: &[u8]) -> u32 {
    !packet.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg())
        })
    })
}

fn seal(packet: &mut [u8]) {
    if packet.len() >= 12 {
        packet[8..12].fill(0);
        let value = checksum(packet);
        packet[8..12].copy_from_slice(&value.to_le_bytes());
    }
}

#[test]
fn damaged_sctp_with_a_good_checksum_is_refused_or_harmless() {
    for seed in 0..40 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut call = Call::connected();
        call.client.damage_sctp = Some(Box::new(move |packet| {
            if rng.random_bool(0.3) {
                damage(&mut rng, packet);
                seal(packet);
            }
        }));
        let now = call.now();
        call.client.connect_sctp(now);
        call.run(3_000);
        if call.client.sctp_connected {
            for id in 0..4 {
                let now = call.now();
                call.client
                    .open_channel(now, id, &[3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, b'x']);
                call.client
                    .send_on_channel(now, id, super::client::BINARY, &[9; 3_000]);
                call.run(1_000);
                let now = call.now();
                let _ = call.peer.send_data(now, id, &[7; 9_000], false);
            }
        }
        call.run(3_000);
    }
}

#[test]
fn a_jump_of_sequence_numbers_is_refused_and_the_association_lives_on() {
    let mut call = Call::connected();
    let now = call.now();
    call.client.connect_sctp(now);
    assert!(call.run_until(2_000, |call| call.client.sctp_connected));
    let now = call.now();
    call.client
        .open_channel(now, 2, &[3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, b'x']);
    call.run(500);
    // DATA becomes a FORWARD-TSN to a number two thousand million ahead.
    call.client.damage_sctp = Some(Box::new(|packet| {
        if packet.get(12) == Some(&0) {
            let tsn = u32::from_be_bytes([packet[16], packet[17], packet[18], packet[19]]);
            packet.truncate(12);
            packet.extend_from_slice(&[192, 0, 0, 8]);
            packet.extend_from_slice(&tsn.wrapping_add(0x7000_0000).to_be_bytes());
            seal(packet);
        }
    }));
    let now = call.now();
    call.client
        .send_on_channel(now, 2, super::client::BINARY, b"hello");
    call.run(50);
    assert_eq!(call.refused, [DropReason::SctpRefused]);
    call.client.damage_sctp = None;
    call.run(5_000);
    assert!(call.events.contains(&PeerEvent::DataReceived {
        id: 2,
        bytes: b"hello".to_vec(),
        text: false,
    }));
}
