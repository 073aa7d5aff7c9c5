//! Which stream a packet belongs to.

use super::*;
use plenum_rtp::CodecFields;

fn named(ssrc: u32, sequence: u16, rid: &'static str) -> Packet<'static> {
    Packet {
        mid: Some("0"),
        rid: Some(rid),
        ..Packet::video(ssrc, sequence)
    }
}

fn encoding_of(receiver: &mut Receiver, packet: Vec<u8>) -> Result<u8, DropReason> {
    encoding_at(receiver, 0, packet)
}

fn encoding_at(receiver: &mut Receiver, ms: u64, mut packet: Vec<u8>) -> Result<u8, DropReason> {
    let received = receiver.handle_rtp(at(ms), &mut packet)?;
    Ok(received.source.encoding)
}

#[test]
fn mid_and_rid_are_learned_and_then_needed_no_more() {
    let mut receiver = receiver(&[simulcast()]);
    assert_eq!(
        encoding_of(&mut receiver, Packet::video(8, 1).bytes()),
        Err(DropReason::UnknownSource),
    );
    assert_eq!(encoding_of(&mut receiver, named(8, 1, "h").bytes()), Ok(1));
    assert_eq!(encoding_of(&mut receiver, named(9, 1, "f").bytes()), Ok(2));
    assert_eq!(
        encoding_of(&mut receiver, Packet::video(8, 2).bytes()),
        Ok(1)
    );
    assert_eq!(
        encoding_of(&mut receiver, named(7, 1, "x").bytes()),
        Err(DropReason::UnknownSource),
    );
}

#[test]
fn retransmissions_are_learned_by_the_repaired_rid() {
    let mut receiver = receiver(&[simulcast()]);
    encoding_of(&mut receiver, named(8, 1, "h").bytes()).unwrap();
    encoding_of(&mut receiver, named(8, 3, "h").bytes()).unwrap();
    let lost = Packet {
        mid: Some("0"),
        repaired_rid: Some("h"),
        ..Packet::video(8, 2)
    };
    let mut packet = lost.retransmitted(80, 1);
    let received = receiver.handle_rtp(at(1), &mut packet).unwrap();
    assert_eq!(received.source, source(1));
    assert!(received.retransmitted);
    assert_eq!(received.description.header.ssrc, Ssrc(8));
    assert_eq!(received.description.header.sequence.0, 2);
    assert_eq!(received.description.header.payload_type, VP8);
    assert_eq!(
        received.description.header.payload(&packet[..received.len]),
        DELTA_FRAME
    );
}

#[test]
fn a_restarted_ssrc_takes_over_and_the_old_one_does_not_come_back() {
    let mut receiver = receiver(&[simulcast()]);
    assert_eq!(
        encoding_of(&mut receiver, named(8, 500, "h").bytes()),
        Ok(1)
    );
    assert_eq!(encoding_of(&mut receiver, named(18, 9, "h").bytes()), Ok(1));
    assert_eq!(
        encoding_of(&mut receiver, named(8, 501, "h").bytes()),
        Err(DropReason::UnknownSource),
    );
    assert_eq!(
        encoding_of(&mut receiver, named(18, 10, "h").bytes()),
        Ok(1)
    );
}

#[test]
fn a_payload_type_is_enough_if_only_one_publication_takes_it() {
    let audio = publication(11, "1", codec(Codec::Opus, OPUS));
    let mut alone = receiver(&[simulcast(), audio.clone()]);
    let mut packet = Packet::video(5, 1);
    packet.payload_type = OPUS;
    let received = alone.handle_rtp(at(0), &mut packet.bytes()).unwrap();
    assert_eq!(received.source.publication, PublicationId(11));

    let mut second = audio.clone();
    second.publication = PublicationId(12);
    second.mid = text("2");
    let mut shared = receiver(&[audio, second]);
    let refused = shared.handle_rtp(at(0), &mut packet.bytes());
    assert_eq!(refused.unwrap_err(), DropReason::UnknownSource);
}

#[test]
fn a_payload_type_alone_moves_only_a_quiet_stream() {
    let mut receiver = receiver(&[camera()]);
    assert_eq!(
        encoding_of(&mut receiver, Packet::video(1, 1).bytes()),
        Ok(0)
    );
    let other = Packet::video(6, 1).bytes();
    assert_eq!(
        encoding_at(&mut receiver, 500, other.clone()),
        Err(DropReason::UnknownSource)
    );
    assert_eq!(encoding_at(&mut receiver, 1_500, other), Ok(0));
}

#[test]
fn payload_types_that_were_not_negotiated_are_refused() {
    let mut receiver = receiver(&[camera()]);
    let mut packet = Packet::video(1, 1);
    packet.payload_type = 100;
    assert_eq!(
        encoding_of(&mut receiver, packet.bytes()),
        Err(DropReason::UnknownPayloadType)
    );
    packet.payload_type = RTX;
    assert_eq!(
        encoding_of(&mut receiver, packet.bytes()),
        Err(DropReason::UnknownPayloadType)
    );
}

#[test]
fn removing_a_publication_keeps_the_others_found() {
    let audio = {
        let mut config = publication(11, "1", codec(Codec::Opus, OPUS));
        config.encodings[0].ssrc = Some(Ssrc(5));
        config
    };
    let mut receiver = receiver(&[camera(), audio]);
    receiver.remove_publication(PublicationId(10));
    assert_eq!(
        encoding_of(&mut receiver, Packet::video(1, 1).bytes()),
        Err(DropReason::UnknownSource)
    );
    let mut packet = Packet::video(5, 1);
    packet.payload_type = OPUS;
    let received = receiver.handle_rtp(at(0), &mut packet.bytes()).unwrap();
    assert_eq!(received.source.publication, PublicationId(11));
}

#[test]
fn thousands_of_ssrcs_are_bounded() {
    let mut configs = Vec::new();
    for id in 0..40_u8 {
        let mut config = simulcast();
        config.publication = PublicationId(u64::from(id));
        config.mid = text(&id.to_string());
        configs.push(config);
    }
    let mut receiver = receiver(&configs);
    let mut refused = 0;
    for ssrc in 0..10_000_u32 {
        let mid = (ssrc % 40).to_string();
        let packet = Packet {
            mid: Some(&mid),
            rid: Some(["q", "h", "f"][ssrc as usize / 40 % 3]),
            ..Packet::video(ssrc, 1)
        };
        let outcome = receiver.handle_rtp(at(0), &mut packet.bytes());
        refused += u32::from(outcome.is_err_and(|reason| reason == DropReason::TooManySsrcs));
    }
    assert!(refused > 0);
}

#[test]
fn what_was_learned_outlives_a_pause_of_the_publication() {
    let mut receiver = receiver(&[simulcast()]);
    encoding_of(&mut receiver, named(8, 1, "h").bytes()).unwrap();
    receiver.remove_publication(simulcast().publication);
    assert_eq!(
        encoding_of(&mut receiver, Packet::video(8, 2).bytes()),
        Err(DropReason::UnknownSource),
    );
    let again = PublicationConfig {
        publication: PublicationId(77),
        ..simulcast()
    };
    receiver.add_publication(&again);
    let received = receiver
        .handle_rtp(at(9), &mut Packet::video(8, 3).bytes())
        .unwrap();
    assert_eq!(received.source.publication, PublicationId(77));
    assert_eq!(received.source.encoding, 1);
    assert_eq!(
        encoding_of(&mut receiver, named(28, 1, "h").bytes()),
        Ok(1),
        "a new SSRC that names itself still takes over",
    );
}

#[test]
fn an_ssrc_that_another_publication_took_meanwhile_is_not_taken_back() {
    let mut receiver = receiver(&[simulcast()]);
    encoding_of(&mut receiver, named(8, 1, "h").bytes()).unwrap();
    receiver.remove_publication(simulcast().publication);
    let mut other = publication(2, "1", codec(Codec::Vp8, VP8));
    other.encodings[0].ssrc = Some(Ssrc(8));
    receiver.add_publication(&other);
    receiver.add_publication(&simulcast());
    let received = receiver
        .handle_rtp(at(9), &mut Packet::video(8, 2).bytes())
        .unwrap();
    assert_eq!(received.source.publication, other.publication);
}

/// Redundant packets (RFC 2198) and plain ones are one stream of sound.
#[test]
fn redundant_sound_is_of_the_stream_of_its_codec() {
    const RED: u8 = 63;
    let opus = CodecParameters {
        red_payload_type: Some(RED),
        ..codec(Codec::Opus, OPUS)
    };
    let mut config = publication(10, "0", opus);
    config.encodings[0].ssrc = Some(Ssrc(1));
    let mut receiver = receiver(&[config]);
    for (sequence, payload_type, payload) in [
        (1, OPUS, [1, 2, 3].as_slice()),
        (2, RED, &[0x80 | 111, 0x0f, 0x00, 1, 111, 7, 9, 8]),
        (3, OPUS, &[4, 5, 6]),
    ] {
        let mut bytes = Packet {
            payload_type,
            payload,
            ..Packet::video(1, sequence)
        }
        .bytes();
        let received = receiver.handle_rtp(at(0), &mut bytes).unwrap();
        let description = received.description;
        assert_eq!(description.codec, Codec::Opus);
        let is_red = matches!(description.payload.fields, CodecFields::Red(Some(_)));
        assert_eq!(is_red, payload_type == RED, "{sequence}");
    }
}
