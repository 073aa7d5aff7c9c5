//! Offers in the manner of real clients, and what is answered.

use std::net::SocketAddr;

use plenum_types::{
    Codec, ExtensionKind, Fingerprint, FingerprintAlgorithm, IceCredentials, Secret, Ssrc,
};
use proptest::prelude::*;

use super::*;
use crate::messages::ErrorCode;

const CHROMIUM: &str = include_str!("../../tests/fixtures/chromium.sdp");
const FIREFOX: &str = include_str!("../../tests/fixtures/firefox.sdp");
const GSTREAMER: &str = include_str!("../../tests/fixtures/gstreamer.sdp");

/// Answers everything that is asked for.
fn answer(offer: &Offer) -> String {
    let sections: Vec<SectionAnswer> = (0_u32..)
        .zip(&offer.sections)
        .map(|(index, section)| {
            section
                .rtp()
                .map_or_else(SectionAnswer::default, |rtp| SectionAnswer {
                    receive: rtp.sends,
                    send: rtp.receives.then_some(SlotStream {
                        ssrc: Ssrc(1_000 + index),
                        rtx_ssrc: Some(Ssrc(2_000 + index)),
                    }),
                })
        })
        .collect();
    let candidates: [SocketAddr; 3] = [
        "203.0.113.5:7882".parse().unwrap(),
        "[2001:db8::5]:7882".parse().unwrap(),
        "[::ffff:10.0.0.5]:7882".parse().unwrap(),
    ];
    Answer {
        offer,
        sections: &sections,
        session_id: 77,
        version: 1,
        ice: &IceCredentials {
            ufrag: "1+abcdef".into(),
            password: Secret("abcdefghijklmnopqrstuvwx".into()),
        },
        fingerprint: &Fingerprint {
            algorithm: FingerprintAlgorithm::Sha256,
            bytes: vec![0xAB; 32],
        },
        candidates: Candidates {
            udp: &candidates,
            tcp: &[],
        },
        cname: "cname-of-us",
    }
    .write()
}

/// The m-lines of a description, each with its lines, first the session's.
fn blocks(sdp: &str) -> Vec<Vec<&str>> {
    let mut blocks = vec![Vec::new()];
    for line in sdp.lines() {
        if line.starts_with("m=") {
            blocks.push(Vec::new());
        }
        blocks.last_mut().unwrap().push(line);
    }
    blocks
}

/// Reads by another implementation.
fn check_independently(sdp: &str) -> usize {
    let mut reader = std::io::Cursor::new(sdp.as_bytes());
    let session = rtc_sdp::SessionDescription::unmarshal(&mut reader).expect("a description");
    session.media_descriptions.len()
}

/// Chromium sends redundant sound if it comes before the codec itself.
#[test]
fn redundancy_that_is_preferred_stays_before_its_codec() {
    let offer = CHROMIUM.replace("SAVPF 111 63 9", "SAVPF 63 111 9");
    let sdp = answer(&Offer::read(&offer).unwrap());
    assert_eq!(blocks(&sdp)[1][0], "m=audio 9 UDP/TLS/RTP/SAVPF 63 111");
    check_independently(&sdp);
}

#[test]
fn answers_chromium_with_simulcast_and_slots() {
    let offer = Offer::read(CHROMIUM).unwrap();
    assert_eq!(offer.sections.len(), 18);
    let video = offer.sections[1].rtp().unwrap();
    assert!(video.sends && !video.receives && video.simulcast);
    assert_eq!(video.codecs.len(), 11);
    assert!(video.codecs.iter().all(|codec| {
        let parameters = codec.parameters;
        parameters.rtx_payload_type.is_some() && parameters.transport_cc && !parameters.remb
    }));
    assert_eq!(
        video.extensions.id(ExtensionKind::DependencyDescriptor),
        Some(9)
    );

    let sdp = answer(&offer);
    assert_eq!(check_independently(&sdp), 18);
    let blocks = blocks(&sdp);
    assert!(blocks[0].contains(&"a=ice-lite"));
    assert!(blocks[0].contains(&"a=extmap-allow-mixed"));
    assert!(blocks[0][4].starts_with("a=group:BUNDLE 0 1 2"));
    assert_eq!(blocks[1][0], "m=audio 9 UDP/TLS/RTP/SAVPF 111 63");
    for line in [
        "a=recvonly",
        "a=setup:passive",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=candidate:1 1 udp 2130706431 203.0.113.5 7882 typ host",
        "a=candidate:2 1 udp 2130706175 2001:db8::5 7882 typ host",
        "a=candidate:3 1 udp 2130705919 10.0.0.5 7882 typ host",
        "a=end-of-candidates",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=rtpmap:63 red/48000/2",
        "a=fmtp:63 111/111",
    ] {
        assert!(blocks[1].contains(&line), "{line}");
    }
    let publication = &blocks[2];
    for line in ["a=rid:q recv", "a=rid:f recv", "a=simulcast:recv q;h;f"] {
        assert!(publication.contains(&line), "{line}");
    }
    assert!(publication[0].starts_with("m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104"));
    assert!(!sdp.contains("red/90000") && !sdp.contains("ulpfec") && !sdp.contains("flexfec"));
    assert!(!sdp.contains("goog-remb"));
    let slot = &blocks[6];
    for line in [
        "a=sendonly",
        "a=msid:slot-5 slot-5",
        "a=ssrc-group:FID 1005 2005",
        "a=ssrc:1005 cname:cname-of-us",
        "a=ssrc:2005 msid:slot-5 slot-5",
    ] {
        assert!(slot.contains(&line), "{line}");
    }
    assert!(!slot.iter().any(|line| line.contains("rtp-stream-id")));
    assert!(!slot.iter().any(|line| line.starts_with("a=candidate")));
    let data = &blocks[18];
    assert_eq!(data[0], "m=application 9 UDP/DTLS/SCTP webrtc-datachannel");
    assert!(data.contains(&"a=sctp-port:5000"));
    assert!(data.contains(&"a=max-message-size:65536"));
}

#[test]
fn answers_firefox_with_bundle_only_lines() {
    let offer = Offer::read(FIREFOX).unwrap();
    let video = offer.sections[1].rtp().unwrap();
    assert!(video.sends && !video.receives, "the m-line's word counts");
    assert_eq!(video.encodings.len(), 2);
    let codecs: Vec<Codec> = video
        .codecs
        .iter()
        .map(|codec| codec.parameters.codec)
        .collect();
    let h264 = |packetization_mode| Codec::H264 {
        profile: 0x42e0,
        packetization_mode,
    };
    assert_eq!(
        codecs,
        [Codec::Vp8, Codec::Vp9 { profile: 0 }, h264(1), h264(0)]
    );
    let audio = offer.sections[0].rtp().unwrap();
    assert!(
        !audio.codecs[0].parameters.transport_cc,
        "no such extension"
    );
    assert_eq!(audio.extensions.id(ExtensionKind::TransportSequence), None);

    let sdp = answer(&offer);
    assert_eq!(check_independently(&sdp), 4);
    let blocks = blocks(&sdp);
    assert!(blocks[2][0].starts_with("m=video 9 "), "accepted");
    assert!(blocks[2].contains(&"a=simulcast:recv q;h"));
    assert!(blocks[4].contains(&"a=sendonly"));
    assert!(blocks[1].contains(&"a=fmtp:109 minptime=10;useinbandfec=1;stereo=1"));
    assert!(!sdp.contains("a=extmap-allow-mixed"), "was not offered");
}

#[test]
fn answers_gstreamer_with_declared_ssrcs() {
    let offer = Offer::read(GSTREAMER).unwrap();
    let video = offer.sections[0].rtp().unwrap();
    assert_eq!(video.encodings[0].ssrc, Some(Ssrc(2_019_283_746)));
    assert_eq!(video.encodings[0].rtx_ssrc, Some(Ssrc(554_433_221)));
    assert_eq!(video.codecs[0].parameters.rtx_payload_type, Some(97));
    let audio = offer.sections[1].rtp().unwrap();
    assert_eq!(audio.codecs[0].parameters.codec, Codec::Opus);
    let sdp = answer(&offer);
    assert_eq!(check_independently(&sdp), 2);
    assert!(sdp.contains("a=rtpmap:98 OPUS/48000/2\r\n"));
    assert!(!sdp.contains("a=simulcast"));
}

#[test]
fn rejects_strange_and_dead_lines_and_bundles_the_rest() {
    let sdp = CHROMIUM.replacen("m=audio 9 ", "m=audio 0 ", 1).replacen(
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "m=text 9 TCP x",
        1,
    );
    let answered = answer(&Offer::read(&sdp).unwrap());
    assert_eq!(check_independently(&answered), 18);
    let blocks = blocks(&answered);
    assert!(blocks[0][4].starts_with("a=group:BUNDLE 1 2"));
    assert!(blocks[1][0].starts_with("m=audio 0 "));
    assert_eq!(blocks[18][0], "m=text 0 TCP x");
    assert!(blocks[2].contains(&"a=end-of-candidates"));
}

#[test]
fn both_directions_are_a_publication_and_a_slot() {
    let sdp = GSTREAMER.replace("a=sendonly", "a=sendrecv");
    let answered = answer(&Offer::read(&sdp).unwrap());
    let blocks = blocks(&answered);
    assert!(blocks[1].contains(&"a=sendrecv"));
    assert!(blocks[1].contains(&"a=msid:slot-video0 slot-video0"));
    let silent = GSTREAMER.replace("a=sendonly", "a=inactive");
    let answered = answer(&Offer::read(&silent).unwrap());
    assert!(answered.contains("a=inactive") && !answered.contains("a=msid:"));
}

#[test]
fn says_what_is_wrong_with_an_offer() {
    let no = |from: &str, to: &str| Offer::read(&CHROMIUM.replace(from, to)).map(|_| ());
    let cases = [
        (
            no("a=group:BUNDLE 0", "a=group:LS 0"),
            ErrorCode::SdpNoBundle,
        ),
        (
            no("a=group:BUNDLE 0 1 ", "a=group:BUNDLE 0 "),
            ErrorCode::SdpNoBundle,
        ),
        (no("a=rtcp-mux\n", "\n"), ErrorCode::SdpNoRtcpMux),
        (no("a=ice-ufrag", "a=ice-fraud"), ErrorCode::SdpNoIce),
        (
            no("a=ice-pwd:V0d3", "a=ice-pwd:\u{e4}d3"),
            ErrorCode::SdpNoIce,
        ),
        (no("a=ice-ufrag:kP7q", "a=ice-ufrag:k"), ErrorCode::SdpNoIce),
        (no("sha-256", "sha-1"), ErrorCode::SdpNoFingerprint),
        (no("3A:9C", "3A9C"), ErrorCode::SdpNoFingerprint),
        (no("3A:9C", "3A"), ErrorCode::SdpNoFingerprint),
        (
            no("opus/48000/2", "speex/16000"),
            ErrorCode::SdpNoCommonCodec,
        ),
        (
            no("a=setup:actpass", "a=setup:passive"),
            ErrorCode::SdpInvalid,
        ),
        (no("a=mid:1\n", "a=mid:0\n"), ErrorCode::SdpInvalid),
        (no("a=mid:1\n", "\n"), ErrorCode::SdpInvalid),
        (
            no("a=mid:1\n", "a=mid:12345678901234567\n"),
            ErrorCode::SdpInvalid,
        ),
        (no("m=", "x="), ErrorCode::SdpInvalid),
        (no(" 9 UDP", " 0 UDP"), ErrorCode::SdpInvalid),
        (no("v=0", "hello"), ErrorCode::SdpInvalid),
    ];
    for (index, (result, code)) in cases.into_iter().enumerate() {
        let refusal = result.expect_err("a refusal");
        assert_eq!(refusal.code, code, "case {index}: {refusal}");
        assert!(refusal.sentence.ends_with('.'), "case {index}: {refusal}");
    }
}

#[test]
fn a_lone_line_needs_no_bundle() {
    let (audio, _) = GSTREAMER.split_once("m=audio").unwrap();
    let sdp = audio.replace("a=group:BUNDLE video0 audio1\n", "");
    let answered = answer(&Offer::read(&sdp).unwrap());
    assert_eq!(check_independently(&answered), 1);
    assert!(!answered.contains("BUNDLE"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*") {
        let _ = Offer::read(&text);
        let _ = Offer::read(&format!("v=0\r\n{text}"));
    }

    /// Real offers with lines taken out, doubled, exchanged and cut.
    #[test]
    fn no_mangled_offer_makes_the_answer_panic(
        which in 0_usize..3,
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..4, any::<u8>()), 1..12),
    ) {
        let source = [CHROMIUM, FIREFOX, GSTREAMER][which];
        let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
        for (index, edit, byte) in edits {
            let at = index.index(lines.len().max(1));
            match edit {
                0 if lines.len() > 1 => { lines.remove(at); }
                1 => { let line = lines[at].clone(); lines.push(line); }
                2 => {
                    let cut = usize::from(byte) % (lines[at].len() + 1);
                    let cut = lines[at].floor_char_boundary(cut);
                    lines[at].truncate(cut);
                }
                _ => { lines[at].push(char::from(byte)); }
            }
        }
        if let Ok(offer) = Offer::read(&lines.join("\r\n")) {
            let answered = answer(&offer);
            let count = answered.lines().filter(|line| line.starts_with("m=")).count();
            prop_assert_eq!(count, offer.sections.len());
        }
    }
}
