//! Who receives what: publications, slots, and everything that makes a subscriber see one
//! continuous stream per slot whatever is behind it.
//!
//! [`Router`] is the whole of it, a pure state machine: time and randomness are arguments, facts
//! go in by `on_*`, wishes by `set_*`, and events come out of [`Router::poll_event`]. It sees
//! packets and descriptions, never a socket, a key or a clock.
//!
//! Reading order: `router` (public API), `router/packet` (the packet path), `slot` (one outgoing
//! stream: segments, switching, retransmission, reports), `publication` (one incoming track:
//! numbering, store, clock, activity, keyframe requests), then the two pure functions `assign`
//! (which publication each slot shows) and `allocate` (which layer), and `speakers`.

#![forbid(unsafe_code)]

mod allocate;
mod assign;
mod decisions;
mod event;
mod fields;
mod index;
mod limit;
mod peer;
mod publication;
mod remote;
mod room;
mod router;
mod slot;
mod speakers;
#[cfg(test)]
mod testing;
mod timers;

pub use event::{
    Arrival, Backfill, BackfillPacket, Crossing, Forward, Late, LinkPosition, PeerSlot,
    Retransmission, RouterEvent, Withheld,
};
pub use index::{PublicationIndex, SlotIndex};
pub use router::Router;
