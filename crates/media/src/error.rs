//! What can go wrong when a part of a peer is made. Refused packets are not errors but
//! [`DropReason`](plenum_types::DropReason)s.

/// Why something could not be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// No certificate could be made.
    #[error("generating the DTLS certificate failed")]
    Certificate,
    /// The remote fingerprint's length does not fit its algorithm.
    #[error("the length of the remote fingerprint does not fit its hash function")]
    FingerprintLength,
    /// The ICE credentials are too short to be safe (RFC 8445 §5.3).
    #[error("ICE needs a user name of 4 to 256 and a password of 22 to 256 characters")]
    IceCredentials,
    /// The DTLS configuration was refused.
    #[error("the DTLS configuration was refused")]
    Dtls,
    /// The keying material has the wrong length, or the cipher refused it.
    #[error("the SRTP keying material was refused")]
    SrtpKeys,
}
