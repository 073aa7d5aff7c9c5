//! A publication as the receiver sees it: what each payload type means, and its streams.

use super::stream::{Role, Stream};
use plenum_types::{CodecParameters, MediaKind, Mid, PublicationConfig, PublicationId, Rid};

/// Most streams of a publication; simulcast has three.
const MAX_STREAMS: usize = 8;

#[derive(Debug)]
pub(super) struct Publication {
    pub(super) id: PublicationId,
    pub(super) kind: MediaKind,
    pub(super) mid: Mid,
    pub(super) codecs: Vec<CodecParameters>,
    pub(super) streams: Vec<Stream>,
}

impl Publication {
    pub(super) fn new(config: &PublicationConfig) -> Self {
        // All codecs of a kind have one clock rate.
        let clock_rate = config
            .codecs
            .first()
            .map_or(90_000, |codec| codec.codec.clock_rate());
        Self {
            id: config.publication,
            kind: config.kind,
            mid: config.mid,
            codecs: config.codecs.clone(),
            streams: config
                .encodings
                .iter()
                .take(MAX_STREAMS)
                .map(|encoding| Stream::new(encoding, clock_rate))
                .collect(),
        }
    }

    /// What `payload_type` carries here.
    pub(super) fn meaning(&self, payload_type: u8) -> Option<(CodecParameters, Role)> {
        self.codecs.iter().find_map(|codec| {
            let is_redundant = codec.red_payload_type == Some(payload_type);
            if codec.payload_type == payload_type || is_redundant {
                Some((*codec, Role::Media))
            } else if codec.rtx_payload_type == Some(payload_type) {
                Some((*codec, Role::Repair))
            } else {
                None
            }
        })
    }

    /// The stream that a packet without known SSRC belongs to.
    pub(super) fn stream_named(&self, rid: Option<Rid>) -> Option<usize> {
        match (rid, self.streams.as_slice()) {
            (None, [_]) => Some(0),
            (Some(_), [stream]) if stream.rid.is_none() => Some(0),
            (None, _) => None,
            (Some(_), streams) => streams.iter().position(|stream| stream.rid == rid),
        }
    }

    /// Whether any of its codecs negotiated the feedback that `wants` reads.
    pub(super) fn any(&self, wants: impl Fn(&CodecParameters) -> bool) -> bool {
        self.codecs.iter().any(wants)
    }
}
