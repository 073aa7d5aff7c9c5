//! Finds the stream of a packet: by SSRC, else learned from what the packet tells of itself
//! (RFC 8843 §9.2, RFC 8852), so that a publisher need not declare its SSRCs.

use super::publication::Publication;
use super::stream::Role;
use crate::ssrc_table::SsrcTable;
use plenum_rtp::{HeaderExtensions, RtpHeader};
use plenum_types::{DropReason, Ssrc};
use std::time::{Duration, Instant};

/// Most SSRCs of a peer's streams at one time, retransmissions included.
const MAX_SSRCS: usize = 64;

/// A payload type alone moves a stream to another SSRC only if nothing came for so long. Shorter
/// lets two senders that share a payload type fight for the stream.
const QUIET: Duration = Duration::from_secs(1);

/// Where a packet belongs: indexes into the publications and their streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) publication: usize,
    pub(super) encoding: usize,
    pub(super) role: Role,
}

#[derive(Debug, Default)]
pub(super) struct Routes {
    table: SsrcTable<Route, MAX_SSRCS>,
}

impl Routes {
    /// The stream that `ssrc` is known to belong to.
    pub(super) fn find(&mut self, ssrc: Ssrc) -> Option<Route> {
        self.table.find_mut(ssrc).copied()
    }

    /// Takes in the SSRCs that the newest publication declared.
    pub(super) fn declare(&mut self, publications: &[Publication]) {
        let Some((last, earlier)) = publications.split_last() else {
            return;
        };
        for (encoding, stream) in last.streams.iter().enumerate() {
            for role in [Role::Media, Role::Repair] {
                let route = Route {
                    publication: earlier.len(),
                    encoding,
                    role,
                };
                // A table that is full leaves the stream to be learned when others have gone.
                let _ = stream.ssrc(role).map(|ssrc| self.table.insert(ssrc, route));
            }
        }
    }

    /// The publication at `index` is gone, and those after it move down.
    pub(super) fn remove_publication(&mut self, index: usize) {
        self.table.retain(|route| {
            if route.publication > index {
                route.publication -= 1;
                return true;
            }
            route.publication != index
        });
    }

    /// Learns where the SSRC of a packet belongs.
    pub(super) fn learn(
        &mut self,
        now: Instant,
        publications: &mut [Publication],
        packet: &[u8],
        header: &RtpHeader,
        extensions: &HeaderExtensions,
    ) -> Result<Route, DropReason> {
        let payload_type = header.payload_type;
        let mid = extensions.mid(packet);
        let publication = match mid {
            Some(mid) => publications.iter().position(|known| known.mid == mid),
            None => only_taker(publications, payload_type),
        };
        let publication = publication.ok_or(DropReason::UnknownSource)?;
        let (_, role) = publications[publication]
            .meaning(payload_type)
            .ok_or(DropReason::UnknownPayloadType)?;
        let rid = match role {
            Role::Media => extensions.rid(packet),
            // Some senders name the repaired stream by the plain rid.
            Role::Repair => extensions.repaired_rid(packet).or(extensions.rid(packet)),
        };
        let encoding = publications[publication]
            .stream_named(rid)
            .ok_or(DropReason::UnknownSource)?;
        let route = Route {
            publication,
            encoding,
            role,
        };
        self.adopt(now, publications, header.ssrc, route, mid.is_some())?;
        Ok(route)
    }

    fn adopt(
        &mut self,
        now: Instant,
        publications: &mut [Publication],
        ssrc: Ssrc,
        route: Route,
        is_named: bool,
    ) -> Result<(), DropReason> {
        let stream = &mut publications[route.publication].streams[route.encoding];
        let is_alive = stream
            .statistics
            .last_packet()
            .is_some_and(|last| now.saturating_duration_since(last) < QUIET);
        let is_taken = stream.ssrc(route.role).is_some() && is_alive && !is_named;
        if is_taken || stream.has_left(route.role, ssrc) {
            return Err(DropReason::UnknownSource);
        }
        if let Some(left) = stream.ssrc(route.role) {
            self.table.remove(left);
        }
        self.table
            .insert(ssrc, route)
            .map_err(|_| DropReason::TooManySsrcs)?;
        stream.move_to(route.role, ssrc);
        Ok(())
    }
}

/// The publication that takes `payload_type`, if there is exactly one.
fn only_taker(publications: &[Publication], payload_type: u8) -> Option<usize> {
    let mut takers = publications
        .iter()
        .enumerate()
        .filter(|(_, publication)| publication.meaning(payload_type).is_some());
    let (only, _) = takers.next()?;
    takers.next().is_none().then_some(only)
}
