//! Metrics of the control plane.

use plenum_signaling::SignalingStats;
use plenum_signaling::messages::ErrorCode;
use prometheus::{IntCounter, IntGauge, Registry, Result};

use super::family::{counter, counters, gauge, level, raise};
use super::histogram::{HistogramFamily, MILLIONTHS};

/// Reads one number.
type Read<N> = fn(&SignalingStats) -> N;

/// Name, help, and where the number is.
type Plain<N> = (&'static str, &'static str, Read<N>);

const LEVELS: &[Plain<usize>] = &[
    ("plenum_signaling_rooms", "Open rooms.", |s| s.rooms),
    (
        "plenum_signaling_participants",
        "Participants in rooms.",
        |s| s.participants,
    ),
    (
        "plenum_signaling_publications",
        "Tracks that participants publish.",
        |s| s.publications,
    ),
    (
        "plenum_signaling_slots",
        "Slots that participants offer.",
        |s| s.slots,
    ),
    ("plenum_signaling_connections", "Open WebSockets.", |s| {
        s.connections
    }),
    (
        "plenum_signaling_inputs_waiting",
        "Messages and requests of clients that wait to be handled.",
        |s| s.inputs_waiting,
    ),
    (
        "plenum_signaling_media_events_waiting",
        "Events of the media plane that wait to be handled.",
        |s| s.media_events_waiting,
    ),
    (
        "plenum_signaling_draining",
        "Whether the server is being emptied, 0 or 1; participants tell how far it is.",
        |s| usize::from(s.draining),
    ),
];

const COUNTERS: &[Plain<u64>] = &[
    (
        "plenum_signaling_slow_clients_total",
        "Clients closed because they read too slowly.",
        |s| s.slow_clients,
    ),
    (
        "plenum_signaling_lost_media_events_total",
        "Events of the media plane lost because the control plane was too slow.",
        |s| s.media_events_lost,
    ),
];

/// Handles of all metrics of the control plane.
pub(super) struct ControlMetrics {
    levels: Vec<(IntGauge, Read<usize>)>,
    counters: Vec<(IntCounter, Read<u64>)>,
    /// In, out.
    messages: Vec<IntCounter>,
    /// Joined, replaced, refused.
    joins: Vec<IntCounter>,
    /// Until joined, until the answer.
    join_times: HistogramFamily,
    /// In the order of [`ErrorCode::ALL`].
    errors: Vec<IntCounter>,
}

impl ControlMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            levels: LEVELS
                .iter()
                .map(|(name, help, read)| Ok((level(registry, name, help)?, *read)))
                .collect::<Result<_>>()?,
            counters: COUNTERS
                .iter()
                .map(|(name, help, read)| Ok((counter(registry, name, help)?, *read)))
                .collect::<Result<_>>()?,
            messages: counters(
                registry,
                "plenum_signaling_messages_total",
                "WebSocket messages: in from clients, out to clients.",
                ["direction"],
                ["in", "out"].map(|direction| [direction.to_owned()]),
            )?,
            joins: counters(
                registry,
                "plenum_signaling_joins_total",
                "Joins: into a free place, in place of a participant with the same identity, back into \
                 a stay whose WebSocket was lost, or refused.",
                ["outcome"],
                ["joined", "replaced", "resumed", "refused"].map(|outcome| [outcome.to_owned()]),
            )?,
            join_times: HistogramFamily::new(
                registry,
                "plenum_signaling_join_seconds",
                "Signaling of a join over WebSocket: enter, from the connection to the message joined; \
                 offer, from there to the first answer, the client's own time included.",
                MILLIONTHS,
                "phase",
                ["enter", "offer"],
            )?,
            errors: counters(
                registry,
                "plenum_signaling_errors_total",
                "Errors told to clients, by the code of the protocol.",
                ["code"],
                ErrorCode::ALL.iter().map(|code| [code.as_str().to_owned()]),
            )?,
        })
    }

    pub(super) fn update(&self, stats: &SignalingStats) {
        for (handle, read) in &self.levels {
            handle.set(gauge(read(stats) as u64));
        }
        for (handle, read) in &self.counters {
            raise(handle, read(stats));
        }
        let joins = stats.joins;
        let joined = joins.accepted.saturating_sub(joins.replaced);
        raise_all(&self.messages, [stats.messages_in, stats.messages_out]);
        raise_all(
            &self.joins,
            [joined, joins.replaced, joins.resumed, joins.refused],
        );
        self.join_times.set(0, stats.join_times.enter_us);
        self.join_times.set(1, stats.join_times.offer_us);
        raise_all(&self.errors, stats.errors.iter().map(|(_, number)| *number));
    }
}

fn raise_all(handles: &[IntCounter], totals: impl IntoIterator<Item = u64>) {
    for (handle, total) in handles.iter().zip(totals) {
        raise(handle, total);
    }
}
