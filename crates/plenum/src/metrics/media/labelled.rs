//! Families whose labels are the variants of an enum.

use plenum_types::{
    CloseReason, ConnectOutcome, ConnectPhase, DropReason, KeyframeCause, SlotReason, SlotState,
};
use prometheus::{IntCounter, IntGauge, Registry, Result};

use crate::metrics::family::{counters, levels};

/// In the order of [`SlotReason::ALL`], and for each of [`SlotState::ALL`].
pub(super) fn slots(registry: &Registry) -> Result<Vec<IntGauge>> {
    let labels = SlotReason::ALL
        .iter()
        .flat_map(|reason| SlotState::ALL.map(|state| [reason.as_str(), state.as_str()]));
    levels(
        registry,
        "plenum_media_slots",
        "Outgoing streams: empty, paused or flowing, by why they show what they show.",
        ["reason", "state"],
        labels.map(|labels| labels.map(str::to_owned)),
    )
}

/// In the order of [`ConnectPhase::ALL`], and for each of [`ConnectOutcome::ALL`].
pub(super) fn connects(registry: &Registry) -> Result<Vec<IntCounter>> {
    let labels = ConnectPhase::ALL
        .iter()
        .flat_map(|phase| ConnectOutcome::ALL.map(|outcome| [phase.as_str(), outcome.as_str()]));
    counters(
        registry,
        "plenum_media_connects_total",
        "Phases of connecting that have ended: done; timed out; failed in DTLS or the server; left by \
         the client or the control plane before.",
        ["phase", "outcome"],
        labels.map(|labels| labels.map(str::to_owned)),
    )
}

pub(super) fn closed(registry: &Registry) -> Result<Vec<IntCounter>> {
    let reasons = CloseReason::ALL
        .iter()
        .map(|reason| [reason.as_str().to_owned()]);
    counters(
        registry,
        "plenum_media_peers_closed_total",
        "Peer connections ended.",
        ["reason"],
        reasons,
    )
}

pub(super) fn keyframe_requests(registry: &Registry) -> Result<Vec<IntCounter>> {
    let causes = KeyframeCause::ALL
        .iter()
        .map(|cause| [cause.as_str().to_owned()]);
    counters(
        registry,
        "plenum_media_keyframe_requests_total",
        "Keyframes asked of publishers.",
        ["cause"],
        causes,
    )
}

pub(super) fn drops(registry: &Registry) -> Result<Vec<IntCounter>> {
    let reasons = DropReason::ALL
        .iter()
        .map(|reason| [reason.stage().as_str(), reason.as_str()].map(str::to_owned));
    counters(
        registry,
        "plenum_media_drops_total",
        "Datagrams and packets discarded, by stage of the packet path and reason.",
        ["stage", "reason"],
        reasons,
    )
}
