//! Tokens that are not accepted any more, because whoever had them was sent away.

use std::collections::BTreeMap;

use crate::token::Claims;

/// Most identities remembered. Beyond it, those whose tokens expire first are forgotten.
const REVOKED_MAX: usize = 10_000;

/// Who was sent away, and until when it matters.
#[derive(Debug, Default)]
pub(super) struct Revoked {
    /// By room and identity.
    entries: BTreeMap<(String, String), Entry>,
}

/// Seconds since 1970.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Tokens made until then are not accepted.
    made_until_s: u64,
    /// None of them is valid after this.
    expires_s: u64,
}

impl Revoked {
    /// Tokens of `identity` for `room` that were made until `now_s` are not accepted any more.
    pub(super) fn revoke(&mut self, room: &str, identity: &str, now_s: u64, expires_s: u64) {
        self.entries.retain(|_, entry| entry.expires_s >= now_s);
        if self.entries.len() >= REVOKED_MAX {
            let first = self.entries.iter().min_by_key(|(_, entry)| entry.expires_s);
            if let Some(key) = first.map(|(key, _)| key.clone()) {
                self.entries.remove(&key);
            }
        }
        let entry = Entry {
            made_until_s: now_s,
            expires_s,
        };
        let key = (room.to_owned(), identity.to_owned());
        self.entries.insert(key, entry);
    }

    /// Whether a valid token is not accepted. One that does not say when it was made (`iat`,
    /// `nbf`) may be older than the removal.
    pub(super) fn is_revoked(&self, room: &str, claims: &Claims) -> bool {
        let key = (room.to_owned(), claims.sub.clone());
        self.entries.get(&key).is_some_and(|entry| {
            let made = claims.iat.or(claims.nbf);
            match made {
                Some(made) => made <= entry.made_until_s,
                None => claims.exp <= entry.expires_s,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(iat: Option<u64>, exp: u64) -> Claims {
        Claims {
            sub: "eve".to_owned(),
            iat,
            exp,
            ..Claims::default()
        }
    }

    #[test]
    fn tokens_made_before_are_refused_and_later_ones_accepted() {
        let mut revoked = Revoked::default();
        revoked.revoke("r", "eve", 1_000, 5_000);
        assert!(revoked.is_revoked("r", &claims(Some(900), 9_000)));
        assert!(!revoked.is_revoked("r", &claims(Some(1_001), 9_000)));
        assert!(revoked.is_revoked("r", &claims(None, 5_000)));
        assert!(
            !revoked.is_revoked("r", &claims(None, 5_001)),
            "a newer one"
        );
        assert!(!revoked.is_revoked("other", &claims(Some(900), 9_000)));
    }

    #[test]
    fn what_has_expired_is_forgotten_and_the_list_is_bounded() {
        let mut revoked = Revoked::default();
        for number in 0..REVOKED_MAX as u64 + 5 {
            revoked.revoke("r", &number.to_string(), 0, 100 + number);
        }
        assert_eq!(revoked.entries.len(), REVOKED_MAX);
        revoked.revoke("r", "eve", 1_000_000, 2_000_000);
        assert_eq!(revoked.entries.len(), 1);
    }
}
