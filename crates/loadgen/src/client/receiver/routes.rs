//! Whose a packet is: by SSRC once it is known, at first by what the description declared, by the
//! mid that the packet names, or by its payload type.

use plenum_types::{Codec, MediaKind};

use crate::client::sdp::{Description, Ssrcs};

/// What an SSRC carries, by index of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Media(usize),
    Repair(usize),
}

struct Slot {
    mid: String,
    kind: MediaKind,
    declared: Vec<Ssrcs>,
    /// A stream has been found for it.
    taken: bool,
    flowing: bool,
}

/// Meaning of a payload type.
#[derive(Clone, Copy)]
struct Payload {
    number: u8,
    codec: Codec,
    repair: bool,
}

/// How packets find their stream.
pub(super) struct Routes {
    slots: Vec<Slot>,
    payloads: Vec<Payload>,
    /// Apart from the routes, so that a search reads few bytes.
    ssrcs: Vec<u32>,
    routes: Vec<Route>,
    /// Where the last search ended: packets come in trains.
    last: usize,
}

impl Routes {
    pub(super) fn new(remote: &Description) -> Self {
        let sending = || remote.media.iter().filter(|media| media.direction.sends);
        let mut payloads: Vec<Payload> = Vec::new();
        for parameters in sending().flat_map(|media| &media.codecs).map(|codec| codec.parameters) {
            let numbers = [
                (Some(parameters.payload_type), false),
                (parameters.rtx_payload_type, true),
            ];
            for (number, repair) in numbers {
                if let Some(number) = number
                    && !payloads.iter().any(|payload| payload.number == number)
                {
                    payloads.push(Payload {
                        number,
                        codec: parameters.codec,
                        repair,
                    });
                }
            }
        }
        Self {
            slots: sending()
                .map(|media| Slot {
                    mid: media.mid.clone(),
                    kind: media.kind,
                    declared: media.ssrcs.clone(),
                    taken: false,
                    flowing: true,
                })
                .collect(),
            payloads,
            ssrcs: Vec::new(),
            routes: Vec::new(),
            last: 0,
        }
    }

    pub(super) fn has_video(&self) -> bool {
        self.slots.iter().any(|slot| slot.kind == MediaKind::Video)
    }

    /// Where the packets of `ssrc` go, if that is known.
    #[inline]
    pub(super) fn find(&mut self, ssrc: u32) -> Option<Route> {
        if self.ssrcs.get(self.last) != Some(&ssrc) {
            self.last = self.ssrcs.iter().position(|known| *known == ssrc)?;
        }
        self.routes.get(self.last).copied()
    }

    pub(super) fn add(&mut self, ssrc: u32, route: Route) {
        self.ssrcs.push(ssrc);
        self.routes.push(route);
    }

    pub(super) fn codec(&self, payload_type: u8) -> Option<Codec> {
        self.payload(payload_type).map(|payload| payload.codec)
    }

    pub(super) fn is_repair(&self, payload_type: u8) -> bool {
        self.payload(payload_type)
            .is_some_and(|payload| payload.repair)
    }

    fn payload(&self, number: u8) -> Option<Payload> {
        self.payloads
            .iter()
            .find(|payload| payload.number == number)
            .copied()
    }

    /// The slot that a new SSRC belongs to.
    pub(super) fn slot_of(
        &mut self,
        ssrc: u32,
        payload_type: u8,
        mid: Option<&str>,
    ) -> Option<usize> {
        let kind = self.codec(payload_type)?.kind();
        let declared = self.slots.iter().position(|slot| {
            let mut all = slot.declared.iter();
            all.any(|ssrcs| ssrcs.primary == ssrc || ssrcs.rtx == Some(ssrc))
        });
        let repair = self.is_repair(payload_type);
        let found = declared
            .or_else(|| mid.and_then(|mid| self.slot_named(mid)))
            .or_else(|| {
                let mut slots = self.slots.iter();
                slots.position(|slot| slot.kind == kind && slot.taken == repair)
            })?;
        self.slots[found].taken |= !repair;
        Some(found)
    }

    pub(super) fn slot_named(&self, mid: &str) -> Option<usize> {
        self.slots.iter().position(|slot| slot.mid == mid)
    }

    /// The SSRC that was declared to repair `ssrc`.
    pub(super) fn rtx_of(&self, ssrc: u32) -> Option<u32> {
        let mut declared = self.slots.iter().flat_map(|slot| &slot.declared);
        declared.find(|ssrcs| ssrcs.primary == ssrc)?.rtx
    }

    pub(super) fn is_flowing(&self, slot: usize) -> bool {
        self.slots.get(slot).is_some_and(|slot| slot.flowing)
    }

    pub(super) fn set_flowing(&mut self, slot: usize, flowing: bool) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.flowing = flowing;
        }
    }
}
