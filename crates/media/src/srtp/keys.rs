//! Keying material of DTLS-SRTP (RFC 5764 §4.2) and the keys derived from it (RFC 3711 §4.3 with
//! a key derivation rate of zero: once per session; RFC 6188 for 256-bit keys, RFC 7714 §11 for
//! the shorter salt of GCM).

use crate::MediaError;
use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use plenum_types::SrtpProfile;

/// Longest master key of any profile, bytes.
const MAX_KEY: usize = 32;

/// Salt of AES-CM, bytes. That of GCM is shorter and padded with zeros for the derivation.
const MAX_SALT: usize = 14;

/// Key of HMAC-SHA1, bytes (RFC 3711 §5.2).
const AUTHENTICATION_KEY: usize = 20;

/// Place of the label within the derivation's input: `key_id = label || r` with a 48-bit `r`,
/// aligned to the right of 14 bytes (RFC 3711 §4.3.1).
const LABEL_PLACE: usize = 7;

/// Master key and salt of one direction.
pub(super) struct MasterKey<'m> {
    pub(super) key: &'m [u8],
    pub(super) salt: &'m [u8],
}

/// What the keys derived from a master key protect.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Rtp,
    Rtcp,
}

impl Purpose {
    /// Labels of cipher key, authentication key and salt (RFC 3711 §4.3.2).
    const fn labels(self) -> [u8; 3] {
        match self {
            Self::Rtp => [0, 1, 2],
            Self::Rtcp => [3, 4, 5],
        }
    }
}

/// The keys with which packets are protected. Unused tails are zero.
pub(super) struct SessionKeys {
    pub(super) cipher: [u8; MAX_KEY],
    pub(super) authentication: [u8; AUTHENTICATION_KEY],
    pub(super) salt: [u8; MAX_SALT],
}

/// Bytes of master key and salt of `profile`.
pub(super) const fn master_lengths(profile: SrtpProfile) -> (usize, usize) {
    match profile {
        SrtpProfile::AeadAes128Gcm => (16, 12),
        SrtpProfile::AeadAes256Gcm => (32, 12),
        SrtpProfile::Aes128CmSha1_80 => (16, 14),
    }
}

/// Cuts exported keying material: client key, server key, client salt, server salt. Returns the
/// client's and the server's.
pub(super) fn split(
    profile: SrtpProfile,
    material: &[u8],
) -> Result<(MasterKey<'_>, MasterKey<'_>), MediaError> {
    let (key, salt) = master_lengths(profile);
    let expected = 2 * (key + salt);
    if material.len() != expected {
        return Err(MediaError::KeyingMaterialLength {
            expected,
            actual: material.len(),
        });
    }
    let (keys, salts) = material.split_at(2 * key);
    let client = MasterKey {
        key: &keys[..key],
        salt: &salts[..salt],
    };
    let server = MasterKey {
        key: &keys[key..],
        salt: &salts[salt..],
    };
    Ok((client, server))
}

/// Derives the keys for `purpose`.
pub(super) fn derive(master: &MasterKey<'_>, purpose: Purpose) -> Result<SessionKeys, MediaError> {
    let [cipher, authentication, salt] = purpose.labels();
    let mut keys = SessionKeys {
        cipher: [0; MAX_KEY],
        authentication: [0; AUTHENTICATION_KEY],
        salt: [0; MAX_SALT],
    };
    fill(master, cipher, &mut keys.cipher[..master.key.len()])?;
    fill(master, authentication, &mut keys.authentication)?;
    fill(master, salt, &mut keys.salt[..master.salt.len()])?;
    Ok(keys)
}

/// The AES-CM pseudo-random function (RFC 3711 §4.3.3): keystream from the labelled salt.
fn fill(master: &MasterKey<'_>, label: u8, out: &mut [u8]) -> Result<(), MediaError> {
    let mut block = [0; 16];
    block[..master.salt.len()].copy_from_slice(master.salt);
    block[LABEL_PLACE] ^= label;
    let context = EncryptionContext::Iv128(FixedLength::from(block));
    counter_key(master.key)?
        .less_safe_encrypt(out, context)
        .map_err(|_| MediaError::SrtpKey)?;
    Ok(())
}

/// An AES key in counter mode, expanded.
pub(super) fn counter_key(key: &[u8]) -> Result<EncryptingKey, MediaError> {
    let algorithm = if key.len() == 32 { &AES_256 } else { &AES_128 };
    UnboundCipherKey::new(algorithm, key)
        .and_then(EncryptingKey::ctr)
        .map_err(|_| MediaError::SrtpKey)
}
