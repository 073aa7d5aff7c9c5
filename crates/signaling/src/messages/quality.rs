//! Why a participant sees what it sees: parts of the message `quality`.

use plenum_types::{Decision, PeerQuality, SlotQuality};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LayerName;
use crate::names::camel_case;

/// The way to a participant, and what its slots are given together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkQuality {
    /// Bits per second that the way carries; none before anything tells.
    pub estimate: Option<u64>,
    /// Bits per second that all slots are given.
    pub allocated: u64,
    /// Bits per second that they would be given if bandwidth were no question.
    pub wanted: u64,
    /// Round trip time, milliseconds; none before it is known.
    pub rtt: Option<u64>,
    /// Share of packets lost lately, 0 to 1, rounded to a thousandth.
    pub loss: f64,
}

/// What a slot shows and how that came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlotExplanation {
    /// Its m-line.
    pub mid: String,
    /// What it shows.
    pub publication: Option<String>,
    /// The layer being forwarded.
    pub layer: Option<LayerName>,
    /// Why.
    pub reason: String,
    /// Measured bits per second of that layer.
    pub bitrate: Option<u64>,
    /// The last decisions, newest first.
    pub decisions: Vec<DecisionInfo>,
}

/// One decision on a slot, with what it was decided by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionInfo {
    /// How long ago, milliseconds.
    pub age: u64,
    /// Why.
    pub reason: String,
    /// The layer given; none: nothing.
    pub given: Option<LayerName>,
    /// The layer that suffices for the size at which it is shown.
    pub wanted: Option<LayerName>,
    /// Device pixels across; none if the client did not say.
    pub width: Option<u32>,
    /// Device pixels down.
    pub height: Option<u32>,
    /// Its priority.
    pub priority: u8,
    /// Bits per second that the way carried.
    pub estimate: Option<u64>,
    /// Bits per second that all slots were given.
    pub allocated: u64,
}

impl From<&PeerQuality> for NetworkQuality {
    fn from(quality: &PeerQuality) -> Self {
        Self {
            estimate: quality.estimate.map(|bitrate| bitrate.0),
            allocated: quality.allocated.0,
            wanted: quality.wanted.0,
            rtt: quality.rtt.map(|rtt| rtt.as_millis() as u64),
            loss: (f64::from(quality.loss) * 1_000.0).round() / 1_000.0,
        }
    }
}

impl SlotExplanation {
    /// Of the slot on the m-line `mid`.
    pub(crate) fn new(mid: String, slot: &SlotQuality) -> Self {
        Self {
            mid,
            publication: slot.binding.publication.map(|id| id.to_string()),
            layer: slot.binding.layer.map(Into::into),
            reason: camel_case(slot.binding.reason.as_str()),
            bitrate: slot.bitrate.map(|bitrate| bitrate.0),
            decisions: slot.decisions.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Decision> for DecisionInfo {
    fn from(decision: &Decision) -> Self {
        Self {
            age: decision.age.as_millis() as u64,
            reason: camel_case(decision.reason.as_str()),
            given: decision.given.map(Into::into),
            wanted: decision.wanted.map(Into::into),
            width: decision.viewport.map(|viewport| viewport.width),
            height: decision.viewport.map(|viewport| viewport.height),
            priority: decision.priority,
            estimate: decision.estimate.map(|bitrate| bitrate.0),
            allocated: decision.allocated.0,
        }
    }
}
