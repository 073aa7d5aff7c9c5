//! The eight cases of RFC 8867 §5, with its capacities, delays and times.
//!
//! Common to all (§4): one-way delay 50 ms, drop-tail queue of 300 ms, jitter up to 30 ms.
//! Capacities in kbit/s.

/// A source makes at most so much, kbit/s: more than any link here has.
pub const SOURCE_MAX_KBPS: u64 = 5_000;

/// One case.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Number of the section.
    pub section: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Length of the run, seconds.
    pub seconds: u64,
    /// From which second on, kbit/s.
    pub forward: &'static [(u64, f64)],
    /// The same for the way back; empty: no bottleneck.
    pub backward: &'static [(u64, f64)],
    /// Longest queue before a bottleneck, ms.
    pub queue_ms: u64,
    /// Flows of media.
    pub media: &'static [MediaFlow],
    /// Flows of TCP.
    pub tcp: &'static [TcpFlow],
}

/// A flow of media.
#[derive(Clone, Copy, Debug)]
pub struct MediaFlow {
    /// Begins in this second.
    pub from_s: u64,
    /// Ends in this second.
    pub to_s: u64,
    /// Sends nothing in between.
    pub pause_s: Option<(u64, u64)>,
    /// One-way delay, ms.
    pub delay_ms: u64,
    /// Goes the way back.
    pub reverse: bool,
}

/// A flow of TCP on the way forward.
#[derive(Clone, Copy, Debug)]
pub struct TcpFlow {
    /// Begins in this second.
    pub from_s: u64,
    /// Begins nothing new after this second.
    pub to_s: u64,
    /// Files with pauses between, instead of one without end.
    pub short: bool,
    /// One-way delay, ms.
    pub delay_ms: u64,
}

pub(super) const fn media(from_s: u64, to_s: u64) -> MediaFlow {
    MediaFlow {
        from_s,
        to_s,
        pause_s: None,
        delay_ms: 50,
        reverse: false,
    }
}

const fn far(from_s: u64, delay_ms: u64) -> MediaFlow {
    MediaFlow {
        delay_ms,
        ..media(from_s, 299)
    }
}

const fn tcp(from_s: u64, to_s: u64, short: bool) -> TcpFlow {
    TcpFlow {
        from_s,
        to_s,
        short,
        delay_ms: 50,
    }
}

const SINGLE: Case = Case {
    section: "5.1",
    title: "Variable available capacity, one flow",
    seconds: 100,
    forward: &[(0, 1_000.0), (40, 2_500.0), (60, 600.0), (80, 1_000.0)],
    backward: &[],
    queue_ms: 300,
    media: &[media(0, 99)],
    tcp: &[],
};

const LONG_TCP: Case = Case {
    section: "5.6",
    title: "Against a long TCP flow, queue 300 ms",
    seconds: 120,
    forward: &[(0, 2_000.0)],
    media: &[media(5, 119)],
    tcp: &[tcp(0, 119, false)],
    ..SINGLE
};

/// All cases, in the order of the RFC.
pub const CASES: [Case; 9] = [
    SINGLE,
    Case {
        section: "5.2",
        title: "Variable available capacity, two flows",
        seconds: 125,
        forward: &[
            (0, 4_000.0),
            (25, 2_000.0),
            (50, 3_500.0),
            (75, 1_000.0),
            (100, 2_000.0),
        ],
        media: &[media(0, 124), media(0, 124)],
        ..SINGLE
    },
    Case {
        section: "5.3",
        title: "Congested feedback, a flow each way",
        forward: &[(0, 2_000.0), (20, 1_000.0), (40, 500.0), (60, 2_000.0)],
        backward: &[(0, 2_000.0), (35, 800.0), (70, 2_000.0)],
        media: &[
            media(0, 99),
            MediaFlow {
                reverse: true,
                ..media(0, 99)
            },
        ],
        ..SINGLE
    },
    Case {
        section: "5.4",
        title: "Competing with its own kind",
        seconds: 120,
        forward: &[(0, 3_500.0)],
        media: &[media(0, 119), media(20, 119), media(40, 119)],
        ..SINGLE
    },
    Case {
        section: "5.5",
        title: "Fairness over round trip times",
        seconds: 300,
        forward: &[(0, 4_000.0)],
        media: &[
            far(0, 10),
            far(10, 25),
            far(20, 50),
            far(30, 100),
            far(40, 150),
        ],
        ..SINGLE
    },
    LONG_TCP,
    Case {
        title: "Against a long TCP flow, queue 1,000 ms",
        queue_ms: 1_000,
        ..LONG_TCP
    },
    Case {
        section: "5.7",
        title: "Two flows against short TCP flows",
        seconds: 300,
        forward: &[(0, 2_000.0)],
        media: &[media(5, 299), media(5, 299)],
        tcp: &[tcp(0, 299, true); 10],
        ..SINGLE
    },
    Case {
        section: "5.8",
        title: "Pause and resume",
        seconds: 120,
        forward: &[(0, 3_500.0)],
        media: &[
            media(0, 119),
            MediaFlow {
                pause_s: Some((40, 60)),
                ..media(0, 119)
            },
            media(0, 119),
        ],
        ..SINGLE
    },
];

impl Case {
    /// The second at which each stretch of the run begins: a capacity changes, or a flow comes,
    /// goes, pauses or resumes.
    pub(super) fn changes(&self) -> Vec<u64> {
        let capacities = self.forward.iter().chain(self.backward);
        let flows = self.media.iter().flat_map(|flow| {
            let pause = flow.pause_s.map(|(from, to)| [from, to]);
            [flow.from_s, flow.to_s]
                .into_iter()
                .chain(pause.into_iter().flatten())
        });
        let mut changes: Vec<u64> = capacities.map(|(from, _)| *from).chain(flows).collect();
        changes.push(self.seconds);
        changes.sort_unstable();
        changes.dedup();
        changes
    }
}
