//! What the cases are made of: the link that flows share, and TCP.

use std::time::{Duration, Instant};

use super::super::bottleneck::{Bottleneck, Luck, Way};
use super::super::case::TcpFlow;
use super::super::run::origin;
use super::super::tcp::Tcp;

const MS: Duration = Duration::from_millis(1);
const QUEUE: Duration = Duration::from_millis(300);

#[test]
fn a_bottleneck_spreads_what_enters_and_drops_what_waits_too_long() {
    let start = origin();
    let mut link = Bottleneck::new(start, &[(0, 1_000.0)], 30 * MS);
    // 1,250 bytes take 10 ms.
    let passed: Vec<_> = (0..6)
        .map(|_| link.pass(start, 1_250).map(|at| (at - start).as_millis()))
        .collect();
    assert_eq!(passed, [Some(10), Some(20), Some(30), Some(40), None, None]);
    assert_eq!((link.counts.entered, link.counts.dropped), (6, 2));
    assert_eq!(link.wait(start + 15 * MS), 25 * MS);
}

#[test]
fn a_capacity_changes_in_its_second() {
    let start = origin();
    let mut link = Bottleneck::new(start, &[(0, 1_000.0), (2, 500.0)], QUEUE);
    assert!((link.kbps(start + 1_999 * MS) - 1_000.0).abs() < 1e-9);
    let later = start + 2_000 * MS;
    assert!((link.kbps(later) - 500.0).abs() < 1e-9);
    assert_eq!(link.pass(later, 1_250), Some(later + 20 * MS));
}

#[test]
fn without_capacities_nothing_waits() {
    let start = origin();
    let mut link = Bottleneck::new(start, &[], QUEUE);
    assert_eq!(link.pass(start, 1_000_000), Some(start));
    assert_eq!(link.wait(start), Duration::ZERO);
}

#[test]
fn jitter_stays_within_thirty_milliseconds_and_keeps_the_order() {
    let start = origin();
    let mut way = Way::new(50 * MS, Luck::new(1, 1));
    let mut last = start;
    let mut delays = Vec::new();
    for number in 0..5_000 {
        let left = start + 20 * MS * number;
        let arrival = way.arrival(left);
        assert!(arrival >= last);
        last = arrival;
        delays.push(arrival - left);
    }
    let (Some(least), Some(most)) = (delays.iter().min(), delays.iter().max()) else {
        panic!("no delays");
    };
    assert!(*least >= 50 * MS && *most <= 80 * MS, "{least:?} {most:?}");
    assert!(*most - *least >= 25 * MS, "{least:?} {most:?}");
}

/// Flows of TCP on a link of their own.
struct Flows {
    start: Instant,
    there: Bottleneck,
    back: Bottleneck,
    flows: Vec<Tcp>,
    ms: u32,
}

impl Flows {
    fn new(capacity: &'static [(u64, f64)], seed: u64, plans: &[TcpFlow]) -> Self {
        let start = origin();
        let flows = (0..)
            .zip(plans)
            .map(|(number, plan)| Tcp::new(start, *plan, seed, number));
        Self {
            start,
            there: Bottleneck::new(start, capacity, QUEUE),
            back: Bottleneck::new(start, &[], QUEUE),
            flows: flows.collect(),
            ms: 0,
        }
    }

    /// What arrived of each flow in the next `seconds`, kbit/s.
    fn run(&mut self, seconds: u32) -> Vec<f64> {
        for flow in &mut self.flows {
            flow.arrived_bytes = 0;
        }
        for _ in 0..seconds * 1_000 {
            self.ms += 1;
            for flow in &mut self.flows {
                flow.step(self.start + MS * self.ms, &mut self.there, &mut self.back);
            }
        }
        let kbps = |flow: &Tcp| flow.arrived_bytes as f64 / f64::from(seconds) / 125.0;
        self.flows.iter().map(kbps).collect()
    }
}

const LONG: TcpFlow = TcpFlow {
    from_s: 0,
    to_s: 1_000,
    short: false,
    delay_ms: 50,
};

#[test]
fn a_tcp_flow_fills_its_link_and_a_change_of_it() {
    for seed in 0..10 {
        let mut alone = Flows::new(&[(0, 2_000.0), (60, 500.0)], seed, &[LONG]);
        alone.run(5);
        let wide = alone.run(55)[0];
        alone.run(10);
        let narrow = alone.run(50)[0];
        println!("seed {seed}: {wide:.0} of 2,000, {narrow:.0} of 500 kbit/s");
        assert!((1_900.0..=2_001.0).contains(&wide), "{wide}");
        assert!((475.0..=501.0).contains(&narrow), "{narrow}");
        // It finds the end of the queue by losing, and loses little.
        let counts = alone.there.counts;
        assert!(counts.dropped > 0, "{counts:?}");
        assert!(counts.dropped * 20 <= counts.entered, "{counts:?}");
    }
}

#[test]
fn two_tcp_flows_share() {
    for seed in 0..10 {
        let late = TcpFlow { from_s: 10, ..LONG };
        let mut both = Flows::new(&[(0, 2_000.0)], seed, &[LONG, late]);
        both.run(60);
        let rates = both.run(240);
        println!("seed {seed}: {rates:.0?} kbit/s");
        assert!(rates.iter().all(|rate| *rate >= 600.0), "{rates:?}");
        assert!(rates.iter().sum::<f64>() >= 1_900.0, "{rates:?}");
    }
}

/// Files of 100 kB to 1 MB with pauses of 10 s between them: half a megabit a second at most.
#[test]
fn a_short_tcp_flow_pauses_between_its_files() {
    for seed in 0..10 {
        let short = TcpFlow {
            short: true,
            ..LONG
        };
        let mut alone = Flows::new(&[(0, 20_000.0)], seed, &[short]);
        let seconds: Vec<f64> = (0..600).map(|_| alone.run(1)[0]).collect();
        let mean = seconds.iter().sum::<f64>() / 600.0;
        let idle = seconds.iter().filter(|rate| **rate == 0.0).count();
        println!("seed {seed}: {mean:.0} kbit/s, idle in {idle} of 600 seconds");
        assert!((200.0..=700.0).contains(&mean), "{mean}");
        assert!((300..=570).contains(&idle), "{idle}");
    }
}
