//! One form for each address. A dual-stack socket shows IPv4 peers as IPv4-mapped IPv6 addresses
//! (RFC 4291 §2.5.5.2); everything above this crate sees them as IPv4, which is also what stands
//! in ICE candidates.

use std::net::{IpAddr, SocketAddr};

/// `address` without the IPv4 mapping. Scope ids of link-local addresses stay.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(IpAddr::V4(ip), address.port()),
        IpAddr::V6(_) => address,
    }
}

/// `address` as a socket of the other family wants it: mapped if the socket is IPv6.
pub(crate) fn for_socket(address: SocketAddr, socket_is_ipv6: bool) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if socket_is_ipv6 => {
            SocketAddr::new(IpAddr::V6(v4.ip().to_ipv6_mapped()), v4.port())
        }
        SocketAddr::V4(_) | SocketAddr::V6(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn mapped_addresses_become_ipv4_and_go_back() {
        let mapped = address("[::ffff:192.0.2.7]:4000");
        assert_eq!(canonical(mapped), address("192.0.2.7:4000"));
        assert_eq!(for_socket(canonical(mapped), true), mapped);
        assert_eq!(for_socket(canonical(mapped), false), canonical(mapped));
    }

    #[test]
    fn ipv6_keeps_its_scope() {
        let link_local = address("[fe80::1%3]:4000");
        assert_eq!(canonical(link_local), link_local);
        assert_eq!(for_socket(link_local, true), link_local);
    }
}
