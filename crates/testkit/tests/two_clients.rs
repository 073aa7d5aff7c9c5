//! Two simulated clients talk to each other without a server: the test kit tested by itself.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{Client, ClientConfig, Clock, LinkConfig, Network};

struct Pair {
    clock: Clock,
    network: Network,
    clients: [Client; 2],
}

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 5_000))
}

impl Pair {
    fn new(publisher: ClientConfig, link: LinkConfig, seed: u64) -> Self {
        let clock = Clock::new();
        let mut network = Network::new(seed);
        for last in [1, 2] {
            network.add_host(address(last), link, link);
        }
        let make = |config, seed| {
            Client::new(config, clock.origin(), clock.now(), seed).expect("a client")
        };
        let mut offerer = make(publisher, seed);
        let audio = 1;
        let answerer = ClientConfig::new(address(2)).with_slots(audio, 1);
        let mut answerer = make(answerer, seed + 1);
        let offer = offerer.offer(clock.now(), false).expect("an offer");
        let answer = answerer.answer(clock.now(), &offer).expect("an answer");
        offerer
            .accept_answer(clock.now(), &answer)
            .expect("accepted");
        Self {
            clock,
            network,
            clients: [offerer, answerer],
        }
    }

    fn run_for(&mut self, duration: Duration) {
        let end = self.clock.now() + duration;
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.clock.advance_to(next);
            self.step();
        }
        self.clock.advance_to(end);
    }

    fn next(&mut self) -> Option<Instant> {
        let clients = self.clients.iter_mut().filter_map(Client::poll_timeout);
        clients.chain(self.network.poll_timeout()).min()
    }

    fn step(&mut self) {
        let now = self.clock.now();
        while let Some(delivery) = self.network.poll_delivery(now) {
            for client in &mut self.clients {
                if client.address() == delivery.to {
                    client.handle_datagram(now, delivery.from, &delivery.bytes);
                }
            }
        }
        for client in &mut self.clients {
            if client.poll_timeout().is_some_and(|at| at <= now) {
                client.handle_timeout(now);
            }
            while let Some((to, bytes)) = client.poll_transmit() {
                self.network.send(now, client.address(), to, bytes);
            }
        }
    }
}

#[test]
fn media_arrives_whole() {
    let publisher = ClientConfig::new(address(1))
        .with_audio(7)
        .with_video(8, VideoConfig::single(VideoCodec::Vp8));
    let mut pair = Pair::new(publisher, LinkConfig::default(), 1);
    pair.run_for(Duration::from_secs(3));
    let [sender, receiver] = &pair.clients;
    assert!(sender.is_connected() && receiver.is_connected());
    for (index, source, frames) in [(0, 7, 120), (1, 8, 70)] {
        let stream = receiver.received(index);
        assert!(stream.stats().frames > frames, "{:?}", stream.stats());
        assert_eq!(stream.stats().residual_loss(), 0.0);
        assert_eq!(stream.violations(), []);
        assert!(
            stream
                .frames()
                .iter()
                .all(|frame| frame.stamp.source == source)
        );
        assert!(stream.timestamp_drift() < Duration::from_millis(1));
    }
    assert_eq!((sender.errors(), receiver.errors()), (0, 0));
}

#[test]
fn loss_is_repaired_by_retransmission() {
    let link = LinkConfig {
        loss: 0.025,
        ..LinkConfig::default()
    };
    let publisher =
        ClientConfig::new(address(1)).with_video(8, VideoConfig::single(VideoCodec::Vp8));
    let mut pair = Pair::new(publisher, link, 2);
    pair.run_for(Duration::from_secs(8));
    let [sender, receiver] = &pair.clients;
    let stream = receiver.received(1);
    assert!(sender.wire_log().rtx_out > 10, "{:?}", sender.wire_log());
    assert!(stream.stats().nacks > 10);
    assert!(
        stream.stats().residual_loss() < 0.002,
        "{:?}",
        stream.stats()
    );
    assert_eq!(stream.violations(), []);
}
