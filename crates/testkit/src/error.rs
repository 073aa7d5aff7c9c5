//! What can go wrong while a simulation is set up.

/// Setting up a simulation failed.
#[derive(Debug, thiserror::Error)]
pub enum TestkitError {
    /// The simulated client's WebRTC stack refused something.
    #[error("the client's stack: {0}")]
    Stack(#[from] rtc::shared::error::Error),
    /// No cryptography to be had.
    #[error("cryptography: {0}")]
    Crypto(#[from] rtc::crypto::CryptoError),
    /// The offer lacks something that an answer needs.
    #[error("the offer has no {0}")]
    OfferLacks(&'static str),
    /// The client has no such thing.
    #[error("the client has no {0}")]
    NoSuch(&'static str),
}
