//! Short texts that ride in RTP header extensions, stored inline so that they are `Copy`.

use arrayvec::ArrayString;

/// Most bytes that a one-byte header extension element can carry (RFC 8285 §4.2).
const CAPACITY: usize = 16;

/// A text of at most 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ShortText(ArrayString<CAPACITY>);

/// The text does not fit into 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is longer than 16 bytes")]
pub struct TextTooLong;

impl ShortText {
    /// Copies `text`; fails if it is longer than 16 bytes.
    pub fn new(text: &str) -> Result<Self, TextTooLong> {
        ArrayString::from(text).map(Self).map_err(|_| TextTooLong)
    }

    /// Reads a text off the wire; `None` if it is too long or not UTF-8.
    pub fn from_wire(bytes: &[u8]) -> Option<Self> {
        Self::new(std::str::from_utf8(bytes).ok()?).ok()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl std::fmt::Debug for ShortText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0.as_str())
    }
}

impl std::fmt::Display for ShortText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// Identifies an m-line (RFC 8843 §15, the `mid` header extension).
pub type Mid = ShortText;

/// Identifies a simulcast encoding (RFC 8852, the `rtp-stream-id` header extension).
pub type Rid = ShortText;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_sixteen_bytes_and_no_more() {
        assert_eq!(
            ShortText::new("0123456789abcdef").unwrap().as_str(),
            "0123456789abcdef"
        );
        assert_eq!(ShortText::new("0123456789abcdefg"), Err(TextTooLong));
    }

    #[test]
    fn refuses_what_is_not_utf8() {
        assert_eq!(ShortText::from_wire(&[0xff, 0xfe]), None);
    }
}
