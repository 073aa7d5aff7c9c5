//! A published track.

use plenum_types::{
    CodecParameters, ContentHint, Encoding, ExtensionMap, MediaKind, Mid, Pixels,
    PublicationConfig, PublicationId, Source,
};

use crate::messages::{
    CodecName, ErrorCode, LayerInfo, LayerSpec, PublicationInfo, PublicationSpec,
};
use crate::negotiation::RtpSection;
use crate::refusal::Refusal;

/// Longest track id or name, bytes.
const MAX_TEXT: usize = 256;

/// A publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Publication {
    pub(crate) id: PublicationId,
    /// The client's own id.
    pub(crate) track_id: String,
    pub(crate) name: String,
    pub(crate) muted: bool,
    /// Between the clients; the server only passes the word on.
    pub(crate) encrypted: bool,
    pub(crate) kind: MediaKind,
    pub(crate) source: Source,
    pub(crate) content: ContentHint,
    pub(crate) mid: Mid,
    pub(crate) codecs: Vec<CodecParameters>,
    pub(crate) extensions: ExtensionMap,
    /// Smallest first.
    pub(crate) encodings: Vec<Encoding>,
}

impl Publication {
    /// The client's own id of the track that `section` carries.
    pub(crate) fn track_id_of(mid: Mid, section: &RtpSection, spec: &PublicationSpec) -> String {
        let told = spec.track_id.as_ref().or(section.track_id.as_ref());
        told.map_or_else(|| mid.to_string(), Clone::clone)
    }

    /// What the track shows or plays.
    pub(crate) fn source_of(
        section: &RtpSection,
        spec: &PublicationSpec,
        was: Option<&Self>,
    ) -> Source {
        let default = match section.kind {
            MediaKind::Audio => Source::Microphone,
            MediaKind::Video => Source::Camera,
        };
        spec.source
            .map(Source::from)
            .or(was.map(|was| was.source))
            .unwrap_or(default)
    }

    /// What matters more in its pictures.
    fn content_of(section: &RtpSection, spec: &PublicationSpec, was: Option<&Self>) -> ContentHint {
        spec.content_hint
            .map(ContentHint::from)
            .or(was.map(|was| was.content))
            .unwrap_or_else(|| Self::source_of(section, spec, was).usual_content())
    }

    /// The publication that `section` and `spec` describe; `was` is the same one before.
    pub(crate) fn of(
        id: PublicationId,
        mid: Mid,
        section: &RtpSection,
        spec: &PublicationSpec,
        was: Option<&Self>,
    ) -> Result<Self, Refusal> {
        let track_id = Self::track_id_of(mid, section, spec);
        let name = spec
            .name
            .clone()
            .or_else(|| was.map(|was| was.name.clone()));
        let name = name.unwrap_or_default();
        if track_id.len() > MAX_TEXT || name.len() > MAX_TEXT {
            return Err(Refusal::at(
                ErrorCode::TooLarge,
                mid,
                format!("Keep trackId and name below {MAX_TEXT} bytes."),
            ));
        }
        Ok(Self {
            id,
            track_id,
            name,
            muted: spec.muted.or(was.map(|was| was.muted)).unwrap_or(false),
            encrypted: (spec.encrypted)
                .or(was.map(|was| was.encrypted))
                .unwrap_or(false),
            kind: section.kind,
            source: Self::source_of(section, spec, was),
            content: Self::content_of(section, spec, was),
            mid,
            codecs: section
                .codecs
                .iter()
                .map(|codec| codec.parameters)
                .collect(),
            extensions: section.extensions,
            encodings: sized(&section.encodings, &spec.layers, was),
        })
    }

    /// What the media plane is told.
    pub(crate) fn config(&self) -> PublicationConfig {
        PublicationConfig {
            publication: self.id,
            kind: self.kind,
            source: self.source,
            content: self.content,
            mid: self.mid,
            codecs: self.codecs.clone(),
            extensions: self.extensions,
            encodings: self.encodings.clone(),
            muted: self.muted,
        }
    }

    /// Whether the media plane sees no difference but perhaps in `muted`.
    pub(crate) fn same_media(&self, other: &Self) -> bool {
        self.source == other.source
            && self.content == other.content
            && self.codecs == other.codecs
            && self.extensions == other.extensions
            && self.encodings == other.encodings
    }

    /// What the others are told.
    pub(crate) fn info(&self) -> PublicationInfo {
        PublicationInfo {
            id: self.id.to_string(),
            track_id: self.track_id.clone(),
            kind: self.kind.into(),
            source: self.source.into(),
            name: self.name.clone(),
            muted: self.muted,
            encrypted: self.encrypted,
            layers: self.encodings.iter().map(layer_info).collect(),
            codec: self
                .codecs
                .first()
                .map_or("", |first| CodecName::from(first.codec).as_str())
                .to_owned(),
        }
    }
}

fn layer_info(encoding: &Encoding) -> LayerInfo {
    LayerInfo {
        rid: encoding.rid.map(|rid| rid.to_string()),
        width: encoding.size.map(|size| size.width),
        height: encoding.size.map(|size| size.height),
    }
}

/// `encodings` with the sizes that the client told, smallest first if it told all of them.
fn sized(encodings: &[Encoding], layers: &[LayerSpec], was: Option<&Publication>) -> Vec<Encoding> {
    let mut sized: Vec<Encoding> = encodings.to_vec();
    let single = sized.len() == 1;
    for encoding in &mut sized {
        let rid = encoding.rid.map(|rid| rid.to_string());
        let told = layers
            .iter()
            .find(|layer| layer.rid == rid || (single && layers.len() == 1));
        encoding.size = match told {
            Some(layer) => size_of(layer),
            None if layers.is_empty() => size_before(encoding, was),
            None => None,
        };
    }
    if sized.iter().all(|encoding| encoding.size.is_some()) {
        sized.sort_by_key(|encoding| encoding.size.unwrap_or_default().area());
    }
    sized
}

fn size_of(layer: &LayerSpec) -> Option<Pixels> {
    Some(Pixels {
        width: layer.width?,
        height: layer.height?,
    })
}

fn size_before(encoding: &Encoding, was: Option<&Publication>) -> Option<Pixels> {
    was?.encodings
        .iter()
        .find(|before| before.rid == encoding.rid && before.ssrc == encoding.ssrc)?
        .size
}
