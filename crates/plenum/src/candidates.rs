//! The addresses that clients are told to send media to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Addresses of the listeners, each on one of `ports`, most useful first.
///
/// `advertise` if there is any; else the address listened on; else, listening on all, the
/// addresses of the network interfaces.
pub(crate) fn candidates(
    bind: IpAddr,
    ports: &[u16],
    advertise: &[IpAddr],
    interfaces: impl FnOnce() -> Vec<IpAddr>,
) -> Vec<Vec<SocketAddr>> {
    let addresses = if !advertise.is_empty() {
        advertise.to_vec()
    } else if !bind.is_unspecified() {
        vec![bind]
    } else {
        usable(bind, interfaces())
    };
    ports
        .iter()
        .map(|port| {
            addresses
                .iter()
                .map(|ip| SocketAddr::new(*ip, *port))
                .collect()
        })
        .collect()
}

/// What a client elsewhere can reach; without any, this machine itself.
fn usable(bind: IpAddr, interfaces: Vec<IpAddr>) -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = interfaces
        .into_iter()
        .filter(|ip| bind.is_ipv6() || ip.is_ipv4())
        .filter(|ip| !ip.is_loopback() && !is_link_local(*ip))
        .collect();
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses.dedup();
    if addresses.is_empty() {
        tracing::warn!(
            "no network interface has an address that clients could reach; only this machine can \
             connect unless media.advertise is set"
        );
        addresses.push(Ipv4Addr::LOCALHOST.into());
    }
    addresses
}

/// Link-local addresses need an interface name that a candidate cannot carry (RFC 8445 §5.1.1.1).
fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// The addresses of the network interfaces.
pub(crate) fn interfaces() -> Vec<IpAddr> {
    if_addrs::get_if_addrs()
        .inspect_err(|error| tracing::warn!(%error, "cannot list the network interfaces"))
        .unwrap_or_default()
        .iter()
        .map(if_addrs::Interface::ip)
        .collect()
}

/// `bind`, or its IPv4 counterpart where the system has no IPv6.
pub(crate) fn supported(bind: IpAddr) -> IpAddr {
    let any = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    if bind == any && std::net::UdpSocket::bind((any, 0)).is_err() {
        return Ipv4Addr::UNSPECIFIED.into();
    }
    bind
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn shown(bind: &str, advertise: &[&str], interfaces: &[&str]) -> Vec<String> {
        let bind = bind.parse().unwrap();
        let all = candidates(bind, &[7_882], &ips(advertise), || ips(interfaces));
        all[0].iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn advertised_addresses_replace_all_others() {
        assert_eq!(
            shown("::", &["203.0.113.1"], &["10.0.0.1"]),
            ["203.0.113.1:7882"]
        );
        assert_eq!(
            shown("10.0.0.1", &["203.0.113.1"], &[]),
            ["203.0.113.1:7882"]
        );
    }

    #[test]
    fn a_bound_address_is_the_candidate() {
        assert_eq!(shown("127.0.0.1", &[], &["10.0.0.1"]), ["127.0.0.1:7882"]);
    }

    #[test]
    fn else_the_interfaces_without_loopback_and_link_local() {
        let interfaces = [
            "127.0.0.1",
            "::1",
            "fe80::1",
            "2001:db8::1",
            "10.0.0.1",
            "10.0.0.1",
        ];
        let both = ["10.0.0.1:7882", "[2001:db8::1]:7882"];
        assert_eq!(shown("::", &[], &interfaces), both);
        assert_eq!(shown("0.0.0.0", &[], &interfaces), both[..1]);
        assert_eq!(shown("::", &[], &["127.0.0.1"]), ["127.0.0.1:7882"]);
    }

    #[test]
    fn each_shard_has_its_port() {
        let all = candidates([10, 0, 0, 1].into(), &[1, 2], &[], Vec::new);
        let ports: Vec<Vec<u16>> = all
            .iter()
            .map(|shard| shard.iter().map(SocketAddr::port).collect())
            .collect();
        assert_eq!(ports, [[1], [2]]);
    }
}
