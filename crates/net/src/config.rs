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
    /// TCP port of all shards for clients without UDP (RFC 6544); none without. 0 lets the system
    /// choose.
    pub tcp_port: Option<u16>,
    /// TCP connections at a time, of all clients together. A browser opens one or two for each
    /// address it has, and closes them where UDP works.
    pub tcp_connections: usize,
    /// Time from a TCP connection to its first valid ICE check. Browsers send one as soon as the
    /// connection is there. Longer lets whoever says nothing hold a place for longer; shorter cuts
    /// off slow links.
    pub tcp_patience: Duration,
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
            tcp_port: None,
            tcp_connections: 20_000,
            tcp_patience: Duration::from_secs(5),
            shards: 1,
            receive_buffer: 4 << 20,
            send_buffer: 4 << 20,
            segmentation_offload: true,
            sound_hold: Duration::from_millis(2),
            pin: false,
        }
    }
}
