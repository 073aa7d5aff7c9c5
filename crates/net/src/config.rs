//! What a user of this crate decides.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// Sockets and threads of the media plane.
#[derive(Clone, Debug)]
pub struct NetConfig {
    /// Address to listen on. The unspecified IPv6 address takes IPv4 as well.
    pub bind: IpAddr,
    /// UDP port of shard 0; shard *n* listens on `first_port + n`. 0 lets the system choose.
    pub first_port: u16,
    /// Number of shards, each with one thread.
    pub shards: u16,
    /// Bytes asked of the kernel for datagrams that wait to be read (`SO_RCVBUF`).
    pub receive_buffer: usize,
    /// Bytes asked of the kernel for datagrams that wait to be sent (`SO_SNDBUF`).
    pub send_buffer: usize,
    /// Send runs of datagrams to one destination in one call where the system can (UDP GSO).
    pub segmentation_offload: bool,
    /// How long a packet of sound may wait for others, so that they leave in one message.
    pub sound_hold: Duration,
    /// Pin shard *n* to the *n*th core that the process may use.
    pub pin: bool,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            bind: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            first_port: 7882,
            shards: 1,
            receive_buffer: 4 << 20,
            send_buffer: 4 << 20,
            segmentation_offload: true,
            sound_hold: Duration::from_millis(2),
            pin: false,
        }
    }
}
