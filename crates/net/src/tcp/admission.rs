//! How many connections there may be: in all, and of one network as long as they have shown no
//! valid check.
//!
//! Networks that block UDP are those of companies, where hundreds of people share one address. So
//! a connection counts against its network only until a check on it has been authenticated; after
//! that its peer answers for it, and a peer has few paths.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::TcpRefusal;

/// Connections of one network without a valid check. A check takes one round trip, so people
/// behind one address can connect at hundreds a second.
pub(crate) const UNPROVEN_PER_NETWORK: usize = 64;

/// Connections without a valid check in all. More costs memory, about a kilobyte each.
pub(crate) const UNPROVEN_MAX: usize = 2_048;

/// What a connection has to say to who admitted it.
#[derive(Debug)]
enum News {
    Proven(IpAddr),
    Closed(IpAddr, Stage),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Unproven,
    Proven,
}

/// Held by a connection for as long as it is open.
#[derive(Debug)]
pub(crate) struct Ticket {
    network: IpAddr,
    stage: Stage,
    news: Sender<News>,
}

impl Ticket {
    /// A valid check has come.
    pub(crate) fn prove(&mut self) {
        if self.stage == Stage::Unproven {
            self.stage = Stage::Proven;
            // Without the acceptor nobody counts.
            let _ = self.news.send(News::Proven(self.network));
        }
    }

    pub(crate) fn is_proven(&self) -> bool {
        self.stage == Stage::Proven
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let _ = self.news.send(News::Closed(self.network, self.stage));
    }
}

/// Who is in. Tickets tell it what changes; there are at most two messages for each, read before
/// the next is given out.
#[derive(Debug)]
pub(crate) struct Admission {
    max: usize,
    open: usize,
    unproven: usize,
    unproven_of: HashMap<IpAddr, usize>,
    news: Receiver<News>,
    sender: Sender<News>,
}

impl Admission {
    /// At most `max` connections in all.
    pub(crate) fn new(max: usize) -> Self {
        let (sender, news) = channel();
        Self {
            max,
            open: 0,
            unproven: 0,
            unproven_of: HashMap::new(),
            news,
            sender,
        }
    }

    /// Lets one more in.
    pub(crate) fn admit(&mut self, address: IpAddr) -> Result<Ticket, TcpRefusal> {
        self.hear();
        let network = network(address);
        if self.open >= self.max || self.unproven >= UNPROVEN_MAX {
            return Err(TcpRefusal::TotalLimit);
        }
        let unproven = self.unproven_of.entry(network).or_default();
        if *unproven >= UNPROVEN_PER_NETWORK {
            return Err(TcpRefusal::NetworkLimit);
        }
        *unproven += 1;
        self.unproven += 1;
        self.open += 1;
        Ok(Ticket {
            network,
            stage: Stage::Unproven,
            news: self.sender.clone(),
        })
    }

    fn hear(&mut self) {
        while let Ok(news) = self.news.try_recv() {
            match news {
                News::Proven(network) => self.forget_unproven(network),
                News::Closed(network, stage) => {
                    self.open -= 1;
                    if stage == Stage::Unproven {
                        self.forget_unproven(network);
                    }
                }
            }
        }
    }

    fn forget_unproven(&mut self, network: IpAddr) {
        self.unproven -= 1;
        if let Some(unproven) = self.unproven_of.get_mut(&network) {
            *unproven -= 1;
            if *unproven == 0 {
                self.unproven_of.remove(&network);
            }
        }
    }
}

/// What counts as one: an IPv4 address, or the /64 of an IPv6 address, all of which one client may
/// have (RFC 6177 §2).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_is_limited_until_its_connections_are_proven() {
        let mut admission = Admission::new(1_000);
        let mut tickets: Vec<_> = (0..UNPROVEN_PER_NETWORK)
            .map(|_| admission.admit(ip("192.0.2.1")).unwrap())
            .collect();
        let refused = admission.admit(ip("::ffff:192.0.2.1"));
        assert_eq!(refused.err(), Some(TcpRefusal::NetworkLimit));
        assert!(admission.admit(ip("192.0.2.2")).is_ok());
        tickets[0].prove();
        tickets[0].prove();
        assert!(tickets[0].is_proven());
        tickets.push(admission.admit(ip("192.0.2.1")).unwrap());
        assert!(admission.admit(ip("192.0.2.1")).is_err());
        tickets.pop();
        assert!(admission.admit(ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn a_64_is_one_network() {
        let mut admission = Admission::new(1_000);
        let _tickets: Vec<_> = (0..UNPROVEN_PER_NETWORK)
            .map(|host| admission.admit(ip(&format!("2001:db8::{host:x}"))).unwrap())
            .collect();
        assert!(admission.admit(ip("2001:db8::ffff")).is_err());
        assert!(admission.admit(ip("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn all_together_are_limited_proven_or_not() {
        let mut admission = Admission::new(2);
        let mut first = admission.admit(ip("192.0.2.1")).unwrap();
        first.prove();
        let second = admission.admit(ip("192.0.2.2")).unwrap();
        let refused = admission.admit(ip("192.0.2.3"));
        assert_eq!(refused.err(), Some(TcpRefusal::TotalLimit));
        drop(second);
        let third = admission.admit(ip("192.0.2.3")).unwrap();
        drop((first, third));
        assert!(admission.admit(ip("192.0.2.3")).is_ok());
        assert_eq!((admission.open, admission.unproven), (1, 1));
    }
}
