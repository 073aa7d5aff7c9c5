//! Session descriptions as lines (RFC 8866): a reader that borrows, and a writer.
//!
//! Only what JSEP (RFC 8829) uses is understood: `m=` and `a=`. Every other line is skipped, so
//! that a client's unusual `o=` or `c=` is no reason to refuse a call. Invariant: reading never
//! fails halfway; a text either has the shape of an SDP or is refused with the line's number.

use std::fmt::Write as _;

use crate::messages::ErrorCode;
use crate::refusal::Refusal;

/// Most m-lines of a description. Each slot is one; browsers become slow well before.
pub(crate) const MAX_MEDIA: usize = 256;
/// Most attributes of one m-line or of the session. Browsers write about 100.
const MAX_ATTRIBUTES: usize = 1_000;

/// A session description.
#[derive(Debug, Default)]
pub(crate) struct Session<'a> {
    /// Before the first m-line.
    pub(crate) attributes: Attributes<'a>,
    /// The m-lines.
    pub(crate) media: Vec<Media<'a>>,
}

/// An m-line with what follows it.
#[derive(Debug)]
pub(crate) struct Media<'a> {
    /// `audio`, `video`, `application`, ...
    pub(crate) kind: &'a str,
    /// 0: rejected, or bundle-only.
    pub(crate) port: u16,
    /// `UDP/TLS/RTP/SAVPF`, ...
    pub(crate) protocol: &'a str,
    /// Payload types, or what the protocol has in their place.
    pub(crate) formats: Vec<&'a str>,
    /// Its attributes.
    pub(crate) attributes: Attributes<'a>,
}

/// `a=` lines in their order.
#[derive(Debug, Default)]
pub(crate) struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Attributes<'a> {
    /// Whether there is an `a=key`, with or without a value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(k, _)| *k == key)
    }

    /// The value of the first `a=key`; empty for a flag.
    pub(crate) fn value(&self, key: &str) -> Option<&'a str> {
        self.values(key).next()
    }

    /// The values of every `a=key`.
    pub(crate) fn values(&self, key: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter_map(move |(k, value)| (*k == key).then_some(*value))
    }
}

impl<'a> Session<'a> {
    /// Reads a description.
    pub(crate) fn read(text: &'a str) -> Result<Self, Refusal> {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        if first.trim_end() != "v=0" {
            return Err(invalid("Line 1 of the offer must be v=0."));
        }
        let session = Self::read_lines("offer", rest, 2)?;
        if session.media.is_empty() {
            return Err(invalid("Send an offer with at least one m-line."));
        }
        Ok(session)
    }

    /// Reads a part of a description (RFC 8840 §9): it has neither a first line nor, perhaps, an
    /// m-line.
    pub(crate) fn read_fragment(text: &'a str) -> Result<Self, Refusal> {
        Self::read_lines("fragment", text, 1)
    }

    /// Reads the lines of `what`, whose number begins at `first`.
    fn read_lines(what: &str, text: &'a str, first: usize) -> Result<Self, Refusal> {
        let mut session = Session::default();
        for (number, line) in (first..).zip(text.lines()) {
            session
                .read_line(line.trim_end())
                .map_err(|how| invalid(format!("Line {number} of the {what} {how}.")))?;
        }
        Ok(session)
    }

    fn read_line(&mut self, line: &'a str) -> Result<(), &'static str> {
        if line.is_empty() {
            return Ok(());
        }
        let (key, value) = line.split_once('=').ok_or("lacks an equals sign")?;
        match key {
            "m" if self.media.len() == MAX_MEDIA => Err("is one m-line too many"),
            "m" => {
                let media = Media::read(value).ok_or("is no m-line of RFC 8866")?;
                self.media.push(media);
                Ok(())
            }
            "a" => self.read_attribute(value),
            _ if key.len() == 1 => Ok(()),
            _ => Err("does not begin with one letter and an equals sign"),
        }
    }

    fn read_attribute(&mut self, text: &'a str) -> Result<(), &'static str> {
        let attributes = match self.media.last_mut() {
            Some(media) => &mut media.attributes,
            None => &mut self.attributes,
        };
        if attributes.0.len() == MAX_ATTRIBUTES {
            return Err("is one attribute too many");
        }
        let (key, value) = text.split_once(':').unwrap_or((text, ""));
        attributes.0.push((key, value.trim()));
        Ok(())
    }
}

impl<'a> Media<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let kind = words.next()?;
        let port = words.next()?.split('/').next()?.parse().ok()?;
        let protocol = words.next()?;
        Some(Self {
            kind,
            port,
            protocol,
            formats: words.collect(),
            attributes: Attributes::default(),
        })
    }
}

fn invalid(sentence: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::SdpInvalid, sentence)
}

/// Writes a description line by line, with the line ends of RFC 8866.
#[derive(Debug, Default)]
pub(crate) struct Writer(String);

impl Writer {
    /// Writes one line.
    pub(crate) fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = self.0.write_fmt(line);
        self.0.push_str("\r\n");
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_of_either_ending() {
        for end in ["\r\n", "\n"] {
            let text = [
                "v=0",
                "a=group:BUNDLE 0",
                "m=audio 9/2 X 111 0",
                "a=mid:0",
                "a=sendonly",
            ]
            .join(end);
            let session = Session::read(&text).unwrap();
            assert_eq!(session.attributes.value("group"), Some("BUNDLE 0"));
            let media = &session.media[0];
            assert_eq!((media.kind, media.port, media.protocol), ("audio", 9, "X"));
            assert_eq!(media.formats, ["111", "0"]);
            assert_eq!(media.attributes.value("mid"), Some("0"));
            assert!(media.attributes.has("sendonly"));
        }
    }

    #[test]
    fn refuses_what_has_not_the_shape() {
        for text in [
            "",
            "hello",
            "v=0",
            "v=1\r\nm=audio 9 X 0",
            "v=0\r\nm=audio",
            "v=0\r\nm=audio 70000 X 0",
            "v=0\r\nnonsense",
            "v=0\r\nabc=1\r\nm=audio 9 X 0",
        ] {
            let refusal = Session::read(text).unwrap_err();
            assert_eq!(refusal.code, ErrorCode::SdpInvalid, "{text:?}");
        }
        let many = format!("v=0\r\n{}", "m=audio 9 X 0\r\n".repeat(MAX_MEDIA + 1));
        assert!(Session::read(&many).is_err());
    }
}
