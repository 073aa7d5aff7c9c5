//! The SSRCs of publications that have ended.
//!
//! A browser names its streams in the packets only until our reports acknowledge their SSRCs, and
//! keeps this in mind when an m-line pauses and goes on. With simulcast nothing else tells the
//! streams apart, so what was learned must outlive the publication (RFC 8843 §9.2).

use super::publication::Publication;
use super::stream::Role;
use plenum_types::{Mid, Rid, Ssrc};

/// Most streams remembered, the latest ones. Fewer than a peer's streams would lose some of a
/// renegotiation that pauses all of them.
const MAX_DEPARTED: usize = 32;

#[derive(Clone, Copy, Debug)]
struct Stream {
    mid: Mid,
    rid: Option<Rid>,
    media: Option<Ssrc>,
    repair: Option<Ssrc>,
}

#[derive(Debug, Default)]
pub(super) struct Departed(Vec<Stream>);

impl Departed {
    /// `publication` ends.
    pub(super) fn remember(&mut self, publication: &Publication) {
        self.0.retain(|stream| stream.mid != publication.mid);
        self.0
            .extend(publication.streams.iter().map(|stream| Stream {
                mid: publication.mid,
                rid: stream.rid,
                media: stream.ssrc(Role::Media),
                repair: stream.ssrc(Role::Repair),
            }));
        let surplus = self.0.len().saturating_sub(MAX_DEPARTED);
        self.0.drain(..surplus);
    }

    /// `publication` begins: gives its streams the SSRCs of their m-line's last publication, those
    /// excepted that `is_taken` by others meanwhile.
    pub(super) fn restore(
        &mut self,
        publication: &mut Publication,
        mut is_taken: impl FnMut(Ssrc) -> bool,
    ) {
        let mid = publication.mid;
        for departed in self.0.iter().filter(|departed| departed.mid == mid) {
            let mut free = |ssrc: Option<Ssrc>| ssrc.filter(|ssrc| !is_taken(*ssrc));
            let (media, repair) = (free(departed.media), free(departed.repair));
            let mut streams = publication.streams.iter_mut();
            if let Some(stream) = streams.find(|stream| stream.rid == departed.rid) {
                stream.resume(media, repair);
            }
        }
        self.0.retain(|departed| departed.mid != mid);
    }
}
