//! RFC 5769 test vectors, and an independent implementation on the other side.

use super::*;
use rtc_crypto::RTCCryptoProvider;
use rtc_crypto::providers::AwsLcRsProvider;
use rtc_stun::attributes::{ATTR_USERNAME, ATTR_XORMAPPED_ADDRESS};
use rtc_stun::fingerprint::FINGERPRINT as REFERENCE_FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_REQUEST as REFERENCE_REQUEST, Message as Reference};
use rtc_stun::message::{Getter, TransactionId};
use rtc_stun::textattrs::TextAttribute;
use rtc_stun::xoraddr::XorMappedAddress;

/// RFC 5769 §2.1, with password "VOkJxbRl1RmTxUk/WvJxBt".
const SAMPLE_REQUEST: [u8; 108] = [
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73,
    0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff,
    0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09,
    0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14,
    0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49,
    0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
];

/// RFC 5769 §2.2 (IPv4 192.0.2.1:32853), up to and without FINGERPRINT's value checked below.
const SAMPLE_IPV4_RESPONSE: [u8; 80] = [
    0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9,
    0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b, 0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96,
];

fn key(password: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes())
}

#[test]
fn reads_the_sample_request_of_rfc_5769() {
    let message = Message::parse(&SAMPLE_REQUEST).unwrap();
    assert_eq!(message.kind, BINDING_REQUEST);
    assert_eq!(message.username, Some(&b"evtj:h6vY"[..]));
    assert_eq!(message.priority, Some(0x6e00_01ff));
    assert!(message.controlled);
    assert!(!message.use_candidate);
    assert!(message.verify_integrity(&key("VOkJxbRl1RmTxUk/WvJxBt")));
    assert!(!message.verify_integrity(&key("VOkJxbRl1RmTxUk/WvJxBu")));
    assert_eq!(stun_local_ufrag(&SAMPLE_REQUEST), Some("evtj"));
}

#[test]
fn reads_the_sample_response_of_rfc_5769() {
    let message = Message::parse(&SAMPLE_IPV4_RESPONSE).unwrap();
    assert_eq!(message.kind, 0x0101);
    assert!(message.verify_integrity(&key("VOkJxbRl1RmTxUk/WvJxBt")));
    assert_eq!(stun_local_ufrag(&SAMPLE_IPV4_RESPONSE), None);
}

#[test]
fn one_flipped_bit_anywhere_is_noticed() {
    let key = key("VOkJxbRl1RmTxUk/WvJxBt");
    for index in 0..SAMPLE_REQUEST.len() {
        for bit in 0..8 {
            let mut damaged = SAMPLE_REQUEST;
            damaged[index] ^= 1 << bit;
            let accepted = Message::parse(&damaged)
                .is_ok_and(|message| message.verify_integrity(&key) && damaged != SAMPLE_REQUEST);
            // A damaged FINGERPRINT type is an unknown optional attribute behind the integrity.
            assert!(
                !accepted || (100..102).contains(&index),
                "byte {index} bit {bit}"
            );
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    for length in 0..SAMPLE_REQUEST.len() {
        assert!(Message::parse(&SAMPLE_REQUEST[..length]).is_err());
        assert_eq!(stun_local_ufrag(&SAMPLE_REQUEST[..length]), None);
    }
}

#[test]
fn reads_what_the_reference_writes() {
    let provider = AwsLcRsProvider::new();
    let mut reference = Reference::new();
    reference
        .build(&[
            Box::new(TransactionId::new()),
            Box::new(REFERENCE_REQUEST),
            Box::new(TextAttribute::new(ATTR_USERNAME, "here:there".to_owned())),
            Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
                "password of twenty-two".to_owned(),
                provider.crypto(),
            )),
            Box::new(REFERENCE_FINGERPRINT),
        ])
        .unwrap();
    let message = Message::parse(&reference.raw).unwrap();
    assert_eq!(message.username, Some(&b"here:there"[..]));
    assert!(message.verify_integrity(&key("password of twenty-two")));
}

#[test]
fn the_reference_reads_what_we_write() {
    let address = super::super::xor_address("203.0.113.7:4711".parse().unwrap(), [7; 12]);
    let mut writer = Writer::new(0x0101, [7; 12]);
    writer.attribute(XOR_MAPPED_ADDRESS, &address);
    writer.integrity(&key("password of twenty-two"));
    let mut reference = Reference::new();
    reference.raw = writer.finish();
    reference.decode().unwrap();
    let provider = AwsLcRsProvider::new();
    MessageIntegrity::check(&mut reference, b"password of twenty-two", provider.crypto()).unwrap();
    REFERENCE_FINGERPRINT.check(&reference).unwrap();
    let mut mapped = XorMappedAddress::default();
    mapped.get_from(&reference).unwrap();
    assert!(reference.contains(ATTR_XORMAPPED_ADDRESS));
    assert_eq!(
        (mapped.ip.to_string(), mapped.port),
        ("203.0.113.7".to_owned(), 4711)
    );
}

#[test]
fn unknown_attributes_that_must_be_understood_are_named() {
    let mut writer = Writer::new(BINDING_REQUEST, [1; 12]);
    writer.attribute(0x7777, &[1, 2, 3]);
    writer.attribute(0xc777, &[]);
    let bytes = writer.finish();
    assert_eq!(Message::parse(&bytes).unwrap().unknown(), &[0x7777]);
}

proptest::proptest! {
    #[test]
    fn nothing_makes_the_parser_panic(bytes in proptest::collection::vec(0u8.., 0..200)) {
        let _ = Message::parse(&bytes);
        let _ = stun_local_ufrag(&bytes);
    }

    #[test]
    fn no_attribute_list_makes_the_parser_panic(
        body in proptest::collection::vec(0u8.., 0..200)
    ) {
        let mut bytes = vec![0, 1, 0, 0];
        bytes.extend_from_slice(&COOKIE);
        bytes.extend_from_slice(&[9; 12]);
        bytes.extend_from_slice(&body[..body.len() / 4 * 4]);
        let length = (bytes.len() - HEADER_LEN) as u16;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        let _ = Message::parse(&bytes);
        let _ = stun_local_ufrag(&bytes);
    }
}
