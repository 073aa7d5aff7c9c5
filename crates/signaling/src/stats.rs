//! Counters of the control plane, as plain values. Names and units of metrics are given at the
//! edge that exports them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use plenum_types::Histogram;

use crate::messages::{ErrorCode, ServerMessage};

/// Joins by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JoinCounters {
    /// Clients that entered a room.
    pub accepted: u64,
    /// Of these, those that replaced a participant with the same identity.
    pub replaced: u64,
    /// Clients that came back into their stay after their WebSocket was lost.
    pub resumed: u64,
    /// Clients that were refused; the errors by code tell why.
    pub refused: u64,
}

/// Phases of a join, µs: a good network and an idle server take a few milliseconds and round trips;
/// ten seconds is how long a client has.
const JOIN_US: &[u64] = &[
    2_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000,
];

/// How long joins took, as far as signaling sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinTimes {
    /// From the WebSocket to `joined`, µs.
    pub enter_us: Histogram,
    /// From `joined` to the first answer to an offer, µs. What the client needs to make its offer,
    /// which may include a click on a permission, is part of it.
    pub offer_us: Histogram,
}

impl JoinTimes {
    pub(crate) fn note_entered(&mut self, took: Duration) {
        self.enter_us.record(took.as_micros() as u64);
    }

    pub(crate) fn note_answered(&mut self, took: Duration) {
        self.offer_us.record(took.as_micros() as u64);
    }
}

impl Default for JoinTimes {
    fn default() -> Self {
        Self {
            enter_us: Histogram::new(JOIN_US),
            offer_us: Histogram::new(JOIN_US),
        }
    }
}

/// How much there is of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gauges {
    pub(crate) rooms: usize,
    pub(crate) participants: usize,
    pub(crate) publications: usize,
    pub(crate) slots: usize,
    pub(crate) connections: usize,
    pub(crate) joins: JoinCounters,
    pub(crate) join_times: JoinTimes,
    pub(crate) draining: bool,
}

/// A snapshot of the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalingStats {
    /// Rooms now.
    pub rooms: usize,
    /// Participants now.
    pub participants: usize,
    /// Publications now.
    pub publications: usize,
    /// Slots now.
    pub slots: usize,
    /// WebSockets now.
    pub connections: usize,
    /// Messages and requests of clients that wait to be handled, now.
    pub inputs_waiting: usize,
    /// Media events that wait to be handled, now.
    pub media_events_waiting: usize,
    /// Whether the server is being emptied.
    pub draining: bool,
    /// Since the start.
    pub joins: JoinCounters,
    /// Since the start.
    pub join_times: JoinTimes,
    /// Messages of clients since the start.
    pub messages_in: u64,
    /// Messages to clients since the start.
    pub messages_out: u64,
    /// Errors told to clients since the start, by code, in the order of [`ErrorCode::ALL`].
    pub errors: Vec<(ErrorCode, u64)>,
    /// Clients closed since the start because they read too slowly.
    pub slow_clients: u64,
    /// Media events lost since the start because the control plane was too slow.
    pub media_events_lost: u64,
}

/// The living counters. Shared by the actor and the sockets; nothing here is per packet.
#[derive(Debug)]
pub(crate) struct Counters {
    gauges: Mutex<Gauges>,
    pub(crate) messages_in: AtomicU64,
    messages_out: AtomicU64,
    errors: [AtomicU64; ErrorCode::COUNT],
    pub(crate) slow_clients: AtomicU64,
    pub(crate) media_events_lost: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            gauges: Mutex::default(),
            messages_in: AtomicU64::new(0),
            messages_out: AtomicU64::new(0),
            errors: [const { AtomicU64::new(0) }; ErrorCode::COUNT],
            slow_clients: AtomicU64::new(0),
            media_events_lost: AtomicU64::new(0),
        }
    }
}

impl Counters {
    /// Counts a message to `clients`.
    pub(crate) fn count_out(&self, message: &ServerMessage, clients: usize) {
        let clients = clients as u64;
        self.messages_out.fetch_add(clients, Ordering::Relaxed);
        if let ServerMessage::Error { code, .. } = message {
            self.errors[*code as usize].fetch_add(clients, Ordering::Relaxed);
        }
    }

    /// Counts an error that a client is told by HTTP.
    pub(crate) fn count_error(&self, code: ErrorCode) {
        self.errors[code as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Replaces the gauges.
    pub(crate) fn set_gauges(&self, gauges: Gauges) {
        *self.gauges.lock().unwrap_or_else(PoisonError::into_inner) = gauges;
    }

    /// What is counted now.
    pub(crate) fn snapshot(&self) -> SignalingStats {
        let gauges = *self.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SignalingStats {
            rooms: gauges.rooms,
            participants: gauges.participants,
            publications: gauges.publications,
            slots: gauges.slots,
            connections: gauges.connections,
            joins: gauges.joins,
            join_times: gauges.join_times,
            inputs_waiting: 0,
            media_events_waiting: 0,
            draining: gauges.draining,
            messages_in: read(&self.messages_in),
            messages_out: read(&self.messages_out),
            errors: ErrorCode::ALL
                .iter()
                .map(|code| (*code, read(&self.errors[*code as usize])))
                .collect(),
            slow_clients: read(&self.slow_clients),
            media_events_lost: read(&self.media_events_lost),
        }
    }
}
