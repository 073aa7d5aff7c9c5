//! The server's DTLS certificate: self-signed, because WebRTC authenticates it by the fingerprint
//! in the SDP (RFC 8827 §6.5).

use std::sync::Arc;

use aws_lc_rs::digest;
use plenum_types::{Fingerprint, FingerprintAlgorithm};
use rtc_crypto::RTCCryptoProvider;
use rtc_crypto::providers::AwsLcRsProvider;

use crate::MediaError;

/// DTLS certificate of the server, made once at start. Clones share it.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    provider: Arc<dyn RTCCryptoProvider>,
    certificate: rtc_dtls::crypto::Certificate,
    fingerprint: Fingerprint,
}

impl Certificate {
    /// Makes an ECDSA P-256 key and a certificate for it, signed by itself.
    ///
    /// # Errors
    ///
    /// [`MediaError::Certificate`] if the cryptographic library fails.
    pub fn generate() -> Result<Self, MediaError> {
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
        let certificate = rtc_dtls::crypto::Certificate::generate_self_signed(
            vec!["plenum".to_owned()],
            provider.crypto(),
        )
        .map_err(|_| MediaError::Certificate)?;
        let der = certificate
            .certificate
            .first()
            .ok_or(MediaError::Certificate)?;
        let fingerprint = fingerprint_of(der, FingerprintAlgorithm::Sha256);
        Ok(Self(Arc::new(Inner {
            provider,
            certificate,
            fingerprint,
        })))
    }

    /// The SHA-256 fingerprint for the SDP answer.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint.clone()
    }

    pub(crate) fn provider(&self) -> Arc<dyn RTCCryptoProvider> {
        self.0.provider.clone()
    }

    pub(crate) fn dtls(&self) -> rtc_dtls::crypto::Certificate {
        self.0.certificate.clone()
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate")
            .field("fingerprint", &self.0.fingerprint)
            .finish_non_exhaustive()
    }
}

/// Hash of a certificate in DER (RFC 8122 §5).
pub(crate) fn fingerprint_of(der: &[u8], algorithm: FingerprintAlgorithm) -> Fingerprint {
    let hash = match algorithm {
        FingerprintAlgorithm::Sha256 => &digest::SHA256,
        FingerprintAlgorithm::Sha384 => &digest::SHA384,
        FingerprintAlgorithm::Sha512 => &digest::SHA512,
    };
    Fingerprint {
        algorithm,
        bytes: digest::digest(hash, der).as_ref().to_vec(),
    }
}

/// Bytes of a fingerprint made with `algorithm`.
pub(crate) const fn fingerprint_len(algorithm: FingerprintAlgorithm) -> usize {
    match algorithm {
        FingerprintAlgorithm::Sha256 => 32,
        FingerprintAlgorithm::Sha384 => 48,
        FingerprintAlgorithm::Sha512 => 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_one_certificate_and_two_servers_do_not() {
        let one = Certificate::generate().unwrap();
        let two = Certificate::generate().unwrap();
        assert_eq!(one.fingerprint(), one.clone().fingerprint());
        assert_ne!(one.fingerprint(), two.fingerprint());
        assert_eq!(one.fingerprint().bytes.len(), 32);
    }

    #[test]
    fn fingerprints_have_the_length_of_their_hash() {
        for algorithm in [
            FingerprintAlgorithm::Sha256,
            FingerprintAlgorithm::Sha384,
            FingerprintAlgorithm::Sha512,
        ] {
            let fingerprint = fingerprint_of(b"der", algorithm);
            assert_eq!(fingerprint.bytes.len(), fingerprint_len(algorithm));
        }
    }
}
