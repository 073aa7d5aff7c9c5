//! Descriptions that are written are read again, and a server's is understood.

use super::*;
use plenum_types::{FingerprintAlgorithm, Secret};

const SERVER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
    a=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 0A:FF\r\na=setup:passive\r\n\
    a=sendonly\r\na=rtpmap:111 opus/48000/2\r\na=ssrc:5 cname:x\r\n\
    a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
    a=candidate:1 1 udp 100 192.0.2.1 7882 typ host\r\n\
    a=candidate:1 1 tcp 300 192.0.2.1 7881 typ host tcptype passive\r\n\
    a=candidate:2 1 UDP 200 192.0.2.2 7882 typ host\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96 97 98\r\na=mid:1\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n\
    a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
    a=rtpmap:98 H265/90000\r\na=rid:q recv\r\na=rid:h recv\r\na=ssrc-group:FID 11 12\r\n\
    m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=inactive\r\n";

fn local() -> Description {
    Description {
        ice: IceCredentials {
            ufrag: "here".to_owned(),
            password: Secret("passwordpasswordpassword".to_owned()),
        },
        lite: false,
        fingerprint: Fingerprint {
            algorithm: FingerprintAlgorithm::Sha256,
            bytes: vec![0xab; 32],
        },
        setup: Setup::Active,
        candidates: vec!["127.0.0.1:5000".parse().unwrap()],
        media: vec![
            Media {
                kind: MediaKind::Audio,
                mid: "0".to_owned(),
                direction: Direction::RECEIVE,
                codecs: vec![codec_line(Codec::Opus, true)],
                extensions: extension_map(MediaKind::Audio, true, false),
                ssrcs: Vec::new(),
                rids: Vec::new(),
            },
            Media {
                kind: MediaKind::Video,
                mid: "1".to_owned(),
                direction: Direction::SEND,
                codecs: vec![codec_line(Codec::Vp8, true)],
                extensions: extension_map(MediaKind::Video, true, false),
                ssrcs: vec![Ssrcs {
                    primary: 7,
                    rtx: Some(8),
                }],
                rids: Vec::new(),
            },
        ],
    }
}

#[test]
fn what_is_written_is_read_again() {
    let local = local();
    assert_eq!(Description::read(&local.write()).unwrap(), local);
}

#[test]
fn simulcast_is_offered_by_rid() {
    let mut local = local();
    local.media[1].rids = vec!["q".to_owned(), "h".to_owned()];
    local.media[1].ssrcs.clear();
    let text = local.write();
    assert!(text.contains("a=rid:q send\r\na=rid:h send\r\na=simulcast:send q;h\r\n"));
    assert!(!text.contains("a=ssrc"), "{text}");
}

#[test]
fn a_server_is_understood() {
    let server = Description::read(SERVER).unwrap();
    assert!(server.lite);
    assert_eq!(server.ice.ufrag, "abcd");
    assert_eq!(server.setup, Setup::Passive);
    let addresses: [std::net::SocketAddr; 2] =
        ["192.0.2.2:7882", "192.0.2.1:7882"].map(|text| text.parse().unwrap());
    assert_eq!(server.candidates, addresses);
    let [audio, video] = &server.media[..] else {
        panic!("{server:?}");
    };
    assert_eq!(audio.direction, Direction::SEND);
    assert_eq!(
        audio.ssrcs[0],
        Ssrcs {
            primary: 5,
            rtx: None
        }
    );
    assert_eq!(audio.extensions.id(ExtensionKind::Mid), Some(4));
    assert_eq!(video.codecs.len(), 1);
    let vp8 = video.codecs[0].parameters;
    assert_eq!((vp8.codec, vp8.rtx_payload_type), (Codec::Vp8, Some(97)));
    assert!(vp8.nack && vp8.pli && !vp8.fir && !vp8.transport_cc);
    assert_eq!(video.rids, ["q", "h"]);
    assert_eq!(
        video.ssrcs[0],
        Ssrcs {
            primary: 11,
            rtx: Some(12)
        }
    );
}

#[test]
fn an_offer_of_the_server_is_answered() {
    let offer = Description::read(SERVER).unwrap();
    let answer = offer.answered_by(local());
    assert_eq!(answer.setup, Setup::Active);
    let directions: Vec<Direction> = answer.media.iter().map(|media| media.direction).collect();
    assert_eq!(directions, [Direction::RECEIVE, Direction::INACTIVE]);
    assert_eq!(answer.ice.ufrag, "here");
    let read = Description::read(&answer.write()).unwrap();
    assert_eq!(read.media[1].mid, "1");
    assert_eq!(read.media[1].codecs, offer.media[1].codecs);
}

#[test]
fn what_is_missing_is_named() {
    for (line, name) in [
        ("a=ice-ufrag:abcd\r\n", "ice-ufrag"),
        ("a=setup:passive\r\n", "setup"),
        ("a=fingerprint:sha-256 0A:FF\r\n", "fingerprint"),
    ] {
        let error = Description::read(&SERVER.replace(line, "")).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    assert!(Description::read("hello").is_err());
}
