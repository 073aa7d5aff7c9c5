//! What all clients of a run share: a certificate, and with it the configuration of DTLS. A key
//! of its own for each would cost the clients more than the handshake and the server nothing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use aws_lc_rs::digest;
use plenum_types::{Fingerprint, FingerprintAlgorithm};
use rtc_crypto::providers::AwsLcRsProvider;
use rtc_crypto::RTCCryptoProvider;
use rtc_dtls::config::{ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;

/// First pause before a flight is repeated; the library doubles it.
const FLIGHT_INTERVAL: Duration = Duration::from_millis(500);

/// Certificate and configuration of every client of a run. Clones share them.
#[derive(Clone)]
pub(crate) struct Identity {
    provider: Arc<dyn RTCCryptoProvider>,
    handshake: Arc<HandshakeConfig>,
    fingerprint: Fingerprint,
}

impl Identity {
    /// Makes an ECDSA P-256 key and its certificate.
    pub(crate) fn generate() -> Result<Self> {
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
        let names = vec!["plenum-load".to_owned()];
        let certificate = Certificate::generate_self_signed(names, provider.crypto())
            .context("the clients' certificate cannot be made")?;
        let der = certificate
            .certificate
            .first()
            .context("the clients' certificate is empty")?;
        let algorithm = FingerprintAlgorithm::Sha256;
        let fingerprint = fingerprint(der, algorithm);
        let handshake = ConfigBuilder::default()
            .with_crypto_provider(provider.clone())
            .with_certificates(vec![certificate])
            .with_srtp_protection_profiles(vec![
                SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
                SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
                SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
            ])
            // There is no chain to verify: the fingerprint is what authenticates.
            .with_insecure_skip_verify(true)
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .with_flight_interval(FLIGHT_INTERVAL)
            .build(true, None)
            .context("DTLS cannot be configured")?;
        Ok(Self {
            provider,
            handshake: Arc::new(handshake),
            fingerprint,
        })
    }

    /// For the offer.
    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    pub(super) fn handshake(&self) -> Arc<HandshakeConfig> {
        self.handshake.clone()
    }

    pub(super) fn provider(&self) -> &dyn RTCCryptoProvider {
        self.provider.as_ref()
    }

}

/// Hash of a certificate in DER (RFC 8122 §5).
pub(super) fn fingerprint(der: &[u8], algorithm: FingerprintAlgorithm) -> Fingerprint {
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
