//! The media plane proper: the loop with Plenum's engine in it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use plenum_engine::{Certificate, LinkMessage, Links, Shard, ShardConfig};
use plenum_types::{
    DropReason, MediaCommand, MediaEvent, NtpTime, Path, Remote, SendBatch, ShardId,
};

use crate::{Engine, Net, NetConfig, NetError, start_with};

/// Seconds from the epoch of NTP (1900) to that of Unix (RFC 868).
const NTP_TO_UNIX_SECONDS: u64 = 2_208_988_800;

/// Starts the media plane. `events` is called on the shards' threads and must not block.
pub fn start<F>(config: &NetConfig, certificate: &Certificate, events: F) -> Result<Net, NetError>
where
    F: Fn(ShardId, MediaEvent) + Clone + Send + 'static,
{
    let certificate = certificate.clone();
    let (shards, sound_hold) = (config.shards, config.sound_hold);
    start_with(config, events, move |shard, start| {
        let config = ShardConfig {
            shard,
            shards,
            sound_hold,
            ..ShardConfig::default()
        };
        Shard::new(
            config,
            certificate.clone(),
            rand::random(),
            start,
            ntp_now(),
        )
    })
}

/// The wall clock, for sender reports.
fn ntp_now() -> NtpTime {
    let since_unix = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    NtpTime(NTP_TO_UNIX_SECONDS << 32).plus(since_unix)
}

impl Engine for Shard {
    fn handle_command(&mut self, now: Instant, command: MediaCommand) {
        self.handle_command(now, command);
    }

    fn handle_link(
        &mut self,
        now: Instant,
        from: ShardId,
        message: LinkMessage<'_>,
        out: &mut impl SendBatch,
    ) {
        self.handle_link(now, from, message, out);
    }

    fn handle_datagram(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &mut [u8],
        out: &mut impl SendBatch,
        links: &mut impl Links,
    ) {
        self.handle_datagram(now, path, datagram, out, links);
    }

    fn handle_disconnect(&mut self, now: Instant, remote: Remote) {
        self.handle_disconnect(now, remote);
    }

    fn is_proven(&self, remote: Remote) -> bool {
        self.is_proven(remote)
    }

    fn handle_timeout(&mut self, now: Instant, out: &mut impl SendBatch) {
        self.handle_timeout(now, out);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.poll_timeout()
    }

    fn flush(&mut self, now: Instant, out: &mut impl SendBatch, links: &mut impl Links) {
        self.flush(now, out, links);
    }

    fn on_sent(&mut self, now: Instant, spent: Duration) {
        self.on_sent(now, spent);
    }

    fn poll_event(&mut self) -> Option<MediaEvent> {
        self.poll_event()
    }

    fn succeed(&mut self, before: &Self) {
        self.succeed(before);
    }

    fn count_drop(&mut self, reason: DropReason, number: u64) {
        self.count_drop(reason, number);
    }
}
