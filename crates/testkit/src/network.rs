//! A simulated network: hosts behind access links, joined by an ideal backbone.
//!
//! A host is named by its *home* address, the one that it believes it has. Behind a NAT the world
//! sees its *public* address instead, which [`Network::rebind`] changes under way; datagrams to
//! the old one are then lost. Everything that happens depends on the seed and on the order of
//! calls only.

mod link;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub use link::{HEADER_BYTES, LinkConfig, LinkStats};

use crate::seed;
use link::{Exit, Link};

/// Which direction of an access link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the host into the network.
    Up,
    /// From the network to the host.
    Down,
}

/// A datagram that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Home address of the host that receives it.
    pub to: SocketAddr,
    /// Public address of the host that sent it.
    pub from: SocketAddr,
    /// Its payload.
    pub bytes: Vec<u8>,
}

#[derive(Debug)]
struct Host {
    public: SocketAddr,
    up: Link,
    down: Link,
    blackout_until: Option<Instant>,
}

impl Host {
    fn blacked_out(&self, now: Instant) -> bool {
        self.blackout_until.is_some_and(|until| now < until)
    }
}

/// Where a datagram under way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// It leaves the sender's uplink for this public address.
    Backbone(SocketAddr),
    /// It leaves the receiver's downlink; the address is its home.
    Arrival(SocketAddr),
}

/// Ordered by time, then by the order of sending.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct InFlight {
    at: Instant,
    number: u64,
    stage: Stage,
    from: SocketAddr,
    bytes: Vec<u8>,
}

/// The network of a simulation.
#[derive(Debug)]
pub struct Network {
    seed: u64,
    hosts: BTreeMap<SocketAddr, Host>,
    /// Public address → home address.
    homes: BTreeMap<SocketAddr, SocketAddr>,
    in_flight: BinaryHeap<Reverse<InFlight>>,
    next_number: u64,
    unroutable: u64,
}

impl Network {
    /// An empty network.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            hosts: BTreeMap::new(),
            homes: BTreeMap::new(),
            in_flight: BinaryHeap::new(),
            next_number: 0,
            unroutable: 0,
        }
    }

    /// Adds a host whose public address is its home address.
    pub fn add_host(&mut self, home: SocketAddr, up: LinkConfig, down: LinkConfig) {
        let number = self.hosts.len() as u64;
        let host = Host {
            public: home,
            up: Link::new(up, seed::stream(self.seed, 0x4e00 + 2 * number)),
            down: Link::new(down, seed::stream(self.seed, 0x4e01 + 2 * number)),
            blackout_until: None,
        };
        self.hosts.insert(home, host);
        self.homes.insert(home, home);
    }

    /// From now on the world sees the host at `public`; what is sent to the old address is lost.
    pub fn rebind(&mut self, home: SocketAddr, public: SocketAddr) {
        if let Some(host) = self.hosts.get_mut(&home) {
            self.homes.remove(&host.public);
            self.homes.insert(public, home);
            host.public = public;
        }
    }

    /// Drops all that enters the host's links before `until`.
    pub fn black_out(&mut self, home: SocketAddr, until: Instant) {
        if let Some(host) = self.hosts.get_mut(&home) {
            host.blackout_until = Some(until);
        }
    }

    /// Changes how a link behaves from now on.
    pub fn set_link(&mut self, home: SocketAddr, direction: Direction, config: LinkConfig) {
        if let Some(host) = self.hosts.get_mut(&home) {
            host.link_mut(direction).config = config;
        }
    }

    /// What happened on a link so far.
    pub fn link_stats(&self, home: SocketAddr, direction: Direction) -> LinkStats {
        self.hosts
            .get(&home)
            .map_or_else(LinkStats::default, |host| match direction {
                Direction::Up => host.up.stats,
                Direction::Down => host.down.stats,
            })
    }

    /// How long a datagram that enters a link now waits before its bottleneck.
    pub fn queue_delay(&self, home: SocketAddr, direction: Direction, now: Instant) -> Duration {
        self.hosts
            .get(&home)
            .map_or(Duration::ZERO, |host| match direction {
                Direction::Up => host.up.wait(now),
                Direction::Down => host.down.wait(now),
            })
    }

    /// Datagrams sent to an address that nobody had.
    pub const fn unroutable(&self) -> u64 {
        self.unroutable
    }

    /// Sends a datagram from the host at `from_home` to the public address `to`.
    pub fn send(&mut self, now: Instant, from_home: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let Some(host) = self.hosts.get_mut(&from_home) else {
            self.unroutable += 1;
            return;
        };
        let blackout = host.blacked_out(now);
        let from = host.public;
        if let Some(exit) = host.up.enter(now, bytes.len(), blackout) {
            self.schedule(exit, Stage::Backbone(to), from, bytes);
        }
    }

    /// When something happens next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.in_flight.peek().map(|Reverse(next)| next.at)
    }

    /// The next datagram that has arrived by `now`.
    pub fn poll_delivery(&mut self, now: Instant) -> Option<Delivery> {
        while self.poll_timeout().is_some_and(|at| at <= now) {
            let Reverse(datagram) = self.in_flight.pop()?;
            match datagram.stage {
                Stage::Backbone(to) => {
                    self.enter_downlink(datagram.at, to, datagram.from, datagram.bytes);
                }
                Stage::Arrival(to) => {
                    return Some(Delivery {
                        to,
                        from: datagram.from,
                        bytes: datagram.bytes,
                    });
                }
            }
        }
        None
    }

    fn enter_downlink(&mut self, at: Instant, to: SocketAddr, from: SocketAddr, bytes: Vec<u8>) {
        let Some(&home) = self.homes.get(&to) else {
            self.unroutable += 1;
            return;
        };
        let Some(host) = self.hosts.get_mut(&home) else {
            return;
        };
        let blackout = host.blacked_out(at);
        if let Some(exit) = host.down.enter(at, bytes.len(), blackout) {
            self.schedule(exit, Stage::Arrival(home), from, bytes);
        }
    }

    fn schedule(&mut self, exit: Exit, stage: Stage, from: SocketAddr, bytes: Vec<u8>) {
        if let Some(at) = exit.duplicate_at {
            self.push(at, stage, from, bytes.clone());
        }
        self.push(exit.at, stage, from, bytes);
    }

    fn push(&mut self, at: Instant, stage: Stage, from: SocketAddr, bytes: Vec<u8>) {
        self.next_number += 1;
        self.in_flight.push(Reverse(InFlight {
            at,
            number: self.next_number,
            stage,
            from,
            bytes,
        }));
    }
}

impl Host {
    const fn link_mut(&mut self, direction: Direction) -> &mut Link {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 5_000))
    }

    fn pair(config: LinkConfig) -> Network {
        let mut network = Network::new(3);
        network.add_host(address(1), config, config);
        network.add_host(address(2), config, config);
        network
    }

    fn drain(network: &mut Network) -> Vec<(Instant, Delivery)> {
        let mut arrived = Vec::new();
        while let Some(at) = network.poll_timeout() {
            while let Some(delivery) = network.poll_delivery(at) {
                arrived.push((at, delivery));
            }
        }
        arrived
    }

    #[test]
    fn both_links_delay() {
        let mut network = pair(LinkConfig::default());
        let start = Clock::new().now();
        network.send(start, address(1), address(2), vec![7]);
        let arrived = drain(&mut network);
        assert_eq!(arrived.len(), 1);
        assert_eq!(arrived[0].0 - start, Duration::from_millis(10));
        assert_eq!(arrived[0].1.from, address(1));
    }

    #[test]
    fn after_rebinding_the_old_address_is_lost() {
        let mut network = pair(LinkConfig::default());
        let start = Clock::new().now();
        network.rebind(address(1), address(9));
        network.send(start, address(2), address(1), vec![1]);
        network.send(start, address(2), address(9), vec![2]);
        network.send(start, address(1), address(2), vec![3]);
        let arrived = drain(&mut network);
        assert_eq!(arrived.len(), 2);
        assert_eq!(arrived[0].1.to, address(1));
        assert_eq!(arrived[0].1.bytes, [2]);
        assert_eq!(arrived[1].1.from, address(9));
        assert_eq!(network.unroutable(), 1);
    }

    #[test]
    fn a_blackout_ends() {
        let mut network = pair(LinkConfig::default());
        let start = Clock::new().now();
        network.black_out(address(2), start + Duration::from_secs(3));
        for second in 0..5 {
            let now = start + Duration::from_secs(second);
            network.send(now, address(1), address(2), vec![second as u8]);
            network.send(now, address(2), address(1), vec![second as u8]);
        }
        let bytes: Vec<_> = drain(&mut network)
            .into_iter()
            .map(|(_, delivery)| delivery.bytes[0])
            .collect();
        assert_eq!(bytes, [3, 3, 4, 4]);
    }

    #[test]
    fn a_seed_repeats_a_run() {
        let run = || {
            let mut network = pair(LinkConfig {
                jitter: Duration::from_millis(20),
                loss: 0.1,
                reordering: 0.1,
                duplication: 0.1,
                ..LinkConfig::default()
            });
            let start = Clock::new().now();
            for number in 0..200_u8 {
                let now = start + Duration::from_millis(u64::from(number));
                network.send(now, address(1), address(2), vec![number]);
            }
            drain(&mut network)
                .into_iter()
                .map(|(at, delivery)| (at - start, delivery.bytes[0]))
                .collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
    }
}
