//! The remote addresses and TCP connections that a peer has proved to own: peer-reflexive candidates, in the words of
//! RFC 8445 §7.3.1.3.
//!
//! Invariant: an address is in the table only if an authenticated STUN request came from it within
//! [`PATH_LIFETIME`] or media since; nothing but STUN errors is ever sent elsewhere.

use std::time::{Duration, Instant};

use plenum_types::{DropReason, Path, Remote};

/// Remote addresses per peer. A browser with two interfaces behind a NAT shows two to six; more
/// only cost memory and the time to search them.
pub(crate) const MAX_PATHS: usize = 16;

/// An address unused for this long gives way when the table is full. Browsers check every address
/// that they hold every 2.5 s, so a shorter time would evict live ones.
const EVICT_AFTER: Duration = Duration::from_secs(5);

/// An address unused for this long is forgotten (the consent time of RFC 7675 §5.1). Longer keeps
/// addresses that a NAT may have given to somebody else.
pub(crate) const PATH_LIFETIME: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug)]
struct Entry {
    path: Path,
    last_used: Instant,
}

/// What became of an address that was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Known,
    Added,
    /// Added in place of another.
    Replaced(Remote),
}

#[derive(Debug, Default)]
pub(super) struct PathTable {
    entries: Vec<Entry>,
}

impl PathTable {
    /// Notes an authenticated request on `path`. `keep` is never evicted.
    pub(super) fn admit(
        &mut self,
        now: Instant,
        path: Path,
        keep: Option<Remote>,
    ) -> Result<Admission, DropReason> {
        let new = Entry {
            path,
            last_used: now,
        };
        if let Some(entry) = self.find(path.remote) {
            *entry = new;
            return Ok(Admission::Known);
        }
        if self.entries.len() < MAX_PATHS {
            self.entries.push(new);
            return Ok(Admission::Added);
        }
        let evictable = self
            .entries
            .iter_mut()
            .filter(|entry| Some(entry.path.remote) != keep)
            .min_by_key(|entry| entry.last_used)
            .filter(|entry| now.saturating_duration_since(entry.last_used) >= EVICT_AFTER)
            .ok_or(DropReason::TooManyPaths)?;
        let evicted = std::mem::replace(evictable, new);
        Ok(Admission::Replaced(evicted.path.remote))
    }

    /// Whether `remote` is proven; if so it counts as used.
    #[inline]
    pub(super) fn touch(&mut self, now: Instant, remote: Remote) -> bool {
        match self.find(remote) {
            Some(entry) => {
                entry.last_used = now;
                true
            }
            None => false,
        }
    }

    /// Whether nothing has come from `remote` for `duration`.
    pub(super) fn is_silent(&self, now: Instant, remote: Remote, duration: Duration) -> bool {
        let mut entries = self.entries.iter();
        entries
            .find(|entry| entry.path.remote == remote)
            .is_none_or(|entry| now.saturating_duration_since(entry.last_used) >= duration)
    }

    pub(super) fn contains(&self, remote: Remote) -> bool {
        self.entries.iter().any(|entry| entry.path.remote == remote)
    }

    /// Forgets one address that has expired, if there is one.
    pub(super) fn expire_one(&mut self, now: Instant) -> Option<Remote> {
        let index = self
            .entries
            .iter()
            .position(|entry| now.saturating_duration_since(entry.last_used) >= PATH_LIFETIME)?;
        Some(self.entries.remove(index).path.remote)
    }

    /// Forgets `remote`; whether it was known.
    pub(super) fn remove(&mut self, remote: Remote) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.path.remote != remote);
        self.entries.len() < before
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        let oldest = self.entries.iter().map(|entry| entry.last_used).min()?;
        Some(oldest + PATH_LIFETIME)
    }

    /// The path used last.
    pub(super) fn latest(&self) -> Option<Path> {
        let latest = self.entries.iter().max_by_key(|entry| entry.last_used)?;
        Some(latest.path)
    }

    fn find(&mut self, remote: Remote) -> Option<&mut Entry> {
        self.entries
            .iter_mut()
            .find(|entry| entry.path.remote == remote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::test_clock::at;
    use std::net::SocketAddr;

    fn path(port: u16) -> Path {
        Path::to(SocketAddr::from(([192, 0, 2, 1], port)))
    }

    #[test]
    fn a_full_table_evicts_the_oldest_unused_address_and_never_the_selected_one() {
        let mut table = PathTable::default();
        for port in 0..MAX_PATHS as u16 {
            let admission = table.admit(at(u64::from(port)), path(port), None);
            assert_eq!(admission, Ok(Admission::Added));
        }
        let keep = Some(path(0).remote);
        assert_eq!(
            table.admit(at(100), path(99), keep),
            Err(DropReason::TooManyPaths)
        );
        assert_eq!(
            table.admit(at(5_100), path(99), keep),
            Ok(Admission::Replaced(path(1).remote))
        );
        assert!(table.contains(path(0).remote));
        assert!(!table.contains(path(1).remote));
    }

    #[test]
    fn use_postpones_expiry() {
        let mut table = PathTable::default();
        table.admit(at(0), path(1), None).unwrap();
        table.admit(at(0), path(2), None).unwrap();
        assert!(table.touch(at(20_000), path(2).remote));
        assert!(!table.touch(at(20_000), path(3).remote));
        assert_eq!(table.next_expiry(), Some(at(30_000)));
        assert_eq!(table.expire_one(at(29_999)), None);
        assert_eq!(table.expire_one(at(30_000)), Some(path(1).remote));
        assert_eq!(table.expire_one(at(30_000)), None);
        assert_eq!(table.latest(), Some(path(2)));
    }
}
