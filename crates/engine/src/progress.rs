//! How far a peer has come in connecting, and what the networks of peers are like: what operators
//! see as distributions. Nothing here is done per packet.

use crate::shard::Shard;
use plenum_media::Reception;
use plenum_rtp::rtcp::ReportBlock;
use plenum_types::{CloseReason, ConnectOutcome, ConnectPhase, PeerIndex, ShardStats};
use std::time::{Duration, Instant};

/// The phase of connecting that a peer is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// None once all are done.
    phase: Option<ConnectPhase>,
    since: Instant,
}

impl Progress {
    /// Announced at `now`.
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            phase: Some(ConnectPhase::Ice),
            since: now,
        }
    }

    /// Whether nothing but the first packet is missing.
    #[inline]
    pub(crate) const fn awaits_packet(&self) -> bool {
        matches!(self.phase, Some(ConnectPhase::FirstPacket))
    }

    /// `phase` is done, unless that was known or another comes first.
    #[cold]
    pub(crate) fn finish(&mut self, now: Instant, phase: ConnectPhase, stats: &mut ShardStats) {
        if self.phase != Some(phase) {
            return;
        }
        let took = now.saturating_duration_since(self.since);
        stats.connects[phase as usize][ConnectOutcome::Done as usize] += 1;
        stats.distributions.connect_us[phase as usize].record(micros(took));
        (self.phase, self.since) = (phase.next(), now);
    }

    /// The peer is over: the phase that it is in will not be done.
    pub(crate) fn end(&self, reason: CloseReason, stats: &mut ShardStats) {
        if let Some(phase) = self.phase {
            stats.connects[phase as usize][ConnectOutcome::of_close(reason) as usize] += 1;
        }
    }
}

impl Shard {
    /// Everything of a wake-up at `now` was handed to the socket, `spent` later.
    pub fn on_sent(&mut self, now: Instant, spent: Duration) {
        if let Some(since) = self.forwarded_since.take() {
            let latency = now.saturating_duration_since(since) + spent;
            let forwarding = &mut self.stats.distributions.forwarding_us;
            forwarding.record(micros(latency));
        }
    }

    /// Once a second for each connected peer.
    pub(crate) fn note_round_trip(&mut self, peer: PeerIndex) {
        if let Some(rtt) = self.peers.at(peer).and_then(|entry| entry.sender.rtt()) {
            self.stats.distributions.rtt_us.record(micros(rtt));
        }
    }

    /// What a publisher was just told of its streams.
    pub(crate) fn note_receptions(&mut self, peer: PeerIndex) {
        let Some(entry) = self.peers.at_mut(peer) else {
            return;
        };
        let distributions = &mut self.stats.distributions;
        while let Some(Reception { lost, jitter }) = entry.receiver.poll_reception() {
            distributions.loss_in_ppm.record(millionths(lost));
            distributions.jitter_in_us.record(micros(jitter));
        }
    }

    /// What a subscriber says of one of its slots. Retransmissions have reports of their own, which
    /// say nothing of the network.
    pub(crate) fn note_report_block(&mut self, peer: PeerIndex, block: &ReportBlock) {
        let Some(rate) = self.router.clock_rate_of_slot(peer, block.ssrc) else {
            return;
        };
        let jitter_us = u64::from(block.jitter) * 1_000_000 / u64::from(rate);
        let distributions = &mut self.stats.distributions;
        distributions.jitter_out_us.record(jitter_us);
        let lost = millionths(block.fraction_lost);
        distributions.loss_out_ppm.record(lost);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A fraction in 1/256, as reports tell it.
const fn millionths(fraction: u8) -> u64 {
    fraction as u64 * 1_000_000 / 256
}
