//! Events on disk: a database file whose every commit is whole or not there.
//!
//! Keys begin with a room's session, which begins with the server's start, so that older ones sort
//! before newer ones.

use std::path::{Path, PathBuf};

use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition,
};
use serde::{Deserialize, Serialize};

use super::event::{EventRoom, RoomEvent};
use crate::room::{Happening, Person};

type Events = TableDefinition<'static, (&'static str, u64), &'static [u8]>;
/// By session and number.
const EVENTS: Events = TableDefinition::new("events");
/// By session.
const SESSIONS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("sessions");
/// By room name and session.
const NAMES: TableDefinition<'_, (&str, &str), ()> = TableDefinition::new("names");
/// Who is in a room and what is published, by session and id: the event that would end it.
const OPEN: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("open");
/// The last number that an address has, by address and session.
const DELIVERED: TableDefinition<'_, (&str, &str), u64> = TableDefinition::new("delivered");
/// Known addresses.
const ADDRESSES: TableDefinition<'_, &str, ()> = TableDefinition::new("addresses");

/// File in the directory.
const FILE: &str = "events.redb";

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory cannot be made or read.
    #[error("cannot use the directory {}: {cause}", .directory.display())]
    Directory {
        /// Which.
        directory: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The database cannot be read or written.
    #[error("cannot use the queue of webhooks: {0}")]
    Database(#[from] redb::Error),
}

macro_rules! from_redb {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> Self {
                Self::Database(error.into())
            }
        }
    )*};
}
from_redb!(
    DatabaseError,
    TransactionError,
    TableError,
    StorageError,
    CommitError,
    SetDurabilityError
);

/// What is known of a room.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Session {
    room: EventRoom,
    /// Number of the last event.
    last: u64,
    /// The room is closed.
    finished: bool,
}

/// How many events were given up for an address before they were delivered.
pub(super) type Dropped = u64;

/// The database.
#[derive(Debug)]
pub(super) struct Store {
    database: Database,
    keep: u64,
}

impl Store {
    pub(super) fn open(directory: &Path, keep: u64) -> Result<Self, StoreError> {
        std::fs::create_dir_all(directory).map_err(|cause| StoreError::Directory {
            directory: directory.to_owned(),
            cause,
        })?;
        let database = Database::create(directory.join(FILE))?;
        let write = database.begin_write()?;
        write.open_table(EVENTS)?;
        write.open_table(SESSIONS)?;
        write.open_table(NAMES)?;
        write.open_table(OPEN)?;
        write.open_table(DELIVERED)?;
        write.open_table(ADDRESSES)?;
        write.commit()?;
        Ok(Self { database, keep })
    }

    /// Puts events on disk. How many had to go for them undelivered.
    pub(super) fn append(&self, events: &[RoomEvent]) -> Result<Dropped, StoreError> {
        let write = self.database.begin_write()?;
        for event in events {
            append_one(&write, event)?;
        }
        let dropped = self.evict(&write)?;
        write.commit()?;
        Ok(dropped)
    }

    /// Ends what a server before left open, at this time: everybody left, all rooms finished.
    pub(super) fn close_sessions(&self, now_ms: u64) -> Result<Dropped, StoreError> {
        let mut endings = Vec::new();
        for session in self.open_sessions()? {
            let mut number = session.last;
            let mut end = |happening| {
                number += 1;
                endings.push(event(&session.room, number, now_ms, happening));
            };
            for happening in self.left_open(&session.room.session)? {
                end(happening);
            }
            end(Happening::RoomFinished {});
        }
        self.append(&endings)
    }

    fn open_sessions(&self) -> Result<Vec<Session>, StoreError> {
        let read = self.database.begin_read()?;
        let sessions = read.open_table(SESSIONS)?;
        let mut open = Vec::new();
        for entry in sessions.iter()? {
            open.extend(decode::<Session>(entry?.1.value()).filter(|session| !session.finished));
        }
        Ok(open)
    }

    /// What would end all that is open in a room: publications (`TR_`) before participants.
    fn left_open(&self, session: &str) -> Result<Vec<Happening>, StoreError> {
        let read = self.database.begin_read()?;
        let open = read.open_table(OPEN)?;
        let mut found = Vec::new();
        for entry in open.range((session, "")..=(session, "\u{10ffff}"))? {
            found.extend(decode::<Happening>(entry?.1.value()));
        }
        found.reverse();
        Ok(found)
    }

    /// From now on these addresses are told. Those that are new get nothing of what was before;
    /// those that are gone are forgotten.
    pub(super) fn set_addresses(&self, urls: &[String]) -> Result<(), StoreError> {
        let write = self.database.begin_write()?;
        {
            let mut addresses = write.open_table(ADDRESSES)?;
            let mut delivered = write.open_table(DELIVERED)?;
            let sessions = write.open_table(SESSIONS)?;
            let known: Vec<String> = keys(&addresses)?;
            for url in urls.iter().filter(|url| !known.contains(url)) {
                addresses.insert(url.as_str(), ())?;
                for entry in sessions.iter()? {
                    let (session, state) = entry?;
                    let last = decode::<Session>(state.value()).map_or(0, |state| state.last);
                    delivered.insert((url.as_str(), session.value()), last)?;
                }
            }
            for url in known.iter().filter(|url| !urls.contains(url)) {
                addresses.remove(url.as_str())?;
                delivered.retain(|(of, _), _| of != url)?;
            }
        }
        Ok(write.commit()?)
    }

    /// Rooms that have events which an address does not have.
    pub(super) fn waiting(&self, urls: &[String]) -> Result<Vec<(String, String)>, StoreError> {
        let read = self.database.begin_read()?;
        let (sessions, delivered) = (read.open_table(SESSIONS)?, read.open_table(DELIVERED)?);
        let mut waiting = Vec::new();
        for entry in sessions.iter()? {
            let (session, state) = entry?;
            let last = decode::<Session>(state.value()).map_or(0, |state| state.last);
            for url in urls {
                let has = delivered.get((url.as_str(), session.value()))?;
                if has.map_or(0, |has| has.value()) < last {
                    waiting.push((url.clone(), session.value().to_owned()));
                }
            }
        }
        Ok(waiting)
    }

    /// The first event of a room that an address does not have.
    pub(super) fn next(&self, url: &str, session: &str) -> Result<Option<RoomEvent>, StoreError> {
        let read = self.database.begin_read()?;
        let delivered = read.open_table(DELIVERED)?.get((url, session))?;
        let after = delivered.map_or(0, |has| has.value()) + 1;
        let events = read.open_table(EVENTS)?;
        let first = events.range((session, after)..=(session, u64::MAX))?.next();
        Ok(first
            .transpose()?
            .and_then(|(_, body)| decode(body.value())))
    }

    /// An address has a room's events up to this number. After a crash it may get them again.
    pub(super) fn delivered(&self, done: &[(String, String, u64)]) -> Result<(), StoreError> {
        let mut write = self.database.begin_write()?;
        write.set_durability(Durability::None)?;
        {
            let mut delivered = write.open_table(DELIVERED)?;
            for (url, session, number) in done {
                delivered.insert((url.as_str(), session.as_str()), *number)?;
            }
        }
        Ok(write.commit()?)
    }

    /// Whether a session is one of a room of this name.
    pub(super) fn is_of(&self, session: &str, name: &str) -> Result<bool, StoreError> {
        let read = self.database.begin_read()?;
        Ok(read.open_table(NAMES)?.get((name, session))?.is_some())
    }

    /// The latest session of a room name.
    pub(super) fn latest(&self, name: &str) -> Result<Option<String>, StoreError> {
        let read = self.database.begin_read()?;
        let names = read.open_table(NAMES)?;
        let last = names.range((name, "")..=(name, "\u{10ffff}"))?.next_back();
        Ok(last.transpose()?.map(|(key, _)| key.value().1.to_owned()))
    }

    /// Events of a session after a number; `None` if they are kept no longer.
    pub(super) fn replay(
        &self,
        session: &str,
        since: u64,
        limit: usize,
    ) -> Result<Option<Vec<RoomEvent>>, StoreError> {
        let read = self.database.begin_read()?;
        let state = read.open_table(SESSIONS)?.get(session)?;
        let last = state.and_then(|state| decode::<Session>(state.value()));
        let last = last.map_or(0, |state| state.last);
        let events = read.open_table(EVENTS)?;
        let mut found = Vec::new();
        for entry in events
            .range((session, since.saturating_add(1))..=(session, u64::MAX))?
            .take(limit)
        {
            found.extend(decode::<RoomEvent>(entry?.1.value()));
        }
        let is_whole = found
            .first()
            .map_or(since >= last, |first| first.number == since + 1);
        Ok((is_whole || limit == 0).then_some(found))
    }

    /// Lets the oldest events go until few enough are left.
    fn evict(&self, write: &redb::WriteTransaction) -> Result<Dropped, StoreError> {
        let mut events = write.open_table(EVENTS)?;
        let mut dropped = 0;
        while events.len()? > self.keep {
            let Some(first) = events.pop_first()? else {
                break;
            };
            let (session, number) = first.0.value();
            let session = session.to_owned();
            drop(first);
            dropped += undelivered(write, &session, number)?;
            let is_last = events
                .range((session.as_str(), 0)..=(session.as_str(), u64::MAX))?
                .next()
                .is_none();
            if is_last {
                forget(write, &session)?;
            }
        }
        Ok(dropped)
    }
}

/// How many addresses do not have an event.
fn undelivered(
    write: &redb::WriteTransaction,
    session: &str,
    number: u64,
) -> Result<u64, StoreError> {
    let delivered = write.open_table(DELIVERED)?;
    let mut missing = 0;
    for url in keys(&write.open_table(ADDRESSES)?)? {
        let has = delivered.get((url.as_str(), session))?;
        missing += u64::from(has.map_or(0, |has| has.value()) < number);
    }
    Ok(missing)
}

/// Forgets a room that is finished and of which no event is left.
fn forget(write: &redb::WriteTransaction, session: &str) -> Result<(), StoreError> {
    let mut sessions = write.open_table(SESSIONS)?;
    let state = sessions
        .get(session)?
        .and_then(|state| decode::<Session>(state.value()));
    let Some(state) = state.filter(|state| state.finished) else {
        return Ok(());
    };
    sessions.remove(session)?;
    write
        .open_table(NAMES)?
        .remove((state.room.name.as_str(), session))?;
    write
        .open_table(DELIVERED)?
        .retain(|(_, of), _| of != session)?;
    Ok(())
}

fn append_one(write: &redb::WriteTransaction, event: &RoomEvent) -> Result<(), StoreError> {
    let session = event.room.session.as_str();
    let body = encode(event);
    write
        .open_table(EVENTS)?
        .insert((session, event.number), body.as_slice())?;
    let name = event.room.name.as_str();
    write.open_table(NAMES)?.insert((name, session), ())?;
    let state = Session {
        room: event.room.clone(),
        last: event.number,
        finished: matches!(event.happening, Happening::RoomFinished {}),
    };
    let state = encode(&state);
    write
        .open_table(SESSIONS)?
        .insert(session, state.as_slice())?;
    let mut open = write.open_table(OPEN)?;
    match change(&event.happening) {
        Some((id, Some(ending))) => {
            let ending = encode(&ending);
            open.insert((session, id), ending.as_slice())?;
        }
        Some((id, None)) => {
            open.remove((session, id))?;
        }
        None => {}
    }
    Ok(())
}

/// The id that an event opens, with what would end it after a crash, or ends.
fn change(happening: &Happening) -> Option<(&str, Option<Happening>)> {
    let restarted = |participant: &Person| Happening::ParticipantLeft {
        participant: participant.clone(),
        reason: "serverRestarted".to_owned(),
    };
    match happening {
        Happening::ParticipantJoined { participant } => {
            Some((&participant.id, Some(restarted(participant))))
        }
        Happening::ParticipantLeft { participant, .. } => Some((&participant.id, None)),
        Happening::PublicationStarted {
            participant,
            publication,
        } => {
            let ending = Happening::PublicationEnded {
                participant: participant.clone(),
                publication: publication.clone(),
            };
            Some((&publication.id, Some(ending)))
        }
        Happening::PublicationEnded { publication, .. } => Some((&publication.id, None)),
        Happening::RoomStarted {}
        | Happening::RoomFinished {}
        | Happening::ActiveSpeaker { .. }
        | Happening::ConnectionFailed { .. } => None,
    }
}

/// An event of a room.
pub(super) fn event(
    room: &EventRoom,
    number: u64,
    created_at: u64,
    happening: Happening,
) -> RoomEvent {
    RoomEvent {
        id: format!("EV_{}-{number}", room.session),
        number,
        created_at,
        room: room.clone(),
        happening,
    }
}

fn keys(table: &impl ReadableTable<&'static str, ()>) -> Result<Vec<String>, StoreError> {
    let mut keys = Vec::new();
    for entry in table.iter()? {
        keys.push(entry?.0.value().to_owned());
    }
    Ok(keys)
}

/// Plain structs: serialisation has no way to fail.
fn encode(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// `None` for what another version wrote and this one cannot read.
fn decode<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests;
