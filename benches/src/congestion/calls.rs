//! Calls through the engine over a link that changes: what the estimate makes of simulcast. The
//! scenarios are those of `tests/tests/adaptation/`, and RFC 8867 §5.1; here they become curves.

use std::fmt::Write;
use std::time::{Duration, Instant};

use plenum_testkit::media::VideoConfig;
use plenum_testkit::network::LinkStats;
use plenum_testkit::{ClientConfig, ClientId, Direction, LinkConfig, World};
use plenum_types::{Bitrate, MediaEvent, ShardStats};

use super::case::{CASES, Case, MediaFlow, media};
use super::run::{Run, SAMPLE_MS, Sample, WAIT_MS};

/// The subscriber's slot for pictures; the other is for sound.
const PICTURE: usize = 1;
/// The mean of an estimate is taken over so long before a change, seconds.
const SETTLED_S: u64 = 5;

/// A call over a changing downlink.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Capacities over time. Its only flow is the subscriber's.
    pub case: Case,
    /// From which second on, one-way delay in ms.
    pub delay_ms: &'static [(u64, u64)],
    /// Share of the datagrams that are lost at random, 0 to 1.
    pub loss: f64,
}

/// A call that was made.
#[derive(Clone, Debug)]
pub struct CallRun {
    /// Its curves.
    pub run: Run,
    /// Second, and the spatial layer shown from then on; `None` is a paused picture.
    pub layers: Vec<(f64, Option<u8>)>,
    /// Longest time without a new picture while a layer was shown, from the first picture on.
    pub longest_freeze: Duration,
}

const ONE: &[MediaFlow] = &[media(0, 100)];

const fn call(title: &'static str, seconds: u64, forward: &'static [(u64, f64)]) -> Call {
    Call {
        case: Case {
            section: "call",
            title,
            seconds,
            forward,
            media: ONE,
            ..CASES[0]
        },
        delay_ms: &[(0, 25)],
        loss: 0.0,
    }
}

/// All calls.
pub const CALLS: [Call; 5] = [
    Call {
        delay_ms: &[(0, 50), (45, 100)],
        ..call(
            "500, 800, 100 kbit/s",
            65,
            &[(0, 500.0), (25, 800.0), (45, 100.0)],
        )
    },
    call("10 Mbit/s, media needs 1", 30, &[(0, 10_000.0)]),
    call(
        "10, 0.8, 10 Mbit/s",
        50,
        &[(0, 10_000.0), (15, 800.0), (35, 10_000.0)],
    ),
    Call {
        loss: 0.1,
        ..call("5 Mbit/s, a tenth lost at random", 30, &[(0, 5_000.0)])
    },
    Call {
        delay_ms: &[(0, 50)],
        ..call("Capacities of RFC 8867 5.1", 100, CASES[0].forward)
    },
];

impl CallRun {
    /// How often another layer was shown, the first picture not counted.
    pub fn switches(&self) -> usize {
        let mut shown: Vec<Option<u8>> = self.layers.iter().map(|(_, layer)| *layer).collect();
        shown.dedup();
        let first = shown.iter().position(Option::is_some);
        first.map_or(0, |first| shown.len() - 1 - first)
    }

    /// The mean estimate of the last seconds before each change of capacity, and the capacity.
    pub fn estimates(&self) -> String {
        let case = &self.run.case;
        let ends = case.forward.iter().skip(1).map(|(from, _)| *from);
        let ends = ends.chain([case.seconds]);
        let mut text = String::new();
        for ((_, capacity), end) in case.forward.iter().zip(ends) {
            let (from, to) = ((end - SETTLED_S) as f64, end as f64);
            let settled = |sample: &&Sample| sample.at_s > from && sample.at_s <= to;
            let samples: Vec<&Sample> = self.run.samples.iter().filter(settled).collect();
            let sum: f64 = samples.iter().map(|sample| sample.target_kbps[0]).sum();
            let mean = sum / samples.len().max(1) as f64;
            let comma = if text.is_empty() { "" } else { ", " };
            // Writing into a string does not fail.
            let _ = write!(text, "{comma}{mean:.0} of {capacity:.0}");
        }
        text
    }
}

/// Makes a call. The same seed gives the same curves.
pub fn run_call(call: Call, seed: u64) -> CallRun {
    let mut live = Live::new(call, seed);
    let mut samples = Vec::new();
    let mut waits = Vec::new();
    let mut longest = 0.0_f64;
    for ms in (WAIT_MS..=call.case.seconds * 1_000).step_by(WAIT_MS as usize) {
        live.follow_plan((ms - WAIT_MS) / 1_000);
        live.world.run_for(Duration::from_millis(WAIT_MS));
        let wait = live.wait_ms();
        longest = longest.max(wait);
        waits.push((ms as f64 / 1_000.0, wait));
        if ms.is_multiple_of(SAMPLE_MS) {
            let at_s = ms as f64 / 1_000.0;
            samples.push(live.sample(at_s, std::mem::take(&mut longest)));
        }
    }
    let run = Run {
        case: call.case,
        samples,
        waits,
    };
    live.finish(run)
}

/// A call in the simulator, and what was last read of it.
struct Live {
    call: Call,
    world: World,
    subscriber: ClientId,
    begin: Instant,
    /// The link's plan that is in force.
    plan: LinkConfig,
    link: LinkStats,
    stats: ShardStats,
}

impl Live {
    fn new(call: Call, seed: u64) -> Self {
        let mut world = World::new(seed);
        let publisher = ClientConfig::new(world.next_address())
            .with_audio(1)
            .with_video(2, VideoConfig::simulcast());
        world.join(publisher, LinkConfig::default());
        world.run_for(Duration::from_secs(1));
        let plan = plan(&call, 0);
        let up = LinkConfig {
            rate: None,
            loss: 0.0,
            ..plan
        };
        let config = ClientConfig::new(world.next_address()).with_slots(1, 1);
        let subscriber = world.join(config, up);
        let home = world.client(subscriber).address();
        world.network.set_link(home, Direction::Down, plan);
        Self {
            call,
            subscriber,
            begin: world.now(),
            plan,
            link: world.network.link_stats(home, Direction::Down),
            stats: world.stats(),
            world,
        }
    }

    fn follow_plan(&mut self, second: u64) {
        let plan = plan(&self.call, second);
        if plan != self.plan {
            self.plan = plan;
            let home = self.world.client(self.subscriber).address();
            self.world.network.set_link(home, Direction::Down, plan);
        }
    }

    fn wait_ms(&self) -> f64 {
        let home = self.world.client(self.subscriber).address();
        let network = &self.world.network;
        let wait = network.queue_delay(home, Direction::Down, self.world.now());
        wait.as_secs_f64() * 1_000.0
    }

    fn sample(&mut self, at_s: f64, queue_ms: f64) -> Sample {
        let home = self.world.client(self.subscriber).address();
        let link = self.world.network.link_stats(home, Direction::Down);
        let stats = self.world.stats();
        let kbps = |bytes: u64| bytes as f64 * 8.0 / SAMPLE_MS as f64;
        let dropped = |link: &LinkStats| link.lost + link.overflowed;
        let entered = link.entered - self.link.entered;
        let lost = dropped(&link) - dropped(&self.link);
        let capacity = self.plan.rate.map_or(f64::INFINITY, |rate| {
            rate.bits_per_second() as f64 / 1_000.0
        });
        let sample = Sample {
            at_s,
            capacity_kbps: [capacity, f64::INFINITY],
            queue_ms: [queue_ms, 0.0],
            target_kbps: vec![stats.estimated_bitrate as f64 / 1_000.0],
            rate_kbps: vec![kbps(link.passed_bytes - self.link.passed_bytes)],
            probe_kbps: vec![kbps(stats.probe_bytes_out - self.stats.probe_bytes_out)],
            loss: vec![lost as f64 / entered.max(1) as f64],
            tcp_kbps: 0.0,
        };
        self.link = link;
        self.stats = stats;
        sample
    }

    fn finish(self, run: Run) -> CallRun {
        let picture = self.world.slot(self.subscriber, PICTURE);
        let mut layers = vec![(0.0, None)];
        for event in self.world.events() {
            if let MediaEvent::SlotChanged {
                peer,
                slot,
                binding,
            } = event.event
                && (peer, slot) == picture
            {
                let at = event.at.saturating_duration_since(self.begin);
                layers.push((at.as_secs_f64(), binding.layer.map(|layer| layer.spatial)));
            }
        }
        let last = layers.last().and_then(|(_, layer)| *layer);
        layers.push((run.case.seconds as f64, last));
        CallRun {
            run,
            longest_freeze: self.longest_freeze(&layers),
            layers,
        }
    }

    fn longest_freeze(&self, layers: &[(f64, Option<u8>)]) -> Duration {
        let stream = self.world.client(self.subscriber).received(PICTURE);
        let Some(first) = stream.frames().first() else {
            return Duration::ZERO;
        };
        let at = |second: f64| self.begin + Duration::from_secs_f64(second);
        let freezes = shown_spans(layers).into_iter().map(|(from, to)| {
            let to = at(to);
            stream.longest_freeze(at(from).max(first.at).min(to), to)
        });
        freezes.max().unwrap_or_default()
    }
}

/// From when to when any layer is shown, seconds.
fn shown_spans(layers: &[(f64, Option<u8>)]) -> Vec<(f64, f64)> {
    let mut spans: Vec<(f64, f64)> = Vec::new();
    for pair in layers.windows(2) {
        let ((from, layer), (to, _)) = (pair[0], pair[1]);
        if layer.is_none() {
            continue;
        }
        match spans.last_mut() {
            // A change of layer is no pause.
            Some(last) if last.1 >= from => last.1 = to,
            _ => spans.push((from, to)),
        }
    }
    spans
}

/// How the link is in this second.
fn plan(call: &Call, second: u64) -> LinkConfig {
    let in_force = |from: u64| from <= second;
    let capacity = call.case.forward.iter().rfind(|(from, _)| in_force(*from));
    let delay = call.delay_ms.iter().rfind(|(from, _)| in_force(*from));
    let kbps = capacity.map_or(0, |(_, kbps)| *kbps as u64);
    LinkConfig {
        latency: Duration::from_millis(delay.map_or(0, |(_, ms)| *ms)),
        jitter: Duration::from_millis(3),
        loss: call.loss,
        rate: Some(Bitrate::kbps(kbps)),
        queue_bytes: (kbps * call.case.queue_ms / 8) as usize,
        ..LinkConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_parts_what_is_shown_and_a_switch_does_not() {
        let layers = [
            (0.0, None),
            (1.0, Some(0)),
            (2.0, Some(2)),
            (5.0, None),
            (7.0, Some(1)),
            (9.0, Some(1)),
        ];
        assert_eq!(shown_spans(&layers), [(1.0, 5.0), (7.0, 9.0)]);
    }

    #[test]
    fn curves_show_a_link_that_narrows() {
        let short = Call {
            case: Case {
                seconds: 20,
                forward: &[(0, 10_000.0), (10, 500.0)],
                ..CALLS[1].case
            },
            ..CALLS[1]
        };
        let made = run_call(short, 3);
        assert_eq!(made.run.samples.len(), 100);
        let mean_kbps = |from: usize, to: usize| {
            let samples = &made.run.samples[from..to];
            let sum: f64 = samples.iter().map(|sample| sample.rate_kbps[0]).sum();
            sum / samples.len() as f64
        };
        let (wide, narrow) = (mean_kbps(30, 50), mean_kbps(75, 100));
        assert!((1_000.0..1_300.0).contains(&wide), "{wide}");
        assert!((200.0..=500.0).contains(&narrow), "{narrow}");
        let shown = |at: f64| {
            let before = made.layers.iter().rfind(|(from, _)| *from <= at);
            before.and_then(|(_, layer)| *layer)
        };
        assert_eq!((shown(9.9), shown(20.0)), (Some(2), Some(0)));
        // The receiver waits a second for what the queue dropped when the link narrowed.
        let freeze = made.longest_freeze;
        assert!(freeze < Duration::from_millis(1_500), "{freeze:?}");
    }
}
