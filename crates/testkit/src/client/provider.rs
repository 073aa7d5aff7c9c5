//! The cryptography of a simulated client with seeded randomness: ICE credentials, DTLS randoms
//! and the like repeat from the seed. Keys that the backend makes inside itself do not.

use std::sync::{Arc, Mutex, PoisonError};

use rand::Rng;
use rtc::crypto::{CryptoError, RTCCrypto, RTCCryptoProvider, RTCRandom};

use crate::seed::SimRng;

/// The default provider with another source of randomness.
pub(super) struct SeededProvider {
    inner: Arc<dyn RTCCryptoProvider>,
    random: SeededRandom,
}

/// The stack shares its provider between threads in principle, hence the lock.
struct SeededRandom(Mutex<SimRng>);

impl SeededProvider {
    pub(super) fn new(rng: SimRng) -> Result<Self, CryptoError> {
        Ok(Self {
            inner: rtc::crypto::default_provider()?,
            random: SeededRandom(Mutex::new(rng)),
        })
    }
}

impl RTCCryptoProvider for SeededProvider {
    fn name(&self) -> &'static str {
        "seeded"
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self.inner.crypto()
    }

    fn random(&self) -> &dyn RTCRandom {
        &self.random
    }
}

impl RTCRandom for SeededRandom {
    fn fill(&self, output: &mut [u8]) -> Result<(), CryptoError> {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rng.fill_bytes(output);
        Ok(())
    }
}
