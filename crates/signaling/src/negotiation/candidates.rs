//! The server's candidates in a description (RFC 8839 §5.1): host candidates over UDP, and behind
//! them the same addresses over TCP, where the client opens the connection (RFC 6544 §4.5).

use std::net::{IpAddr, SocketAddr};

use crate::sdp::Writer;

/// Type preference of host candidates over UDP (RFC 8445 §5.1.2.2).
const UDP_PREFERENCE: u32 = 126;
/// Type preference of host candidates over TCP: below UDP, as RFC 6544 §4.2 suggests. This is
/// libwebrtc's value, so that pairs sort as it expects: below a mapped address over UDP, above a
/// relay.
const TCP_PREFERENCE: u32 = 90;
/// Direction preference of passive candidates among host candidates (RFC 6544 §4.2).
const PASSIVE_PREFERENCE: u32 = 4;
/// Of a local preference over TCP, the bits that tell candidates of one direction apart.
const OTHER_PREFERENCE_BITS: u32 = 13;

/// Where the server receives media, each list in the order of preference.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Candidates<'a> {
    /// The shard's addresses.
    pub(crate) udp: &'a [SocketAddr],
    /// The addresses where all shards take connections.
    pub(crate) tcp: &'a [SocketAddr],
}

impl Candidates<'_> {
    pub(crate) const fn is_empty(&self) -> bool {
        self.udp.is_empty() && self.tcp.is_empty()
    }

    /// Writes all of them, and that there are no others.
    pub(crate) fn write(&self, out: &mut Writer) {
        for (index, address) in (0..).zip(self.udp) {
            let priority = priority(UDP_PREFERENCE, u32::from(u16::MAX).saturating_sub(index));
            let (foundation, ip, port) = (index + 1, unmapped(address.ip()), address.port());
            out.line(format_args!(
                "a=candidate:{foundation} 1 udp {priority} {ip} {port} typ host"
            ));
        }
        let first_foundation = self.udp.len() as u32 + 1;
        for (index, address) in (0..).zip(self.tcp) {
            let other = ((1 << OTHER_PREFERENCE_BITS) - 1_u32).saturating_sub(index);
            let local_preference = (PASSIVE_PREFERENCE << OTHER_PREFERENCE_BITS) + other;
            let priority = priority(TCP_PREFERENCE, local_preference);
            let foundation = first_foundation + index;
            let (ip, port) = (unmapped(address.ip()), address.port());
            out.line(format_args!(
                "a=candidate:{foundation} 1 tcp {priority} {ip} {port} typ host tcptype passive"
            ));
        }
        out.line(format_args!("a=end-of-candidates"));
    }
}

/// RFC 8445 §5.1.2.1, for component 1.
const fn priority(type_preference: u32, local_preference: u32) -> u32 {
    (type_preference << 24) | (local_preference << 8) | 255
}

/// An IPv4 address in the clothes of IPv6 is IPv4 to a client.
fn unmapped(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tcp_comes_behind_udp_with_lower_priority_and_foundations_of_its_own() {
        let udp = ["203.0.113.5:7882", "[2001:db8::5]:7882"].map(|text| text.parse().unwrap());
        let tcp = ["203.0.113.5:7881", "[::ffff:10.0.0.5]:7881"].map(|text| text.parse().unwrap());
        let mut out = Writer::default();
        let candidates = Candidates {
            udp: &udp,
            tcp: &tcp,
        };
        candidates.write(&mut out);
        let written = out.finish();
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(
            lines,
            [
                "a=candidate:1 1 udp 2130706431 203.0.113.5 7882 typ host",
                "a=candidate:2 1 udp 2130706175 2001:db8::5 7882 typ host",
                "a=candidate:3 1 tcp 1520435199 203.0.113.5 7881 typ host tcptype passive",
                "a=candidate:4 1 tcp 1520434943 10.0.0.5 7881 typ host tcptype passive",
                "a=end-of-candidates",
            ]
        );
    }
}
