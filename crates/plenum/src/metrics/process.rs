//! Metrics of the process as a whole.

use prometheus::{IntCounter, Registry, Result};

use super::family::{counters, raise};
use crate::panics::{self, Plane};

/// What became of a configuration that was read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReloadOutcome {
    /// It is in force.
    Taken,
    /// It has an error, and nothing has changed.
    Refused,
}

impl ReloadOutcome {
    const ALL: [Self; 2] = [Self::Taken, Self::Refused];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Refused => "refused",
        }
    }
}

pub(super) struct ProcessMetrics {
    /// By [`ReloadOutcome`].
    reloads: Vec<IntCounter>,
    /// By [`Plane`].
    panics: Vec<IntCounter>,
}

impl ProcessMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            reloads: counters(
                registry,
                "plenum_config_reloads_total",
                "Times that the configuration was read again by SIGHUP; refused ones changed nothing.",
                ["outcome"],
                ReloadOutcome::ALL.map(|outcome| [outcome.as_str().to_owned()]),
            )?,
            panics: counters(
                registry,
                "plenum_panics_total",
                "Panics, by the plane whose thread had it. Each is an error in Plenum: report its log line.",
                ["plane"],
                Plane::ALL.map(|plane| [plane.as_str().to_owned()]),
            )?,
        })
    }

    pub(super) fn count_reload(&self, outcome: ReloadOutcome) {
        self.reloads[outcome as usize].inc();
    }

    pub(super) fn update(&self) {
        for (counter, plane) in self.panics.iter().zip(Plane::ALL) {
            raise(counter, panics::count(plane));
        }
    }
}
