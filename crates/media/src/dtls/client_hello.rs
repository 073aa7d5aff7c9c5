//! Reading the client's SRTP profiles out of its ClientHello (RFC 5764 §4.1.1) before the DTLS
//! library sees it.
//!
//! The library's server takes the client's first choice. Ours counts (GCM with 128 bit is the
//! cheapest to send by), so it is offered a single profile: the best of those that the client has.
//! The messages themselves are passed on unchanged, because both ends hash them.

use plenum_types::{DropReason, SrtpProfile};

use super::records::{self, Fragment, HANDSHAKE};

const CLIENT_HELLO: u8 = 1;
const USE_SRTP: u16 = 14;

/// Largest ClientHello. With post-quantum key shares browsers send about 1.8 KiB.
const MAX_HELLO_LEN: usize = 8 * 1024;

/// Datagrams kept until the ClientHello is complete; more are refused, the client repeats them.
const MAX_PENDING: usize = 8;

/// In our order of preference.
const PREFERENCE: [SrtpProfile; 3] = [
    SrtpProfile::AeadAes128Gcm,
    SrtpProfile::AeadAes256Gcm,
    SrtpProfile::Aes128CmSha1_80,
];

/// Number in the use_srtp extension (RFC 5764 §4.1.2, RFC 7714 §14.2).
pub(super) const fn profile_id(profile: SrtpProfile) -> u16 {
    match profile {
        SrtpProfile::AeadAes128Gcm => 0x0007,
        SrtpProfile::AeadAes256Gcm => 0x0008,
        SrtpProfile::Aes128CmSha1_80 => 0x0001,
    }
}

/// A complete first flight.
#[derive(Debug)]
pub(super) struct FirstFlight {
    /// The best profile that both have; `None` if there is none.
    pub(super) profile: Option<SrtpProfile>,
    /// What came so far.
    pub(super) datagrams: Vec<Vec<u8>>,
}

/// Collects a ClientHello, which may come in fragments.
#[derive(Debug, Default)]
pub(super) struct Collector {
    sequence: Option<u16>,
    body: Vec<u8>,
    known: Vec<bool>,
    pending: Vec<Vec<u8>>,
}

impl Collector {
    /// Adds a datagram. Returns all so far once they hold a whole ClientHello.
    pub(super) fn push(&mut self, datagram: &[u8]) -> Result<Option<FirstFlight>, DropReason> {
        if self.pending.len() >= MAX_PENDING {
            *self = Self::default();
            return Err(DropReason::DtlsRefused);
        }
        if !self.collect(datagram) {
            return Err(DropReason::DtlsRefused);
        }
        self.pending.push(datagram.to_vec());
        if !self.known.iter().all(|known| *known) {
            return Ok(None);
        }
        let profile = best_profile(&self.body);
        let datagrams = std::mem::take(self).pending;
        Ok(Some(FirstFlight { profile, datagrams }))
    }

    /// True if the datagram holds a part of a ClientHello.
    fn collect(&mut self, datagram: &[u8]) -> bool {
        let mut found = false;
        let plain = records::records(datagram)
            .flatten()
            .filter(|record| record.kind == HANDSHAKE && record.epoch == 0);
        for fragment in plain
            .flat_map(|record| records::fragments(record.body))
            .flatten()
        {
            if fragment.kind == CLIENT_HELLO && fragment.length <= MAX_HELLO_LEN {
                self.add(&fragment);
                found = true;
            }
        }
        found
    }

    fn add(&mut self, fragment: &Fragment<'_>) {
        if self.sequence != Some(fragment.sequence) || self.body.len() != fragment.length {
            self.sequence = Some(fragment.sequence);
            self.body = vec![0; fragment.length];
            self.known = vec![false; fragment.length];
        }
        let range = fragment.offset..fragment.offset + fragment.body.len();
        self.body[range.clone()].copy_from_slice(fragment.body);
        self.known[range].fill(true);
    }
}

fn best_profile(hello: &[u8]) -> Option<SrtpProfile> {
    let offered = offered_profiles(hello)?;
    PREFERENCE.into_iter().find(|profile| {
        offered
            .chunks_exact(2)
            .any(|id| id == profile_id(*profile).to_be_bytes())
    })
}

/// The list in the use_srtp extension of a ClientHello's body (RFC 6347 §4.3.2).
fn offered_profiles(hello: &[u8]) -> Option<&[u8]> {
    let (_version_and_random, rest) = hello.split_at_checked(2 + 32)?;
    let (_session, rest) = take_u8_list(rest)?;
    let (_cookie, rest) = take_u8_list(rest)?;
    let (_cipher_suites, rest) = take_u16_list(rest)?;
    let (_compression, rest) = take_u8_list(rest)?;
    let (mut extensions, _) = take_u16_list(rest)?;
    while !extensions.is_empty() {
        let (kind, rest) = take_u16(extensions)?;
        let (body, next) = take_u16_list(rest)?;
        if kind == USE_SRTP {
            return Some(take_u16_list(body)?.0);
        }
        extensions = next;
    }
    None
}

fn take_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (value, rest) = bytes.split_at_checked(2)?;
    Some((u16::from_be_bytes([value[0], value[1]]), rest))
}

fn take_u16_list(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = take_u16(bytes)?;
    rest.split_at_checked(usize::from(length))
}

fn take_u8_list(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(profiles: &[u16]) -> Vec<u8> {
        let mut bytes = vec![0xfe, 0xfd];
        bytes.extend_from_slice(&[7; 32]);
        bytes.extend_from_slice(&[0, 0, 0, 2, 0xc0, 0x2b, 1, 0]);
        let mut body = ((profiles.len() * 2) as u16).to_be_bytes().to_vec();
        for profile in profiles {
            body.extend_from_slice(&profile.to_be_bytes());
        }
        body.push(0);
        let mut extensions = vec![0, 23, 0, 0, 0, 14, 0, body.len() as u8];
        extensions.extend_from_slice(&body);
        bytes.extend_from_slice(&(extensions.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&extensions);
        bytes
    }

    fn datagram(hello: &[u8], from: usize, to: usize) -> Vec<u8> {
        let u24 = |value: usize| (value as u32).to_be_bytes()[1..].to_vec();
        let mut fragment = vec![CLIENT_HELLO];
        fragment.extend_from_slice(&u24(hello.len()));
        fragment.extend_from_slice(&[0, 0]);
        fragment.extend_from_slice(&u24(from));
        fragment.extend_from_slice(&u24(to - from));
        fragment.extend_from_slice(&hello[from..to]);
        let mut bytes = vec![HANDSHAKE, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(&(fragment.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&fragment);
        bytes
    }

    fn chosen(profiles: &[u16]) -> Option<SrtpProfile> {
        let hello = hello(profiles);
        let datagram = datagram(&hello, 0, hello.len());
        let flight = Collector::default().push(&datagram).unwrap().unwrap();
        assert_eq!(flight.datagrams, [datagram]);
        flight.profile
    }

    #[test]
    fn our_preference_counts() {
        assert_eq!(chosen(&[1, 8, 7]), Some(SrtpProfile::AeadAes128Gcm));
        assert_eq!(chosen(&[1, 8]), Some(SrtpProfile::AeadAes256Gcm));
        assert_eq!(chosen(&[2, 1]), Some(SrtpProfile::Aes128CmSha1_80));
        assert_eq!(chosen(&[2]), None);
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn fragments_may_come_in_any_order_and_twice() {
        let hello = hello(&[8, 7]);
        let end = hello.len();
        let mut collector = Collector::default();
        let last = datagram(&hello, 40, end);
        assert!(collector.push(&last).unwrap().is_none());
        assert!(collector.push(&last).unwrap().is_none());
        let flight = collector.push(&datagram(&hello, 0, 45)).unwrap().unwrap();
        assert_eq!(flight.profile, Some(SrtpProfile::AeadAes128Gcm));
        assert_eq!(flight.datagrams.len(), 3);
    }

    #[test]
    fn an_endless_hello_is_given_up() {
        let hello = hello(&[7]);
        let part = datagram(&hello, 0, 20);
        let mut collector = Collector::default();
        let waiting = (0..MAX_PENDING).filter(|_| collector.push(&part).is_ok());
        assert_eq!(waiting.count(), MAX_PENDING);
        assert_eq!(collector.push(&part).err(), Some(DropReason::DtlsRefused));
        assert!(collector.pending.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_hello_makes_the_reader_panic(bytes in proptest::collection::vec(0u8.., 0..200)) {
            let _ = best_profile(&bytes);
        }
    }
}
