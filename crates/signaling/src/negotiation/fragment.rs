//! Parts of descriptions that tell of ICE alone (RFC 8840 §9, `application/trickle-ice-sdpfrag`):
//! candidates of the client, or new credentials, and what the server answers to those.

use plenum_types::IceCredentials;

use super::candidates::Candidates;
use super::offer::credentials;
use crate::messages::ErrorCode;
use crate::refusal::Refusal;
use crate::sdp::{Session, Writer};

/// What a client sends.
///
/// Its candidates are checked and then left aside: with ICE lite the client's checks tell its
/// addresses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// The client's credentials, if it tells them. Others than before ask for an ICE restart.
    pub(crate) ice: Option<IceCredentials>,
}

impl Fragment {
    /// Reads a fragment, or says what to change.
    pub(crate) fn read(text: &str) -> Result<Self, Refusal> {
        let session = Session::read_fragment(text)?;
        let parts = || {
            let media = session.media.iter().map(|media| &media.attributes);
            std::iter::once(&session.attributes).chain(media)
        };
        for candidate in parts().flat_map(|attributes| attributes.values("candidate")) {
            check_candidate(candidate)?;
        }
        let first = |key| parts().find_map(|attributes| attributes.value(key));
        let ice = match (first("ice-ufrag"), first("ice-pwd")) {
            (None, None) => None,
            (ufrag, password) => Some(credentials(ufrag, password)?),
        };
        Ok(Self { ice })
    }
}

/// The grammar of RFC 8839 §5.1, as far as every candidate has it.
fn check_candidate(value: &str) -> Result<(), Refusal> {
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    let whole = match words[..] {
        [_, component, _, priority, _, port, "typ", _, ..] => {
            component.parse::<u16>().is_ok()
                && priority.parse::<u32>().is_ok()
                && port.parse::<u16>().is_ok()
        }
        _ => false,
    };
    if whole {
        return Ok(());
    }
    Err(Refusal::new(
        ErrorCode::SdpInvalid,
        "Write a=candidate as RFC 8839 does: foundation, component, transport, priority, \
         address, port, typ and type.",
    ))
}

/// The m-line that stands for the bundle (RFC 9725 §4.3.2), as it was answered.
#[derive(Debug, Default)]
pub(crate) struct FragmentHead {
    group: Option<String>,
    media: Option<String>,
    mid: Option<String>,
}

impl FragmentHead {
    /// Of the answer that opened the session.
    pub(crate) fn of(answer: &str) -> Self {
        let rejected = |line: &str| line.split(' ').nth(1) == Some("0");
        let line = |start: &str| {
            let mut lines = answer.lines();
            lines.find(|line| line.starts_with(start))
        };
        let mut lines = answer.lines();
        let media = lines.find(|line| line.starts_with("m=") && !rejected(line));
        let mid = lines.find(|line| line.starts_with("a=mid:"));
        Self {
            group: line("a=group:BUNDLE").map(str::to_owned),
            media: media.map(str::to_owned),
            mid: mid.map(str::to_owned),
        }
    }

    /// The answer to a restart: the ICE attributes of the first answer, with new values.
    pub(crate) fn write(&self, ice: &IceCredentials, candidates: Candidates<'_>) -> String {
        let mut out = Writer::default();
        out.line(format_args!("a=ice-lite"));
        out.line(format_args!("a=ice-options:trickle ice2"));
        for line in [&self.group, &self.media, &self.mid].into_iter().flatten() {
            out.line(format_args!("{line}"));
        }
        out.line(format_args!("a=ice-ufrag:{}", ice.ufrag));
        out.line(format_args!("a=ice-pwd:{}", ice.password.0));
        candidates.write(&mut out);
        out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "vw5LmwG4y/e6dPP/zAP9Gp5k";

    fn code(text: &str) -> ErrorCode {
        Fragment::read(text).unwrap_err().code
    }

    #[test]
    fn credentials_stand_on_the_session_or_on_an_m_line() {
        let on_session = format!("a=ice-ufrag:ysXw\r\na=ice-pwd:{PASSWORD}\r\n");
        let on_media = format!("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n{on_session}");
        for text in [on_session, on_media] {
            let ice = Fragment::read(&text).unwrap().ice.unwrap();
            assert_eq!(
                (ice.ufrag.as_str(), ice.password.0.as_str()),
                ("ysXw", PASSWORD)
            );
        }
        assert_eq!(Fragment::read("").unwrap().ice, None);
        assert_eq!(Fragment::read("a=end-of-candidates\n").unwrap().ice, None);
    }

    #[test]
    fn what_is_only_half_there_is_refused() {
        assert_eq!(code("a=ice-ufrag:ysXw"), ErrorCode::SdpNoIce);
        assert_eq!(code(&format!("a=ice-pwd:{PASSWORD}")), ErrorCode::SdpNoIce);
        assert_eq!(
            code(&format!("a=ice-ufrag:x\na=ice-pwd:{PASSWORD}")),
            ErrorCode::SdpNoIce
        );
        for text in [
            "nonsense",
            "m=audio",
            "a=candidate:1 1 udp 5",
            "a=candidate:1 1 udp 5 192.0.2.1 70000 typ host",
        ] {
            assert_eq!(code(text), ErrorCode::SdpInvalid, "{text}");
        }
        let candidates = "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\n\
            a=candidate:3 1 tcp 1518280447 x.local 9 typ host tcptype active";
        assert_eq!(Fragment::read(candidates), Ok(Fragment { ice: None }));
    }

    #[test]
    fn a_restart_is_answered_for_the_first_m_line_in_use() {
        let answer = "v=0\r\na=group:BUNDLE 1 2\r\nm=video 0 X 0\r\na=mid:0\r\n\
            m=audio 9 X 111\r\na=mid:1\r\nm=video 9 X 96\r\na=mid:2\r\n";
        let ice = credentials(Some("ysXw"), Some(PASSWORD)).unwrap();
        let [udp, tcp] = [7882, 7881].map(|port| [([192, 0, 2, 1], port).into()]);
        let candidates = Candidates {
            udp: &udp,
            tcp: &tcp,
        };
        let written = FragmentHead::of(answer).write(&ice, candidates);
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(
            lines[2..5],
            ["a=group:BUNDLE 1 2", "m=audio 9 X 111", "a=mid:1"]
        );
        assert_eq!(lines[5], "a=ice-ufrag:ysXw");
        assert!(lines[7].starts_with("a=candidate:1 1 udp") && lines[7].ends_with("typ host"));
        assert!(lines[8].starts_with("a=candidate:2 1 tcp") && lines[8].ends_with("passive"));
        assert_eq!(lines[9], "a=end-of-candidates");
    }
}
