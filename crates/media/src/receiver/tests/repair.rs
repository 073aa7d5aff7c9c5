//! Loss, requests for it, and what comes back.

use super::*;

fn feed(receiver: &mut Receiver, ms: u64, sequence: u16) -> Result<ReceivedPacket, DropReason> {
    receiver.handle_rtp(at(ms), &mut Packet::video(1, sequence).bytes())
}

#[test]
fn a_missing_packet_is_asked_for_until_it_comes() {
    let mut receiver = receiver(&[camera()]);
    for (ms, sequence) in [(0, 65_534), (1, 65_535), (2, 1)] {
        feed(&mut receiver, ms, sequence).unwrap();
    }
    assert_eq!(nacked(&drain(&mut receiver, at(5))), [0; 0]);
    assert_eq!(receiver.poll_timeout(), Some(at(10)));
    assert_eq!(nacked(&drain(&mut receiver, at(10))), [0]);
    assert_eq!(nacked(&drain(&mut receiver, at(60))), [0; 0]);
    assert_eq!(nacked(&drain(&mut receiver, at(110))), [0]);
    let lost = Packet::video(1, 0);
    let received = receiver.handle_rtp(at(120), &mut lost.retransmitted(2, 1));
    assert!(received.unwrap().retransmitted);
    assert_eq!(nacked(&drain(&mut receiver, at(400))), [0; 0]);
    assert_eq!(receiver.stats().nacks_out, 2);
    assert_eq!(receiver.stats().rtx_in, 1);
}

#[test]
fn a_packet_that_is_only_late_is_not_asked_for() {
    let mut receiver = receiver(&[camera()]);
    for (ms, sequence) in [(0, 10), (1, 12), (5, 11)] {
        feed(&mut receiver, ms, sequence).unwrap();
    }
    assert_eq!(nacked(&drain(&mut receiver, at(50))), [0; 0]);
}

#[test]
fn a_packet_that_never_comes_is_given_up() {
    let mut receiver = receiver(&[camera()]);
    feed(&mut receiver, 0, 10).unwrap();
    feed(&mut receiver, 0, 12).unwrap();
    receiver.set_rtt(Duration::from_millis(70));
    let mut times = Vec::new();
    for ms in 0..2_000 {
        if !nacked(&drain(&mut receiver, at(ms))).is_empty() {
            times.push(ms);
        }
    }
    let expected: Vec<u64> = (0..10).map(|tries| 8 + tries * 70).collect();
    assert_eq!(times, expected);
}

#[test]
fn copies_are_refused_whichever_way_they_come() {
    let mut receiver = receiver(&[camera()]);
    feed(&mut receiver, 0, 10).unwrap();
    assert_eq!(
        feed(&mut receiver, 1, 10).unwrap_err(),
        DropReason::Duplicate
    );
    let copy = receiver.handle_rtp(at(2), &mut Packet::video(1, 10).retransmitted(2, 1));
    assert_eq!(copy.unwrap_err(), DropReason::Duplicate);
}

#[test]
fn probes_are_not_forwarded_but_fill_the_sequence() {
    let mut receiver = receiver(&[camera()]);
    feed(&mut receiver, 0, 10).unwrap();
    for (ssrc, payload_type) in [(2, RTX), (1, VP8)] {
        let probe = Packet {
            payload_type,
            payload: &[],
            ..Packet::video(ssrc, 11)
        };
        let mut bytes = probe.bytes();
        bytes[0] |= 0x20;
        bytes.extend([0, 0, 0, 4]);
        let refused = receiver.handle_rtp(at(1), &mut bytes);
        assert_eq!(refused.unwrap_err(), DropReason::PaddingOnly);
    }
    feed(&mut receiver, 2, 12).unwrap();
    assert_eq!(nacked(&drain(&mut receiver, at(50))), [0; 0]);
}

#[test]
fn too_much_loss_asks_for_a_keyframe_instead() {
    let mut receiver = receiver(&[camera()]);
    feed(&mut receiver, 0, 10).unwrap();
    feed(&mut receiver, 0, 700).unwrap();
    let packets = drain(&mut receiver, at(20));
    assert_eq!(nacked(&packets), [0; 0]);
    assert_eq!(only::<PictureLossIndication>(&packets).len(), 1);
}

#[test]
fn a_large_jump_is_a_restart() {
    let mut receiver = receiver(&[camera()]);
    feed(&mut receiver, 0, 10).unwrap();
    feed(&mut receiver, 0, 20_000).unwrap();
    feed(&mut receiver, 0, 20_002).unwrap();
    assert_eq!(nacked(&drain(&mut receiver, at(20))), [20_001]);
    // Back again: refused until it is clear that the sender means it.
    for sequence in 5..8 {
        assert!(feed(&mut receiver, 30, sequence).is_err());
    }
    assert!(feed(&mut receiver, 30, 8).is_ok());
}

#[test]
fn requests_that_do_not_fit_one_datagram_fill_several() {
    let mut receiver = receiver(&[camera()]);
    feed(&mut receiver, 0, 0).unwrap();
    // Every lost packet in its own entry.
    for sequence in (20..9_000).step_by(20) {
        feed(&mut receiver, 0, sequence - 1).ok();
        feed(&mut receiver, 0, sequence).ok();
        let asked = nacked(&drain(&mut receiver, at(u64::from(sequence))));
        assert!(asked.len() <= 500);
    }
}

#[test]
fn keyframes_are_asked_for_as_negotiated() {
    let mut receiver = receiver(&[camera()]);
    receiver.request_keyframe(at(0), PublicationId(10), 0);
    let packets = drain(&mut receiver, at(0));
    let requests = only::<PictureLossIndication>(&packets);
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].media_ssrc, 1);
    assert_eq!(requests[0].sender_ssrc, OURS.0);

    let mut old = camera();
    old.codecs[0].pli = false;
    receiver.add_publication(&old);
    let mut numbers = Vec::new();
    for ms in [1, 2] {
        receiver.request_keyframe(at(ms), PublicationId(10), 0);
        let packets = drain(&mut receiver, at(ms));
        let requests = only::<FullIntraRequest>(&packets);
        assert_eq!(requests[0].fir[0].ssrc, 1);
        numbers.push(requests[0].fir[0].sequence_number);
    }
    assert_eq!(numbers[1], numbers[0] + 1);
}

#[test]
fn a_keyframe_of_an_unknown_or_silent_stream_is_not_asked_for() {
    let mut receiver = receiver(&[simulcast()]);
    receiver.request_keyframe(at(0), PublicationId(10), 1);
    receiver.request_keyframe(at(0), PublicationId(10), 7);
    receiver.request_keyframe(at(0), PublicationId(99), 0);
    assert!(drain(&mut receiver, at(1_000)).is_empty());
}
