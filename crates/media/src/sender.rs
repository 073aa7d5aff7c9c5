//! The send side of a peer: transport-wide sequence numbers, and from the feedback about them an
//! estimate of what the way to the peer carries.

mod bucket;
mod estimator;
mod history;
mod probe;
mod repairs;
mod round_trip;
#[cfg(test)]
mod tests;

use crate::transport_feedback::Statuses;
use bucket::Bucket;
use estimator::Estimator;
use history::History;
use plenum_rtp::rtcp::ReportBlock;
use plenum_types::{
    BandwidthEstimate, Bitrate, BitrateDemand, EstimateBasis, NtpTime, PACKET_OVERHEAD,
};
use probe::Prober;
use repairs::Repairs;
use round_trip::RoundTrip;
use std::time::{Duration, Instant};

/// Numbers outgoing packets and estimates bandwidth, round trip time and loss.
///
/// Call [`next_transport_sequence`](Self::next_transport_sequence) for every packet that carries
/// the number, and hand in all feedback of the peer; then read the estimates.
pub struct Sender {
    history: History,
    estimator: Estimator,
    prober: Prober,
    repairs: Repairs,
    bucket: Bucket,
    /// What routing gives, bits per second.
    flowing: f64,
    round_trip: RoundTrip,
    remb: Option<Bitrate>,
    fraction_lost: u8,
}

impl Default for Sender {
    fn default() -> Self {
        Self::new()
    }
}

impl Sender {
    /// Nothing sent, nothing known.
    pub fn new() -> Self {
        Self {
            history: History::default(),
            estimator: Estimator::new(),
            prober: Prober::default(),
            repairs: Repairs::default(),
            bucket: Bucket::default(),
            flowing: 0.0,
            round_trip: RoundTrip::default(),
            remb: None,
            fraction_lost: 0,
        }
    }

    /// The transport-wide sequence number of a packet that leaves now, with `payload` bytes of
    /// payload or padding. Does not allocate, except for the first packet and where the rate has
    /// doubled.
    pub fn next_transport_sequence(&mut self, now: Instant, payload: usize) -> u16 {
        let bytes = payload + PACKET_OVERHEAD;
        self.bucket.take(bytes);
        let train = self.prober.current();
        if train != 0 {
            self.prober.on_sent(bytes);
        }
        self.history.add(now, bytes, train)
    }

    /// Whether a packet of `payload` bytes may be sent again now. On a congested way only some may,
    /// and nothing that was shown before a switch.
    pub fn may_repair(&mut self, now: Instant, payload: usize, is_current: bool) -> bool {
        if !self.estimator.is_congested(now, probe::CALM) {
            return true;
        }
        let rate = self.estimator.bits_per_second();
        is_current && self.repairs.take(now, payload + PACKET_OVERHEAD, rate)
    }

    /// Whether so much has left that a picture's next packet may be too much at once:
    /// [`hold`](Self::hold) tells.
    #[inline]
    pub const fn is_bursting(&self) -> bool {
        self.bucket.is_empty()
    }

    /// How fast what is too much at once is to be sent, bits per second; `None` if it is not. Only
    /// an estimate that feedback has proved holds anything back.
    #[cold]
    pub fn hold(&mut self, now: Instant) -> Option<Bitrate> {
        let estimate = self.estimator.estimate(now);
        let proven = estimate.filter(|estimate| estimate.basis != EstimateBasis::Assumed);
        let rate = proven.map(|estimate| estimate.bitrate.bits_per_second() as f64);
        self.bucket.fill(now, rate, self.flowing);
        let pace = |rate| Bitrate(bucket::pace(rate, self.flowing) as u64);
        rate.map(pace).filter(|_| self.bucket.is_empty())
    }

    /// What routing would like to send. Until something is wanted nothing is probed.
    pub fn set_demand(&mut self, now: Instant, demand: BitrateDemand) {
        let estimate = self.estimator.bits_per_second();
        self.flowing = demand.allocated.bits_per_second() as f64;
        self.prober.set_wanted(now, demand, estimate);
    }

    /// The padding of a packet to send now, 1 to 255 bytes, to find out whether the way carries
    /// more. It takes a [`next_transport_sequence`](Self::next_transport_sequence); call again
    /// until `None`.
    pub fn poll_probe(&mut self, now: Instant) -> Option<u8> {
        let congested = self.estimator.is_congested(now, probe::CALM);
        let estimate = self.estimator.bits_per_second();
        self.prober.poll(now, estimate, congested)
    }

    /// When to call [`poll_probe`](Self::poll_probe) next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.prober.poll_timeout()
    }

    /// Reads a transport-wide feedback packet, RTCP header included. What does not parse, or is
    /// about packets never sent, is ignored.
    pub fn handle_transport_feedback(&mut self, now: Instant, raw: &[u8]) {
        let Some(statuses) = Statuses::new(raw) else {
            return;
        };
        let fates = self.history.resolve(now, statuses);
        if let Some(newest) = fates.arrived.last() {
            let ago = now.saturating_duration_since(newest.departure);
            self.round_trip.on_feedback(ago);
        }
        let shared = self.estimator.is_congested(now, probe::SHARED);
        let came = self.prober.on_arrivals(now, fates.probed, shared);
        self.estimator
            .on_fates(now, &fates, self.round_trip.smoothed());
        if let Some(rate) = came {
            self.estimator.on_probe(rate);
        }
        self.prober
            .on_estimate(now, self.estimator.bits_per_second());
    }

    /// The receiver's own estimate (REMB), within what ours may say. It counts where there is no
    /// transport-wide feedback.
    pub fn handle_remb(&mut self, bitrate: Bitrate) {
        self.remb = Some(bitrate.clamp(Estimator::LOWEST, Estimator::HIGHEST));
    }

    /// A report block of the peer about a stream of ours (RFC 3550 §6.4.1). `ntp_now` is the clock
    /// that our sender reports show.
    pub fn on_report_block(&mut self, _now: Instant, ntp_now: NtpTime, block: &ReportBlock) {
        self.round_trip.on_report_block(ntp_now, block);
        self.fraction_lost = block.fraction_lost;
    }

    /// What the way to the peer carries. `None` until there was feedback.
    pub fn estimate(&self, now: Instant) -> Option<BandwidthEstimate> {
        let told = |bitrate| BandwidthEstimate {
            bitrate,
            basis: EstimateBasis::Congested,
        };
        self.estimator.estimate(now).or(self.remb.map(told))
    }

    /// What routing gives to the slots of the peer, together.
    pub const fn allocated(&self) -> Bitrate {
        Bitrate(self.flowing as u64)
    }

    /// What is assumed before there is feedback.
    pub fn first_estimate(&self) -> BandwidthEstimate {
        BandwidthEstimate {
            bitrate: Estimator::FIRST,
            basis: EstimateBasis::Assumed,
        }
    }

    /// Smoothed round trip time. `None` until there was feedback.
    pub fn rtt(&self) -> Option<Duration> {
        self.round_trip.smoothed()
    }

    /// Lost packets of the latest report block, 0 to 1.
    pub fn loss(&self) -> f32 {
        f32::from(self.fraction_lost) / 256.0
    }
}
