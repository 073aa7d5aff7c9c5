//! Offers as clients write them.

/// An m-line of an offer.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    pub(crate) kind: &'static str,
    pub(crate) direction: &'static str,
    pub(crate) rids: &'static [&'static str],
}

pub(crate) const AUDIO: Line = Line {
    kind: "audio",
    direction: "sendonly",
    rids: &[],
};
pub(crate) const VIDEO: Line = Line {
    kind: "video",
    direction: "sendonly",
    rids: &[],
};

impl Line {
    pub(crate) fn direction(mut self, direction: &'static str) -> Self {
        self.direction = direction;
        self
    }

    fn write(self, mid: usize) -> String {
        let Self {
            kind, direction, ..
        } = self;
        let codec = match kind {
            "audio" => {
                "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=rtpmap:111 opus/48000/2\n\
                 a=rtcp-fb:111 transport-cc\n"
            }
            _ => {
                "m=video 9 UDP/TLS/RTP/SAVPF 96 97\na=rtpmap:96 VP8/90000\n\
                 a=rtcp-fb:96 nack\na=rtcp-fb:96 nack pli\na=rtcp-fb:96 transport-cc\n\
                 a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n"
            }
        };
        let rids: String = self
            .rids
            .iter()
            .map(|rid| format!("a=rid:{rid} send\n"))
            .collect();
        let simulcast = match self.rids {
            [] => String::new(),
            rids => format!("a=simulcast:send {}\n", rids.join(";")),
        };
        format!(
            "{codec}c=IN IP4 0.0.0.0\na=mid:{mid}\na={direction}\na=msid:- track-{mid}\n\
             a=rtcp-mux\na=rtcp-rsize\n\
             a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\n\
             a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\n\
             a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\n\
             a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\n\
             a=ice-ufrag:EsAw\na=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\na=ice-options:trickle\n\
             a=setup:actpass\na=fingerprint:sha-256 {fingerprint}\n{rids}{simulcast}",
            fingerprint = ["3A"; 32].join(":"),
        )
    }
}

/// An offer with these m-lines.
pub(crate) fn offer(lines: &[Line]) -> String {
    let mids: Vec<String> = (0..lines.len()).map(|mid| mid.to_string()).collect();
    let lines: String = lines
        .iter()
        .enumerate()
        .map(|(mid, line)| line.write(mid))
        .collect();
    let text = format!(
        "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nt=0 0\na=group:BUNDLE {}\n{lines}",
        mids.join(" ")
    );
    text.replace('\n', "\r\n")
}

/// Other ICE credentials than those of `offer`.
pub(crate) const RESTART: &str = "a=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n";
/// A candidate for the ICE session of `offer`.
pub(crate) const TRICKLE: &str = "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
    a=mid:0\r\na=ice-ufrag:EsAw\r\na=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r\n\
    a=candidate:1 1 udp 2122260223 192.0.2.7 61764 typ host\r\n\
    a=candidate:2 1 carrier-pigeon 2122194687 unknown.invalid 9 typ host\r\n\
    a=end-of-candidates\r\n";
