//! Panics on demand, for tests. Builds without debug assertions, as every release, have none of it.

#[cfg(debug_assertions)]
use crate::shard::Shard;
#[cfg(debug_assertions)]
use plenum_types::PeerId;

/// Where handling a peer is to panic, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// At its next datagram.
    Datagram,
    /// At the next copy that is made for it.
    Copy,
    /// At its next timer.
    Timer,
    /// At the end of a wake-up, when what it wants to send is written.
    Flush,
    /// At the next command about it.
    Command,
    /// At the end of the next wake-up, in nobody's turn.
    Shard,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Datagram,
        Self::Copy,
        Self::Timer,
        Self::Flush,
        Self::Command,
        Self::Shard,
    ];

    /// The ICE user name of a client that asks for it, in a debug build.
    pub const fn ufrag(self) -> &'static str {
        match self {
            Self::Datagram => "faultAtDatagram",
            Self::Copy => "faultAtCopy",
            Self::Timer => "faultAtTimer",
            Self::Flush => "faultAtFlush",
            Self::Command => "faultAtCommand",
            Self::Shard => "faultOfShard",
        }
    }

    #[cfg(debug_assertions)]
    pub(crate) fn asked_by(ufrag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.ufrag() == ufrag)
    }
}

#[cfg(debug_assertions)]
impl Shard {
    /// Has handling a peer panic. For tests.
    pub fn inject_fault(&mut self, peer: PeerId, fault: Fault) {
        if let Some(index) = self.peers.index_of(peer)
            && let Some(entry) = self.peers.at_mut(index)
        {
            entry.fault = Some(fault);
        }
    }
}

/// Panics if `fault` is the one that was asked for.
#[cfg(debug_assertions)]
#[inline]
pub(crate) fn strike(asked: &mut Option<Fault>, here: Fault) {
    if asked.is_some() && *asked == Some(here) {
        *asked = None;
        panic!("as a test asked for");
    }
}
