//! Stable error codes, and the WebSocket close code that follows a fatal one.

use serde::{Deserialize, Serialize};

/// A WebSocket close code (RFC 6455 §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseCode(pub u16);

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = ($text:literal, $close:literal),)*) => {
        /// What went wrong. Codes never change their meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum ErrorCode { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl ErrorCode {
            /// All codes, in the order of their discriminants.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// Name in messages and metrics.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The close code that follows if the error is fatal.
            pub const fn close_code(self) -> CloseCode {
                CloseCode(match self { $(Self::$name => $close,)* })
            }
        }
    };
}

error_codes! {
    /// Not JSON, or not what the protocol describes.
    BadMessage = ("badMessage", 4400),
    /// No message has this `type`.
    UnknownType = ("unknownType", 4400),
    /// The first message must be `join`.
    NotJoined = ("notJoined", 4400),
    /// The stay to resume is over: join anew.
    ResumeFailed = ("resumeFailed", 4400),
    /// The connection has joined before.
    AlreadyJoined = ("alreadyJoined", 4400),
    /// No token came with the connection.
    TokenMissing = ("tokenMissing", 4401),
    /// The token is malformed, or signed by nobody we know.
    TokenInvalid = ("tokenInvalid", 4401),
    /// The token has expired.
    TokenExpired = ("tokenExpired", 4401),
    /// The token is not valid yet: the clocks differ.
    TokenNotYetValid = ("tokenNotYetValid", 4401),
    /// The token does not grant this.
    NotPermitted = ("notPermitted", 4403),
    /// The token is for another room.
    WrongRoom = ("wrongRoom", 4403),
    /// The room has as many participants as it may have.
    RoomFull = ("roomFull", 4503),
    /// The server has as many rooms or connections as it may have.
    ServerFull = ("serverFull", 4503),
    /// The server is being emptied.
    Draining = ("draining", 4503),
    /// The message is too large.
    TooLarge = ("tooLarge", 4413),
    /// Messages come too fast.
    TooManyMessages = ("tooManyMessages", 4429),
    /// The offer is no session description.
    SdpInvalid = ("sdpInvalid", 4400),
    /// The offer does not bundle all m-lines.
    SdpNoBundle = ("sdpNoBundle", 4400),
    /// The offer does not multiplex RTP and RTCP.
    SdpNoRtcpMux = ("sdpNoRtcpMux", 4400),
    /// The offer has no ICE credentials.
    SdpNoIce = ("sdpNoIce", 4400),
    /// The offer has no certificate fingerprint.
    SdpNoFingerprint = ("sdpNoFingerprint", 4400),
    /// The offer has no codec that Plenum knows.
    SdpNoCommonCodec = ("sdpNoCommonCodec", 4400),
    /// No such publication, or somebody else's.
    UnknownPublication = ("unknownPublication", 4400),
    /// No such slot.
    UnknownSlot = ("unknownSlot", 4400),
    /// More publications than a participant may have.
    TooManyPublications = ("tooManyPublications", 4400),
    /// More slots than a participant may have.
    TooManySlots = ("tooManySlots", 4400),
    /// The same identity joined again.
    Replaced = ("replaced", 4409),
    /// The participant was removed.
    Removed = ("removed", 4410),
    /// The server failed.
    Internal = ("internal", 4500),
}
