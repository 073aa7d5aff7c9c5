//! The packet path, and the paths it takes.

use plenum_types::{DropReason, Path};

use crate::peer::test_clock::at;

use super::call::{Call, PASSWORD, credentials, path};
use crate::{PeerEvent, SRTP_OVERHEAD};

const RTP: [u8; 20] = [
    0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8,
];
const RTCP: [u8; 12] = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9];

/// `packet` as the client sends it.
fn protected(call: &mut Call, packet: &[u8], sequence: u8) -> Vec<u8> {
    let session = call.client.session.as_mut().unwrap();
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + crate::SRTCP_OVERHEAD.max(SRTP_OVERHEAD), 0);
    let length = if packet[1] >= 192 {
        session.protect_rtcp(&mut buffer, packet.len())
    } else {
        buffer[3] = sequence;
        session.protect_rtp(&mut buffer, packet.len())
    };
    buffer.truncate(length.unwrap());
    buffer
}

/// What the server makes of `datagram` as RTP.
fn unprotect(call: &mut Call, path: Path, datagram: &[u8]) -> Result<Vec<u8>, DropReason> {
    let mut datagram = datagram.to_vec();
    let packet = call
        .peer
        .unprotect_rtp(at(call.now_ms), path, &mut datagram)?;
    Ok(packet.to_vec())
}

#[test]
fn media_flows_both_ways() {
    let mut call = Call::connected();
    let now = call.now();
    let datagram = protected(&mut call, &RTP, 1);
    assert_eq!(unprotect(&mut call, path(1), &datagram), Ok(RTP.to_vec()));
    let mut datagram = protected(&mut call, &RTCP, 0);
    assert_eq!(
        call.peer.unprotect_rtcp(now, path(1), &mut datagram),
        Ok(&mut { RTCP }[..])
    );
    let mut buffer = RTP.to_vec();
    buffer.resize(RTP.len() + SRTP_OVERHEAD, 0);
    let length = call.peer.protect_rtp(&mut buffer, RTP.len()).unwrap();
    let session = call.client.session.as_mut().unwrap();
    assert_eq!(session.unprotect_rtp(&mut buffer[..length]).unwrap(), RTP);
}

#[test]
fn media_from_elsewhere_is_refused_even_if_authentic() {
    let mut call = Call::connected();
    let datagram = protected(&mut call, &RTP, 1);
    let result = unprotect(&mut call, path(2), &datagram);
    assert_eq!(result, Err(DropReason::UnknownAddress));
    assert!(unprotect(&mut call, path(1), &datagram).is_ok());
    let result = unprotect(&mut call, path(1), &datagram);
    assert_eq!(result, Err(DropReason::SrtpReplay));
}

#[test]
fn before_the_handshake_there_are_no_keys() {
    let mut call = Call::new();
    call.run(10);
    let result = unprotect(&mut call, path(1), &RTP);
    assert_eq!(result, Err(DropReason::NoKeys));
    let result = call.peer.protect_rtp(&mut [0; 64], 20);
    assert_eq!(result, Err(DropReason::SubscriberNotReady));
}

#[test]
fn media_alone_keeps_a_peer_alive() {
    let mut call = Call::connected();
    call.checks = false;
    for round in 1..=40u8 {
        call.run(1_000);
        let datagram = protected(&mut call, &RTP, round);
        unprotect(&mut call, path(1), &datagram).unwrap();
    }
    assert!(!call.events.contains(&PeerEvent::Interrupted));
    assert_eq!(call.peer.path(), Some(path(1)), "and its path");
}

#[test]
fn forged_media_does_not_keep_a_peer_alive() {
    let mut call = Call::connected();
    call.checks = false;
    for _ in 0..6 {
        call.run(1_000);
        let result = unprotect(&mut call, path(1), &[0x80; 60]);
        assert_eq!(result, Err(DropReason::SrtpAuthentication));
    }
    assert!(call.events.contains(&PeerEvent::Interrupted));
}

#[test]
fn keys_survive_roaming_and_an_ice_restart() {
    let mut call = Call::connected();
    let now = call.now();
    let (local, remote) = (
        credentials("here2", "the second password of ours"),
        credentials("there2", "the second password of theirs"),
    );
    call.peer.restart_ice(now, &local, &remote);
    let check = call.client.check("here2:there2", &local.password.0, true);
    let elsewhere = Path::to("[2001:db8::9]:5".parse().unwrap());
    call.peer.handle_stun(now, elsewhere, &check).unwrap();
    assert_eq!(call.peer.path(), Some(elsewhere));
    let datagram = protected(&mut call, &RTP, 1);
    assert!(unprotect(&mut call, elsewhere, &datagram).is_ok());
    let old = call.client.check("here:there", PASSWORD, true);
    assert_eq!(
        call.peer.handle_stun(now, path(1), &old),
        Err(DropReason::StunIntegrity)
    );
}
