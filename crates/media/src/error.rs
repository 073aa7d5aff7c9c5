//! What can go wrong when a part of a peer is made. Refused packets are not errors but
//! [`DropReason`](plenum_types::DropReason)s.

/// Setting up a peer's transport failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// No certificate could be made.
    #[error("generating the DTLS certificate failed")]
    Certificate,
    /// The remote fingerprint's length does not fit its algorithm.
    #[error("the length of the remote fingerprint does not fit its hash function")]
    FingerprintLength,
    /// The ICE credentials are too short to be safe, or too long (RFC 8445 §5.3).
    #[error("ICE needs a user name of 4 to 256 and a password of 22 to 256 characters")]
    IceCredentials,
    /// The exported keying material is not as long as the profile needs.
    #[error("SRTP keying material of {actual} bytes, {expected} needed")]
    KeyingMaterialLength {
        /// Bytes that the profile needs.
        expected: usize,
        /// Bytes that were given.
        actual: usize,
    },
    /// The cryptography library refused a key.
    #[error("the SRTP key was refused")]
    SrtpKey,
}
