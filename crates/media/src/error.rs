//! What can go wrong when a peer's transport is set up.

/// Setting up a peer's transport failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
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
