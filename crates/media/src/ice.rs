//! ICE lite agent (RFC 8445 §2.5): it has host candidates only, is always controlled, sends no
//! checks, and answers those of the client.
//!
//! Invariants: an address becomes a path only by a request authenticated with our password; the
//! client alone selects the path, by nomination, and the latest nomination wins; a request that
//! is not authenticated gets an answer only at an address that is already proven, and no error
//! answer is longer than its request.

mod crc32;
mod liveness;
mod paths;
mod stun;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use plenum_types::{DropReason, IceCredentials, Path, Remote};

use crate::MediaError;
use crate::peer::{Output, PeerEvent};
use paths::{Admission, PathTable};
use stun::{Message, StunError, Writer};

pub(crate) use liveness::{Lapse, Liveness};
pub use stun::stun_local_ufrag;

const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;

/// Silence on the selected path after which media on another one means that the client has moved.
/// Shorter follows late packets of the old path back to it; longer keeps sending into the void.
const MOVED_AFTER: Duration = Duration::from_millis(300);

/// Lengths of user name fragment and password (RFC 8445 §5.3).
const UFRAG_LEN: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD_LEN: std::ops::RangeInclusive<usize> = 22..=256;

/// One pair of credentials, ready to check requests.
struct Credentials {
    /// `local:remote`, as the client must write it.
    username: String,
    key: hmac::Key,
}

impl Credentials {
    fn new(local: &IceCredentials, remote: &IceCredentials) -> Self {
        Self {
            username: format!("{}:{}", local.ufrag, remote.ufrag),
            key: hmac::Key::new(
                hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                local.password.0.as_bytes(),
            ),
        }
    }

    fn verify(&self, request: &Message<'_>) -> bool {
        let username = request.username.unwrap_or_default();
        let same =
            aws_lc_rs::constant_time::verify_slices_are_equal(username, self.username.as_bytes());
        // Both are always computed, so that time does not tell a wrong name from a wrong password.
        let authentic = request.verify_integrity(&self.key);
        same.is_ok() && authentic
    }
}

/// Error answers of a STUN server (RFC 8489 §14.8, RFC 8445 §7.3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    BadRequest,
    Unauthenticated,
    UnknownAttribute,
    RoleConflict,
}

impl Refusal {
    const fn code(self) -> (u8, u8) {
        match self {
            Self::BadRequest => (4, 0),
            Self::Unauthenticated => (4, 1),
            Self::UnknownAttribute => (4, 20),
            Self::RoleConflict => (4, 87),
        }
    }
}

/// Where the client is, and where it wants to receive.
pub(crate) struct Agent {
    current: Credentials,
    /// Before an ICE restart; valid until the current ones have been used.
    previous: Option<Credentials>,
    paths: PathTable,
    selected: Option<Path>,
    nominated: bool,
    /// Highest value of libwebrtc's nomination attribute since the last restart.
    nomination: Option<u32>,
}

impl Agent {
    pub(crate) fn new(local: &IceCredentials, remote: &IceCredentials) -> Result<Self, MediaError> {
        if !UFRAG_LEN.contains(&local.ufrag.len())
            || !PASSWORD_LEN.contains(&local.password.0.len())
        {
            return Err(MediaError::IceCredentials);
        }
        Ok(Self {
            current: Credentials::new(local, remote),
            previous: None,
            paths: PathTable::default(),
            selected: None,
            nominated: false,
            nomination: None,
        })
    }

    /// New credentials (RFC 8445 §2.4). The last ones known to be in use stay valid until the new
    /// ones are used; the path stays until the client nominates another.
    pub(crate) fn restart(&mut self, local: &IceCredentials, remote: &IceCredentials) {
        let old = std::mem::replace(&mut self.current, Credentials::new(local, remote));
        self.previous.get_or_insert(old);
    }

    pub(crate) const fn path(&self) -> Option<Path> {
        self.selected
    }

    /// Media or data that authenticates has come on `path`, which is proven.
    ///
    /// A client sends media on the path it has selected. Behind a NAT that gave it another address
    /// it does not know that its path changed, and not every stack nominates again in its consent
    /// checks: so media on another path than ours, once ours has fallen silent, moves us there.
    #[inline]
    pub(crate) fn on_traffic(&mut self, now: Instant, path: Path, out: &mut Output) {
        self.paths.touch(now, path.remote);
        if let Some(selected) = self.selected
            && selected.remote != path.remote
            && self.paths.is_silent(now, selected.remote, MOVED_AFTER)
        {
            self.select(path, out);
        }
    }

    pub(crate) fn is_proven(&self, remote: Remote) -> bool {
        self.paths.contains(remote)
    }

    /// The client speaks DTLS on `path`: until it nominates one, that is the path to answer on.
    pub(crate) fn on_dtls(&mut self, path: Path, out: &mut Output) {
        if !self.nominated {
            self.select(path, out);
        }
    }

    /// Answers a STUN message that came on `path`.
    pub(crate) fn handle_request(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &[u8],
        out: &mut Output,
    ) -> Result<(), DropReason> {
        let request = Message::parse(datagram).map_err(|error| match error {
            StunError::Malformed => DropReason::StunMalformed,
            StunError::Fingerprint => DropReason::StunIntegrity,
        })?;
        if request.kind != stun::BINDING_REQUEST {
            return Err(DropReason::StunUnexpected);
        }
        if let Err((refusal, reason)) = self.authenticate(&request) {
            if self.is_proven(path.remote) {
                refuse(refusal, &request, None, path, datagram, out)?;
            }
            return Err(reason);
        }
        if let Err((refusal, reason)) = check_semantics(&request) {
            let key = Some(self.key_of(&request));
            refuse(refusal, &request, key, path, datagram, out)?;
            return Err(reason);
        }
        self.admit(now, path, out)?;
        self.nominate(&request, path, out);
        out.transmit(
            path,
            success(&request, path.remote.address, self.key_of(&request)),
        )
    }

    /// Which credentials the request shows. Using the current ones retires the previous ones.
    fn authenticate(&mut self, request: &Message<'_>) -> Result<(), (Refusal, DropReason)> {
        if request.username.is_none() || !request.has_integrity() {
            return Err((Refusal::BadRequest, DropReason::StunIntegrity));
        }
        if self.current.verify(request) {
            if self.previous.take().is_some() {
                self.nomination = None;
            }
            return Ok(());
        }
        match &self.previous {
            Some(previous) if previous.verify(request) => Ok(()),
            _ => Err((Refusal::Unauthenticated, DropReason::StunIntegrity)),
        }
    }

    /// The key with which an authenticated `request` is answered: the one it used itself.
    fn key_of(&self, request: &Message<'_>) -> &hmac::Key {
        match &self.previous {
            Some(previous) if request.username == Some(previous.username.as_bytes()) => {
                &previous.key
            }
            _ => &self.current.key,
        }
    }

    fn admit(&mut self, now: Instant, path: Path, out: &mut Output) -> Result<(), DropReason> {
        let keep = self.selected.map(|selected| selected.remote);
        match self.paths.admit(now, path, keep)? {
            Admission::Known => {}
            Admission::Added => out.event(PeerEvent::PathAdded(path.remote)),
            Admission::Replaced(evicted) => {
                out.event(PeerEvent::PathRemoved(evicted));
                out.event(PeerEvent::PathAdded(path.remote));
            }
        }
        if self.selected.is_none() {
            self.select(path, out);
        }
        Ok(())
    }

    /// USE-CANDIDATE (RFC 8445 §7.3.1.5): the latest wins, so a client that roams just nominates
    /// its new path. Where libwebrtc counts its nominations, a lower count is an old request.
    fn nominate(&mut self, request: &Message<'_>, path: Path, out: &mut Output) {
        if let Some(count) = request.nomination {
            if self.nomination.is_some_and(|highest| count < highest) {
                return;
            }
            self.nomination = Some(count);
        } else if !request.use_candidate {
            return;
        }
        self.nominated = true;
        self.select(path, out);
    }

    fn select(&mut self, path: Path, out: &mut Output) {
        if self.selected != Some(path) {
            self.selected = Some(path);
            out.event(PeerEvent::SelectedPathChanged(path));
        }
    }

    /// Forgets addresses that have not been used for long. If the selected one is among them, the
    /// path used last takes its place until the client nominates again.
    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Output) {
        while let Some(expired) = self.paths.expire_one(now) {
            self.on_removed(expired, out);
        }
    }

    /// The TCP connection that `remote` names is closed. Where it was the selected path and there
    /// is no other, nothing is sent until a check comes over a new one (RFC 6544 §7.1, §12).
    pub(crate) fn handle_disconnect(&mut self, remote: Remote, out: &mut Output) {
        if self.paths.remove(remote) {
            self.on_removed(remote, out);
        }
    }

    /// `remote` has left the table.
    fn on_removed(&mut self, remote: Remote, out: &mut Output) {
        out.event(PeerEvent::PathRemoved(remote));
        if self.selected.is_some_and(|path| path.remote == remote) {
            self.selected = None;
            self.nominated = false;
            if let Some(path) = self.paths.latest() {
                self.select(path, out);
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.paths.next_expiry()
    }
}

/// What an authenticated request must be besides.
fn check_semantics(request: &Message<'_>) -> Result<(), (Refusal, DropReason)> {
    if !request.unknown().is_empty() {
        return Err((Refusal::UnknownAttribute, DropReason::StunUnexpected));
    }
    if request.priority.is_none() {
        return Err((Refusal::BadRequest, DropReason::StunMalformed));
    }
    // A lite agent cannot take the controlling role (RFC 8445 §6.1.1), so the client has to.
    if request.controlled {
        return Err((Refusal::RoleConflict, DropReason::StunUnexpected));
    }
    Ok(())
}

fn success(request: &Message<'_>, remote: SocketAddr, key: &hmac::Key) -> Vec<u8> {
    let mut writer = Writer::new(BINDING_SUCCESS, request.transaction());
    let address = xor_address(remote, request.transaction());
    writer.attribute(stun::XOR_MAPPED_ADDRESS, &address);
    writer.integrity(key);
    writer.finish()
}

/// Sends an error answer, unless it would be longer than what it answers.
fn refuse(
    refusal: Refusal,
    request: &Message<'_>,
    key: Option<&hmac::Key>,
    path: Path,
    datagram: &[u8],
    out: &mut Output,
) -> Result<(), DropReason> {
    let mut writer = Writer::new(BINDING_ERROR, request.transaction());
    let (class, number) = refusal.code();
    writer.attribute(stun::ERROR_CODE, &[0, 0, class, number]);
    if refusal == Refusal::UnknownAttribute {
        let mut list = Vec::new();
        for attribute in request.unknown() {
            list.extend_from_slice(&attribute.to_be_bytes());
        }
        writer.attribute(stun::UNKNOWN_ATTRIBUTES, &list);
    }
    if let Some(key) = key {
        writer.integrity(key);
    }
    let answer = writer.finish();
    if answer.len() > datagram.len() {
        return Ok(());
    }
    out.transmit(path, answer)
}

/// Value of XOR-MAPPED-ADDRESS (RFC 8489 §14.2).
fn xor_address(address: SocketAddr, transaction: [u8; 12]) -> Vec<u8> {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&stun::COOKIE);
    mask[4..].copy_from_slice(&transaction);
    let port = address.port() ^ u16::from_be_bytes([mask[0], mask[1]]);
    let (family, mut ip) = match address.ip() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    for (byte, mask) in ip.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    let mut value = vec![0, family];
    value.extend_from_slice(&port.to_be_bytes());
    value.append(&mut ip);
    value
}

#[cfg(test)]
mod tests;
