//! RFC 3711 appendix B, RFC 6188 §7, RFC 7714 §16 and §17.

use super::super::counter_mode::CounterMode;
use super::super::gcm::Gcm;
use super::super::keys::{MasterKey, Purpose, SessionKeys, counter_key, derive};
use super::super::rtcp_trailer::RtcpTrailer;
use super::hex;
use aws_lc_rs::cipher::EncryptionContext;
use aws_lc_rs::iv::FixedLength;
use plenum_types::Ssrc;

fn keys(cipher: &str, salt: &str) -> SessionKeys {
    let mut keys = SessionKeys {
        cipher: [0; 32],
        authentication: [0; 20],
        salt: [0; 14],
    };
    let (cipher, salt) = (hex(cipher), hex(salt));
    keys.cipher[..cipher.len()].copy_from_slice(&cipher);
    keys.salt[..salt.len()].copy_from_slice(&salt);
    keys
}

#[test]
fn rfc_3711_b2_keystream() {
    let key = counter_key(&hex("2b7e151628aed2a6abf7158809cf4f3c")).unwrap();
    let block: [u8; 16] = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000").try_into().unwrap();
    let mut stream = [0; 48];
    key.less_safe_encrypt(
        &mut stream,
        EncryptionContext::Iv128(FixedLength::from(block)),
    )
    .unwrap();
    let expected = "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab\
                    41e95b3bb0a2e8dd477901e4fca894c0";
    assert_eq!(stream.to_vec(), hex(expected));
}

#[test]
fn rfc_3711_b3_key_derivation() {
    let (key, salt) = (
        hex("e1f97a0d3e018be0d64fa32c06de4139"),
        hex("0ec675ad498afeebb6960b3aabe6"),
    );
    let master = MasterKey {
        key: &key,
        salt: &salt,
    };
    let keys = derive(&master, Purpose::Rtp).unwrap();
    assert_eq!(keys.cipher[..16], hex("c61e7a93744f39ee10734afe3ff7a087"));
    assert_eq!(keys.salt.to_vec(), hex("30cbbc08863d8c85d49db34a9ae1"));
    assert_eq!(
        keys.authentication.to_vec(),
        hex("cebe321f6ff7716b6fd4ab49af256a156d38baa4")
    );
}

#[test]
fn rfc_6188_key_derivation_with_256_bits() {
    let (key, salt) = (
        hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"),
        hex("3b04803de51ee7c96423ab5b78d2"),
    );
    let master = MasterKey {
        key: &key,
        salt: &salt,
    };
    let keys = derive(&master, Purpose::Rtp).unwrap();
    assert_eq!(
        keys.cipher.to_vec(),
        hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4")
    );
    assert_eq!(keys.salt.to_vec(), hex("fa31791685ca444a9e07c6c64e93"));
}

const GCM_SALT: &str = "517569642070726f2071756f";
const GCM_KEY_128: &str = "000102030405060708090a0b0c0d0e0f";
const GCM_KEY_256: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const GCM_PACKET: &str = "8040f17b8041f8d35501a0b2\
    47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573";

fn gcm_rtp(key: &str, expected: &str) {
    let length = key.len() / 2;
    let gcm = Gcm::new(&keys(key, GCM_SALT), length).unwrap();
    let plain = hex(GCM_PACKET);
    let mut buffer = plain.clone();
    buffer.resize(plain.len() + 16, 0);
    let ssrc = Ssrc(0x5501_a0b2);
    let sealed = gcm
        .seal_rtp(&mut buffer, 12, plain.len(), ssrc, 0xf17b)
        .unwrap();
    assert_eq!(buffer[..sealed], hex(expected));
    let opened = gcm.open_rtp(&mut buffer, 12, ssrc, 0xf17b).unwrap();
    assert_eq!(buffer[..opened], plain);
}

#[test]
fn rfc_7714_16_1_srtp_aes_128() {
    gcm_rtp(
        GCM_KEY_128,
        "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a\
         51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
    );
}

#[test]
fn rfc_7714_16_2_srtp_aes_256() {
    gcm_rtp(
        GCM_KEY_256,
        "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a02\
         76ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
    );
}

#[test]
fn rfc_7714_17_1_srtcp_aes_128() {
    let gcm = Gcm::new(&keys(GCM_KEY_128, GCM_SALT), 16).unwrap();
    let plain = hex(
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeef\
         deadbeefdeadbeefdeadbeefdeadbeef",
    );
    let expected = hex(
        "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1\
         730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
    );
    let ssrc = Ssrc(0x4d61_7273);
    let mut buffer = plain.clone();
    buffer.resize(plain.len() + 20, 0);
    let sealed = gcm
        .seal_rtcp(&mut buffer, plain.len(), ssrc, 0x05d4)
        .unwrap();
    assert_eq!(buffer[..sealed], expected);
    let opened = gcm
        .open_rtcp(&mut buffer, ssrc, RtcpTrailer::encrypted(0x05d4))
        .unwrap();
    assert_eq!(buffer[..opened], plain);
}

#[test]
fn unencrypted_srtcp_is_authenticated() {
    let counter = CounterMode::new(&keys(GCM_KEY_128, GCM_SALT)).unwrap();
    let ssrc = Ssrc(7);
    let mut buffer = [0x80, 201, 0, 1, 0, 0, 0, 7, 0, 0, 0, 3].to_vec();
    let tag = [0; 10];
    buffer.extend(tag);
    let trailer = RtcpTrailer::from_bytes([0, 0, 0, 3]);
    assert!(!trailer.encrypted);
    assert!(counter.open_rtcp(&mut buffer, ssrc, trailer).is_err());
}
