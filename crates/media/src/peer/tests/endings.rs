//! The ways in which a peer ends, or nearly does.

use plenum_types::{CloseReason, DropReason};

use super::call::{Call, PASSWORD, path};
use crate::{PeerEvent, Wakeup};

fn closings(call: &Call) -> Vec<CloseReason> {
    call.events
        .iter()
        .filter_map(|event| match event {
            PeerEvent::Closed(reason) => Some(*reason),
            _ => None,
        })
        .collect()
}

#[test]
fn a_peer_that_never_comes_times_out() {
    let mut call = Call::new();
    call.checks = false;
    assert_eq!(call.peer.poll_timeout().unwrap().1, Wakeup::Connect);
    call.run(14_999);
    assert_eq!(closings(&call), []);
    call.run(10);
    assert_eq!(closings(&call), [CloseReason::ConnectTimeout]);
    assert_eq!(call.peer.poll_timeout(), None);
}

#[test]
fn ice_without_dtls_times_out_too() {
    let mut call = Call::new();
    call.run(15_001);
    assert_eq!(closings(&call), [CloseReason::ConnectTimeout]);
}

#[test]
fn silence_interrupts_and_a_check_resumes() {
    let mut call = Call::connected();
    call.checks = false;
    call.run(8_000);
    assert_eq!(call.events.last(), Some(&PeerEvent::Interrupted));
    let check = call.client.check("here:there", PASSWORD, true);
    call.peer.handle_stun(call.now(), path(1), &check).unwrap();
    call.run(1);
    assert_eq!(call.events.last(), Some(&PeerEvent::Resumed));
    assert_eq!(closings(&call), []);
}

#[test]
fn consent_expires_after_thirty_seconds_and_nothing_is_sent_after_it() {
    let mut call = Call::connected();
    call.checks = false;
    let start = call.now_ms;
    assert!(call.run_until(40_000, |call| !closings(call).is_empty()));
    assert_eq!(closings(&call), [CloseReason::ConsentExpired]);
    assert!((29_000..=30_100).contains(&(call.now_ms - start)));
    assert_eq!(call.peer.poll_transmit(), None);
    let result = call.peer.protect_rtp(&mut [0x80; 64], 20);
    assert_eq!(result, Err(DropReason::SubscriberNotReady));
}

#[test]
fn the_client_says_goodbye() {
    let mut call = Call::connected();
    let now = call.now();
    call.client.close(now);
    call.run(50);
    assert_eq!(closings(&call), [CloseReason::ClosedByClient]);
}

#[test]
fn the_server_says_goodbye() {
    let mut call = Call::connected();
    let now = call.now();
    call.peer.close(now);
    call.peer.close(now);
    call.run(50);
    assert_eq!(closings(&call), [CloseReason::Removed]);
    assert!(call.client.closed);
    let check = call.client.check("here:there", PASSWORD, true);
    let result = call.peer.handle_stun(now, path(1), &check);
    assert_eq!(result, Err(DropReason::StunUnexpected));
}

#[test]
fn forged_alerts_do_not_end_a_call() {
    let mut call = Call::connected();
    let now = call.now();
    // Fatal and close_notify, in the clear and as a record of the current epoch.
    for (epoch, body) in [(0, [2, 40]), (0, [1, 0]), (1, [2, 40])] {
        let record = [
            21, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 9, 9, 0, 2, body[0], body[1],
        ];
        let _ = call.peer.handle_dtls(now, path(1), &record);
    }
    call.run(1_000);
    assert_eq!(closings(&call), []);
}
