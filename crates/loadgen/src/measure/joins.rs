//! How long each phase of a client's join took.

use std::time::Duration;

/// The moments of one client's join, each as time since the join began (the first byte of
/// signaling). `None` where it did not come to that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct JoinTimes {
    /// When the join began, since the run began.
    pub(crate) began: Duration,
    /// Whether it receives; a publisher has no first packet.
    pub(crate) subscriber: bool,
    /// The answer was there.
    pub(crate) signaling: Option<Duration>,
    /// ICE had a pair.
    pub(crate) ice: Option<Duration>,
    /// DTLS had keys: the client has joined.
    pub(crate) dtls: Option<Duration>,
    /// The first media packet was decrypted.
    pub(crate) first_packet: Option<Duration>,
    /// The first keyframe was whole.
    pub(crate) first_keyframe: Option<Duration>,
}

/// A phase of a join, between two of its moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinPhase {
    /// From the first byte of signaling to the answer.
    Signaling,
    /// From the answer to a pair of candidates.
    Ice,
    /// From the pair to keys.
    Dtls,
    /// From keys to the first packet.
    FirstPacket,
    /// From the first packet to the first whole keyframe.
    FirstKeyframe,
}

impl JoinPhase {
    /// All, in order.
    pub(crate) const ALL: [Self; 5] = [
        Self::Signaling,
        Self::Ice,
        Self::Dtls,
        Self::FirstPacket,
        Self::FirstKeyframe,
    ];

    /// Name, as JSON has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Signaling => "signaling",
            Self::Ice => "ice",
            Self::Dtls => "dtls",
            Self::FirstPacket => "first_packet",
            Self::FirstKeyframe => "first_keyframe",
        }
    }
}

impl JoinTimes {
    /// How long the whole join took, to the keys.
    pub(crate) fn joined(&self) -> Option<Duration> {
        self.dtls
    }

    /// When the first picture was there; without video, the first sound.
    pub(crate) fn first_frame(&self, video: bool) -> Option<Duration> {
        if video {
            self.first_keyframe
        } else {
            self.first_packet
        }
    }

    /// How long one phase took by itself, if it began and ended.
    pub(crate) fn phase(&self, phase: JoinPhase) -> Option<Duration> {
        let (from, to) = match phase {
            JoinPhase::Signaling => (Some(Duration::ZERO), self.signaling),
            JoinPhase::Ice => (self.signaling, self.ice),
            JoinPhase::Dtls => (self.ice, self.dtls),
            JoinPhase::FirstPacket => (self.dtls, self.first_packet),
            JoinPhase::FirstKeyframe => (self.first_packet, self.first_keyframe),
        };
        Some(to?.saturating_sub(from?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn phases_are_the_time_between_moments() {
        let join = JoinTimes {
            signaling: Some(MS(5)),
            ice: Some(MS(7)),
            dtls: Some(MS(17)),
            first_packet: Some(MS(18)),
            ..JoinTimes::default()
        };
        let phases = JoinPhase::ALL.map(|phase| join.phase(phase));
        assert_eq!(
            phases,
            [Some(MS(5)), Some(MS(2)), Some(MS(10)), Some(MS(1)), None]
        );
        assert_eq!(join.joined(), Some(MS(17)));
        assert_eq!(join.first_frame(true), None);
        assert_eq!(join.first_frame(false), Some(MS(18)));
    }
}
