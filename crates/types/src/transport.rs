//! What two ends must know of each other before they can speak: ICE credentials, certificate
//! fingerprints, SRTP profiles. Secrets cannot be printed.

use crate::ShardId;

/// A text that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// ICE user name fragment and password (RFC 8445 §5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceCredentials {
    /// 4 to 256 characters.
    pub ufrag: String,
    /// 22 to 256 characters.
    pub password: Secret,
}

/// What ends the shard's number in a user name fragment of ours; an `ice-char` (RFC 8839 §5.4).
const SHARD_END: char = '+';

/// A user name fragment of a peer on `shard`. `unique` tells it from all others.
///
/// All shards share one TCP port: the first check on a connection names a user name fragment, and
/// that names the shard.
pub fn ufrag_of(shard: ShardId, unique: &str) -> String {
    format!("{:x}{SHARD_END}{unique}", shard.0)
}

/// The shard that a user name fragment made by [`ufrag_of`] names.
pub fn shard_of_ufrag(ufrag: &str) -> Option<ShardId> {
    let (shard, _) = ufrag.split_once(SHARD_END)?;
    u16::from_str_radix(shard, 16).ok().map(ShardId)
}

/// Hash function of a certificate fingerprint (RFC 8122 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FingerprintAlgorithm {
    /// 32 bytes.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
}

/// Fingerprint of a DTLS certificate, as signalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Hash function.
    pub algorithm: FingerprintAlgorithm,
    /// Hash of the certificate in DER.
    pub bytes: Vec<u8>,
}

/// SRTP protection profile (RFC 5764 §4.1.2, RFC 7714 §14.2), in our order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SrtpProfile {
    /// AEAD_AES_128_GCM.
    AeadAes128Gcm,
    /// AEAD_AES_256_GCM.
    AeadAes256Gcm,
    /// AES128_CM_HMAC_SHA1_80.
    Aes128CmSha1_80,
}

impl SrtpProfile {
    /// Name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
            Self::Aes128CmSha1_80 => "AES128_CM_HMAC_SHA1_80",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ufrag_names_its_shard() {
        for shard in [0, 1, 0xbeef, u16::MAX].map(ShardId) {
            assert_eq!(shard_of_ufrag(&ufrag_of(shard, "1+a/b")), Some(shard));
        }
        for stranger in ["", "+", "+1", "1", "12345+a", "x+a", "-1+a"] {
            assert_eq!(shard_of_ufrag(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let credentials = IceCredentials {
            ufrag: "abcd".into(),
            password: Secret("hunter2hunter2".into()),
        };
        assert!(!format!("{credentials:?}").contains("hunter2"));
    }
}
